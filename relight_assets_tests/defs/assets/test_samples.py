"""The label table as an asset."""

from pathlib import Path

import dagster as dg
import pytest

from relight_assets.exports.rows.labels import columns
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.assets.test_exports import materialize
from relight_assets_tests.defs.assets.test_mapping import CSVS, STAGES, metadata_of


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", [*PORTRAITS[:2], "cat.png"])
    return empty_project


def test_the_table_and_its_columns(instance: dg.DagsterInstance, project: Project) -> None:
    found = metadata_of(materialize(instance, *STAGES, *CSVS, "samples"), "samples")
    assert found["dagster/row_count"] == 2
    assert Path(str(found["path"])) == project.data / "outputs" / "data-train" / "samples.csv"
    schema = found["dagster/column_schema"]
    assert [column.name for column in schema.columns] == list(columns())
    assert {column.name: column.type for column in schema.columns}["masks_truncated"] == "bool"
