"""The gallery as an asset."""

from pathlib import Path

import dagster as dg
import pytest

from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.assets.test_exports import materialize
from relight_assets_tests.defs.assets.test_mapping import CSVS, STAGES, metadata_of


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", [*PORTRAITS[:2], "cat.png"])
    return empty_project


def test_its_metadata_leads_to_the_page(instance: dg.DagsterInstance, project: Project) -> None:
    found = metadata_of(materialize(instance, *STAGES, *CSVS, "gallery"), "gallery")
    page = project.data / "outputs" / "data-train" / "gallery" / "index.html"
    assert Path(str(found["path"])) == page
    assert found["open"] == "/relight/data-train/gallery/index.html"
    assert page.is_file()
    assert (found["dagster/row_count"], found["failed_or_rejected"]) == (2, 1)
