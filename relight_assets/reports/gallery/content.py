"""What a gallery shows: its pairs with their labels, and the photos of which nothing could be made."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.quality import Quality
from relight_assets.core.messages.wording import counted
from relight_assets.engine.state.image_state import ImageState
from relight_assets.engine.state.recorded import recorded_images
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import BlankPathError
from relight_assets.exports.rows.labels import columns, metric_columns, types
from relight_assets.exports.rows.pairs import PairSource
from relight_assets.quality.statistics import TAGS, recorded_metrics
from relight_assets.quality.thresholds import failed_metrics
from relight_assets.reports.gallery.table import Column, Table

MOST_PAIRS = 50_000
"""More make a page that a browser opens slowly."""
MOST_FAILURES = 5_000
_NOT_SHOWN = frozenset(
    {
        *("stem", "split", "image_path", "number", "variant", "target", "condition", "mask", "foreground", "albedo"),
        *("source_sha256", "target_sha256", "condition_sha256"),
        *("masks_segmenter_sha256", "masks_fingerprint", "degraded_patterns_sha256", "degraded_degradation_type"),
    }
)
"""Labels that are names, of which the page has its own or nobody sorts by, and one that is there twice."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of the gallery, and where its pictures are."""

    key: str | None
    """None: the row names no photo."""
    number: int | None
    path: str
    """As the CSV has it."""
    sha256: str
    """Of its file; empty where it was never read."""
    size: tuple[int, int] | None
    """Width and height of its pictures, where it has some."""
    status: str
    """done, failed or rejected."""
    line: int
    """Of the CSV."""
    code: str = ""
    stage: str = ""
    message: str = ""


@dataclass
class Content:
    """All that the page says."""

    photos: list[Photo] = field(default_factory=list)
    rows: list[tuple[int, int]] = field(default_factory=list)
    """Of each pair: the place of its photo in ``photos``, and which of its lights it is."""
    failed: list[tuple[str, ...]] = field(default_factory=list)
    """Of each pair: the metrics that are beyond their thresholds."""
    labels: Table = field(default_factory=lambda: Table(_columns()))
    pairs: int = 0
    """Of the split; ``rows`` may be fewer."""
    notes: list[str] = field(default_factory=list)


def content_of(
    state: SplitState,
    quality: Quality,
    licence_column: str | None = None,
    *,
    most_pairs: int = MOST_PAIRS,
    most_failures: int = MOST_FAILURES,
) -> Content:
    """The content of the gallery of a split as it stands.

    Args:
        state: of the split.
        quality: the thresholds that verdicts go by.
        licence_column: the CSV's column of licences; None: `licence` or `license`, where it has one.
        most_pairs: of more, those that fail a threshold, up to half of these, and others evenly from all.
        most_failures: the first so many photos that failed or were rejected.

    Raises:
        UserError: the CSV has no such column.
    """
    content = Content()
    verdicts = _verdicts(state, quality)
    done = sum(image.status == "done" for image in state.images.values())
    content.pairs = done * state.variants
    sample = _Sample(content.pairs, most_pairs, len(verdicts))
    cells = _cells(state)
    places: dict[int, int] = {}
    source = PairSource(state, None, ExportOptions(resolution="source", licence_column=licence_column))
    for labels in source.rows():
        who = labels["number"], labels["variant"]
        failed = verdicts.get(who, ())
        if not sample.takes(fails=bool(failed)):
            continue
        if labels["number"] not in places:
            places[labels["number"]] = len(content.photos)
            content.photos.append(_done(labels, *cells[labels["image_path"]]))
        content.rows.append((places[labels["number"]], labels["variant"]))
        content.failed.append(failed)
        content.labels.add(labels)
    unfinished = list(_unfinished(state))
    content.photos += unfinished[:most_failures]
    content.notes += _notes(content, state, len(unfinished), sampled=content.pairs > most_pairs)
    return content


class _Sample:
    """Which of many pairs are shown."""

    def __init__(self, pairs: int, most: int, failing: int):
        self._all = pairs <= most
        self._pairs, self._failing = pairs, min(failing, most // 2)
        self._evenly = most - self._failing
        self._at = 0

    def takes(self, *, fails: bool) -> bool:
        """Whether the next pair is shown."""
        before = self._at * self._evenly // max(1, self._pairs)
        self._at += 1
        if self._all or self._at * self._evenly // self._pairs > before:
            return True
        if fails and self._failing:
            self._failing -= 1
            return True
        return False


def _notes(content: Content, state: SplitState, unfinished: int, *, sampled: bool) -> Iterator[str]:
    if sampled:
        yield (
            f"{len(content.rows):,} of {content.pairs:,} pairs are shown: pairs that fail a threshold, and others "
            "taken evenly from all rows."
        )
    shown = sum(photo.status != "done" for photo in content.photos)
    if shown < unfinished:
        yield f"{shown:,} of {unfinished:,} photos that failed or were rejected are shown."
    if pending := state.row_counts()["pending"]:
        yield f"{counted(pending, 'row')} pending, not shown: run the split, then make the gallery again."


def _columns() -> Mapping[str, Column]:
    metrics, kinds = metric_columns(), types()
    tags = {f"{stage}_{name}" for stage, names in TAGS.items() for name in names}
    found = {}
    for name in columns():
        if name not in _NOT_SHOWN:
            metric = metrics.get(name)
            unit, meaning = (metric.unit, metric.meaning) if metric is not None else ("", "")
            found[name] = Column(name, kinds[name], unit, meaning, is_tag=name in tags)
    return found


def _verdicts(state: SplitState, quality: Quality) -> dict[tuple[int, int], tuple[str, ...]]:
    """The metrics by which a pair fails, of those that fail any, by number and light."""
    done = (image for image in state.images.values() if image.status == "done")
    found = {}
    for image in recorded_images(state.layout, done):
        for each in recorded_metrics(image):
            if failed := failed_metrics(each, quality):
                found[each.index, each.variant] = tuple(failed)
    return found


def _cells(state: SplitState) -> dict[str, tuple[str, int]]:
    """What the first row of each image says in ``image_path``, and its line."""
    found: dict[str, tuple[str, int]] = {}
    for key, cell, line in zip(state.keys, state.split.columns["image_path"], state.split.lines, strict=True):
        if key is not None:
            found.setdefault(key, (cell, line))
    return found


def _done(labels: Mapping[str, Any], path: str, line: int) -> Photo:
    size = (labels["width"], labels["height"]) if labels["width"] else None
    return Photo(labels["image_path"], labels["number"], path, labels["source_sha256"], size, "done", line)


def _unfinished(state: SplitState) -> Iterator[Photo]:
    """The photos that failed or were rejected, in the order of their rows."""
    seen: Counter[str] = Counter()
    for key, cell, line in zip(state.keys, state.split.columns["image_path"], state.split.lines, strict=True):
        if key is None:
            message = "the image_path cell is empty"
            yield Photo(None, None, "", "", None, "rejected", line, BlankPathError.code, "masks", message)
            continue
        seen[key] += 1
        if state.images[key].failure is not None and seen[key] == 1:
            yield _failed(state.images[key], cell, line)


def _failed(image: ImageState, path: str, line: int) -> Photo:
    failure = image.failure
    assert failure is not None  # noqa: S101  (the caller has looked)
    sha256 = failure.source.sha256 if failure.source is not None else ""
    stage, message = failure.stage or "masks", failure.message
    return Photo(image.key, image.index, path, sha256, None, image.status, line, failure.code, stage, message)
