"""A project that is edited, run by `relight run` and ended at random, round after round."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import cv2
import yaml

from relight_assets.config.loader import load_recipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets_tests.conftest import Project, assert_records_tell_the_truth, sha256
from relight_assets_tests.faults.invariants import FaultBench, assert_mappings_are_true
from relight_assets_tests.faults.processes import (
    Process,
    clean_environment,
    default_signals,
    processes_of,
    relight_command,
    tree_of,
    wait_until,
    workers_in,
)

LONGEST_S = 240.0
"""After which a run that nobody ended hangs, or waits for a slot that nobody gives back."""
ENDS = ("kill -9 of the run", "kill -9 of a worker", "SIGTERM", "SIGINT")
RECIPES: dict[str, dict[str, Any]] = {
    "the first recipe": {},
    "another gray": {"background": {"gray_color": [10, 20, 30]}},
    "weaker light": {"degradation": {"soft_shading": {"ambient_range": [0.35, 0.6]}}},
    "another albedo": {"albedo_extraction": {"methods": {"retinex": {"strength": 0.6}}}},
    "another seed": {"seed": 77},
    "other masks": {"masks": {"min_coverage": 0.06}},
}
"""What each changes makes another first stage of what is to be redone."""


@dataclass
class Round:
    """What was done in one round, and what came of it."""

    number: int
    recipe: str
    edits: str
    end: str
    when: str
    code: int | None = None
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        rows = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        return (
            f"round {self.number}: {self.recipe}; {self.edits}; {self.end} {self.when}: exit code {self.code} after "
            f"{self.seconds:.1f} s; {rows}"
        )


@dataclass
class Kills:
    """Splits of photos, each with a CSV that is edited as people do."""

    project: Project
    stock: Path
    rng: Random
    rows: dict[str, list[str]]
    spare: list[str]
    """Photos that no row names yet."""
    recipe_name: str = "the first recipe"
    edited: set[str] = field(default_factory=set)
    """The sha256 of photos as they were."""
    ended: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for name in [*self.spare, *(name for names in self.rows.values() for name in names)]:
            (self.project.photos / name).write_bytes((self.stock / name).read_bytes())
        self.base = yaml.safe_load(self._recipe_file.read_text())
        self.write_csvs()

    # -- what people do -----------------------------------------------------------------------------------

    @property
    def _recipe_file(self) -> Path:
        return self.project.root / "config" / "mvp_config.yaml"

    @property
    def recipe(self) -> Recipe:
        return load_recipe(self._recipe_file).recipe

    def write_csvs(self) -> None:
        for split, names in self.rows.items():
            self.project.write_csv(split, names)

    def change_recipe(self) -> str:
        self.recipe_name = self.rng.choice([name for name in RECIPES if name != self.recipe_name])
        self._recipe_file.write_text(yaml.safe_dump(merged(self.base, RECIPES[self.recipe_name])))
        return self.recipe_name

    def edit(self) -> str:
        """Edit rows and photos of both splits, a few at a time."""
        reported = []
        for split, names in self.rows.items():
            what = self.rng.choice(("nothing", "a row added", "a row removed", "a photo edited", "other order"))
            if what == "a row added" and self.spare:
                names.insert(self.rng.randrange(len(names) + 1), self.spare.pop())
            elif what == "a row removed" and len(names) > 4:
                self.spare.insert(0, names.pop(self.rng.randrange(len(names))))
            elif what == "a photo edited":
                self._edit_photo(self.rng.choice(names))
            elif what == "other order":
                self.rng.shuffle(names)
            reported.append(f"{split}: {what}")
        self.write_csvs()
        return ", ".join(reported)

    def _edit_photo(self, name: str) -> None:
        path = self.project.photos / name
        self.edited.add(sha256(path))
        image = cv2.imread(str(path))
        assert image is not None
        image[0, 1] = self.rng.randrange(256)
        image[0, 2] = self.rng.randrange(256)
        cv2.imwrite(str(path), image)

    # -- one run and its end ------------------------------------------------------------------------------

    def round(self, number: int) -> Round:
        """Change something, run, and end that at a random moment."""
        found = Round(number, self.change_recipe(), self.edit(), self.rng.choice(ENDS), "")
        after_files = self.rng.random() < 0.6
        files, wait_s = self.rng.randrange(1, 40), self.rng.uniform(0.5, 9.0)
        found.when = f"after {files} files" if after_files else f"after {wait_s:.1f} s"
        since = time.time_ns()
        start = time.monotonic()
        with started(self.project.root) as run:

            def reached() -> bool:
                if found.end == "kill -9 of a worker" and not workers_in(tree_of(run.pid)):
                    return False
                return self._written(since) >= files if after_files else time.monotonic() - start > wait_s

            wait_until(lambda: run.poll() is not None or reached(), LONGEST_S, 0.02)
            below = tree_of(run.pid)
            if not self._end(run, below, found.end):
                found.when += " (which came too late)"
            wait_until(lambda: run.poll() is not None, LONGEST_S)
            found.code, found.seconds = run.poll(), time.monotonic() - start
            assert found.code is not None, f"{found}: it never ended:\n{output_of(self.project.root)}"
            left = wait_until(lambda: not processes_of(run.pid) and not any(each.alive for each in below))
            assert left is not None, (found, processes_of(run.pid))
        self.ended[found.end + (" too late" if "too late" in found.when else "")] += 1
        found.counts = dict(self.assert_sound())
        return found

    def _written(self, since_ns: int) -> int:
        """How many files were written since then, in all splits."""
        count = 0
        for split in self.rows:
            folder = self.layout(split).folder
            for entry in os.scandir(folder) if folder.is_dir() else ():
                try:
                    count += entry.name.endswith(".png") and entry.stat().st_mtime_ns > since_ns
                except FileNotFoundError:
                    continue
        return count

    def _end(self, run: "subprocess.Popen[bytes]", tree: list[Process], how: str) -> bool:
        if run.poll() is not None:
            return False
        if how == "kill -9 of a worker":
            workers = workers_in(tree)
            if not workers:
                return False
            try:
                os.kill(self.rng.choice(workers).pid, signal.SIGKILL)
            except ProcessLookupError:
                return False
            return True
        run.send_signal({"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}.get(how, signal.SIGKILL))
        return True

    def finish(self) -> tuple[int, str]:
        """A run that nobody disturbs: its exit code and what it printed."""
        with started(self.project.root) as run:
            ended = wait_until(lambda: run.poll() is not None, LONGEST_S)
            assert ended is not None, f"a slot is held, or it hangs:\n{output_of(self.project.root)}"
        return run.returncode, output_of(self.project.root)

    # -- what must hold -----------------------------------------------------------------------------------

    def layout(self, split: str) -> SplitLayout:
        return SplitLayout(self.project.data / "outputs" / f"data-{split}")

    @property
    def bench(self) -> FaultBench:
        """The project as the invariants want it."""
        bench = FaultBench(self.project.data, self.project.photos)
        bench.settings = bench.settings.model_copy(update={"output_root": self.project.data / "outputs"})
        bench.edited = self.edited
        return bench

    def state(self, split: str, settings: Settings | None = None) -> SplitState:
        csv = read_split_csv(self.project.data / f"{split}_images.csv")
        return load_split_state(csv, self.recipe, settings or self.bench.settings)

    def assert_sound(self) -> Counter[str]:
        """Nothing is lost and nothing claims what is not so; the rows of all splits by status."""
        counts: Counter[str] = Counter()
        for split, names in self.rows.items():
            state = self.state(split)
            rows = state.row_counts()
            assert rows.total() == len(names)
            assert set(rows) <= {"done", "pending"}, [image.failure for image in state.images.values()]
            counts.update(rows)
            assert_records_tell_the_truth(state.layout)
            folder = state.layout.folder
            for path in folder.glob("*.png") if folder.is_dir() else ():
                assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None, path
            for path in folder.glob("[!.]*.json") if folder.is_dir() else ():
                json.loads(path.read_bytes())
        assert_mappings_are_true(self.bench)
        return counts

    def png_hashes(self, settings: Settings | None = None) -> dict[str, dict[str, str]]:
        """The sha256 of every image, by the photo's name and the image's; under other settings where given."""
        found: dict[str, dict[str, str]] = {}
        for split in self.rows:
            state = self.state(split, settings)
            for key, image in state.images.items():
                assert image.index is not None
                record = read_record(state.layout.record(image.index))
                assert record is not None
                names = [name for entry in record.stages.values() for name in entry.files]
                found[f"{split} {Path(key).name}"] = {
                    name: sha256(state.layout.png(record.index, name)) for name in names
                }
        return found


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A recipe with some of its values replaced."""
    both = base | over
    return both | {
        key: merged(base[key], over[key])
        for key in over
        if isinstance(over[key], dict) and isinstance(base.get(key), dict)
    }


def output_of(project: Path) -> str:
    """The end of what the last run printed."""
    return (project / "run.log").read_text(errors="replace")[-3000:]


class started:  # noqa: N801  (reads as a statement)
    """`relight run --all-splits` in a session of its own; nothing of it is left afterwards."""

    def __init__(self, project: Path):
        with (project / "run.log").open("wb") as output:
            self._run = subprocess.Popen(
                [relight_command(), "run", "--all-splits"],
                cwd=project,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=default_signals,  # noqa: PLW1509
            )

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self._run

    def __exit__(self, *_: object) -> None:
        for process in processes_of(self._run.pid):
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._run.wait()


def holders(home: Path) -> Iterator[str]:
    """The runs that hold a slot of the pool `gpu` in a Dagster home."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield from instance.event_log_storage.get_concurrency_info("gpu").active_run_ids
