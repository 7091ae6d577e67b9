"""The one wheel that holds the model files: which bytes it has, and how it is downloaded.

The download is left to an ordinary client, pip or uv, which knows the user's index, proxy and certificates.  Whichever
it is, it is given the sha256 and refuses any other wheel.
"""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from relight_assets.core.hashing import file_sha256
from relight_assets.errors import ModelFileError

PACKAGE = "mediapipe"
VERSION = "0.10.21"
NAME = f"{PACKAGE}-{VERSION}-cp311-cp311-manylinux_2_28_x86_64.whl"
SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"

# The model files are the same in every wheel of the release, so one is named that any machine can ask for and whose
# Python version exists: there is none for Python 3.13 and later.  The tags fit no other wheel.
_PIP_TAGS = (
    *("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
    *("--platform", "manylinux_2_28_x86_64"),
)
_UV_TAGS = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")
_ALONE = ("--no-deps", "--only-binary=:all:")
_BY_HAND = f"pip download {' '.join((*_ALONE, *_PIP_TAGS))} {PACKAGE}=={VERSION}"
_SECONDS = 900


def check(wheel: Path) -> None:
    """See that a file is the wheel.

    Raises:
        OSError: it cannot be read.
        ModelFileError: it is another one.
    """
    if (found := file_sha256(wheel)) != SHA256:
        raise ModelFileError(f"{wheel} has sha256 {found}, expected {SHA256}, that of {NAME}; get it with: {_BY_HAND}")


def download(folder: Path, otherwise: str) -> Path:
    """Download the wheel into a folder that is empty; its path, or that of a folder with its content.

    With the first that is there: the environment's own pip; uv, whose environments have none; the pip that Python
    carries, in an environment made for it; the pip of another Python, on PATH.

    Raises:
        ModelFileError: there is none of them, or it did not download the wheel, which ends with ``otherwise``: what
            else can be done.
    """
    required = folder / "required.txt"
    required.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
    wanted = (*_ALONE, "--require-hashes", "--requirement", str(required))
    pip = _own_pip()
    if pip is None and (uv := _works("uv")) is not None:
        unpacked = folder / "unpacked"  # uv has no command that only downloads
        into = ("--python", sys.executable, "--target", str(unpacked))
        _run("uv", [uv, "pip", "install", *wanted, *_UV_TAGS, *into], otherwise)
        return unpacked
    pip = pip or _pip_of_python(folder / "environment") or _pip_on_path()
    if pip is None:
        raise ModelFileError(
            f"there is neither pip nor uv here to download the model files with; on a machine that has pip run "
            f"'{_BY_HAND}', and then here 'relight models fetch --wheel {NAME}'"
        )
    _run("pip", [*pip, "download", "--no-input", *wanted, *_PIP_TAGS, "--dest", str(folder)], otherwise)
    check(folder / NAME)
    return folder / NAME


def _own_pip() -> list[str] | None:
    return [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else None


def _pip_of_python(folder: Path) -> list[str] | None:
    # Some systems take it out of Python, into a package of its own.
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, check=False)
    return [str(folder / "bin" / "python"), "-m", "pip"] if made.returncode == 0 else None


def _pip_on_path() -> list[str] | None:
    return next(([found] for name in ("pip", "pip3") if (found := _works(name))), None)


def _works(name: str) -> str | None:
    """A program on PATH that starts; one that an environment left behind that was moved does not."""
    found = shutil.which(name)
    try:
        starts = found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return None
    return found if starts else None


def _run(client: str, command: Sequence[str], otherwise: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise ModelFileError(f"{command[0]} cannot be started ({error.strerror}); {otherwise}") from error
    except subprocess.TimeoutExpired as error:
        raise ModelFileError(f"{client} did not download {PACKAGE} in {_SECONDS} s; {otherwise}") from error
    if done.returncode != 0:
        said = _said(f"{done.stdout}\n{done.stderr}")
        raise ModelFileError(f"{client} could not download {PACKAGE}=={VERSION} ({said}); {otherwise}")


def _said(text: str) -> str:
    """The reason in what a client printed: the last ERROR of pip, uv's error with its causes, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    of_pip = [line for line in lines if line.startswith("ERROR")]
    of_uv = [number for number, line in enumerate(lines) if line.startswith(("error:", "×"))]
    if of_uv and not of_pip:
        return " ".join(lines[of_uv[0] :])
    return (of_pip or lines or ["it said nothing"])[-1]
