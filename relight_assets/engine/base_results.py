"""What an experiment shares with its split: the numbers of the images, and every stage that both recipes make alike.

An experiment that changes the light needs the same masks and albedo as the split.  Their files are linked, not copied:
no file is ever written in place, so neither side can change what the other sees.
"""

from msgspec.structs import replace

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import known_record, remove_record, write_record
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.scan import SplitState
from relight_assets.stages.base import Stage
from relight_assets.storage.files import host_limit


def seed_index(own: SplitLayout, experiment: SplitLayout) -> None:
    """Have a new experiment number its images as the split does, so that images with one number show one photo.

    Raises:
        OSError: a file cannot be read or written.
    """
    # One that has lost its index still has its numbers, in its records.
    there, here = own.storage.kind(own.index_csv), experiment.storage.kind(experiment.index_csv)
    if there is not None and here is None and not experiment.numbers():
        experiment.storage.put(experiment.index_csv, own.storage.read(own.index_csv) or b"", durable=True)


def link_from_base(own: SplitState, experiment: SplitState, num_samples: int | None = None) -> int:
    """Give an experiment what the split's own folder has of its photos and the experiment itself has not.

    Args:
        own: the rows in the split's own folder, under the experiment's recipe; nobody writes there meanwhile.  What is
            current in it was made of the photos as they are now.
        experiment: the rows in the experiment's folder, of which the caller is the only writer.
        num_samples: of so many rows; None: of all.

    Returns:
        How many images reuse base results.

    Raises:
        HostLimitError: no more files can be opened.
    """
    count = 0
    for key in dict.fromkeys(key for key in experiment.keys[:num_samples] if key is not None):
        here, there = own.images[key], experiment.images[key]
        # One whose record cannot be read is left for its run to tell.
        if there.index is None or there.source is None or not set(here.current) > set(there.current):
            continue
        record = _record_of(own.layout, here)
        if record is None:
            continue
        try:
            remove_record(experiment.layout, there.index)  # it claims what is about to be replaced
            _take_over(
                own.layout, experiment.layout, record, number=there.index, stages=here.current, variants=own.variants
            )
        except OSError as error:
            if limit := host_limit(error):
                raise limit from error
            continue  # its run makes it, or tells why it cannot
        count += 1
    return count


def _record_of(layout: SplitLayout, image: ImageState) -> Record | None:
    """The record of an image, with the stamps that its files have now."""
    record = known_record(layout, image.index) if image.index is not None else None
    return record if record is None or image.new_stamps is None else image.new_stamps.applied(record)


def _take_over(
    own: SplitLayout, experiment: SplitLayout, record: Record, *, number: int, stages: tuple[Stage, ...], variants: int
) -> None:
    for stage in stages:
        for path in experiment.leftovers(number, stage, variants):
            experiment.storage.remove(path)
        for name in record.stages[stage].files:
            target = experiment.artifact(number, name)
            experiment.storage.remove(target)  # of a run that was killed before its record
            experiment.storage.link(own.artifact(record.index, name), target)
    lit = "degraded" in stages
    taken = replace(
        record,
        index=number,
        stages={stage: record.stages[stage] for stage in stages},
        degradation_type=record.degradation_type if lit else None,
        light_direction=record.light_direction if lit else None,
    )
    write_record(experiment, taken, durable=False)  # last: it claims what is there now
