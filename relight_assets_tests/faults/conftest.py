"""The stock of photos, what an undisturbed run makes of them, and a bench for every engine."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import pytest

from relight_assets_tests.conftest import PORTRAITS, Bench
from relight_assets_tests.faults.invariants import FaultBench, Truth, truth_of

ENGINES = ("local",)
STOCK = 24


@pytest.fixture(scope="module", autouse=True)
def _light_workers() -> Iterator[None]:
    """Spawned processes import what the main module is, which here is all of pytest: a quarter of their start."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Under which engine a test runs its workers."""
    return str(request.param)


@pytest.fixture(scope="session")
def stock(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``00.png`` to ``23.png``: real photos of which no two have the same bytes."""
    folder = tmp_path_factory.mktemp("stock")
    for number in range(STOCK):
        image = cv2.imread(str(photos / PORTRAITS[number % len(PORTRAITS)]))
        assert image is not None
        image[0, 0] = number  # in a corner, far from the person
        cv2.imwrite(str(folder / f"{number:02d}.png"), image)
    return folder


@pytest.fixture(scope="session")
def truth(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """What a run that nothing disturbs makes of every photo."""
    bench = Bench(tmp_path_factory.mktemp("undisturbed"), stock)
    bench.write_csv([f"{number:02d}.png" for number in range(STOCK)])
    assert bench.run().survey.row_counts() == {"done": STOCK}
    return truth_of(bench)


@pytest.fixture
def bench(tmp_path: Path, stock: Path, truth: Truth, engine: str) -> FaultBench:
    return FaultBench(tmp_path, stock, engine=engine, truth=truth)
