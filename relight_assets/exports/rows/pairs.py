"""The pairs of a split that may leave it, in the order of its rows."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.core.hashing import canonical_digest
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.metrics import is_drawn
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import known_record
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import UserError
from relight_assets.exports.base import Caption, ExportSpec, Pair, Size, Source
from relight_assets.exports.pictures.framing import out_size
from relight_assets.exports.rows.best import Candidate, best_of
from relight_assets.exports.rows.captions import ShownLight, caption_of, read_words
from relight_assets.exports.rows.labels import labels_of
from relight_assets.exports.rows.licences import Licences
from relight_assets.exports.rows.maker import Maker
from relight_assets.exports.rows.selection import RowFilter
from relight_assets.stages.base import variant_name
from relight_assets.stages.registry import stage_spec

DIGITS = 6
"""Of a stem, at least."""
FILES = ("target", "condition", "mask", "foreground", "albedo")
"""The columns of samples.csv that name files."""
TARGET_LIGHT = "target_"
"""Before the names of files of the light that the target shows, where that is a light of ours."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A pair that may leave."""

    key: str
    record: Record
    variant: int
    caption: Caption
    licence: str | None
    labels: dict[str, Any]

    @property
    def who(self) -> tuple[int, int]:
        return self.record.index, self.variant


@dataclass(frozen=True)
class PairSource:
    """Gives the pairs of a split, and the labels of each, from its records."""

    state: SplitState
    spec: ExportSpec | None
    """The layout; None: files are those of the split, named as they lie in its folder."""
    options: ExportOptions
    taken: Collection[str] = ()
    """sha256 of photos that another split keeps."""
    dropped: Collection[str] = ()
    """Keys and sha256 of photos that a review drops."""

    def pairs(self, left_out: Counter[str]) -> Iterator[Pair]:
        """Every pair that is current, whose photo no other split keeps, and that the options take.

        ``left_out`` counts the others, by reason.

        Raises:
            UserError, ConfigError: an option that cannot be used.
        """
        self._refuse_lights_that_are_not_there()
        best, count = self._best(), 0
        for found in self._taken(left_out):
            if best is not None and found.who not in best:
                left_out["best"] += 1
                continue
            if self.options.max_rows is not None and count >= self.options.max_rows:
                left_out["max_rows"] += 1
                continue
            count += 1
            yield self._pair(found)

    def _refuse_lights_that_are_not_there(self) -> None:
        if self.options.target == "variant" and self.state.lights < 2:
            raise UserError(
                "target: variant pairs two lights of one photo, and this split has one of each: set `variants` in the "
                "recipe and run it again"
            )
        if self.options.target == "no_gobo" and self.state.planned_variants[-1].kind != "no_gobo":
            raise UserError(
                "target: no_gobo pairs a light with the same one without its shadow pattern, and this split has none "
                "of these: set `no_gobo: true` in the recipe and run it again"
            )

    def _no_pair(self, record: Record, variant: int) -> str | None:
        """Why a variant is no condition of these pairs; None: it is one."""
        lights = record.stages["degraded"].lights
        light = lights[variant] if variant < len(lights) else {}
        if light.get("variant_kind") == "same":
            return "same light"
        if self.options.target == "variant" and not is_drawn(light):
            return "no drawn light"
        return "no pattern" if self.options.target == "no_gobo" and not light.get("no_gobo") else None

    def _best(self) -> Collection[Hashable] | None:
        """Which pairs ``best`` takes; None: all."""
        if self.options.best is None:
            return None
        # A mix that is nearly the photo keeps more of it than any light.
        whole = (found for found in self._taken(Counter()) if found.labels["degraded_variant_kind"] != "mix")
        candidates = (Candidate.of(found.who, found.labels) for found in whole)
        return best_of(candidates, self.options.best)

    def _taken(self, left_out: Counter[str]) -> Iterator["_Found"]:
        """Every pair that may leave and that ``where`` takes, in the order of the rows."""
        words, chosen = read_words(self.options.words), RowFilter(self.options.where)
        captions = self._captions()
        for key, image in self.state.images.items():
            if image.status != "done" or image.index is None:
                left_out[image.status] += 1
                continue
            record = known_record(self.state.layout, image.index)
            reason = self._refusal(key, record)
            if record is None or reason is not None:
                left_out[reason or "pending"] += 1
                continue
            for variant in range(self.state.variants):
                unfit = self._no_pair(record, variant)
                if unfit is not None:
                    left_out[unfit] += 1
                    continue
                caption = self._caption(record, variant, captions.get(key, ""), words)
                licence = self._licences.of(key)
                labels = self._labels(record, variant, caption, licence)
                if labels is None or not chosen.takes(labels):
                    left_out["where" if labels is not None else "too small"] += 1
                else:
                    yield _Found(key, record, variant, caption, licence, labels)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The labels of every pair that may leave."""
        return (found.labels for found in self._taken(Counter()))

    def _pair(self, found: "_Found") -> Pair:
        sources = self._sources(found.record, found.variant)
        return Pair(
            found.labels["stem"],
            found.key,
            found.record.index,
            found.variant,
            sources,
            found.caption,
            found.licence,
            canonical_digest(found.labels),
            Maker.of(found.record).digest,
        )

    def _sources(self, record: Record, variant: int) -> dict[str, Source]:
        """The files that a pair is made of; where its target is another light, that one's too."""
        layout, variants = self.state.layout, self.state.variants
        sources = sources_of(layout, record, variant, variants)
        other = self._target_variant(record, variant)
        if other is not None:
            of_target = sources_of(layout, record, other, variants)
            sources |= {TARGET_LIGHT + name: of_target[name] for name in ("output", "degraded_fg")}
        return sources

    def _target_variant(self, record: Record, variant: int) -> int | None:
        """The variant that the target shows; None: the photo's own light, or none."""
        if self.options.target == "no_gobo":
            number: int = record.stages["degraded"].lights[variant]["no_gobo"]
            return number - 1
        return (variant + 1) % self.state.lights if self.options.target == "variant" else None

    def with_caption(self, pair: Pair, caption: Caption) -> Pair:
        """A pair with another caption; as it is where its record has gone meanwhile, which :meth:`labels` tells."""
        record = known_record(self.state.layout, pair.number)
        labels = self._labels(record, pair.variant, caption, pair.licence) if record is not None else None
        return replace(pair, caption=caption, labels_sha256=canonical_digest(labels)) if labels is not None else pair

    def labels(self, pair: Pair) -> tuple[Record, dict[str, Any]] | None:
        """The record of a pair and its row in samples.csv; None where the record has gone or changed meanwhile."""
        record = known_record(self.state.layout, pair.number)
        if record is None:
            return None
        labels = self._labels(record, pair.variant, pair.caption, pair.licence)
        return (record, labels) if labels is not None and canonical_digest(labels) == pair.labels_sha256 else None

    def _refusal(self, key: str, record: Record | None) -> str | None:
        if record is None:
            return None
        if record.source.sha256 in self.taken:
            return "in another split"
        if key in self.dropped or record.source.sha256 in self.dropped:
            return "review"
        return None if self._licences.allow(key) else "licence"

    @property
    def licence_column(self) -> str | None:
        """The CSV's column that licences are read from; None: it has none."""
        return self._licences.column

    @cached_property
    def _licences(self) -> Licences:
        return Licences(self.state, self.options)

    def _captions(self) -> dict[str, str]:
        """The cell of the caption column of each image, of the first row that names it."""
        table, column = self.state.split.table, self.options.caption_column
        if column not in table.columns:
            if self.options.caption == "column":
                raise UserError(f"caption_column: {self.state.split.path} has no column `{column}`")
            return {}
        found: dict[str, str] = {}
        for key, cell in zip(self.state.keys, table[column], strict=True):
            if key is not None:
                found.setdefault(key, str(cell))
        return found

    def _caption(self, record: Record, variant: int, cell: str, words: Mapping[str, str]) -> Caption:
        lights = record.stages["degraded"].lights
        other = self._target_variant(record, variant)
        if other is not None:
            light: ShownLight | None = ShownLight.drawn(lights[other])
        else:
            light = ShownLight.of(record.stages["masks"].numbers, lights[variant]) if self._shows_photo_light else None
        return caption_of(self.options, words, cell, light)

    @property
    def _shows_photo_light(self) -> bool:
        """Whether the target has the photo's own light."""
        return self.options.direction == "restore" and self.options.target != "albedo"

    def _labels(self, record: Record, variant: int, caption: Caption, licence: str | None) -> dict[str, Any] | None:
        own = self._sources(record, variant)
        size = png_size(own["input"].path)
        try:
            width, height = out_size(size, self.options) if size is not None else (None, None)
        except UserError:
            return None
        stem = f"{record.index * self.state.variants + variant:0{DIGITS}d}"
        given = {
            **self._files(stem, own),
            "stem": stem,
            "split": self.state.split.split,
            "width": width,
            "height": height,
            "target_sha256": own.get(f"{TARGET_LIGHT}output", own["input"]).sha256,
            "target_variant": self._target_variant(record, variant),
            "condition_sha256": own["output"].sha256,
            "licence": licence,
        }
        return labels_of(record, variant, caption, given)

    def _files(self, stem: str, own: Mapping[str, Source]) -> dict[str, str | None]:
        """The columns that name files."""
        if self.spec is None:
            names = {"target": "input", "condition": "output", "mask": "foreground"}
            return {column: own[names.get(column, column)].path.name for column in FILES}
        files = {role: pattern.format(stem=stem) for role, pattern in self.spec.files.items()}
        in_split = {artifact: str(own[artifact].path.absolute()) for artifact in ("foreground", "albedo")}
        return {column: files.get(column, in_split.get(column)) for column in FILES}  # type: ignore[call-overload]


def png_size(path: Path) -> Size | None:
    """Width and height that a PNG's header gives; None where there is no such file."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError:
        return None
    return (int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")) if len(head) == 24 else None


def sources_of(layout: SplitLayout, record: Record, variant: int, variants: int) -> dict[str, Source]:
    """The files of one light of an image, by artifact."""
    found: dict[str, Source] = {}
    for stage, entry in record.stages.items():
        spec = stage_spec(stage)
        for artifact in spec.artifacts:
            name = variant_name(artifact, variant, variants) if spec.per_light else artifact
            stamp = entry.files[name]
            found[artifact] = Source(layout.artifact(record.index, name), stamp.sha256, stamp.size, stamp.token)
    return found
