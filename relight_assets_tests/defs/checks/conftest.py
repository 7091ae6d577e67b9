"""What the tests of the checks share: a project without a CSV."""

import pytest

from relight_assets_tests.conftest import Project


@pytest.fixture
def project(empty_project: Project) -> Project:
    return empty_project
