"""The part of the recipe that says how local networks are asked; which files they are, the settings say."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from relight_assets.config.recipe.types import Interval, Part, ends, number

_Mean = Annotated[float, number(-10, 10)]
_Deviation = Annotated[float, number(1e-3, 10)]


class Network(Part):
    """How a network is given an image."""

    size: Annotated[int, Field(ge=32, le=4096, strict=True)] = 512
    """Longest side of the image that it is given, pixels."""
    multiple: Annotated[int, Field(ge=1, le=256, strict=True)] = 32
    """Sides are rounded to multiples of it: the patch of a transformer, or 2 to the number of its halvings."""
    square: bool = False
    """Stretch the image to a square: for networks that take one size alone."""
    input: Literal["srgb", "linear"] = "srgb"
    """Whether it is given display values or linear light, in 0..1."""
    mean: tuple[_Mean, _Mean, _Mean] = (0.0, 0.0, 0.0)
    """Taken off R, G and B."""
    std: tuple[_Deviation, _Deviation, _Deviation] = (1.0, 1.0, 1.0)
    """What R, G and B are divided by after that."""

    @model_validator(mode="after")
    def _some_size(self) -> "Network":
        if self.multiple > self.size:
            raise ValueError(f"multiple {self.multiple} is larger than size {self.size}")
        return self

    def sides(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which an image is given."""
        if self.square:
            side = self._rounded(self.size)
            return side, side
        scale = self.size / max(height, width, 1)
        return self._rounded(height * scale), self._rounded(width * scale)

    def _rounded(self, side: float) -> int:
        return max(1, round(side / self.multiple)) * self.multiple


class LearnedAlbedo(Network):
    """Your own ONNX model that finds the albedo; its file is `albedo_model` of config/platform.yaml."""

    output: Literal["srgb", "linear", "log_shading"] = "linear"
    """What it answers: albedo as display values or in linear light, or the natural logarithm of the shading."""
    output_range: Annotated[Interval, ends(-100, 100)] = (0.0, 1.0)
    """Its answers for black and white; of no account for `log_shading`."""

    @model_validator(mode="after")
    def _some_range(self) -> "LearnedAlbedo":
        if self.output_range[0] == self.output_range[1]:
            raise ValueError("output_range is empty")
        return self


class ShapeNetwork(Network):
    """Your own ONNX model that finds depth or normals; its file is `geometry_model` of config/platform.yaml."""

    size: Annotated[int, Field(ge=32, le=4096, strict=True)] = 518
    """Longest side of the image that it is given, pixels."""
    multiple: Annotated[int, Field(ge=1, le=256, strict=True)] = 14
    """Sides are rounded to multiples of it."""
    mean: tuple[_Mean, _Mean, _Mean] = (0.485, 0.456, 0.406)
    """Taken off R, G and B; as ImageNet's."""
    std: tuple[_Deviation, _Deviation, _Deviation] = (0.229, 0.224, 0.225)
    """What R, G and B are divided by after that; as ImageNet's."""


_COLUMN = re.compile(r"\{column:([^{}]+)\}")
GeometrySource = Literal["face_mesh", "depth_file", "normals_file", "depth_model", "normals_model"]


class Geometry(Part):
    """The shape that the light falls on."""

    source: GeometrySource = "face_mesh"
    """Mask and face mesh; a file beside each photo; or your own ONNX model."""
    files: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = "{folder}/{stem}_depth.png"
    """Where a photo's file is: `{folder}` and `{stem}` are the photo's, and a relative path starts at its folder.

    Or `{column:NAME}`: the CSV's column of that name has its path, which is found as `image_path` is.
    """
    invert: bool = False
    """Depth: false where nearer is larger, true where farther is."""
    y_axis: Literal["up", "down"] = "up"
    """Normals: where y points; x points right, z to the camera."""
    join_faces: bool = True
    """Put the face meshes into it, which are of true scale."""
    network: ShapeNetwork = ShapeNetwork()

    @field_validator("files")
    @classmethod
    def _one_each(cls, files: str) -> str:
        if _COLUMN.fullmatch(files):
            return files
        if "{stem}" not in files:
            raise ValueError("must hold {stem}, or be {column:NAME}: each photo has a file of its own")
        unknown = [name for name in re.findall(r"\{[^}]*\}", files) if name not in {"{folder}", "{stem}"}]
        if unknown:
            raise ValueError(f"{unknown[0]} is unknown; {{folder}} and {{stem}} are known, and {{column:NAME}} alone")
        return files

    @property
    def column(self) -> str | None:
        """The CSV's column that names each photo's file; None: none does."""
        found = _COLUMN.fullmatch(self.files) if self.from_file else None
        return found[1] if found else None

    @property
    def kind(self) -> Literal["depth", "normals"] | None:
        """What is given beside mask and mesh; None: nothing."""
        if self.source == "face_mesh":
            return None
        return "depth" if self.source.startswith("depth") else "normals"

    @property
    def from_file(self) -> bool:
        """Whether each photo has a file."""
        return self.source.endswith("_file")

    @property
    def from_model(self) -> bool:
        """Whether a network is asked."""
        return self.source.endswith("_model")

    @property
    def idle(self) -> set[str]:
        """The keys that are of no account for this source."""
        counting = {
            "source": True,
            "files": self.from_file,
            "invert": self.kind == "depth",
            "y_axis": self.kind == "normals",
            "join_faces": self.kind is not None,
            "network": self.from_model,
        }
        return {key for key, counts in counting.items() if not counts}

    def deciding(self) -> dict[str, Any]:
        """What decides the pixels, as plain JSON values; not where files are, because what they hold does."""
        return self.model_dump(mode="json", exclude=self.idle | {"files"})
