"""Writes the cards of an export into its snapshot."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from relight_assets.exports.base import IndexInputs
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.cards.croissant import CROISSANT, can_write, write_croissant
from relight_assets.exports.cards.readme import README, card
from relight_assets.exports.snapshot import WrittenFile


def card_files() -> list[str]:
    """The cards that an export has here: croissant.json needs a package of the extra ``export``."""
    return [README, CROISSANT] if can_write() else [README]


def write_cards(
    folder: Path, inputs: IndexInputs, counts: Counts, files: Sequence[WrittenFile], licence_column: str | None
) -> Iterator[WrittenFile]:
    """Write the cards; gives their files.

    Args:
        folder: where the snapshot is being written.
        inputs: of the files beside the pairs.
        counts: over all pairs.
        files: shards and files beside the pairs, samples.csv among them.
        licence_column: of the CSV, that licences were read from; None: it has none.

    Raises:
        OSError: one cannot be written.
    """
    (folder / README).write_text(card(inputs, counts, licence_column), encoding="utf-8")
    yield WrittenFile.beside(folder, README)
    if can_write():
        write_croissant(folder, inputs, counts, files)
        yield WrittenFile.beside(folder, CROISSANT)
