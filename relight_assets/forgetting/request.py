"""Which photos are meant: by sha256, or by a place or a name that is looked up in what is recorded."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.paths import Locator, index_key
from relight_assets.dataset.spelling import Folders
from relight_assets.errors import ImageError, SourceMissingError, UserError
from relight_assets.exports.rows.review import photos_to_forget
from relight_assets.forgetting.survey import Trace, folders_of, traces_in
from relight_assets.storage.base import Storage
from relight_assets.storage.files import stamp_source
from relight_assets.storage.local import LOCAL

_SHA256 = re.compile("[0-9a-fA-F]{64}")
REVIEWED = "review"
"""The reason where a review says that a photo is to be forgotten."""


@dataclass
class Request:
    """The photos that are to be forgotten."""

    reasons: dict[str, str] = field(default_factory=dict)
    """By sha256."""
    names: set[tuple[str, str]] = field(default_factory=set)
    """Split and lasting name of those that were named."""
    found: dict[str, str] = field(default_factory=dict)
    """By sha256: how it was found."""


class Lookup:
    """Finds the photos that somebody means among all that the folders of an output root have."""

    def __init__(self, settings: Settings, storage: Storage = LOCAL):
        self._settings, self._storage = settings, storage

    @cached_property
    def _traces(self) -> list[tuple[str, Trace]]:
        """What every folder has, with its split; one that cannot be read is for whoever removes photos to tell."""
        found: list[tuple[str, Trace]] = []
        with suppress(OSError):
            for folder in folders_of(self._settings.output_root, self._storage):
                with suppress(OSError):
                    found += [(folder.split, trace) for trace in traces_in(folder.layout)]
        return found

    def add(self, request: Request, text: str, reason: str) -> None:
        """Add the photo of an argument: a sha256, a path, or a name as a CSV has it.

        Raises:
            UserError: nobody knows which photo that is, or it is not one alone.
        """
        if _SHA256.fullmatch(text):
            request.reasons.setdefault(text.lower(), reason)
            return
        if not text.strip():
            raise UserError("an empty text names no photo: give a path, or a sha256")
        self._refuse_outputs(text)
        now = _sha256_of(Path(text))
        matching = list(self._at(text)) or (self._called(text) if now is None else [])
        self._add(request, now, matching, reason)
        if now is None and not any(trace.sha256 for _, trace in matching):
            raise UserError(
                f"{text}: there is no such file, and nothing that is recorded tells the sha256 of a photo at this "
                f"place or of this name; give its sha256"
            )

    def _refuse_outputs(self, text: str) -> None:
        """Whoever sees a person in a picture that was made of a photo, and names it, means the photo."""
        path = Path(text).resolve()
        for folder in (self._settings.output_root, self._settings.export_folder):
            if path.is_relative_to(folder.resolve()) and path.is_file():
                raise UserError(
                    f"{text} lies in {folder}, where relight writes: it is made of a photo, and forgetting it would "
                    f"not forget that. Give the photo: samples.csv and index.csv beside it say which"
                )

    def add_reviewed(self, request: Request, csv: SplitCsv) -> None:
        """Add the photos that the review of a split wants forgotten.

        Raises:
            CsvError: the review cannot be used.
        """
        locator = Locator(csv.path.parent, self._settings.photo_root, Folders(0))
        for cell in photos_to_forget(csv, self._settings.photo_root):
            if _SHA256.fullmatch(cell):
                request.reasons.setdefault(cell.lower(), REVIEWED)
                continue
            key = index_key(cell, csv.path.parent, self._settings.image_root)
            try:
                now: str | None = stamp_source(Path(locator.locate(cell).path)).sha256
            except ImageError:
                now = None
            matching = [each for each in self._traces if (each[0], each[1].key) == (csv.split, key)]
            self._add(request, now, matching, REVIEWED)

    def _add(self, request: Request, now: str | None, matching: Sequence[tuple[str, Trace]], reason: str) -> None:
        request.names.update((split, trace.key) for split, trace in matching)
        if now is not None:
            request.reasons.setdefault(now, reason)
            request.found[now] = "the file as it is now"
        for split, trace in matching:
            if trace.sha256 is not None:
                request.reasons.setdefault(trace.sha256, reason)
                request.found.setdefault(trace.sha256, f"what {trace.key} in {split} was made of")

    def _at(self, text: str) -> Iterator[tuple[str, Trace]]:
        """What was made of a photo at a place, or of the file to which a link there leads."""
        place, real = os.path.abspath(text), os.path.realpath(text)  # noqa: PTH100  (a link keeps its name)
        for split, trace in self._traces:
            # Where no record says at which of several places the photo was, it was the first at which there is one.
            places = next(([each] for each in trace.places if os.path.lexists(each)), trace.places)
            if place in places or real in map(os.path.realpath, places):
                yield split, trace

    def _called(self, text: str) -> list[tuple[str, Trace]]:
        """What was made of a photo of a name, as a CSV has it."""
        key = index_key(text, Path(), self._settings.image_root)
        found = [each for each in self._traces if each[1].key == key]
        photos = {trace.sha256 for _, trace in found if trace.sha256 is not None}
        if len(photos) > 1:
            places = sorted({place for _, trace in found for place in trace.places})
            raise UserError(f"{text} names {len(photos)} photos: {', '.join(places)}; give one of these paths")
        return found


def _sha256_of(path: Path) -> str | None:
    """The sha256 of a file; None where there is none."""
    try:
        return stamp_source(path).sha256
    except SourceMissingError:
        return None
    except ImageError as error:
        raise UserError(f"{path}: {error}") from error
