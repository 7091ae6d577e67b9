"""How many rounds from which seed, a split that was run once, and what all of it came to."""

import io
import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

import pytest

from relight_assets.cli.terminal import messages
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.engine.state.load import load_split_state
from relight_assets_tests.conftest import Bench, write_stock

IMAGES = 12
tried: Counter[tuple[str, str]] = Counter()
"""Kind and outcome."""


def seed() -> int:
    return int(os.environ.get("FUZZ_SEED", "1"))


def rounds(few: int) -> int:
    """How often; ``few`` times in the ordinary suite."""
    return int(os.environ.get("FUZZ_ROUNDS", str(few)))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    return Random(f"{seed()} {request.node.name}")


@pytest.fixture(autouse=True)
def _unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    for console in (messages.out, messages.err):
        monkeypatch.setattr(console, "_file", io.StringIO())
        monkeypatch.setattr(console, "_width", 200)


@pytest.fixture(autouse=True)
def _nothing_hangs() -> Iterator[None]:
    """What hangs must not hang the suite."""
    limit_s = 300 + 5 * rounds(0)

    def over(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {limit_s} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(limit_s)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module", autouse=True)
def _light_workers(light_workers: None) -> None:
    """In every module here."""


@dataclass(frozen=True)
class Whole:
    """A split that was run once and is whole; it is copied, never changed."""

    bench: Bench
    png_hashes: dict[str, str]
    index: bytes
    records: list[bytes]

    def fill(self, bench: Bench) -> None:
        """Bring a split of the same CSV back to what this one is: images as links, all else as copies."""
        folder = bench.layout.folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in filter(Path.is_file, self.bench.layout.folder.iterdir()):
            (os.link if path.suffix == ".png" else shutil.copy2)(path, folder / path.name)
        origin = json.loads(bench.layout.origin.read_text())
        bench.layout.origin.write_text(json.dumps(origin | {"path": str(bench.csv_path)}))


@pytest.fixture(scope="session")
def whole(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    stock = tmp_path_factory.mktemp("fuzz_stock")
    names = write_stock(stock, photos, IMAGES)
    bench = Bench(tmp_path_factory.mktemp("fuzz_whole"), stock)
    bench.write_csv(names)
    assert bench.run().state.row_counts() == {"done": IMAGES}
    layout = bench.layout
    records = [layout.record(number).read_bytes() for number in range(IMAGES)]
    return Whole(bench, bench.png_hashes(), layout.index_csv.read_bytes(), records)


@pytest.fixture
def bench(tmp_path: Path, whole: Whole) -> Bench:
    """A split that is as the whole one."""
    bench = Bench(tmp_path, whole.bench.photos)
    bench.write_csv([f"{number:02d}.png" for number in range(IMAGES)])
    whole.fill(bench)
    assert load_split_state(bench.split(), Recipe(), bench.settings).row_counts() == {"done": IMAGES}
    return bench
