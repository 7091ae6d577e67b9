"""Under a prefix everything has it, a stage that the recipe asks for too; who loads them brings the executor."""

from pathlib import Path

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.defs.names import Names
from relight_assets.defs.project.named_definitions import named_definitions

NAMES = Names("studio", "second_gpu")


def defined(project: Path, recipe: str) -> dg.Definitions:
    (project / "recipe.yaml").write_text(recipe)
    environ = {"RELIGHT_CONFIG": str(project / "recipe.yaml"), "RELIGHT_CSV_DIR": str(project)}
    return named_definitions(ProjectSource(environ), NAMES)


def upstream(defs: dg.Definitions) -> dict[str, set[str]]:
    return {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in defs.resolve_all_asset_specs()
    }


def test_a_stage_that_the_recipe_asks_for_is_an_asset_of_the_run_too(tmp_path: Path) -> None:
    defs = defined(tmp_path, "keep_light: true\n")
    lineage = upstream(defs)
    assert "studio/recipe/light_maps" in lineage["studio/light_maps"]
    for csv in ("studio/mapping_csv", "studio/dead_letters"):
        assert {"studio/light_maps", "studio/composites", "studio/split_csv"} <= lineage[csv]
    run = defs.resolve_job_def("studio_relight_split").asset_layer.selected_asset_keys
    assert dg.AssetKey(["studio", "light_maps"]) in run
    assert len(run) == 7


def test_without_it_neither_the_asset_nor_the_job_has_it(tmp_path: Path) -> None:
    defs = defined(tmp_path, "seed: 3\n")
    assert not [key for key in upstream(defs) if "light_maps" in key]
    assert len(defs.resolve_job_def("studio_relight_split").asset_layer.selected_asset_keys) == 6


def test_there_is_no_executor(tmp_path: Path) -> None:
    assert defined(tmp_path, "seed: 3\n").executor is None
