"""How long it takes to see that everything is done: thousands of finished images that are real in every file."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from benchmarks.bench.pipeline_run import layout_of, record_of, settings_for
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.index import extend
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import write_record
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.errors import UserError
from relight_assets.stages.registry import stage_names, stage_spec
from relight_assets.storage.files import source_token


@dataclass(frozen=True)
class PlanCost:
    """Scan and plan of a finished split, and a whole run that finds nothing to do."""

    wall_s: float
    cpu_s: float
    noop_run_s: float


def multiply(csv: Path, output_root: Path, count: int, target: Path) -> Path:
    """A split of ``count`` finished images out of a few; its CSV.  Its outputs are in ``target / "outputs"``.

    Sources and images are hard links, so sizes and times are those of the records; each record is the original's
    under another number, name and place.  The index is written, as a run does before it makes anything.
    """
    originals = [csv.parent / cell for cell in read_split_csv(csv).table["image_path"]]
    before, after = layout_of(csv, output_root), SplitLayout(target / "outputs" / "data-many")
    after.folder.mkdir(parents=True)
    records = [record_of(before, number) for number in range(len(originals))]
    names = []
    for number in range(count):
        which = number % len(originals)
        name = f"{number:05d}{originals[which].suffix}"
        _link(originals[which], target / name)
        for artifact in (artifact for stage in stage_names() for artifact in stage_spec(stage).artifacts):
            _link(before.png(which, artifact), after.png(number, artifact))
        names.append(name)
    # Once all links are made: each changes the ctime of the file that it shares.
    for number, name in enumerate(names):
        record, place = records[number % len(originals)], target / name
        source = replace(record.source, token=source_token(place.stat()), place=str(place))
        write_record(after, replace(record, index=number, image_path=name, source=source), durable=False)
    extend(after, names)
    many = target / "many_images.csv"
    many.write_text("\n".join(["image_path", *names, ""]), encoding="utf-8")
    return many


def plan_once(csv: Path, output_root: Path) -> PlanCost:
    """Plan a split in which everything is current, then run it.  In a process of its own.

    Raises:
        UserError: something was not current after all.
    """
    split, recipe, settings = read_split_csv(csv), Recipe(), settings_for(output_root, 1)
    digests = digests_of(recipe, settings)
    plan = make_plan(load_split_state(split, recipe, settings), digests, stage_names())
    if plan.work:
        raise UserError(f"the bench needs finished images; {len(plan.work)} are not")
    for _ in range(2):  # as before any later run: the folder is this CSV's, then what records say is kept
        run_split(split, recipe, settings, RunOptions())
    cpu, wall = time.process_time(), time.perf_counter()
    make_plan(load_split_state(split, recipe, settings), digests, stage_names())
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    start = time.perf_counter()
    run_split(split, recipe, settings, RunOptions())
    return PlanCost(wall, cpu, time.perf_counter() - start)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # no hard links here, or no more of this file
        shutil.copy2(source, target)
