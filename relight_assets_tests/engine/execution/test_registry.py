"""Another engine is one file and a line in the registry: the rest of a run does not know which one it has."""

from pathlib import Path

import pytest

from relight_assets.config.engines import ENGINES
from relight_assets.config.loader import validate
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.local import LocalEngine
from relight_assets.engine.execution.registry import make_engine
from relight_assets.engine.progress import Progress
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.errors import ConfigError
from relight_assets_tests.conftest import PORTRAITS, Bench, sha256
from relight_assets_tests.engine.execution.threads_engine import THREADS_ENGINE, ThreadsEngine

pytestmark = pytest.mark.usefixtures("worker_processes")


@pytest.fixture
def threads_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line in the registry."""
    monkeypatch.setitem(ENGINES, "threads", THREADS_ENGINE)


@pytest.mark.usefixtures("threads_engine")
def test_the_setting_names_the_engine() -> None:
    assert isinstance(make_engine(Settings(), Recipe()), LocalEngine)
    threads = validate(Settings, {"engine": "threads"}, "platform.yaml")
    assert isinstance(make_engine(threads, Recipe()), ThreadsEngine)


@pytest.mark.parametrize("value", ["spark", "", 1, None, ["local"]])
def test_an_engine_that_is_not_there_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^platform.yaml: `engine`: found .*; must be 'local' or 'ray'$"):
        validate(Settings, {"engine": value}, "platform.yaml")


def made_by(engine: str, folder: Path, photos: Path) -> tuple[RunSummary, dict[str, str], list[str]]:
    """A run of a split, the sha256 of each image that it made, and what it printed."""
    folder.mkdir()
    bench = Bench(folder, photos)
    bench.write_csv(PORTRAITS)
    seen: list[Progress] = []
    settings = bench.settings.model_copy(update={"engine": engine, "cpu_workers": 2})
    summary = run_split(bench.split(), Recipe(), settings, RunOptions(), seen.append)
    images = {path.name: sha256(path) for path in bench.layout.folder.glob("*.png")}
    return summary, images, list(seen[-1].notices)


@pytest.mark.usefixtures("threads_engine")
def test_a_run_under_another_engine_makes_the_same_bytes(tmp_path: Path, photos: Path) -> None:
    _, local, _ = made_by("local", tmp_path / "local", photos)
    summary, threads, notices = made_by("threads", tmp_path / "threads", photos)
    assert len(local) == len(PORTRAITS) * 6
    assert threads == local
    assert summary.state.row_counts() == {"done": len(PORTRAITS)}
    assert (summary.workers, summary.threads) == (2, 1)
    assert summary.devices.pop("thread of yore").lost
    assert summary.devices.keys() == {"thread 0", "thread 1"}
    assert sum(device.images for device in summary.devices.values()) == len(PORTRAITS)
    assert "the workers are threads" in notices
