"""A degraded picture out of its albedo and the light that was kept of it, by the record of its image.

``relight verify`` compares it with the picture; who trains on mixtures of light begins with it::

    from pathlib import Path

    from relight_assets.quality.light_maps import rebuild_degraded

    picture = rebuild_degraded(Path("data-train/00000_metadata.json"))
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from relight_assets.core.arrays import Rgba8
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import read_record
from relight_assets.errors import ImageCorruptError, UserError
from relight_assets.imaging.exr import decode_exr
from relight_assets.imaging.png import decode_png
from relight_assets.stages.base import variant_name
from relight_assets.stages.degraded.parts.light_parts import light_parts
from relight_assets.stages.degraded.tone_curve import ToneCurve
from relight_assets.stages.degraded.variants.mix import mixed
from relight_assets.stages.light_maps.rebuild import Noise, rebuilt
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

TOLERANCE = 1
"""Levels by which a rebuilt picture may differ: a half float of light, and the rounding of both pictures."""
Files = Callable[[str], bytes]
"""Gives the bytes of an artifact of an image."""


def rebuild_degraded(record_file: Path, variant: int = 1, *, storage: Storage = LOCAL) -> Rgba8:
    """Make a degraded picture again from its albedo and its light: (H, W, 4) uint8 RGBA, within one level.

    Args:
        record_file: ``NNNNN_metadata.json``, beside the files of the image.
        variant: of the image, from 1.
        storage: where they lie.

    Raises:
        UserError: there is no such record or file, it is damaged, or the light was not kept.
        ConfigError: the package for OpenEXR files is not installed.
    """
    record = read_record(record_file, storage)
    if record is None:
        raise UserError(f"{record_file} is no record of this version, or is not there")
    if "light_maps" not in record.stages:
        raise UserError(f"{record_file}: its light was not kept; set `keep_light: true` in the recipe and run again")
    count = variants_of(record)
    if not 1 <= variant <= count:
        raise UserError(f"{record_file}: there is no variant {variant}; there are {count}")
    layout = SplitLayout(record_file.parent, storage)

    def read(name: str) -> bytes:
        path = layout.artifact(record.index, name)
        try:
            data = storage.read(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from error
        if data is None:
            raise UserError(f"{path} is no file")
        return data

    try:
        return rebuilt_variant(record, variant - 1, read)
    except ImageCorruptError as error:
        raise UserError(f"{record_file}: {error}") from error


def variants_of(record: Record) -> int:
    """How many variants of an image have their light kept."""
    return len(record.stages["light_maps"].lights)


def rebuilt_variant(record: Record, variant: int, read: Files) -> Rgba8:
    """The degraded picture of a variant, from 0, out of an image's own files.

    Raises:
        ImageCorruptError: a file or the record is damaged.
    """
    count = variants_of(record)
    try:
        light, kept = (record.stages[stage].lights[variant] for stage in ("degraded", "light_maps"))
        curve = ToneCurve(*light["tone_curve"])
        noise = Noise(record.seed or 0, record.source.sha256, kept["noise_of"] - 1)
        parts = light_parts(decode_exr(read(variant_name("light.exr", variant, count))))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ImageCorruptError(f"the light of variant {variant + 1} does not fit its record: {error}") from error
    foreground, albedo = decode_png(read("foreground")), decode_png(read("albedo"))
    person = rebuilt(albedo, np.ascontiguousarray(foreground[..., 3]), parts, curve, noise)
    return mixed(foreground, person, light["amount"]) if light.get("variant_kind") == "mix" else person


def difference(record: Record, variant: int, read: Files) -> int:
    """The largest difference of a rebuilt picture from that of the stage `degraded`, levels, over all channels.

    Raises:
        ImageCorruptError: as :func:`rebuilt_variant`.
    """
    made = decode_png(read(variant_name("degraded_fg", variant, variants_of(record))))
    found = rebuilt_variant(record, variant, read)
    if made.shape != found.shape:
        raise ImageCorruptError(f"the light of variant {variant + 1} is of a picture of another size")
    return int(np.abs(made.astype(np.int16) - found).max(initial=0))
