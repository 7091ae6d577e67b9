"""A finished split and its exports."""

from collections.abc import Callable
from typing import Any

import pytest

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.exports.export import Exported, export_split
from relight_assets.exports.registry import layout
from relight_assets_tests.conftest import Bench

Export = Callable[..., Exported]


@pytest.fixture
def export(own: Bench) -> Export:
    """Exports the split: ``export("imagefolder", multiple_of=64)``."""

    def run(name: str = "imagefolder", **given: Any) -> Exported:
        others = {key: given.pop(key) for key in ("taken", "dropped") if key in given}
        state = given.pop("state", None) or own.state(given.pop("recipe", None))
        return export_split(state, layout(name), ExportOptions(**given), own.folder / "exports" / name, **others)

    return run
