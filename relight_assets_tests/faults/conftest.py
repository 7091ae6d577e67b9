"""The stock of photos, what an undisturbed run makes of them, and a bench for every engine."""

from pathlib import Path

import pytest

from relight_assets.config.engines import ENGINES
from relight_assets_tests.conftest import Bench, write_stock
from relight_assets_tests.faults.invariants import FaultBench, Truth, truth_of

STOCK = 24


@pytest.fixture(scope="module", autouse=True)
def _light_workers(light_workers: None, worker_processes: None) -> None:
    """In every module here."""


@pytest.fixture(scope="session", params=ENGINES.keys())
def engine(request: pytest.FixtureRequest) -> str:
    """Under which engine a test runs its workers."""
    return str(request.param)


@pytest.fixture(scope="session")
def stock(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``00.png`` to ``23.png``: real photos of which no two have the same bytes."""
    folder = tmp_path_factory.mktemp("stock")
    write_stock(folder, photos, STOCK)
    return folder


@pytest.fixture(scope="session")
def truth(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """What a run that nothing disturbs makes of every photo."""
    bench = Bench(tmp_path_factory.mktemp("undisturbed"), stock)
    bench.write_csv([f"{number:02d}.png" for number in range(STOCK)])
    assert bench.run().state.row_counts() == {"done": STOCK}
    return truth_of(bench)


@pytest.fixture
def bench(tmp_path: Path, stock: Path, truth: Truth, engine: str) -> FaultBench:
    return FaultBench(tmp_path, stock, engine=engine, truth=truth)
