"""As many different portraits as asked for, out of the demo's sixteen."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from relight_assets.cli.demo_photos import write_demo
from relight_assets.imaging.png import encode_png

_PEOPLE = ("collins", "hopper")
_JPEG_QUALITY = 95


def write_portraits(folder: Path, count: int, side: int) -> Path:
    """Write ``count`` square portraits of ``side`` pixels and their CSV; the CSV's path comes back.

    The demo's photos, cut square from the top and enlarged, each in its own format: seven PNG, nine JPEG.
    After the sixteenth they start again, moved by two more pixels each time: other bytes, the same amount of work.

    Raises:
        UserError: the packages that bring the photos are not installed.
    """
    people = [path for path in write_demo(folder / "demo").photos if path.name.startswith(_PEOPLE)]
    names = []
    for number in range(count):
        turn, which = divmod(number, len(people))
        name = f"{number:05d}{people[which].suffix}"
        _write_square(people[which], folder / name, side, moved=2 * turn)
        names.append(name)
    csv = folder / "bench_images.csv"
    csv.write_text("\n".join(["image_path", *names, ""]), encoding="utf-8")
    return csv


def _write_square(source: Path, target: Path, side: int, *, moved: int) -> None:
    with Image.open(source) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    short = min(upright.size)
    left = (upright.width - short) // 2
    box = (left, 0, left + short, short)
    enlarged = upright.resize((side + moved, side + moved), Image.Resampling.BICUBIC, box=box)
    square = enlarged.crop((moved, moved, side + moved, side + moved))
    if target.suffix == ".png":
        target.write_bytes(encode_png(np.asarray(square)))
    else:
        square.save(target, "JPEG", quality=_JPEG_QUALITY)
