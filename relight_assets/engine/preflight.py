"""Before the work starts: will its pictures fit on the disk?"""

import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from relight_assets.dataset.images import size_of
from relight_assets.engine.survey import Survey
from relight_assets.engine.work import WorkItem
from relight_assets.recipe import STAGES
from relight_assets.regular_files import AnyRoot

BYTES_PER_PIXEL = 6.0
"""Of the six PNGs and the record of a portrait photo; 5.5 to 6 were seen."""
BYTES_PER_PIXEL_OF_VARIANT = 2.75
"""Of the two PNGs of every light beyond the first."""
_SAMPLE = 16


def space_warning(
    folder: Path, before: Survey, work: Sequence[WorkItem], image_size: int | None, image_root: AnyRoot = None
) -> str | None:
    """A sentence where the free space is under the estimate of what will be written; None otherwise.

    Images that have outputs already are written over theirs, so only the others count.  The estimate goes by
    the headers of a sample, spread over the work.
    """
    made = {image.index for image in before.images.values() if len(image.current) == len(STAGES)}
    fresh = [item for item in work if item.index not in made]
    if not fresh:
        return None
    sample = [size_of(Path(item.file), image_root) for item in islice(fresh, 0, None, 1 + len(fresh) // _SAMPLE)]
    pixels = [_written(*size, image_size) for size in sample if size != (0, 0)]
    if not pixels:
        return None
    per_pixel = BYTES_PER_PIXEL + BYTES_PER_PIXEL_OF_VARIANT * (before.variants - 1)
    needed = per_pixel * sum(pixels) / len(pixels) * len(fresh)
    free = shutil.disk_usage(folder).free
    if needed <= free:
        return None
    return (
        f"{folder}: about {_gib(needed)} will be written for {len(fresh)} images, but {_gib(free)} are free; when "
        f"the disk is full the run stops, what is finished stays done, and the next run goes on from there"
    )


def _written(width: int, height: int, image_size: int | None) -> float:
    scale = min(1.0, (image_size or width + height) / max(width, height))
    return width * height * scale * scale


def _gib(size: float) -> str:
    return f"{size / (1 << 30):,.1f} GiB"
