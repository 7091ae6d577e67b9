"""What is exported, and how: the list ``exports`` of ``config/platform.yaml``, and the options of an export."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _resolution(value: Any) -> Any:
    if value in ("crop", "source") or (isinstance(value, int) and not isinstance(value, bool) and 64 <= value <= 16384):
        return value
    raise ValueError("must be `crop`, `source` or a whole number of pixels from 64 to 16384")


class ExportOptions(BaseModel):
    """What can be asked of an export.  Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Literal["restore", "degrade"] = "restore"
    """``restore``: the photo is the target, the degraded picture the condition; ``degrade``: the other way round."""
    target: Literal["photo", "photo_on_gray", "albedo", "no_gobo", "variant"] = "photo"
    """What is learnt: the photo, its person on the condition's gray, the albedo on it, the same light without its
    shadow pattern, or another drawn light."""
    background: Literal["as_made", "gray", "original"] = "as_made"
    """Of the condition: as the recipe made it, gray, or that of the photo."""
    resolution: Annotated[int | str, BeforeValidator(_resolution)] = "crop"
    """``crop``: sides are cropped to multiples; a number: the longest side is reduced to so many pixels, then cropped;
    ``source``: pictures are what they are."""
    multiple_of: Annotated[int, Field(ge=1, le=256)] = 64
    """Both sides of every picture are multiples of it, in pixels."""
    caption: Literal["auto", "column", "command", "measured", "fixed", "none"] = "auto"
    """``auto``: the column where it holds text, else what the command says, else what was measured, else fixed."""
    caption_column: str = "caption"
    """The CSV's column of captions."""
    caption_text: Annotated[str, Field(pattern=r"\S")] = "Relight the person."
    """The fixed caption."""
    caption_command: Annotated[str, Field(pattern=r"\S")] | None = None
    """A program that writes captions: JSON lines in and out."""
    caption_timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 120.0
    """Seconds that it may take until the next answer."""
    form: Literal["instruction", "keywords"] = "instruction"
    """How measured captions are put."""
    trigger: str = ""
    """A word before every caption."""
    words: Path | None = None
    """A YAML file of other words for measured captions."""
    licence_column: Annotated[str, Field(pattern=r"\S")] | None = None
    """The CSV's column of licences; None: that of the settings, or `licence` or `license` where the CSV has one."""
    licences: Annotated[tuple[Annotated[str, Field(pattern=r"\S")], ...], Field(min_length=1)] | None = None
    """Photos with one of these licences are exported, as the column writes them; None: all, those without one too."""
    columns: Literal["controlnet", "kontext", "instruct-pix2pix", "flux-control"] = "controlnet"
    """Names of the columns of an image folder."""
    where: Annotated[str, Field(pattern=r"\S")] | None = None
    """An SQL expression over the columns of samples.csv: rows for which it is true are exported."""
    best: Annotated[int, Field(ge=1)] | None = None
    """So many of the best pairs, spread over light families, directions and skins."""
    max_rows: Annotated[int, Field(ge=1)] | None = None
    """At most so many rows, the first."""
    split_order: tuple[str, ...] = ("test", "val", "train")
    """The first of these splits whose CSV names a photo keeps it; splits of other names follow by their names."""
    link: Literal["hard", "copy"] = "hard"
    """``hard``: unchanged pictures are hard links of the outputs, where the file system can; ``copy``: copies."""

    @model_validator(mode="after")
    def _fits(self) -> "ExportOptions":
        if self.targets_a_light and self.direction == "degrade":
            raise ValueError(
                f"`target: {self.target}` has degraded pictures on both sides; leave out `direction: degrade`"
            )
        if self.caption == "command" and self.caption_command is None:
            raise ValueError("`caption: command` needs `caption_command`")
        return self

    @property
    def targets_a_light(self) -> bool:
        """Whether the target is a degraded picture too."""
        return self.target in {"variant", "no_gobo"}

    @property
    def pixels(self) -> dict[str, Any]:
        """What decides the pixels of a pair's pictures."""
        return self.model_dump(mode="json", include={"direction", "target", "background", "resolution", "multiple_of"})


class Export(BaseModel):
    """An export that is an asset of the platform."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", examples=["pairs"])]
    """Of its asset and its folder."""
    layout: Annotated[str, Field(examples=["imagefolder"])]
    """As ``relight export --list`` shows them."""
    options: ExportOptions = ExportOptions()
