"""A small data set to try the platform on: real photos that other packages bring along.

Nothing is downloaded and no photo lies in this repository.  Two portraits are cut in sixteen ways
into three splits, together with what real data also holds: images without a person, a broken
file, a photo that only its EXIF tag turns upright.  The portraits are US government works in the
public domain: Eileen Collins (NASA, in scikit-image) and Grace Hopper (US Navy, in matplotlib).
"""

import csv
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from relight_assets.core.atomic_io import write_atomic
from relight_assets.errors import UserError

COLUMNS = ("image_path", "person", "source", "width", "height")
"""Columns of the CSVs.  Width and height are those of the upright image."""

_EXIF_ORIENTATION = 0x0112
_TURN_CLOCKWISE = 6


class Photo(NamedTuple):
    """An image inside an installed package."""

    package: str
    module: str
    path: str
    person: str
    origin: str


COLLINS = Photo("scikit-image", "skimage", "data/astronaut.png", "Eileen Collins", "NASA, public domain")
HOPPER = Photo(
    "matplotlib",
    "matplotlib",
    "mpl-data/sample_data/grace_hopper.jpg",
    "Grace Hopper",
    "US Navy, public domain",
)
COFFEE = Photo("scikit-image", "skimage", "data/coffee.png", "", "CC0")
CAT = Photo("scikit-image", "skimage", "data/chelsea.png", "", "CC0")


class Cut(NamedTuple):
    """One file of the demo: a window of a photo at a size."""

    file_name: str
    photo: Photo
    window: tuple[int, int, int, int]
    """Left, top, right, bottom, in pixels of the photo."""
    size: tuple[int, int]
    """Width, height."""
    mirrored: bool = False
    turned: bool = False
    """Stored lying on its side, with the EXIF tag that turns it upright."""


_BROKEN = "broken_half_a_file.png"

_SPLITS: dict[str, tuple[Cut, ...]] = {
    "train": (
        Cut("collins_close.png", COLLINS, (105, 0, 345, 240), (768, 768)),
        Cut("hopper_square.jpg", HOPPER, (0, 10, 512, 522), (768, 768)),
        Cut("collins_bust.jpg", COLLINS, (20, 0, 400, 380), (1024, 1024), mirrored=True),
        Cut("hopper_tall.png", HOPPER, (60, 0, 480, 525), (640, 800), mirrored=True),
        Cut("collins_wide.jpg", COLLINS, (0, 0, 428, 321), (1024, 768)),
        Cut("hopper_right.png", HOPPER, (20, 0, 430, 410), (896, 896)),
        Cut("collins_turned.jpg", COLLINS, (95, 0, 353, 344), (576, 768), turned=True),
        Cut("hopper_small.jpg", HOPPER, (40, 0, 490, 450), (512, 512), mirrored=True),
        Cut("coffee_cup.png", COFFEE, (0, 0, 600, 400), (600, 400)),
        Cut(_BROKEN, COLLINS, (70, 0, 380, 310), (512, 512)),
    ),
    "val": (
        Cut("collins_middle.png", COLLINS, (70, 0, 380, 310), (640, 640)),
        Cut("hopper_whole.jpg", HOPPER, (0, 0, 512, 600), (512, 600)),
        Cut("collins_left.jpg", COLLINS, (130, 0, 430, 300), (768, 768), mirrored=True),
        Cut("hopper_narrow.png", HOPPER, (100, 0, 440, 425), (768, 960), mirrored=True),
        Cut("cat.jpg", CAT, (0, 0, 451, 300), (902, 600)),
    ),
    "test": (
        Cut("collins_head.png", COLLINS, (115, 5, 335, 225), (512, 512)),
        Cut("hopper_wide.jpg", HOPPER, (0, 0, 512, 384), (1024, 768), mirrored=True),
        Cut("collins_right.jpg", COLLINS, (20, 0, 340, 320), (960, 960), mirrored=True),
        Cut("hopper_bust.png", HOPPER, (60, 20, 500, 570), (720, 900)),
    ),
}


@dataclass(frozen=True)
class DemoFiles:
    """What :func:`write_demo` left behind."""

    folder: Path
    csvs: dict[str, Path]
    """The CSV of each split, in the order train, val, test."""
    photos: tuple[Path, ...]
    written: int
    """How many files were new or changed; 0 on a second call."""


def write_demo(folder: Path) -> DemoFiles:
    """Write ``images/`` and ``train_images.csv``, ``val_images.csv``, ``test_images.csv`` into ``folder``.

    The bytes depend on nothing but the installed packages, and a file that has them (a PNG: the same pixels) is not
    touched, so a second call changes no mtime.  ``image_path`` is relative to the CSV's folder.

    Raises :class:`UserError` when a package with the photos is not installed, when a CSV of that
    name is there that is not the demo's, or when the folder cannot be written.
    """
    csvs = {split: folder / f"{split}_images.csv" for split in _SPLITS}
    for path in csvs.values():
        _refuse_foreign(path)
    for photo in (COLLINS, HOPPER, COFFEE, CAT):
        _located(photo)  # before anything is written
    photos: list[Path] = []
    written = 0
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        for split, cuts in _SPLITS.items():
            for cut in cuts:
                path = folder / "images" / cut.file_name
                written += _write_photo(path, cut)
                photos.append(path)
            written += _write_if_changed(csvs[split], _table(cuts))
    except OSError as error:
        raise UserError(f"{folder}: the demo cannot be written here ({error}); choose another folder.") from error
    return DemoFiles(folder=folder, csvs=csvs, photos=tuple(photos), written=written)


def _refuse_foreign(path: Path) -> None:
    # A folder of somebody's own data may be named by mistake, and its CSV would be lost.
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8") as stream:
            header = stream.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        header = ""
    if header != ",".join(COLUMNS):
        raise UserError(f"{path} is there already and is not the demo's; choose another folder.")


def _located(photo: Photo) -> Path:
    # The package is found, not imported: that would take a second, and for scikit-image look for downloads.
    spec = importlib.util.find_spec(photo.module)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(root) / photo.path
        if path.is_file():
            return path
    raise UserError(
        f"the demo's photos come with {photo.package}, and {photo.path} of it is not installed here; "
        f"install {photo.package}, or relight_assets with its extra `demo`."
    )


def _write_photo(path: Path, cut: Cut) -> bool:
    photo = _photo(cut)
    if path.suffix == ".png" and cut.file_name != _BROKEN and _has_pixels(path, photo):
        return False  # without compressing it again, which takes most of a second
    return _write_if_changed(path, _encoded(photo, cut))


def _has_pixels(path: Path, photo: Image.Image) -> bool:
    try:
        with Image.open(path) as there:
            return (there.mode, there.size) == (photo.mode, photo.size) and there.tobytes() == photo.tobytes()
    except (OSError, SyntaxError, ValueError):  # there is none, or it is damaged
        return False


def _photo(cut: Cut) -> Image.Image:
    with Image.open(_located(cut.photo)) as opened:
        photo = opened.convert("RGB")
    photo.info.clear()  # colour profiles and comments, which would be saved again
    photo = photo.resize(cut.size, Image.Resampling.LANCZOS, box=cut.window)
    return ImageOps.mirror(photo) if cut.mirrored else photo


def _encoded(photo: Image.Image, cut: Cut) -> bytes:
    stream = io.BytesIO()
    if cut.file_name.endswith(".png"):
        photo.save(stream, "PNG")
        content = stream.getvalue()
        return content[: len(content) // 2] if cut.file_name == _BROKEN else content
    exif = Image.Exif()
    if cut.turned:
        photo = photo.transpose(Image.Transpose.ROTATE_90)
        exif[_EXIF_ORIENTATION] = _TURN_CLOCKWISE
    photo.save(stream, "JPEG", quality=95, subsampling=0, exif=exif)
    return stream.getvalue()


def _table(cuts: tuple[Cut, ...]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cut in cuts:
        source = f"{cut.photo.package} {Path(cut.photo.path).name} ({cut.photo.origin})"
        writer.writerow((f"images/{cut.file_name}", cut.photo.person, source, *cut.size))
    return stream.getvalue().encode("utf-8")


def _write_if_changed(path: Path, content: bytes) -> bool:
    if path.is_file() and path.read_bytes() == content:
        return False
    write_atomic(path, content)
    return True
