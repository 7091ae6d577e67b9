"""The pictures of a pair: target, condition and mask, RGB and gray, of one size, cut and reduced alike."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.core.arrays import Gray8, Rgb8
from relight_assets.core.hashing import sha256_hex
from relight_assets.errors import ChangedOutputError
from relight_assets.exports.base import Framing, Pair, Role, Source
from relight_assets.exports.pictures.framing import framed, framing_of, out_size
from relight_assets.exports.rows.pairs import TARGET_LIGHT, png_size
from relight_assets.imaging.png import alpha_png, decode_png, encode_png

GRAY = 128
"""Level of the gray background, #808080."""


@dataclass(frozen=True)
class Picture:
    """What an exported file holds: a file of the split as it is, or bytes that are made when they are asked for."""

    made_of: str
    """Of which contents, and how: equal ones give equal files."""
    source: Source | None
    """The file that it is; None: it is made."""


class PairPictures:
    """The pictures of one pair; files are decoded once, and only where pixels are needed."""

    def __init__(self, pair: Pair, options: ExportOptions):
        self._files, self._options = pair.sources, options

    def picture(self, role: Role) -> Picture:
        """What a role's file holds."""
        whole = self._whole(role)
        if whole is not None and self._is_uncut:
            return Picture(whole.sha256, whole)
        names = " ".join(self._files[name].sha256 for name in self._needed(role))
        how = " ".join(map(str, self._options.pixels.values()))
        return Picture(f"{role}: {how}: {names}", None)

    def made(self, role: Role) -> bytes:
        """The PNG of a picture that is made.

        Raises:
            ImageCorruptError, ChangedOutputError, OSError: a file of the split cannot be used.
        """
        if role == "mask" and self._is_uncut:
            return alpha_png(self._read(self._files["foreground"]))
        return encode_png(framed(self._pixels(role), self._framing))

    def data(self, role: Role) -> bytes:
        """The PNG of a picture, made or not; raises as :meth:`made`."""
        source = self.picture(role).source
        return self._read(source) if source is not None else self.made(role)

    @cached_property
    def _framing(self) -> Framing:
        return framing_of(self._alpha, self._options)

    @cached_property
    def _is_uncut(self) -> bool:
        size = png_size(self._files["input"].path)
        return size is not None and out_size(size, self._options) == size

    def _side(self, role: Role) -> str:
        """``photo`` or ``degraded``: which of the two a role shows; both may be degraded."""
        return "photo" if (role == "target") == (self._options.direction == "restore") else "degraded"

    def _lit(self, role: Role, artifact: str) -> str:
        """The artifact of the light that a role's picture shows."""
        return f"{TARGET_LIGHT}{artifact}" if self._side(role) == "photo" else artifact

    def _whole(self, role: Role) -> Source | None:
        """The file of the split that a role's picture is, uncut; None where there is none."""
        if role == "mask":
            return None
        if self._side(role) == "photo" and not self._options.targets_a_light:
            return self._files["input"] if self._options.target == "photo" else None
        return self._files[self._lit(role, "output")] if self._options.background == "as_made" else None

    def _needed(self, role: Role) -> tuple[str, ...]:
        if role == "mask":
            return ("foreground",)
        if self._side(role) == "degraded" or self._options.targets_a_light:
            made = "output" if self._options.background == "as_made" else "degraded_fg"
            return ("foreground", self._lit(role, made), "input")
        return ("foreground", "albedo" if self._options.target == "albedo" else "input")

    def _pixels(self, role: Role) -> NDArray[np.uint8]:
        if role == "mask":
            return self._alpha
        if self._side(role) == "photo" and not self._options.targets_a_light:
            if self._options.target == "photo":
                return self._decoded("input")
            surface = self._decoded("albedo" if self._options.target == "albedo" else "input")
            return over(surface, self._alpha, GRAY)
        if self._options.background == "as_made":
            return self._decoded(self._lit(role, "output"))
        degraded = self._decoded(self._lit(role, "degraded_fg"))
        back = GRAY if self._options.background == "gray" else self._decoded("input")
        return over(degraded[..., :3], degraded[..., 3], back)

    @cached_property
    def _alpha(self) -> Gray8:
        return np.ascontiguousarray(self._decoded("foreground")[..., 3])

    def _decoded(self, artifact: str) -> NDArray[np.uint8]:
        return decode_png(self._read(self._files[artifact]))

    def _read(self, source: Source) -> bytes:
        data = source.path.read_bytes()
        if len(data) != source.size or sha256_hex(data) != source.sha256:
            raise ChangedOutputError(f"{source.path} is not what its record says; run the split again")
        return data


def shown_file(pair: Pair, options: ExportOptions) -> Source:
    """The file of the split that shows what the target of a pair shows."""
    if options.targets_a_light:
        return pair.sources[f"{TARGET_LIGHT}output"]
    if options.target == "albedo":
        return pair.sources["albedo"]
    return pair.sources["input" if options.direction == "restore" else "output"]


def over(colors: Rgb8, alpha: Gray8, background: Rgb8 | int) -> Rgb8:
    """Colours on a background: exactly the background where alpha is 0, rounded to the nearest level between.

    Args:
        colors: (H, W, 3) uint8, straight.
        alpha: (H, W) uint8.
        background: (H, W, 3) uint8, or one level.
    """
    share = alpha[..., None].astype(np.uint32)
    mixed = colors * share + np.asarray(background, np.uint32) * (255 - share)
    return ((mixed + 127) // 255).astype(np.uint8)
