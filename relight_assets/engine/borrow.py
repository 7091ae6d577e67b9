"""What an experiment shares with its split: the numbers of the images, and every stage that both recipes make alike.

An experiment that changes the light needs the same masks and albedo as the split.  Their files are linked, not copied:
no file is ever written in place, so neither side can change what the other sees.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.files import write_atomic
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import Record, files_match, read_record, write_record
from relight_assets.engine.digests import Digests
from relight_assets.recipe import STAGES, Stage


def share_numbers(own: SplitLayout, experiment: SplitLayout) -> None:
    """Have a new experiment number its images as the split does, so that pictures with one number show one photo.

    Raises:
        OSError: a file cannot be read or written.
    """
    # One that has lost its index still has its numbers, in its records.
    if own.index_csv.exists() and not experiment.index_csv.exists() and not experiment.numbers():
        write_atomic(experiment.index_csv, own.index_csv.read_bytes(), durable=True)


def borrow(
    own: SplitLayout, experiment: SplitLayout, keys: Iterable[str], numbers: Mapping[str, int], digests: Digests
) -> int:
    """Give an experiment what the split's own folder has of its images and the experiment itself has not.

    Args:
        own: the split's own folder, which nobody writes in meanwhile.
        experiment: the experiment's folder, of which the caller is the only writer.
        keys: the images that are wanted.
        numbers: of the images in the experiment.
        digests: of the experiment's recipe; a stage for which they are not those of the split's record stays behind.

    Returns:
        How many images something was taken over of.

    Raises:
        OSError: a file cannot be read or written.
    """
    own_numbers = lasting_index.load(own)
    count = 0
    for key in dict.fromkeys(keys):
        if key not in own_numbers:
            continue
        there = _good(experiment, numbers[key], digests)
        if there is None or len(there[1]) == len(STAGES):
            continue
        here = _good(own, own_numbers[key], digests)
        if here is None:
            continue  # that is for a run of the split to tell
        record, same = here
        if record is not None and set(same) > set(there[1]):
            experiment.record(numbers[key]).unlink(missing_ok=True)  # it claims what is about to be replaced
            _take_over(own, experiment, record, number=numbers[key], stages=same, variants=digests.variants)
            count += 1
    return count


def _good(layout: SplitLayout, number: int, digests: Digests) -> tuple[Record | None, tuple[Stage, ...]] | None:
    """A record and the stages of it that are good under a recipe, whatever became of the source; None: unreadable."""
    try:
        record = read_record(layout.record(number))
    except OSError:
        return None
    if record is None:
        return None, ()
    return record, digests.current(record, record.source.sha256, lambda rec, stage: files_match(layout, rec, stage))


def _take_over(
    own: SplitLayout, experiment: SplitLayout, record: Record, *, number: int, stages: tuple[Stage, ...], variants: int
) -> None:
    for stage in stages:
        for path in experiment.leftovers(number, stage, variants):
            path.unlink(missing_ok=True)
        for name in record.stages[stage].files:
            _link(own.png(record.index, name), experiment.png(number, name))
    lit = "degraded" in stages
    taken = replace(
        record,
        index=number,
        stages={stage: record.stages[stage] for stage in stages},
        degradation_type=record.degradation_type if lit else None,
        light_direction=record.light_direction if lit else None,
    )
    write_record(experiment, taken, durable=False)  # last: it claims what is there now


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)  # of a run that was killed before its record
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)  # with the modification time, by which the record knows it
