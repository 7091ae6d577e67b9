"""Is a picture what its record says it is?  Made again from the record and the foreground alone, and compared.

The record says which recipe differs from the defaults, which photo keys the draws, and where the faces are; the
foreground holds the person.  Neither the photo nor the albedo is needed; shadow patterns of the user's own are, in the
folder that the recipe names.
"""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from relight_assets.config.recipe.gobos import with_gobos
from relight_assets.config.recipe.recipe import AlbedoMethod, Recipe
from relight_assets.core.regular_files import kind_of
from relight_assets.dataset.layout import RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.metrics import lights_of
from relight_assets.dataset.records import Record, read_record
from relight_assets.engine.worker.artifacts import Pixels
from relight_assets.engine.worker.gobo_files import load_gobos
from relight_assets.engine.worker.recorded_faces import FacesUnreadableError, unpacked
from relight_assets.engine.worker.stage_outputs import (
    StageOutput,
    albedo_of,
    composites_of,
    degraded_of,
    patterns_sha256,
)
from relight_assets.errors import ConfigError, ImageCorruptError, ImageError, UserError
from relight_assets.imaging.png import decode_png, encode_png
from relight_assets.stages.albedo import albedo
from relight_assets.stages.composites import composite
from relight_assets.stages.degraded import degrade
from relight_assets.stages.registry import Stage
from relight_assets.storage.files import read_regular

RGBA = 4


class NotInRecordError(UserError):
    """A picture was made with something that its record does not hold."""


@dataclass(frozen=True)
class Replayed:
    """One picture that was made again."""

    name: str
    """As in the record: ``albedo``, ``degraded_fg``, ``output``, ``v2_output``, ..."""
    recorded: str
    """sha256 of the file, by the record."""
    found: str
    """sha256 of what was made now."""
    data: bytes
    """The PNG that was made now."""

    @property
    def same(self) -> bool:
        """Whether every byte is."""
        return self.recorded == self.found


def replay(record_file: Path, foreground_file: Path | None = None, gobo_dir: Path | None = None) -> list[Replayed]:
    """Make the albedo, the degraded person and the composite of a record again; those of them that it has.

    Args:
        record_file: ``NNNNN_metadata.json``.
        foreground_file: None: ``NNNNN_foreground.png`` beside the record.
        gobo_dir: where the user's own shadow patterns are now, if it drew any; None: where they were.

    Raises:
        NotInRecordError: it was made with what is not in it (another version of the package; depth, normals, an albedo
            or shadow patterns of the user's own).
        UserError: there is no such record, it is damaged, or the foreground is not the one of the record.
    """
    record = _record(record_file)
    layout = SplitLayout(record_file.parent)
    pictures = _Made(record, layout, foreground_file or layout.png(record.index, "foreground"))
    recipe = _recipe(record, record_file, gobo_dir)
    for stage in ("albedo", "degraded", "composites"):
        if stage in record.stages:
            _require_this_version(record, stage, record_file)
            try:
                pictures.keep(stage, _output(stage, pictures, recipe, record))
            except ImageError as error:
                raise UserError(f"{record_file}: `{stage}` cannot be made again: {error}") from error
    return pictures.replayed


class _Made:
    """The pictures of one image, made again or read."""

    def __init__(self, record: Record, layout: SplitLayout, foreground: Path):
        self.replayed: list[Replayed] = []
        self._record, self._layout = record, layout
        self._pixels: dict[str, Pixels] = {"foreground": self._decoded("foreground", foreground)}

    def read(self, name: str) -> Pixels:
        """The pixels of a picture; of the background, which is made of the photo, from its file."""
        if name not in self._pixels:
            self._pixels[name] = self._decoded(name, self._layout.png(self._record.index, name))
        return self._pixels[name]

    def keep(self, stage: Stage, output: StageOutput) -> None:
        """Take what a stage made, and hold it against the record."""
        for name, made in output.files.items():
            data = made if isinstance(made, bytes) else encode_png(made)
            stamp = self._record.stages[stage].files.get(name)
            found = sha256(data).hexdigest()
            self.replayed.append(Replayed(name, stamp.sha256 if stamp else "", found, data))
            if not isinstance(made, bytes):
                self._pixels[name] = made

    def _decoded(self, name: str, path: Path) -> Pixels:
        stamp = self._record.stages["masks"].files.get(name) if "masks" in self._record.stages else None
        advice = "name another with --foreground" if name == "foreground" else "it belongs beside the record"
        try:
            data = read_regular(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}; {advice}") from error
        if data is None:
            raise UserError(f"{path} is {kind_of(path.stat().st_mode)}, not a file; {advice}")
        if stamp is None or sha256(data).hexdigest() != stamp.sha256:
            raise UserError(f"{path} is not the `{name}` of the record: its sha256 is another")
        try:
            pixels = decode_png(data)
        except ImageCorruptError as error:
            raise UserError(f"{path}: {error}") from error
        if pixels.ndim != 3 or pixels.shape[2] != RGBA:
            raise UserError(f"{path} has no alpha, so it is no `{name}`")
        return pixels


def _record(path: Path) -> Record:
    if not path.name.endswith(f"_{RECORD_SUFFIX}"):
        raise UserError(f"{path} is no record: those are called NNNNN_{RECORD_SUFFIX}")
    try:
        record = read_record(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if record is None:
        told = "is damaged, no file, or of a newer version" if os.path.lexists(path) else "is not there"
        raise UserError(f"the record {path} {told}")
    return record


def _recipe(record: Record, path: Path, gobo_dir: Path | None) -> Recipe:
    if record.recipe is None:
        raise NotInRecordError(f"{path} does not say with which recipe it was made")
    try:
        recipe = Recipe.model_validate(record.recipe)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise NotInRecordError(f"{path} holds a recipe that this version does not know (`{where}`)") from error
    if recipe.geometry.kind is not None:
        shape = recipe.geometry.source
        raise NotInRecordError(f"{path}: its light fell on a shape from `{shape}`, which is not in the record")
    if "albedo" in record.stages and _albedo_method(record, recipe) == "learned":
        raise NotInRecordError(f"{path}: its albedo was found by a network of your own, which is not in the record")
    return _with_patterns(recipe, record, path, gobo_dir)


def _albedo_method(record: Record, recipe: Recipe) -> AlbedoMethod:
    """As it is drawn, whatever the record says of it."""
    return albedo.draw_method(recipe.albedo_extraction.mix, recipe.seed, record.source.sha256)


def _with_patterns(recipe: Recipe, record: Record, path: Path, gobo_dir: Path | None) -> Recipe:
    hard = recipe.degradation.hard_shadow
    if hard.kinds.custom == 0 or "degraded" not in record.stages:
        return recipe
    if gobo_dir is not None:
        hard = hard.model_copy(update={"gobo_dir": str(gobo_dir)})
        recipe = recipe.model_copy(update={"degradation": recipe.degradation.model_copy(update={"hard_shadow": hard})})
    try:
        found = with_gobos(recipe, path.parent, str(path))
    except ConfigError as error:
        raise NotInRecordError(f"{error}; say with --gobos where the patterns are now") from error
    if lights_of(record.stages["degraded"].numbers)[0].get("patterns_sha256") != patterns_sha256(found):
        raise NotInRecordError(f"{path}: the shadow patterns in {hard.gobo_dir} are not those it was made with")
    return found


_CODE = {"albedo": albedo.CODE_VERSION, "degraded": degrade.CODE_VERSION, "composites": composite.CODE_VERSION}


def _require_this_version(record: Record, stage: Stage, path: Path) -> None:
    made_by = record.stages[stage].code
    if made_by != _CODE[stage]:
        raise NotInRecordError(
            f"{path}: `{stage}` was made by version {record.package_version} (code {made_by or 'unknown'}), and this "
            f"one (code {_CODE[stage]}) makes other bytes; install that version"
        )


def _output(stage: Stage, pictures: _Made, recipe: Recipe, record: Record) -> StageOutput:
    if stage == "albedo":
        return albedo_of(pictures.read("foreground"), recipe, record.source.sha256)
    if stage == "degraded":
        try:
            faces = unpacked(record.stages["masks"].numbers)
        except FacesUnreadableError as error:
            raise UserError(f"the record of image {record.index} is damaged: {error}") from error
        return degraded_of(pictures.read, recipe, record.source.sha256, faces, gobos=load_gobos(recipe))
    return composites_of(pictures.read, recipe)
