"""``origin.json``: the CSV that a split's folder belongs to.

Two CSVs of one name in two folders give one split, and so one folder; their rows may have the same names and show
other people.
"""

import json
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec.structs import asdict

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.paths import possible_places
from relight_assets.storage.files import Sha256

_Place = Annotated[str, msgspec.Meta(pattern=r"^/[^\x00]*\Z")]
"""An absolute path, as the system takes it."""


class Origin(msgspec.Struct, frozen=True):
    """The CSV that a split's folder belongs to, as of its last run.

    Attributes:
        path: of the CSV, absolute, links unresolved.
        sha256: of its content.
        image_root: the setting with which its paths were read, if it was set.
        mappings: where CSVs that name the folder's images were written, absolute.
        exports: the folders outside of the output folder into which its pairs were exported, absolute.
    """

    path: _Place
    sha256: Sha256
    image_root: str | None = None
    mappings: tuple[_Place, ...] = ()
    exports: tuple[_Place, ...] = ()

    def places_of(self, key: str) -> list[str]:
        """The places at which the photo of an image's name was looked for."""
        root = Path(self.image_root) if self.image_root is not None else None
        return possible_places(key, Path(self.path).parent, root)


_DECODER = msgspec.json.Decoder(Origin)  # here and not at its first use, which may be in several threads at once


def read_origin(layout: SplitLayout) -> Origin | None:
    """The origin of a folder; None where it has none, or a damaged one.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        data = layout.storage.read(layout.origin)
        return _DECODER.decode(data) if data else None
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def write_origin(layout: SplitLayout, origin: Origin) -> None:
    """Write the origin of a folder, with fsync, where it is another than the one that is there.

    Raises:
        OSError: as :meth:`relight_assets.storage.base.Storage.put`.
    """
    if read_origin(layout) != origin:
        text = json.dumps(asdict(origin), indent=1, ensure_ascii=True)
        layout.storage.put(layout.origin, f"{text}\n".encode(), durable=True)
