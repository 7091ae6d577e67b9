"""What must hold after any fault, whatever it was."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
from msgspec.structs import asdict

from relight_assets.config.loader import load_recipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import RayCluster
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.paths import index_key
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import files_match, read_record
from relight_assets.engine.progress import Progress
from relight_assets.engine.publish import write_split_failures, write_split_mapping
from relight_assets.engine.run import RunOptions, RunSummary, Watch, run_split
from relight_assets.engine.state.current import current_stages
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.load import digests_of
from relight_assets.engine.state.scan import SplitState
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.stages.base import Stage, artifact_file
from relight_assets.stages.light_maps.stage import LIGHT_MAPS
from relight_assets.stages.registry import stage_names, stage_spec
from relight_assets.storage.local import LOCAL
from relight_assets_tests.conftest import ALL_FILES, Bench, assert_records_tell_the_truth, sha256
from relight_assets_tests.engine.execution.worker_threads import threads_for_workers
from relight_assets_tests.faults.driver import Job

_LIGHT = "|".join(re.escape(artifact_file(name)) for name in LIGHT_MAPS.artifacts)
_OURS = re.compile(
    rf"[0-9]{{5}}_(({'|'.join(ALL_FILES)})\.png|{_LIGHT}|metadata\.json|failure\.json)|index\.csv|origin\.json|recipe\.yaml"
)
_TEMP = ".relight-*.tmp"


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nothing disturbs makes of a photo."""

    png_hashes: dict[str, str]
    """The sha256 of each image's file, by its name."""
    source: dict[str, Any]
    stages: dict[Stage, dict[str, Any]]
    """What the record says of the photo and of each stage, but for when and where files were written."""


Truth = dict[int, Undisturbed]
"""By the number of the photo in the stock."""


@dataclass
class FaultBench(Bench):
    """A split of distinct photos from the stock, in whose names may stand what goes wrong with them."""

    engine: str = "local"
    truth: Truth = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    """What the last run printed."""
    edited: set[str] = field(default_factory=set)
    """The sha256 of photos as they were, which images may show that no run has redone yet."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settings = self.settings.model_copy(
            update={"engine": self.engine, "cpu_workers": 2, "start_s": 60.0, "hang_s": 60.0}
        )

    def use_cluster(self, address: str) -> None:
        """Run the workers on the nodes of a Ray cluster."""
        self.engine = "ray"
        cluster = RayCluster(address=address, start_s=self.settings.start_s)
        self.settings = self.settings.model_copy(update={"engine": "ray", "ray": cluster})

    def stock_up(self, count: int, faults: dict[int, str] | None = None) -> None:
        """Make the split of the first ``count`` photos of the stock; some carry a fault."""
        images = self.folder / "images"
        images.mkdir()
        names: list[str] = []
        for number in range(count):
            fault = (faults or {}).get(number)
            name = f"{number:02d}{f'-{fault}' if fault else ''}.png"
            (images / name).write_bytes((self.photos / f"{number:02d}.png").read_bytes())
            names.append(str(images / name))
        self.write_csv(names)

    def start(
        self, worker: type[ImageWorker] = ImageWorker, *, during: Watch = lambda _: None, **settings: Any
    ) -> RunSummary:
        """Run the split, in processes of this worker class; ``during`` is told the progress, and may do anything."""
        options = RunOptions(retry_failed=settings.pop("retry_failed", False), storage=settings.pop("storage", LOCAL))

        def watch(progress: Progress) -> None:
            self.notices = list(progress.notices)
            during(progress)

        if "start_s" in settings:  # under every engine
            settings["ray"] = self.settings.ray.model_copy(update={"start_s": settings["start_s"]})
        return run_split(
            self.split(), Recipe(), self.settings.model_copy(update=settings), options, watch, worker=worker
        )

    def job(self, worker: str, *, gate: Path | None = None, hold: Path | None = None) -> Job:
        """The same run for a process of its own; see the driver."""
        settings = self.settings.model_dump(mode="json")
        return Job(str(self.csv_path), settings, worker, str(gate) if gate else None, str(hold) if hold else None)

    def complete(self) -> set[int]:
        """The numbers of the photos all of whose images are current."""
        state = self.state()
        return {number_of(key) for key, image in state.images.items() if image.status == "done"}


def number_of(key: str) -> int:
    """The stock's number of a photo, from its path."""
    return int(Path(key).name[:2])


def assert_sound(bench: FaultBench, **rows: int) -> SplitState:
    """Check a split's folder as a fault has left it: nothing in it claims what is not so.

    ``rows`` is how many rows are done, failed, rejected and pending (those that are not given: none).
    """
    state = bench.state()
    counts = state.row_counts()
    assert counts.total() == len(bench.split().table)
    if rows:
        assert counts == rows
    _assert_only_whole_files(bench)
    assert_records_tell_the_truth(bench.layout)
    assert_mappings_are_true(bench)
    _assert_undisturbed(bench, state)
    _assert_csvs_say_the_same(bench, state)
    return state


def mappings(folder: Path) -> Iterator[Path]:
    """Every CSV that names images, wherever it lies."""
    yield from folder.rglob("*_with_relighting_outputs.csv")
    yield from folder.rglob("*_variants.csv")


def named_images(mapping: Path) -> dict[str, str]:
    """The image that a mapping names for each cell of ``image_path``; none at all where there is no mapping."""
    try:
        with mapping.open(newline="", encoding="utf-8") as file:
            return {row["image_path"]: row["output_image_path"] for row in csv.DictReader(file, strict=True)}
    except FileNotFoundError:
        return {}


def assert_mappings_are_true(bench: FaultBench) -> None:
    """Every image that any mapping names is there, whole, of its row's own photo and of its folder's recipe.

    A row that has left the CSV keeps what it had, of the recipe of then, until the mapping is replaced.
    """
    for mapping in mappings(bench.folder):
        there = _cells_of_csv(mapping)
        with mapping.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        for row in rows:
            if row["output_image_path"]:
                left = there is not None and row["image_path"] not in there
                _assert_is_of_row(bench, mapping, row["image_path"], Path(row["output_image_path"]), left=left)


def _cells_of_csv(mapping: Path) -> set[str] | None:
    """What the CSV beside a mapping names now; None where there is none."""
    try:
        with (mapping.parent / f"{mapping.name.partition('_with_')[0]}.csv").open(newline="", encoding="utf-8") as file:
            return {row["image_path"] for row in csv.DictReader(file)}
    except FileNotFoundError:
        return None


def _assert_is_of_row(bench: FaultBench, mapping: Path, cell: str, output: Path, *, left: bool) -> None:
    reported = (mapping.name, cell, output)
    layout = SplitLayout(output.parent)
    number, _, name = output.stem.partition("_")
    record = read_record(layout.record(int(number)))
    assert record is not None, reported
    assert sha256(output) == record.stages["composites"].files[name].sha256, reported
    photo = mapping.parent / cell
    if photo.exists():  # else it was moved, and its record with it
        assert record.image_path == index_key(cell, mapping.parent, None), reported
        assert record.source.sha256 in {*bench.edited, sha256(photo)}, reported
    if left:
        assert all(stage in record.stages and files_match(layout, record, stage) for stage in stage_names()), reported
        return
    digests = _digests(layout.recipe.read_text() if layout.recipe.exists() else "", layout.recipe, bench)
    current = current_stages(digests, record, record.source.sha256, partial(files_match, layout))
    assert current == stage_names(), reported


def _digests(text: str, file: Path, bench: FaultBench) -> Digests:
    """Under the recipe of whoever has begun a run in a folder last; by its text, because to read one takes time."""
    if text not in _KNOWN:
        _KNOWN[text] = digests_of(load_recipe(file).recipe if text else Recipe(), bench.settings)
    return _KNOWN[text]


_KNOWN: dict[str, Digests] = {}


def _assert_only_whole_files(bench: FaultBench) -> None:
    """Whatever a user sees in the folder is whole, of a known name, and opens."""
    for path in bench.layout.folder.glob("[!.]*"):
        assert _OURS.fullmatch(path.name), f"{path.name} is left"
        if path.suffix == ".png":
            assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None, path


def _assert_undisturbed(bench: FaultBench, state: SplitState) -> None:
    """What counts as current is, byte for byte, what a run without any fault makes, and so are the records."""
    for key, image in state.images.items():
        truth = bench.truth[number_of(key)]
        if not image.current:
            continue
        assert image.index is not None
        record = read_record(bench.layout.record(image.index))
        assert record is not None
        assert _source_of(record) == truth.source, key
        for stage in image.current:
            for name in stage_spec(stage).artifacts:
                path = bench.layout.png(image.index, name)
                assert sha256(path) == truth.png_hashes[name], path
            assert _recorded(record, stage) == truth.stages[stage], (key, stage)


def _recorded(record: Record, stage: Stage) -> dict[str, Any]:
    """All that a record says of a stage, but for when and where its files were written."""
    entry = asdict(record.stages[stage])
    for kind in ("files", "reads"):
        entry[kind] = {name: (stamp.sha256, stamp.size) for name, stamp in getattr(record.stages[stage], kind).items()}
    lit = {"family": record.degradation_type, "direction": record.light_direction} if stage == "degraded" else {}
    return entry | lit


def _source_of(record: Record) -> dict[str, Any]:
    """All that a record says of its photo and of how it was made, but for the photo's place and times."""
    source = {key: value for key, value in asdict(record.source).items() if key not in ("token", "place")}
    return source | {"seed": record.seed, "recipe": record.recipe, "package_version": record.package_version}


def _assert_csvs_say_the_same(bench: FaultBench, state: SplitState) -> None:
    """The output CSVs name exactly the rows that are done, and exactly those that failed."""
    counts = state.row_counts()
    named = [path for path in state.outputs() if path is not None]
    assert len(named) == counts["done"]
    for path in named:
        assert path.is_file()
    if counts["done"] + counts["failed"]:
        write_split_mapping(state, bench.settings, None)
        assert len(write_split_failures(state, bench.settings, None)) == counts["failed"] + counts["rejected"]


def assert_heals(bench: FaultBench) -> None:
    """The next run without the fault finishes the rest, on this machine, and the one after it does nothing."""
    rows = len(bench.split().table)
    with threads_for_workers():
        summary = bench.start(retry_failed=True, cpu_workers=1, engine="local")
    assert summary.state.row_counts() == {"done": rows}
    assert_sound(bench, done=rows)
    assert not list(bench.layout.folder.glob(_TEMP))
    assert not list(bench.layout.folder.glob("*_failure.json"))
    before = _everything(bench)
    again = bench.start(retry_failed=True)
    assert again.tally.computed_images == 0
    assert _everything(bench) == before


def _everything(bench: FaultBench) -> dict[str, tuple[int, int]]:
    numbered = bench.layout.folder.glob("[0-9]*")
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in numbered}


def truth_of(bench: Bench) -> Truth:
    """What a finished, undisturbed split holds."""
    truth: Truth = {}
    for key, index in lasting_index.load(bench.layout).items():
        record = read_record(bench.layout.record(index))
        assert record is not None
        images = {name: sha256(bench.layout.png(index, name)) for name in ALL_FILES}
        stages = {stage: _recorded(record, stage) for stage in stage_names()}
        truth[number_of(key)] = Undisturbed(images, _source_of(record), stages)
    return truth
