"""Exports as assets: one for each entry of the settings, of checked mappings alone."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from relight_assets.config.datasets.exports import Export, ExportOptions
from relight_assets.config.settings import Settings
from relight_assets.definitions import defs
from relight_assets.defs.assets.exports import READABLE, export_assets
from relight_assets.errors import ConfigError
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.assets.test_mapping import CSVS, STAGES, check_of

KEY = dg.AssetKey(["exports", "my-pairs"])


@pytest.fixture
def project(empty_project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    empty_project.write_csv("train", PORTRAITS[:2])
    monkeypatch.setenv("RELIGHT_EXPORTS", "[{name: my-pairs, layout: imagefolder, options: {caption: fixed}}]")
    return empty_project


def materialize(
    instance: dg.DagsterInstance, *keys: str | dg.AssetKey, succeeds: bool = True
) -> dg.ExecuteInProcessResult:
    made = defs().resolve_implicit_global_asset_job_def()
    selection = [key if isinstance(key, dg.AssetKey) else dg.AssetKey(key) for key in keys]
    result = made.execute_in_process(
        partition_key="train", instance=instance, asset_selection=selection, raise_on_error=False
    )
    assert result.success is succeeds
    return result


def test_it_comes_after_the_mapping_and_is_read_back(instance: dg.DagsterInstance, project: Project) -> None:
    result = materialize(instance, *STAGES, *CSVS, KEY)
    (event,) = [
        found.step_materialization_data.materialization
        for found in result.get_asset_materialization_events()
        if found.step_materialization_data.materialization.asset_key == KEY
    ]
    folder = Path(str(event.metadata["path"].value))
    assert folder.parent == project.data / "outputs" / "exports" / "my-pairs"
    assert event.metadata["dagster/row_count"].value == 2
    assert sorted(path.name for path in (folder / "image").glob("*.png")) == ["000000.png", "000001.png"]
    assert event.metadata["card"] == dg.MetadataValue.md((folder / "README.md").read_text())
    check = check_of(result, READABLE)
    assert (check["passed"], check["pairs"], check["faults"]) == (True, 2, 0)
    assert 0 <= check["offset_median_px"] <= check["offset_worst_px"] < 0.2


def test_without_a_mapping_of_this_content_it_refuses(instance: dg.DagsterInstance, project: Project) -> None:
    materialize(instance, *STAGES, *CSVS)
    materialize(instance, KEY)
    project.write_csv("train", PORTRAITS[:3])
    result = materialize(instance, KEY, succeeds=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    message = failure.step_failure_data.error_display_string
    assert "the mapping of `train` is not of its images as they are now" in message
    assert "Traceback" not in message


def status(instance: dg.DagsterInstance, key: dg.AssetKey) -> StaleStatus:
    graph = defs().get_repository_def().asset_graph
    return CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance)).get_status(key, "train")


def test_a_snapshot_is_shown_stale_when_the_split_moves_on(instance: dg.DagsterInstance, project: Project) -> None:
    materialize(instance, *STAGES, *CSVS, KEY)
    assert status(instance, KEY) is StaleStatus.FRESH
    project.write_csv("train", PORTRAITS[:3])
    before = (project.data / "outputs" / "exports" / "my-pairs" / "train").readlink()
    materialize(instance, *STAGES, *CSVS)
    assert status(instance, KEY) is StaleStatus.STALE
    assert (project.data / "outputs" / "exports" / "my-pairs" / "train").readlink() == before
    materialize(instance, KEY)
    assert status(instance, KEY) is StaleStatus.FRESH


def test_options_are_part_of_the_code_version(tmp_path: Path) -> None:
    def version(**options: object) -> str | None:
        export = Export(name="a", layout="jsonl", options=ExportOptions(**options))  # type: ignore[arg-type]
        (asset,) = export_assets(Settings(exports=(export,)))
        return asset.code_versions_by_key[dg.AssetKey(["exports", "a"])]

    assert version() == version()
    assert version() != version(caption="none")


def test_none_by_default() -> None:
    assert export_assets(Settings()) == []


@pytest.mark.parametrize(
    ("exports", "message"),
    [
        ([("a", "jsonl"), ("a", "parquet")], "`a` is there twice"),
        ([("a", "jsnl")], "`a`: there is no layout `jsnl`; did you mean `jsonl`"),
    ],
)
def test_mistakes(exports: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        export_assets(Settings(exports=tuple(Export(name=name, layout=layout) for name, layout in exports)))
