"""Publications as assets: one for each entry of the settings, run only when somebody asks for it."""

from pathlib import Path

import dagster as dg
import pytest

from relight_assets.config.datasets.exports import Export
from relight_assets.config.datasets.publish import Publish
from relight_assets.config.settings import Settings
from relight_assets.definitions import defs
from relight_assets.defs.assets.published import published_assets
from relight_assets.errors import ConfigError
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.assets.test_exports import materialize
from relight_assets_tests.defs.assets.test_mapping import CSVS, STAGES
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy, Refusal
from relight_assets_tests.publishing.s3 import SECRET, TOKEN, assert_manifest_fits

PAIRS, SHARED, IMAGES = (
    dg.AssetKey(["exports", "pairs"]),
    dg.AssetKey(["published", "shared"]),
    dg.AssetKey(["published", "images"]),
)


@pytest.fixture
def project(
    empty_project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> Project:
    empty_project.write_csv("train", PORTRAITS[:2])
    place = f"dest: 's3://{s3_bucket.name}/sets', endpoint: '{s3_proxy.url}'"
    monkeypatch.setenv("RELIGHT_EXPORTS", "[{name: pairs, layout: jsonl}]")
    monkeypatch.setenv(
        "RELIGHT_PUBLISH", f"[{{name: shared, {place}}}, {{name: images, what: splits, {place}, delete: true}}]"
    )
    return empty_project


def metadata_of(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, object]:
    (event,) = [
        found.step_materialization_data.materialization
        for found in result.get_asset_materialization_events()
        if found.step_materialization_data.materialization.asset_key == key
    ]
    return {name: value.value for name, value in event.metadata.items()}


def test_the_export_and_the_images_of_a_split_are_published(
    instance: dg.DagsterInstance, project: Project, s3_bucket: TestBucket
) -> None:
    result = materialize(instance, *STAGES, *CSVS, PAIRS, SHARED, IMAGES)
    for tree in ("pairs/train", "data-train"):
        assert_manifest_fits(s3_bucket, f"sets/{tree}/")
    shared = metadata_of(result, SHARED)
    objects = [key for key in s3_bucket.names("sets/pairs/train/") if key != "uploads.csv"]
    assert (shared["objects"], shared["uploaded"], shared["unchanged"]) == (len(objects), len(objects) - 1, 0)
    assert shared["destination"] == [f"s3://{s3_bucket.name}/sets/pairs/train"]
    assert shared["changed"] is True
    assert metadata_of(result, IMAGES)["removed"] == 0
    again = metadata_of(materialize(instance, SHARED), SHARED)
    assert (again["uploaded"], again["unchanged"], again["changed"]) == (0, shared["uploaded"], False)
    assert again["manifest_sha256"] == shared["manifest_sha256"]


def test_images_are_published_of_a_checked_mapping_alone(
    instance: dg.DagsterInstance, project: Project, s3_bucket: TestBucket
) -> None:
    materialize(instance, *STAGES, *CSVS)
    project.write_csv("train", PORTRAITS[:3])
    assert "materialize mapping_csv first" in failure_of(materialize(instance, IMAGES, succeeds=False))
    assert s3_bucket.names() == []


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return failure.step_failure_data.error_display_string


def test_a_store_that_fails_is_one_sentence_without_credentials(
    instance: dg.DagsterInstance, project: Project, s3_proxy: FaultProxy, capfd: pytest.CaptureFixture[str]
) -> None:
    materialize(instance, *STAGES, *CSVS, PAIRS)
    s3_proxy.choose = lambda *_: Refusal(400, "ExpiredToken", f"<Token-0>{TOKEN}</Token-0>")
    result = materialize(instance, SHARED, succeeds=False)
    message = failure_of(result)
    assert "the credentials have expired; renew them" in message
    assert "Traceback" not in message
    shown = f"{''.join(capfd.readouterr())}{[str(event) for event in result.all_events]}"
    assert not any(secret in shown for secret in (SECRET, TOKEN))


def test_they_come_after_what_they_publish_and_are_part_of_no_job(project: Project) -> None:
    repository = defs().get_repository_def()
    graph = repository.asset_graph
    assert graph.get(SHARED).parent_keys == {PAIRS}
    assert graph.get(IMAGES).parent_keys == {dg.AssetKey("mapping_csv")}
    for job in repository.get_all_jobs():
        if not job.name.startswith("__"):  # that of all assets, from which people choose
            assert not {SHARED, IMAGES} & set(job.asset_layer.selected_asset_keys), job.name


def test_none_by_default() -> None:
    assert published_assets(Settings()) == []


def settings(*publish: Publish) -> Settings:
    exports = (Export(name="pairs", layout="jsonl"), Export(name="shards", layout="webdataset"))
    return Settings(publish=publish, exports=exports, output_root=Path("/data/outputs"))


def test_all_exports_or_those_that_are_named() -> None:
    for given, expected in (((), {"pairs", "shards"}), (("shards",), {"shards"})):
        (asset,) = published_assets(settings(Publish(name="a", dest="/mnt/sets", exports=given)))
        (dependencies,) = asset.asset_deps.values()
        assert {key.path[-1] for key in dependencies} == expected


@pytest.mark.parametrize(
    ("publish", "message"),
    [
        ([Publish(name="a", dest="/mnt/x"), Publish(name="a", dest="/mnt/y")], "`a` is there twice"),
        (
            [Publish(name="a", dest="/mnt/x", exports=("pair",))],
            "no `pair` among .* did you mean `pairs`",
        ),
        ([Publish(name="a", dest="/data/outputs/x")], "where outputs are"),
    ],
)
def test_mistakes(publish: list[Publish], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        published_assets(settings(*publish))


def test_without_exports_there_is_nothing_to_publish() -> None:
    with pytest.raises(ConfigError, match="`exports` is empty here: add one, or set `what: splits`"):
        published_assets(Settings(publish=(Publish(name="a", dest="/mnt/x"),)))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight_assets.publishing.stores.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"publish: `a`: publishing needs obstore and boto3: pip install"):
        published_assets(settings(Publish(name="a", dest="s3://b/x")))
