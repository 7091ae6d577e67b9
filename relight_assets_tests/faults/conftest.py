"""The stock of photos, all of them close-ups, what an undisturbed run makes of them, and a bench for every engine."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from relight_assets.config.engines import ENGINES
from relight_assets_tests.conftest import PORTRAITS, Bench, write_stock
from relight_assets_tests.faults.invariants import FaultBench, Truth, truth_of
from relight_assets_tests.faults.ray_nodes import NOT_INSTALLED, RayNodes, ray_nodes

STOCK = 24
CLOSE = 160
"""Pixels of a close-up's sides, more than a face that ``min_face`` takes."""
FACES = dict(zip(PORTRAITS, ((127, 125), (133, 105), (126, 130), (129, 136)), strict=True))
"""Where the middles of the faces are in ``photos``: x and y in pixels."""


@pytest.fixture(scope="module", autouse=True)
def _light_workers(light_workers: None, worker_processes: None) -> None:
    """In every module here."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Under which engines a test runs its workers: those of its mark ``engines``, or ``local``."""
    if "engine" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("engines")
        names = mark.args if mark is not None else ("local",)
        assert ENGINES.keys() >= set(names)
        metafunc.parametrize("engine", names, scope="module")


@pytest.fixture(scope="session")
def nodes() -> Iterator[RayNodes]:
    """A Ray cluster for all tests, without nodes but for its head: those a test works on, ``bench`` sees to."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip(NOT_INSTALLED)
    with ray_nodes() as made:
        yield made


@pytest.fixture(scope="session")
def photos(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Close-ups of the same portraits: no fault asks what is around a face, and a third of the pixels take half the
    time."""
    folder = tmp_path_factory.mktemp("close")
    for path in photos.iterdir():
        if path.name not in FACES:
            shutil.copyfile(path, folder / path.name)
            continue
        image = cv2.imread(str(path))
        assert image is not None
        left, top = (middle - CLOSE // 2 for middle in FACES[path.name])
        cv2.imwrite(str(folder / path.name), image[top : top + CLOSE, left : left + CLOSE])
    return folder


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
def bench(tmp_path: Path, stock: Path, truth: Truth, engine: str, request: pytest.FixtureRequest) -> FaultBench:
    made = FaultBench(tmp_path, stock, engine=engine, truth=truth)
    if engine == "ray":
        nodes: RayNodes = request.getfixturevalue("nodes")
        mark = request.node.get_closest_marker("nodes")
        nodes.keep(*(mark.args if mark is not None else ("a", "b")))
        made.use_cluster(nodes.address)
    return made
