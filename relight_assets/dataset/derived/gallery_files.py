"""The files of a split's gallery: ``gallery/index.html``, and ``gallery/sprites/`` where there are many rows."""

import re
from pathlib import Path

from relight_assets.dataset.layout import SplitLayout

INDEX = "index.html"
SPRITES = "sprites"
_SPRITE = re.compile(r"[0-9a-f]{12}-[0-9]{4,}\.js")


def sprite_name(build: str, number: int) -> str:
    """File name of a sprite; ``build``: 12 digits that say to which page it belongs."""
    return f"{build}-{number:04d}.js"


def sprites_in(layout: SplitLayout) -> list[Path]:
    """The sprites that are there, of whichever page.

    Raises:
        OSError: their folder cannot be read.
    """
    folder = layout.gallery / SPRITES
    if layout.storage.kind(folder) != "a folder":
        return []
    return [folder / name for name in sorted(layout.storage.names(folder)) if _SPRITE.fullmatch(name)]


def gallery_files(layout: SplitLayout) -> list[Path]:
    """The files of the gallery that are there, the page first; nobody else's.

    Raises:
        OSError: a folder of it cannot be read.
    """
    index = layout.gallery / INDEX
    return [*([index] if layout.storage.kind(index) == "a file" else []), *sprites_in(layout)]


def remove_gallery(layout: SplitLayout) -> None:
    """Remove the gallery; what lies there of somebody else's stays.

    Raises:
        OSError: a file of it cannot be removed.
    """
    for path in gallery_files(layout):
        layout.storage.remove(path)
