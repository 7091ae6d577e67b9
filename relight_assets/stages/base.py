"""What a stage is: one frozen object, from which plan, digests, records, assets and docs are derived."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Layers, LinearRgb, Pixels8, Plane, Points, Rgb8, Triangles
from relight_assets.stages.degraded.environments.panorama import Environments
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap
from relight_assets.stages.degraded.gobos import Gobos
from relight_assets.stages.masks.person_mask import PersonMask
from relight_assets.stages.metric import Metric

FileContent = Pixels8 | bytes | Layers
"""What a file is to hold: pixels of a PNG, a finished PNG, or images of half floats."""
Stage = str
"""The name of a stage, which is that of its asset."""


class Photo(Protocol):
    """A decoded source."""

    @property
    def rgb(self) -> Rgb8:
        """Its pixels, upright."""

    @property
    def verbatim(self) -> bytes | None:
        """The file's own bytes, where they are exactly that as a PNG."""


class FoundFace(Protocol):
    """A face as the networks find it."""

    @property
    def points(self) -> Points:
        """Its 468 points, in the photo's pixels."""

    @property
    def presence(self) -> float:
        """The logit of there being one."""


class PhotoChange(Protocol):
    """What was done to a photo before a face was found in it."""

    @property
    def rotation(self) -> int:
        """Degrees by which it was rotated counter-clockwise."""

    @property
    def inverted(self) -> bool:
        """Whether its colours were inverted."""

    @property
    def stretch(self) -> float:
        """The factor of its width."""


class HiddenFace(Protocol):
    """A face that the networks find only once the photo is rotated, inverted or stretched."""

    @property
    def points(self) -> Points:
        """Its points, in the changed photo, on whatever scale."""

    @property
    def change(self) -> PhotoChange:
        """What was done to the photo."""


AlbedoNetwork = Callable[[LinearRgb, Plane], LinearRgb]
"""Gives the albedo of an image and its alpha, 0..1."""


class StageInputs(Protocol):
    """What a stage may ask for; each is made or read once, when it is asked for."""

    recipe: Recipe
    source_sha256: str
    """Of the source file: it keys every draw."""
    segmenter: dict[str, str]
    """Name and sha256 of the segmenter, as records have them."""
    gobos: Gobos
    """The user's own shadow patterns."""
    environments: Environments
    """The user's own panoramas."""
    face_triangles: Triangles
    """Triangles of a face's points."""
    albedo_network: AlbedoNetwork | None
    """None: the recipe never draws `learned`."""
    handed_on: dict[str, Any]
    """What a stage leaves in memory for a later one, which makes it again where it is not there."""

    def read(self, artifact: str) -> Pixels8:
        """An artifact of an earlier stage, as its file holds it."""

    def photo(self) -> Photo:
        """The source."""

    def person(self) -> PersonMask:
        """The segmenter's answer for the source."""

    def probability_of(self, rgb: Rgb8) -> Plane:
        """The segmenter's answer for another (H, W, 3) uint8 image, such as a crop of the source: (h, w) in 0..1."""

    def found_faces(self) -> Sequence[FoundFace]:
        """The faces of the source, by the networks, largest first."""

    def found_eyes(self, face: FoundFace) -> Sequence[Points]:
        """The eyes of one of them, (21, 2) float32 each: irises and lids, in the photo's pixels."""

    def hidden_face(self, min_presence: float) -> HiddenFace | None:
        """A face above a logit that shows only once the source is rotated, inverted or stretched."""

    def body_score(self) -> float:
        """How sure the pose detector is that the source shows a body, 0..1."""

    def recorded_faces(self) -> Sequence[Points]:
        """The faces of the source, as the record holds them."""

    def recorded_eyes(self) -> Sequence[Points]:
        """The eyes of the source, as the record holds them."""

    def shape_map(self) -> ShapeMap | None:
        """Depth or normals of the source; None where the recipe asks for none."""


@dataclass(frozen=True)
class StageOutput:
    """What a stage made: the content of each artifact, and the metrics of its record."""

    files: Mapping[str, FileContent]
    metrics: dict[str, Any]
    pixels: dict[str, Pixels8] = field(default_factory=dict)
    """What the finished PNG bytes hold, so that later stages need not decode them."""


def no_models(_recipe: Recipe) -> tuple[str, ...]:
    """For a stage without networks."""
    return ()


@dataclass(frozen=True, eq=False)
class StageSpec:
    """One stage.

    A stage is current when its digest is that of its record: of ``code_version``, ``recipe_part``, the models'
    sha256, the sha256 of what it reads, and the source's where it ``draws`` or reads the photo.
    """

    name: Stage
    code_version: str
    """Raised when the same inputs give other bytes."""
    artifacts: tuple[str, ...]
    """What it writes for each image, by the last part of the files' names; of PNGs without `.png`."""
    may_read: tuple[str, ...]
    """Artifacts of earlier stages that it reads under some recipe."""
    recipe_part: Callable[[Recipe], dict[str, Any]]
    """What of the recipe decides its pixels, as plain JSON values."""
    make: Callable[[StageInputs], StageOutput]
    metrics: Callable[[], tuple[Metric, ...]]
    """Gives those of its record (of one light, where it works once for each): the same object until others are
    registered."""
    description: str
    """For the UI."""
    former_names: Mapping[str, str] = field(default_factory=dict)
    """What metrics were called in older records, to what they are called now."""
    reads_photo: bool = False
    """Whether it reads the source; such a stage is not replayed."""
    reads: Callable[[Recipe], tuple[str, ...]] | None = None
    """Those of ``may_read`` that it reads under a recipe; None: all."""
    reads_outside: Callable[[Recipe], tuple[str, ...]] = no_models
    """The user's own files that it reads beside the photo (depth, normals), by role."""
    keyed_by_source: bool = True
    """Whether the source's sha256 is part of its digest: it reads the photo, or draws."""
    enabled: Callable[[Recipe], bool] | None = None
    """Whether a recipe asks for it; None: each does."""
    per_light: bool = False
    """Whether it works once for each of the recipe's variants."""
    models: Callable[[Recipe], tuple[str, ...]] = no_models
    """Models that its pixels depend on."""
    measure: Callable[[StageInputs, StageOutput], dict[str, Any]] | None = None
    """Metrics that are measured of what was made; no pixel depends on them, and no replay has them."""
    not_replayable: Callable[[Recipe, str], str | None] = field(default=lambda _recipe, _source_sha256: None)
    """Why it cannot be made again from record and foreground alone; None: it can."""
    kinds: frozenset[str] = frozenset({"python"})
    """Technologies, for the UI; those of its models come to them."""
    shown_metrics: tuple[str, ...] | None = None
    """Those whose means a materialization shows; None: all that are numbers."""

    def files(self, variants: int = 1) -> tuple[str, ...]:
        """The artifacts under a recipe with so many variants, variant by variant."""
        return _files(self.artifacts, variants if self.per_light else 1)

    def reads_under(self, recipe: Recipe) -> tuple[str, ...]:
        """Artifacts that it reads under a recipe; those of every variant, where they are one for each."""
        return self.may_read if self.reads is None else self.reads(recipe)


def artifact_file(name: str) -> str:
    """The last part of the name of the file of an artifact: ``output.png``, ``light.exr``."""
    return name if "." in name else f"{name}.png"


def variant_name(name: str, variant: int, variants: int) -> str:
    """What the artifact ``name`` of one variant (from 0) is called: ``v1_output``; where there is one, ``output``."""
    return name if variants == 1 else f"v{variant + 1}_{name}"


@cache
def _files(artifacts: tuple[str, ...], variants: int) -> tuple[str, ...]:
    return tuple(variant_name(name, number, variants) for number in range(variants) for name in artifacts)
