"""One project for all tests of forgetting, wherever they are, and a copy of it for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from relight_assets_tests.forgetting.world import World

# Every test session imports this module, also where nothing is exported.


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> "World":
    """To be copied, not to be changed."""
    pytest.importorskip("pyarrow")
    from relight_assets_tests.forgetting.world import make_world

    return make_world(tmp_path_factory.mktemp("world"), photos)


@pytest.fixture
def world(made_world: "World") -> "Iterator[World]":
    """A copy, to change."""
    from relight_assets_tests.forgetting.world import copied

    with copied(made_world) as copy:
        yield copy
