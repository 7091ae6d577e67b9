import pytest

from relight_assets_tests.conftest import Bench
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import Demo


@pytest.fixture(scope="session")
def demo(finished: Bench) -> Demo:
    return Demo.of(finished)
