"""Which file of depth or normals a photo has, by its stat and by what is remembered of it."""

from pathlib import Path

from relight_assets.config.recipe.networks import Geometry
from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset.geometry_files import geometry_path, remembered_sha256
from relight_assets.dataset.record_types import Failure, RecordStamps
from relight_assets.engine.state.digests import ABSENT, UNREAD
from relight_assets.errors import ImageError
from relight_assets.stages.degraded.stage import GEOMETRY_FILE
from relight_assets.storage.files import FileStamp, stamp_source


def stamps_of(record: RecordStamps | None, failure: Failure | None) -> list[FileStamp]:
    """What is remembered of a photo's file, of when the degraded stage was made or tried."""
    made = record.stages.get("degraded") if record is not None else None
    reads = [made.reads if made is not None else {}, failure.reads if failure is not None else {}]
    return [each[GEOMETRY_FILE] for each in reads if GEOMETRY_FILE in each]


def known_sha256(
    geometry: Geometry,
    photo: Path,
    image_root: AnyRoot,
    record: RecordStamps | None,
    failure: Failure | None,
    *,
    files: str | None = None,
) -> dict[str, str]:
    """The sha256 of a photo's file by its stat alone, for a plan; nothing where the recipe wants no files.

    ``files`` is where the photo's row says that it is; None: where the recipe does.
    """
    if not geometry.from_file:
        return {}
    try:
        path = geometry_path(geometry.files if files is None else files, photo, image_root)
    except ImageError:
        return {GEOMETRY_FILE: ABSENT}
    return {GEOMETRY_FILE: remembered_sha256(path, stamps_of(record, failure)) or UNREAD}


def stamp_now(geometry: Geometry, photo: Path, image_root: AnyRoot, files: str | None = None) -> dict[str, FileStamp]:
    """The stamp of a photo's file, read but not decoded; nothing where there is none that may be read."""
    if not geometry.from_file:
        return {}
    try:
        path = geometry_path(geometry.files if files is None else files, photo, image_root)
        return {GEOMETRY_FILE: stamp_source(path, ImageRoot.of_any_names(image_root))}
    except ImageError:
        return {}
