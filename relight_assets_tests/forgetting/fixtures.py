"""One project for all tests of forgetting, wherever they are, and a copy of it for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.forgetting.world import World, copied, make_world


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> World:
    """To be copied, not to be changed."""
    return make_world(tmp_path_factory.mktemp("world"), photos)


@pytest.fixture
def world(made_world: World) -> Iterator[World]:
    """A copy, to change."""
    with copied(made_world) as copy:
        yield copy
