"""Before the work starts: will its images fit on the disk?"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from relight_assets.core.regular_files import AnyRoot
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.state.scan import SplitState
from relight_assets.imaging.decode import size_of
from relight_assets.stages.light_maps.stage import LIGHT_MAPS

BYTES_PER_PIXEL = 6.0
"""Of the six PNGs and the record of a portrait photo; 5.5 to 6 were seen."""
BYTES_PER_PIXEL_OF_VARIANT = 2.75
"""Of the two PNGs of every light beyond the first."""
FILES = 7
"""Of a portrait: six PNGs and the record."""
FILES_OF_VARIANT = 2
BYTES_OF_LIGHT = 1.6 * (1 << 20)
"""Of the files of one light that is kept; 1 to 2.3 MiB were seen, 1.5 on average, whatever the photo's size."""
FILES_OF_LIGHT = 4
_SAMPLE = 16


@dataclass(frozen=True)
class Needed:
    """An estimate of what will be written."""

    images: int = 0
    size: float = 0.0
    """Bytes."""
    files: int = 0

    def __add__(self, other: "Needed") -> "Needed":
        return Needed(self.images + other.images, self.size + other.size, self.files + other.files)

    def shortage(self, folder: Path) -> str | None:
        """A sentence where a disk has less free than this; None otherwise."""
        free, files = shutil.disk_usage(folder).free, free_files(folder)
        if self.size > free:
            lack = f"about {mib(self.size)} will be written for {self.images} images, but {mib(free)} are free"
        elif files is not None and self.files > files:
            lack = f"about {self.files:,} files will be written for {self.images} images, but {files:,} can be made"
        else:
            return None
        return (
            f"{lack}; when the disk is full the run stops, what is finished stays done, and the next run goes on from "
            f"there"
        )


def needed_for(
    photos: Sequence[Path],
    variants: int,
    image_size: int | None,
    image_root: AnyRoot = None,
    *,
    keep_light: bool = False,
) -> Needed:
    """An estimate of what will be written for photos of which nothing was made yet.

    It goes by the headers of a sample, spread over them.
    """
    sample = [size_of(photo, image_root) for photo in islice(photos, 0, None, 1 + len(photos) // _SAMPLE)]
    pixels = [_written(*size, image_size) for size in sample if size != (0, 0)]
    if not pixels:
        return Needed()
    more = variants - 1
    per_pixel = BYTES_PER_PIXEL + BYTES_PER_PIXEL_OF_VARIANT * more
    size = per_pixel * sum(pixels) / len(pixels) * len(photos)
    lights = variants if keep_light else 0
    files = FILES + FILES_OF_VARIANT * more + FILES_OF_LIGHT * lights
    return Needed(len(photos), size + BYTES_OF_LIGHT * lights * len(photos), files * len(photos))


def space_warning(
    folder: Path, before: SplitState, work: Sequence[WorkItem], image_size: int | None, image_root: AnyRoot = None
) -> str | None:
    """A sentence where the disk has less room than will be needed; None otherwise.

    Images that have outputs already are written over theirs, so only the others count.
    """
    made = {image.index for image in before.images.values() if image.is_whole}
    fresh = [Path(item.file) for item in work if item.index not in made]
    keep_light = LIGHT_MAPS.name in before.stages
    shortage = needed_for(fresh, before.variants, image_size, image_root, keep_light=keep_light).shortage(folder)
    return f"{folder}: {shortage}" if shortage is not None else None


def free_files(folder: Path) -> int | None:
    """How many more files the disk of a folder takes; None where it sets no limit, or does not say."""
    with suppress(OSError):
        disk = os.statvfs(folder)
        return disk.f_favail if disk.f_files else None
    return None


def mib(size: float) -> str:
    """A number of bytes, in MiB."""
    return f"{size / (1 << 20):,.0f} MiB"


def _written(width: int, height: int, image_size: int | None) -> float:
    scale = min(1.0, (image_size or width + height) / max(width, height))
    return width * height * scale * scale
