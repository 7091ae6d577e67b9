"""Is an image what its record says it is?  Made again from the record and the foreground alone, and compared.

The record says which recipe differs from the defaults, which photo keys the draws, and where the faces are; the
foreground holds the person.  Neither the photo nor the albedo is needed; shadow patterns of the user's own are, in the
folder that the recipe names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from pydantic import ValidationError

from relight_assets.config.recipe.own_files import with_own_files
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Pixels8, Points, Rgb8, Triangles
from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.layout import RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.metrics import lights_of
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import read_record
from relight_assets.engine.worker.artifacts import encoded
from relight_assets.engine.worker.environment_files import load_environments
from relight_assets.engine.worker.gobo_files import load_gobos
from relight_assets.errors import ConfigError, ImageCorruptError, ImageError, UserError
from relight_assets.imaging.png import decode_png
from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.stages.base import AlbedoNetwork, FileContent, FoundFace, StageOutput, StageSpec
from relight_assets.stages.degraded.stage import own_files_sha256
from relight_assets.stages.masks.recorded_faces import FacesUnreadableError, unpacked, unpacked_eyes
from relight_assets.stages.registry import stages
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

RGBA = 4


class NotInRecordError(UserError):
    """An image was made with something that its record does not hold."""


@dataclass(frozen=True)
class Replayed:
    """One image that was made again."""

    name: str
    """As in the record: ``albedo``, ``degraded_fg``, ``output``, ``v2_output``, ..."""
    recorded: str
    """sha256 of the file, by the record."""
    found: str
    """sha256 of what was made now."""
    data: bytes
    """The bytes of the file as it was made now."""

    @property
    def same(self) -> bool:
        """Whether every byte is."""
        return self.recorded == self.found


@dataclass(frozen=True)
class OwnFolders:
    """Where files of the user's own are now; None: where they were."""

    gobos: Path | None = None
    environments: Path | None = None


def replay(
    record_file: Path,
    foreground_file: Path | None = None,
    folders: OwnFolders | None = None,
    *,
    storage: Storage = LOCAL,
) -> list[Replayed]:
    """Make the albedo, the degraded person and the composite of a record again; those of them that it has.

    Args:
        record_file: ``NNNNN_metadata.json``.
        foreground_file: None: ``NNNNN_foreground.png`` beside the record.
        folders: where the user's own patterns and panoramas are now; None: where they were.
        storage: where the record lies.

    Raises:
        NotInRecordError: it was made with what is not in it (another version of the package; depth, normals, an albedo
            shadow patterns or panoramas of the user's own).
        UserError: there is no such record, it is damaged, or the foreground is not the one of the record.
    """
    record = _record(record_file, storage)
    layout = SplitLayout(record_file.parent, storage)
    recipe = _recipe(record, record_file, folders or OwnFolders())
    inputs = RecordInputs(record, layout, foreground_file or layout.png(record.index, "foreground"), recipe)
    made: list[Replayed] = []
    for spec in stages():
        if spec.name in record.stages and not spec.reads_photo:
            _require_this_version(record, spec, record_file)
            try:
                output = spec.make(inputs)
            except ImageError as error:
                raise UserError(f"{record_file}: `{spec.name}` cannot be made again: {error}") from error
            made += [_replayed(record, spec, name, content) for name, content in output.files.items()]
            inputs.keep(output)
    return made


def _replayed(record: Record, spec: StageSpec, name: str, made: FileContent) -> Replayed:
    data = encoded(made)
    stamp = record.stages[spec.name].files.get(name)
    return Replayed(name, stamp.sha256 if stamp else "", sha256_hex(data), data)


class RecordInputs:
    """The :class:`~relight_assets.stages.base.StageInputs` that a record and a foreground alone give."""

    albedo_network: AlbedoNetwork | None = None

    def __init__(self, record: Record, layout: SplitLayout, foreground: Path, recipe: Recipe):
        self.recipe, self.source_sha256 = recipe, record.source.sha256
        self.gobos, self.environments = load_gobos(recipe), load_environments(recipe)
        self.segmenter: dict[str, str] = {}
        self.handed_on: dict[str, Any] = {}
        self.face_triangles: Triangles = TRIANGLES
        self._record, self._layout = record, layout
        self._pixels: dict[str, Pixels8] = {"foreground": self._decoded("foreground", foreground)}

    def read(self, artifact: str) -> Pixels8:
        """An artifact that was made again; the background, which is made of the photo, from its file."""
        if artifact not in self._pixels:
            self._pixels[artifact] = self._decoded(artifact, self._layout.png(self._record.index, artifact))
        return self._pixels[artifact]

    def keep(self, output: StageOutput) -> None:
        """Take what a stage made for those after it."""
        self._pixels |= {name: made for name, made in output.files.items() if isinstance(made, np.ndarray)}

    def recorded_faces(self) -> Sequence[Points]:
        """The faces of the record.

        Raises:
            UserError: they are damaged.
        """
        try:
            return unpacked(self._record.stages["masks"].numbers)
        except FacesUnreadableError as error:
            raise UserError(f"the record of image {self._record.index} is damaged: {error}") from error

    def recorded_eyes(self) -> Sequence[Points]:
        """The eyes of the record.

        Raises:
            UserError: they are damaged.
        """
        try:
            return unpacked_eyes(self._record.stages["masks"].numbers)
        except FacesUnreadableError as error:
            raise UserError(f"the record of image {self._record.index} is damaged: {error}") from error

    def shape_map(self) -> None:
        """None: a light on a shape of the user's own is not replayed."""

    def photo(self) -> NoReturn:
        """Raise NotInRecordError: the photo is not in the record."""
        raise NotInRecordError("the photo is not in the record")

    def person(self) -> NoReturn:
        """Raise NotInRecordError: the segmenter's answer is not in the record."""
        self.photo()

    def probability_of(self, rgb: Rgb8) -> NoReturn:  # noqa: ARG002
        """Raise NotInRecordError: likewise."""
        self.photo()

    def found_faces(self) -> NoReturn:
        """Raise NotInRecordError: the face networks' answers are not in the record."""
        self.photo()

    def found_eyes(self, face: FoundFace) -> NoReturn:  # noqa: ARG002
        """Raise NotInRecordError: likewise."""
        self.photo()

    def hidden_face(self, min_presence: float) -> NoReturn:  # noqa: ARG002
        """Raise NotInRecordError: likewise."""
        self.photo()

    def body_score(self) -> NoReturn:
        """Raise NotInRecordError: the pose detector's answer is not in the record."""
        self.photo()

    def _decoded(self, name: str, path: Path) -> Pixels8:
        stamp = self._record.stages["masks"].files.get(name) if "masks" in self._record.stages else None
        advice = "name another with --foreground" if name == "foreground" else "it belongs beside the record"
        try:
            data = self._layout.storage.read(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}; {advice}") from error
        if data is None:
            raise UserError(f"{path} is {self._layout.storage.kind(path)}, not a file; {advice}")
        if stamp is None or sha256_hex(data) != stamp.sha256:
            raise UserError(f"{path} is not the `{name}` of the record: its sha256 is another")
        try:
            pixels = decode_png(data)
        except ImageCorruptError as error:
            raise UserError(f"{path}: {error}") from error
        if pixels.ndim != 3 or pixels.shape[2] != RGBA:
            raise UserError(f"{path} has no alpha, so it is no `{name}`")
        return pixels


def _record(path: Path, storage: Storage) -> Record:
    if not path.name.endswith(f"_{RECORD_SUFFIX}"):
        raise UserError(f"{path} is no record: those are called NNNNN_{RECORD_SUFFIX}")
    try:
        record = read_record(path, storage)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if record is None:
        message = "is damaged, no file, or of a newer version" if storage.kind(path) else "is not there"
        raise UserError(f"the record {path} {message}")
    return record


def _recipe(record: Record, path: Path, folders: OwnFolders) -> Recipe:
    if record.recipe is None:
        raise NotInRecordError(f"{path} does not say with which recipe it was made")
    try:
        recipe = Recipe.model_validate(record.recipe)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise NotInRecordError(f"{path} holds a recipe that this version does not know (`{where}`)") from error
    for spec in stages():
        if spec.name in record.stages and not spec.reads_photo:
            why = spec.not_replayable(recipe, record.source.sha256)
            if why is not None:
                raise NotInRecordError(f"{path}: {why}")
    return _with_own_files(recipe, record, path, folders)


def _with_own_files(recipe: Recipe, record: Record, path: Path, folders: OwnFolders) -> Recipe:
    """The recipe with the user's own patterns and panoramas, which must be those of the record."""
    hard, environment = recipe.degradation.hard_shadow, recipe.degradation.environment
    if "degraded" not in record.stages or (hard.kinds.custom == 0 and environment.weight == 0):
        return recipe
    if folders.gobos is not None:
        hard = hard.model_copy(update={"gobo_dir": str(folders.gobos)})
    if folders.environments is not None:
        environment = environment.model_copy(update={"environment_dir": str(folders.environments)})
    sections = {"hard_shadow": hard, "environment": environment}
    moved = recipe.model_copy(update={"degradation": recipe.degradation.model_copy(update=sections)})
    try:
        found = with_own_files(moved, path.parent, str(path))
    except ConfigError as error:
        raise NotInRecordError(
            f"{error}; say with --gobos or --environments where the patterns or panoramas are now"
        ) from error
    recorded = lights_of(record.stages["degraded"].numbers)[0]
    for name, what, folder in (
        ("patterns_sha256", "shadow patterns", hard.gobo_dir),
        ("environments_sha256", "panoramas", environment.environment_dir),
    ):
        if recorded.get(name) != own_files_sha256(found).get(name):
            raise NotInRecordError(f"{path}: the {what} in {folder} are not those it was made with")
    return found


def _require_this_version(record: Record, spec: StageSpec, path: Path) -> None:
    made_by = record.stages[spec.name].code
    if made_by != spec.code_version:
        raise NotInRecordError(
            f"{path}: `{spec.name}` was made by version {record.package_version} (code {made_by or 'unknown'}), and "
            f"this one (code {spec.code_version}) makes other bytes; install that version"
        )
