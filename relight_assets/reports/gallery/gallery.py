"""Writes the gallery of a split: ``gallery/index.html`` in its folder, and beside it sprites where there are many rows.

The sprites of a page are written before it, under names of its own, and those of the page before are removed after it:
whoever has that one open sees it to the end, or sees nothing, but never pictures of other rows.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from relight_assets import __version__
from relight_assets.config.quality import Quality
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.messages.steps import Watch, unwatched, watched
from relight_assets.dataset.derived.gallery_files import INDEX, SPRITES, sprite_name, sprites_in
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.tombstones import read_tombstones
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import OutputFolderError
from relight_assets.reports.gallery.content import MOST_PAIRS, Content, content_of
from relight_assets.reports.gallery.html_page import page_blocks, sprite_file
from relight_assets.reports.gallery.pictures import thumbnails_of
from relight_assets.reports.gallery.review import review_of
from relight_assets.stages.registry import stage_spec

ROWS_OF_SPRITE = 250
"""A sprite of so many is read in a moment, and a page of 50,000 has 200 of them."""
MOST_ROWS_IN_ONE_FILE = 2_000
"""The pictures of so many are 20 MB, which can still be mailed; of more they lie beside the page."""

"""Told how many photos are through, and of how many."""


@dataclass(frozen=True)
class Gallery:
    """What was written."""

    page: Path
    pairs: int
    """On the page."""
    all_pairs: int
    """Of the split."""
    unfinished: int
    """Photos on the page that failed or were rejected."""
    sprites: int
    """Files beside the page."""
    size: int
    """Bytes of all of it."""
    notes: tuple[str, ...]
    """What the page says of what it does not show."""


def write_gallery(
    state: SplitState,
    settings: Settings,
    quality: Quality,
    *,
    experiment: str | None = None,
    watch: Watch = unwatched,
    most_pairs: int = MOST_PAIRS,
    most_in_one_file: int = MOST_ROWS_IN_ONE_FILE,
) -> Gallery:
    """Write the gallery of a split into its folder.

    Args:
        state: as the split stands.
        settings: of the project.
        quality: the thresholds that verdicts go by.
        experiment: whose outputs these are; None: the split's own.
        watch: told of the progress.
        most_pairs: of more a sample is shown.
        most_in_one_file: rows whose pictures the page itself holds.

    Raises:
        UserError: the CSV lacks the column of licences that the settings name.
        OutputFolderError: a run is writing the split, or the gallery cannot be written.
    """
    layout = state.layout
    with locked_folder(layout), _writing(layout.gallery):
        content = content_of(state, quality, settings.licence_column, most_pairs=most_pairs)
        review, notes = review_of(content.photos, state, settings)
        content.notes += notes
        tombstones = read_tombstones(settings.output_root, layout.storage)
        pictures = watched(thumbnails_of(content.photos, state, settings, tombstones), len(content.photos), watch)
        each = max(1, ROWS_OF_SPRITE // state.variants)
        sprites = _sprites(pictures, each)
        build = secrets.token_hex(6)
        data = _data(content, state, each) | {"experiment": experiment, "review": review, "build": build}
        in_one_file = len(content.rows) + _unfinished(content) <= most_in_one_file
        title = f"{state.split.split}: relight gallery"
        layout.storage.make_folder(layout.gallery)
        if in_one_file:
            written: list[Path] = []
            blocks = page_blocks(title, data | {"sprites": None}, sprites)
        else:
            written = _write_sprites(layout, build, sprites)
            names = [f"{SPRITES}/{path.name}" for path in written]
            blocks = page_blocks(title, data | {"sprites": names})
        page = layout.gallery / INDEX
        layout.storage.put(page, blocks)
        for path in set(sprites_in(layout)) - set(written):
            layout.storage.remove(path)
        size = sum(layout.storage.state(path)[0] for path in (page, *written))
    return Gallery(
        page, len(content.rows), content.pairs, _unfinished(content), len(written), size, tuple(content.notes)
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputFolderError(f"{folder} cannot be written: {error.strerror or error}") from error


def _unfinished(content: Content) -> int:
    return sum(photo.status != "done" for photo in content.photos)


def _sprites(pictures: Iterator[bytes | None], each: int) -> Iterator[list[bytes | None]]:
    """Pictures, so many at a time."""
    while some := list(islice(pictures, each)):
        yield some


def _write_sprites(layout: SplitLayout, build: str, sprites: Iterator[list[bytes | None]]) -> list[Path]:
    layout.storage.make_folder(layout.gallery / SPRITES)
    written = []
    for number, sprite in enumerate(sprites):
        path = layout.gallery / SPRITES / sprite_name(build, number)
        layout.storage.put(path, sprite_file(number, sprite))
        written.append(path)
    return written


def _data(content: Content, state: SplitState, each: int) -> dict[str, Any]:
    """What the scripts of the page read; ``each``: photos of a sprite."""
    photos, columns = content.photos, partial(_column, content.photos)
    metrics = sorted({metric for failed in content.failed for metric in failed})
    place = {metric: number for number, metric in enumerate(metrics)}
    return {
        "split": state.split.split,
        # By which a browser keeps decisions: two projects may have a split of one name.
        "id": sha256_hex(f"{state.layout.folder}\n{state.split.path}".encode())[:16],
        "made": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "notes": content.notes,
        "allPairs": content.pairs,
        "variants": state.variants,
        "conditions": stage_spec("composites").files(state.variants),
        "photosOfSprite": each,
        "photos": {
            **{name: columns(name) for name in ("number", "path", "sha256", "size", "status", "line")},
            "reasons": [[photo.code, photo.stage, photo.message] if photo.code else None for photo in photos],
        },
        "rows": {"photo": [photo for photo, _ in content.rows], "variant": [light for _, light in content.rows]},
        "verdicts": {"metrics": metrics, "failed": [[place[one] for one in failed] for failed in content.failed]},
        "labels": content.labels.plain(),
    }


def _column(photos: Sequence[Any], name: str) -> list[Any]:
    return [getattr(photo, name) for photo in photos]
