"""When is a stage of an image current?  When its digest and its files are those of the record.

A stage's digest is the sha256 of its code version, its part of the recipe, the identity of the models it
uses, and the sha256 of the files it reads.  So a new gray colour redoes composites alone, and a stage that
is redone with the same bytes stops the change there.
"""

import json
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from types import MappingProxyType

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.layout import stage_files, stage_of
from relight_assets.dataset.records import RecordStamps
from relight_assets.models.registry import SEGMENTER_MODELS
from relight_assets.stages.albedo import albedo
from relight_assets.stages.composites import composite
from relight_assets.stages.degraded import degrade
from relight_assets.stages.masks import mask
from relight_assets.stages.registry import Stage, stage_names

CODE_VERSIONS: Mapping[Stage, str] = MappingProxyType(
    {
        "masks": mask.CODE_VERSION,
        "albedo": albedo.CODE_VERSION,
        "degraded": degrade.CODE_VERSION,
        "composites": composite.CODE_VERSION,
    }
)

_FACES = ("face_detection", "face_landmark")


def stage_models(stage: Stage, recipe: Recipe) -> tuple[str, ...]:
    """The models whose answers a stage's pixels depend on."""
    if stage == "masks":
        return (SEGMENTER_MODELS[recipe.segmenter], *_FACES)
    if stage == "albedo" and recipe.albedo_extraction.mix.learned > 0:
        return ("albedo_model",)
    if stage == "degraded":
        return (*_FACES, "geometry_model") if recipe.geometry.from_model else _FACES
    return ()


GEOMETRY_FILE = "geometry_file"
"""What a photo's file of depth or normals is called among those that a stage reads."""
ABSENT, UNREAD = "absent", "unread"
"""Stand for the sha256 of a file that may not be read or is not there, and of one that must be read to know."""

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Digests:
    """The digests of all stages under one recipe and one set of models."""

    def __init__(self, recipe: Recipe, model_sha256: Callable[[str], str]):
        self.geometry, self.variants = recipe.geometry, recipe.variants
        # A plan asks for four digests of every image: what is the same for all of them is spelled once.
        self._before: dict[Stage, str] = {
            stage: f'{{"code":{_canonical(CODE_VERSIONS[stage])},'
            f'"models":{_canonical([model_sha256(name) for name in stage_models(stage, recipe)])},"reads":'
            for stage in stage_names()
        }
        self._after: dict[Stage, str] = {
            stage: f',"recipe":{_canonical(recipe.part(stage))},"source":' for stage in stage_names()
        }
        self.reads: dict[Stage, tuple[str, ...]] = {
            "masks": (),
            "albedo": ("foreground",),
            "degraded": ("input", "foreground", "albedo", *([GEOMETRY_FILE] if recipe.geometry.from_file else [])),
            "composites": (
                *stage_files("degraded", recipe.variants),
                *(() if recipe.background.use_gray else ("background",)),
            ),
        }

        self._quoted = {
            stage: [(name, _canonical(name)) for name in sorted(names)] for stage, names in self.reads.items()
        }
        self._upstream: dict[Stage, tuple[Stage, ...]] = {
            stage: tuple(dict.fromkeys(stage_of(name) for name in names if name != GEOMETRY_FILE))
            for stage, names in self.reads.items()
        }
        self._needs = {stage: frozenset(names) for stage, names in self._upstream.items()}

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
        reads = ",".join([f"{quoted}:{_canonical(files[name])}" for name, quoted in self._quoted[stage]])
        # Masks read the source; what draws is keyed by it.
        source = "null" if stage == "composites" else _canonical(source_sha256)
        text = f"{self._before[stage]}{{{reads}}}{self._after[stage]}{source}}}"
        return sha256(text.encode("ascii")).hexdigest()

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

    @staticmethod
    def files_read(record: RecordStamps | None, given: Mapping[str, str] | None) -> dict[str, str]:
        """The sha256 of the files that stages read and nobody here made: as given, or as the record remembers them."""
        made = record.stages.get("degraded") if record is not None else None
        remembered = {name: stamp.sha256 for name, stamp in made.reads.items()} if made is not None else {}
        return {GEOMETRY_FILE: ABSENT, **(remembered if given is None else given)}
