"""Exports that the trainers' own classes read.  ``make test-trainers TRAINERS=DIR`` says where their checkouts are."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relight_assets.cli.demo_photos import write_demo
from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.exports.export import export_split
from relight_assets.exports.registry import layout
from relight_assets_tests.conftest import Bench

# They need packages that nothing else here does, and sources that are not ours to ship.
collect_ignore_glob = [] if os.environ.get("TRAINERS") else ["test_*.py"]

PORTRAITS = (
    *("collins_head.png", "hopper_wide.jpg", "collins_right.jpg", "hopper_bust.png"),  # the demo's split `test`
    "hopper_tall.png",
)
"""Exported at 512x512, 1024x768, 960x960, 704x896 and 640x768: each in a bucket of its own."""


def pytest_sessionstart() -> None:
    """A folder without any checkout is a mistake, and not a success of which everything was skipped.

    Raises:
        pytest.UsageError: there is none.
    """
    folder = Path(os.environ.get("TRAINERS", ""))
    names = ("musubi-tuner", "DiffSynth-Studio", "sd-scripts", "ai-toolkit", "OneTrainer", "SimpleTuner")
    if os.environ.get("TRAINERS") and not any((folder / name).is_dir() for name in names):
        raise pytest.UsageError(f"TRAINERS={folder} has no checkout of {', '.join(names)}")


Export = Callable[..., Path]


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory, model_files: None) -> Bench:
    """A finished split of the demo's photos, at their own sizes."""
    demo = write_demo(tmp_path_factory.mktemp("demo"))
    made = Bench(tmp_path_factory.mktemp("portraits"), demo.folder / "images")
    made.write_csv(PORTRAITS)
    made.run()
    return made


@pytest.fixture
def export(portraits: Bench, tmp_path: Path) -> Export:
    """Exports the split into a folder of its own: ``export("musubi-tuner", resolution=512)``; the snapshot."""

    def run(name: str, **given: Any) -> Path:
        options = ExportOptions(**given)
        return export_split(portraits.state(), layout(name), options, tmp_path / "exports" / name).folder

    return run
