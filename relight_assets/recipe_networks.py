"""The part of the recipe that says how local networks are asked; which files they are, the settings say."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from relight_assets.recipe_types import Interval, Part, ends, number

_Mean = Annotated[float, number(-10, 10)]
_Deviation = Annotated[float, number(1e-3, 10)]


class Network(Part):
    """How a network is given a picture."""

    size: Annotated[int, Field(ge=32, le=4096, strict=True)] = 512
    """Longest side of the picture that it is given, pixels."""
    multiple: Annotated[int, Field(ge=1, le=256, strict=True)] = 32
    """Sides are rounded to multiples of it: the patch of a transformer, or 2 to the number of its halvings."""
    square: bool = False
    """Stretch the picture to a square: for networks that take one size alone."""
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
        """Height and width at which a picture is given."""
        if self.square:
            side = self._rounded(self.size)
            return side, side
        scale = self.size / max(height, width, 1)
        return self._rounded(height * scale), self._rounded(width * scale)

    def _rounded(self, side: float) -> int:
        return max(1, round(side / self.multiple)) * self.multiple


class LearnedAlbedo(Network):
    """A network of yours that finds the albedo; its file is `albedo_model` of config/platform.yaml."""

    output: Literal["srgb", "linear", "log_shading"] = "linear"
    """What it answers: albedo as display values or in linear light, or the natural logarithm of the shading."""
    output_range: Annotated[Interval, ends(-100, 100)] = (0.0, 1.0)
    """Its answers for black and white; of no account for `log_shading`."""

    @model_validator(mode="after")
    def _some_range(self) -> "LearnedAlbedo":
        if self.output_range[0] == self.output_range[1]:
            raise ValueError("output_range is empty")
        return self
