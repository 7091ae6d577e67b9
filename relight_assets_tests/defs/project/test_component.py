"""`RelightComponent`: several in one project keep apart, and mistakes in `defs.yaml` are told in one sentence."""

import json
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.errors import ConfigError
from relight_assets_tests.host_project import HostProject, images

PREFIX = "must be a letter and then letters, digits and `_`, at most 32 in all, such as `portraits`"


@pytest.fixture
def host(tmp_path: Path, request: pytest.FixtureRequest) -> HostProject:
    made = HostProject(tmp_path, f"host_{abs(hash(request.node.name))}")
    made.write()
    return made


def failure(host: HostProject, monkeypatch: pytest.MonkeyPatch) -> str:
    """The sentence of the first of our errors under what Dagster raises."""
    with pytest.raises(Exception) as raised:  # noqa: PT011  (one of Dagster's, around ours)
        host.load(monkeypatch)
    error: BaseException | None = raised.value
    while error is not None and not isinstance(error, ConfigError):
        error = error.__cause__ or error.__context__
    assert error is not None, raised.value
    assert "\n" not in str(error)
    return str(error)


def test_all_names_of_a_component_begin_with_its_prefix(host: HostProject, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = (
        "exports: [{name: pairs, layout: imagefolder}]\npublish: [{name: share, dest: /mnt/share, what: splits}]\n"
    )
    host.add("studio", platform="platform.yaml")
    (host.components / "studio" / "platform.yaml").write_text(exports)
    host.add("street")
    defs = host.load(monkeypatch)
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {key.partition("/")[0] for key in keys} == {"studio", "street"}
    own = {name: {key.partition("/")[2] for key in keys if key.startswith(name)} for name in ("studio", "street")}
    assert own["studio"] - own["street"] == {"exports/pairs", "published/share"}
    assert {"masks", "recipe/masks", "split_csv", "mapping_csv", "gallery"} <= own["street"]
    repository = defs.get_repository_def()
    names = [
        *(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        *(sensor.name for sensor in defs.sensors or []),
        *(schedule.name for schedule in defs.schedules or []),
        *(defs.resources or {}),
        *(spec.group_name or "" for spec in defs.resolve_all_asset_specs()),
        *(name for spec in defs.resolve_all_asset_specs() for name in _partitions(spec)),
    ]
    assert {name.partition("_")[0] for name in names} == {"studio", "street"}
    checks = {f"{key.asset_key.to_user_string()}:{key.name}" for key in repository.asset_graph.asset_check_keys}
    assert {"studio/mapping_csv:up_to_date", "street/mapping_csv:up_to_date"} <= checks
    assert defs.executor is None, "the host's"


def _partitions(spec: dg.AssetSpec) -> list[str]:
    """The names under which the instance keeps the partitions of an asset."""
    of = spec.partitions_def
    parts = (
        [each.partitions_def for each in of.partitions_defs] if isinstance(of, dg.MultiPartitionsDefinition) else [of]
    )
    return [str(each.name) for each in parts if isinstance(each, dg.DynamicPartitionsDefinition)]


def test_the_pool_is_shared_unless_it_is_set(host: HostProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, more in {"studio": {}, "street": {}, "other": {"pool": "second_gpu"}}.items():
        host.add(name, **more)
    defs = host.load(monkeypatch)
    pools = [defs.get_assets_def(dg.AssetKey([name, "masks"])).op.pool for name in ("studio", "street", "other")]
    assert pools == ["gpu", "gpu", "second_gpu"]
    assert defs.resolve_job_def("other_experiment").nodes[0].definition.pool == "second_gpu"  # type: ignore[attr-defined]


def test_two_of_them_materialize_a_split_without_touching_each_other(
    host: HostProject, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, photo, seed in (("studio", "collins_close.png", 1), ("street", "hopper_square.png", 2)):
        host.add(name, [photos / photo], recipe="recipe.yaml", platform="../shared.yaml")
        (host.components / name / "recipe.yaml").write_text(f"seed: {seed}\n")
    (host.components / "shared.yaml").write_text(
        "csv_dir: /nowhere\nmapping_dir: mappings\ncpu_workers: 1\nthreads: 1\n"
    )
    defs = host.load(monkeypatch)
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.instance_for_test() as instance:
        before = _files(host.components / "street")
        instance.add_dynamic_partitions("studio_splits", ["train"])
        _run(job, instance, "studio")
        assert _files(host.components / "street") == before
        assert instance.get_dynamic_partitions("street_splits") == []
        assert not instance.get_materialized_partitions(dg.AssetKey(["street", "masks"]))
        assert not instance.fetch_observations(dg.AssetKey(["street", "recipe", "masks"]), limit=1).records

        finished = _files(host.components / "studio")
        instance.add_dynamic_partitions("street_splits", ["train"])
        _run(job, instance, "street")
        assert _files(host.components / "studio") == finished
        for name in ("studio", "street"):
            assert instance.get_materialized_partitions(dg.AssetKey([name, "mapping_csv"])) == {"train"}
    for name, photo in (("studio", "collins_close.png"), ("street", "hopper_square.png")):
        record = json.loads((host.components / name / "outputs/data-train/00000_metadata.json").read_bytes())
        assert (record["image_path"], len(record["stages"])) == (str(photos / photo), 4)
        assert photo in (host.components / name / "outputs/train_images_with_relighting_outputs.csv").read_text()
    assert not (host.root / "src" / "mappings").exists()


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, name: str) -> None:
    config = {
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        "execution": {"config": {"in_process": {}}},  # as somebody chooses in the launchpad
    }
    done = job.execute_in_process(
        instance=instance, asset_selection=images(name), partition_key="train", run_config=config, raise_on_error=False
    )
    assert done.success, [event.step_failure_data.error for event in done.get_step_failure_events()]


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


def test_variables_of_the_machine_hold_and_those_of_one_project_do_not(
    host: HostProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from relight_assets.config.hosted_project import HostedProject

    environ = {"RELIGHT_THREADS": "3", "RELIGHT_OUTPUT_ROOT": "/elsewhere", "RELIGHT_PLATFORM": "/gone.yaml"}
    settings = HostedProject(environ, here=tmp_path, data=tmp_path / "a", outputs=tmp_path / "b").settings()
    assert (settings.threads, settings.csv_dir, settings.output_root) == (3, tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"data": "gone"}, "`data`: there is no {folder}/gone; make it, or name another"),
        ({"recipe": "gone.yaml"}, "`recipe`: there is no {folder}/gone.yaml; make it, or name another"),
        ({"outpts": "x"}, "`attributes`: unknown key `outpts`; did you mean `outputs`?"),
        (
            {"prefix": "my studio"},
            f"`prefix`: found 'my studio'; {PREFIX}",
        ),
    ],
)
def test_a_mistake_in_the_yaml_is_one_sentence(
    host: HostProject, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, str], sentence: str
) -> None:
    folder = host.add("studio", **attributes)
    assert failure(host, monkeypatch) == f"{folder / 'defs.yaml'}: {sentence.format(folder=folder)}"


def test_a_recipe_that_cannot_be_used_is_named(host: HostProject, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = host.add("studio", recipe="recipe.yaml")
    (folder / "recipe.yaml").write_text("sead: 1\n")
    assert failure(host, monkeypatch) == f"{folder / 'recipe.yaml'}: unknown key `sead`; did you mean `seed`?"


def test_two_components_of_one_prefix_are_refused(host: HostProject, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, street = host.add("studio"), host.add("street", prefix="studio")
    assert failure(host, monkeypatch) == (
        f"{street / 'defs.yaml'}: `prefix`: `studio` is that of the component in {studio} too; give each its own"
    )


def test_two_components_do_not_write_into_one_folder(host: HostProject, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, street = host.add("studio"), host.add("street", outputs="../studio/outputs")
    assert failure(host, monkeypatch) == (
        f"{street / 'defs.yaml'}: `outputs`: {studio / 'outputs'} is that of the component in {studio} too; give each "
        f"its own"
    )
