"""The answers of caption commands that exports keep: those about pictures of forgotten photos go."""

from collections.abc import Collection
from pathlib import Path

from relight_assets.forgetting.eraser import Eraser
from relight_assets.forgetting.tables import kept_lines


def clear_captions(folder: Path, living: Collection[str], eraser: Eraser) -> None:
    """Remove the answers about pictures that no record and no snapshot has any more.

    An answer says of which picture it is by sha256 alone.  Of a picture that is gone nobody can tell whose it was, and
    the command is asked again for one that comes back.

    Args:
        folder: of an export.
        living: sha256 of the pictures that there are.
        eraser: removes them.

    Raises:
        OSError: the folder cannot be read.
    """
    for path in sorted(folder.glob(".captions-*.jsonl")):
        with eraser.trying(path):
            kept = kept_lines(path, lambda row: row.get("sha256") not in living)
            if kept.dropped:
                eraser.put(path, kept.data, "captions of pictures that are gone", len(kept.dropped))
