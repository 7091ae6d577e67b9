"""When is a stage of an image current?  When its digest and its files are those of the record.

A stage's digest is the sha256 of its code version, its part of the recipe, the identity of the models it
uses, and the sha256 of the files it reads.  So a new gray colour redoes composites alone, and a stage that
is redone with the same bytes stops the change there.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.record_types import RecordStamps
from relight_assets.stages.base import Stage, StageSpec
from relight_assets.stages.registry import stage_names, stage_of, stages

ABSENT, UNREAD = "absent", "unread"
"""Stand for the sha256 of a file that may not be read or is not there, and of one that must be read to know."""

_GAP = "\0"  # canonical JSON holds none
_CUT = f'"{_GAP}"'
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Digests:
    """The digests of all stages under one recipe and one set of models."""

    def __init__(self, recipe: Recipe, model_sha256: Callable[[str], str]):
        self.geometry, self.planned_variants = recipe.geometry, recipe.planned_variants
        self.stages = stage_names(recipe)
        """The stages that the recipe asks for, in order."""
        specs = {spec.name: spec for spec in stages()}
        # A plan asks for four digests of every image: what is the same for all of them is spelled once.
        self._spelled = {name: _Spelled.of(spec, recipe, model_sha256) for name, spec in specs.items()}
        self._outside_names = {name for spec in specs.values() for name in spec.reads_outside(recipe)}
        self._upstream: dict[Stage, tuple[Stage, ...]] = {
            name: tuple(dict.fromkeys(map(stage_of, spec.reads_under(recipe)))) for name, spec in specs.items()
        }
        self._needs = {stage: frozenset(names) for stage, names in self._upstream.items()}
        self.identity = sha256_hex(_canonical([[name, *self._spelled[name].text] for name in self.stages]).encode())
        """Equal ones give every image equal digests."""

    def upstream(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages whose files a stage reads."""
        return self._upstream[stage]

    def has_upstream(self, stage: Stage, done: Collection[Stage]) -> bool:
        """Whether all stages whose files a stage reads are among ``done``."""
        return self._needs[stage].issubset(done)

    def of(self, stage: Stage, source_sha256: str, files: Mapping[str, str]) -> str:
        """The digest of a stage, given the source's and the upstream files' sha256 (by file name).

        It is the canonical digest of the mapping of code, models, reads, recipe, source.
        """
        spelled = self._spelled[stage]
        given = [files[name] for name in spelled.reads]
        if spelled.keyed_by_source:
            given.append(source_sha256)
        text = spelled.text.copy()
        text[1::2] = given
        return sha256_hex("".join(text).encode("ascii"))

    def tried(
        self,
        stage: Stage,
        source_sha256: str,
        record: RecordStamps | None,
        current: tuple[Stage, ...],
        outside: Mapping[str, str] | None = None,
    ) -> str | None:
        """The digest that a stage would have now; None where what it reads is not current."""
        if any(up not in current for up in self.upstream(stage)):
            return None
        files = self.files_read(record, outside)
        for done in current:
            if record is not None:
                files.update((name, stamp.sha256) for name, stamp in record.stages[done].files.items())
        return self.of(stage, source_sha256, files)

    def files_read(self, record: RecordStamps | None, given: Mapping[str, str] | None) -> dict[str, str]:
        """The sha256 of the user's own files that stages read (depth, normals): as given, or as the record has them."""
        if not self._outside_names:
            return {}
        absent = dict.fromkeys(self._outside_names, ABSENT)
        if given is not None or record is None:
            return {**absent, **(given or {})}
        return absent | {name: stamp.sha256 for entry in record.stages.values() for name, stamp in entry.reads.items()}


@dataclass(frozen=True, slots=True)
class _Spelled:
    """What a stage's digest is the sha256 of, but for the sha256 of files."""

    reads: list[str]
    """The files that it reads, in order."""
    keyed_by_source: bool
    """Whether the source comes after them."""
    text: list[str]
    """In pieces, with an empty one for each of these files."""

    @classmethod
    def of(cls, spec: StageSpec, recipe: Recipe, model_sha256: Callable[[str], str]) -> "_Spelled":
        reads = sorted((*spec.reads_under(recipe), *spec.reads_outside(recipe)))
        parts = {
            "code": _canonical(spec.code_version),
            "models": _canonical([model_sha256(model) for model in spec.models(recipe)]),
            "reads": f"{{{','.join(f'{_canonical(name)}:{_CUT}' for name in reads)}}}",
            "recipe": _canonical(spec.recipe_part(recipe)),
            "source": _CUT if spec.keyed_by_source else "null",
        }
        text = f"{{{','.join(f'{_canonical(name)}:{part}' for name, part in parts.items())}}}"
        return cls(reads, spec.keyed_by_source, [piece for each in text.split(_GAP) for piece in (each, "")][:-1])
