"""What is exported, and how: the list ``exports`` of ``config/platform.yaml``, and the options of an export."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _resolution(value: Any) -> Any:
    if value in ("crop", "source") or (isinstance(value, int) and not isinstance(value, bool) and 64 <= value <= 16384):
        return value
    raise ValueError("must be `crop`, `source` or a whole number of pixels from 64 to 16384")


class ExportOptions(BaseModel):
    """What can be asked of an export.  Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Literal["restore", "degrade"] = "restore"
    """``restore``: the photo is the target, the degraded picture the condition; ``degrade``: the other way round."""
    target: Literal["photo", "photo_on_gray", "albedo"] = "photo"
    """What is learnt: the photo, the person of the photo on the condition's gray, or the albedo on it."""
    background: Literal["as_made", "gray", "original"] = "as_made"
    """Of the condition: as the recipe made it, gray, or that of the photo."""
    resolution: Annotated[int | str, BeforeValidator(_resolution)] = "crop"
    """``crop``: sides are cropped to multiples; a number: the longest side is reduced to so many pixels, then cropped;
    ``source``: pictures are what they are."""
    multiple_of: Annotated[int, Field(ge=1, le=256)] = 64
    """Both sides of every picture are multiples of it, in pixels."""
    caption: Literal["auto", "column", "measured", "fixed", "none"] = "auto"
    """``auto``: the column where it holds text, else what was measured, else the fixed text."""
    caption_column: str = "caption"
    """The CSV's column of captions."""
    caption_text: Annotated[str, Field(pattern=r"\S")] = "Relight the person."
    """The fixed caption."""
    form: Literal["instruction", "keywords"] = "instruction"
    """How measured captions are put."""
    trigger: str = ""
    """A word before every caption."""
    words: Path | None = None
    """A YAML file of other words for measured captions."""
    columns: Literal["controlnet", "kontext", "instruct-pix2pix", "flux-control"] = "controlnet"
    """Names of the columns of an image folder."""
    where: Annotated[str, Field(pattern=r"\S")] | None = None
    """An SQL expression over the columns of samples.csv: rows for which it is true are exported."""
    max_rows: Annotated[int, Field(ge=1)] | None = None
    """At most so many rows, the first."""
    link: Literal["hard", "copy"] = "hard"
    """``hard``: unchanged pictures are hard links of the outputs, where the file system can; ``copy``: copies."""

    @property
    def pixels(self) -> dict[str, Any]:
        """What decides the pixels of a pair's pictures."""
        return self.model_dump(mode="json", include={"direction", "target", "background", "resolution", "multiple_of"})


class Export(BaseModel):
    """An export that is an asset of the platform."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    """Of its asset and its folder."""
    layout: str
    """As ``relight export --list`` shows them."""
    options: ExportOptions = ExportOptions()
