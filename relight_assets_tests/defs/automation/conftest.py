"""What the tests of sensors and schedules share: an instance and a project of each test's own."""

import dagster as dg
import pytest

from relight_assets_tests.conftest import Project


@pytest.fixture
def instance(own_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return own_instance


@pytest.fixture
def project(empty_project: Project) -> Project:
    return empty_project
