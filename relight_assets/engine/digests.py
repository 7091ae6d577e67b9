"""When is a stage of an image current?  When its digest and its files are those of the record.

A stage's digest is the sha256 of its code version, its part of the recipe, the identity of the models it
uses, and the sha256 of the files it reads.  So a new gray colour redoes composites alone, and a stage that
is redone with the same bytes stops the change there.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from relight_assets.dataset.layout import STAGE_FILES
from relight_assets.dataset.records import Record
from relight_assets.recipe import STAGES, Recipe, Stage, canonical_digest
from relight_assets.stages import albedo, composites, degraded, masks

CODE_VERSIONS: Mapping[Stage, str] = MappingProxyType(
    {
        "masks": masks.CODE_VERSION,
        "albedo": albedo.CODE_VERSION,
        "degraded": degraded.CODE_VERSION,
        "composites": composites.CODE_VERSION,
    }
)

STAGE_MODELS: Mapping[Stage, tuple[str, ...]] = MappingProxyType(
    {
        "masks": ("selfie_segmentation", "face_detection", "face_landmark"),
        "albedo": (),
        "degraded": ("face_detection", "face_landmark"),
        "composites": (),
    }
)
"""The models whose answers a stage's pixels depend on."""

_STAGE_OF_FILE = {name: stage for stage, names in STAGE_FILES.items() for name in names}


class Digests:
    """The digests of all stages under one recipe and one set of models."""

    def __init__(self, recipe: Recipe, model_sha256: Callable[[str], str]):
        self._fixed = {
            stage: {
                "code": CODE_VERSIONS[stage],
                "recipe": recipe.part(stage),
                "models": [model_sha256(name) for name in STAGE_MODELS[stage]],
            }
            for stage in STAGES
        }
        self.reads: dict[Stage, tuple[str, ...]] = {
            "masks": (),
            "albedo": ("foreground",),
            "degraded": ("input", "foreground", "albedo"),
            "composites": ("degraded_fg",) if recipe.background.use_gray else ("degraded_fg", "background"),
        }

    def upstream(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages whose files a stage reads."""
        return tuple(dict.fromkeys(_STAGE_OF_FILE[name] for name in self.reads[stage]))

    def of(self, stage: Stage, source_sha256: str, files: Mapping[str, str]) -> str:
        """The digest of a stage, given the source's and the upstream files' sha256 (by file name)."""
        return canonical_digest(
            {
                **self._fixed[stage],
                # masks read the source; degraded is keyed by it
                "source": source_sha256 if stage in ("masks", "degraded") else None,
                "reads": {name: files[name] for name in self.reads[stage]},
            }
        )

    def tried(self, stage: Stage, source_sha256: str, record: Record | None, current: tuple[Stage, ...]) -> str | None:
        """The digest that a stage would have now; None where what it reads is not current."""
        if any(up not in current for up in self.upstream(stage)):
            return None
        files: dict[str, str] = {}
        for done in current:
            if record is not None:
                files.update((name, stamp.sha256) for name, stamp in record.stages[done].files.items())
        return self.of(stage, source_sha256, files)

    def current(
        self, record: Record | None, source_sha256: str, files_match: Callable[[Record, Stage], bool]
    ) -> tuple[Stage, ...]:
        """The stages of a record that need not be redone."""
        if record is None:
            return ()
        good: list[Stage] = []
        files: dict[str, str] = {}
        for stage in STAGES:
            entry = record.stages.get(stage)
            if entry is None or any(up not in good for up in self.upstream(stage)):
                continue
            if entry.digest == self.of(stage, source_sha256, files) and files_match(record, stage):
                good.append(stage)
                files.update((name, stamp.sha256) for name, stamp in entry.files.items())
        return tuple(good)
