"""Getting the wheel of the model files: with each client that there may be, only the right one, and what is said."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets.errors import ModelFileError
from relight_assets.models import registry, store
from relight_assets.models.packages import wheel

OTHERWISE = "do it by hand."


@pytest.fixture
def index(tmp_path: Path, real_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the real wheel, which is all that pip and uv know of."""
    folder = tmp_path / "index"
    folder.mkdir()
    shutil.copyfile(real_wheel, folder / wheel.NAME)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture(params=["own pip", "uv", "the pip of Python", "a pip on PATH"])
def client(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one client that is there."""
    there = tmp_path / "bin"
    there.mkdir()
    if request.param == "uv":
        uv = shutil.which("uv", path=str(Path(sys.executable).parent))
        assert uv is not None, "make test installs uv: it is in the extra `dev`"
        (there / "uv").symlink_to(uv)
    elif request.param == "a pip on PATH":
        (there / "pip").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip "$@"\n')
        (there / "pip").chmod(0o755)
        monkeypatch.setattr(wheel, "_pip_of_python", lambda _: None)
    if request.param != "own pip":
        monkeypatch.setattr(wheel, "_own_pip", lambda: None)
    monkeypatch.setenv("PATH", f"{there}:/usr/bin:/bin" if request.param == "a pip on PATH" else str(there))
    return str(request.param)


def test_each_client_gets_the_model_files(
    client: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(tmp_path / "models"))
    paths = store.fetch(lambda _: None)
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] == [m.sha256 for m in registry.SHIPPED]


def test_each_client_refuses_another_wheel(
    client: str, index: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "SHA256", "0" * 64)
    with pytest.raises(ModelFileError, match=r"could not download mediapipe==0\.10\.21 \(.*(?i:hash).*do it by hand"):
        wheel.download(into, OTHERWISE)
    assert not list(into.rglob("*.tflite"))


def test_each_client_says_that_there_is_no_wheel(client: str, index: Path, into: Path) -> None:
    (index / wheel.NAME).unlink()
    with pytest.raises(ModelFileError, match=r"could not download mediapipe==0\.10\.21 \(.*do it by hand"):
        wheel.download(into, OTHERWISE)


def test_without_any_client_it_is_said_how_to_get_the_wheel(
    into: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "_own_pip", lambda: None)
    monkeypatch.setattr(sys, "executable", "/bin/false")  # a Python that carries no pip
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelFileError) as caught:
        wheel.download(into, OTHERWISE)
    assert str(caught.value) == (
        "there is neither pip nor uv here to download the model files with; on a machine that has pip run 'pip "
        "download --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 --platform "
        "manylinux_2_28_x86_64 mediapipe==0.10.21', and then here 'relight models fetch --wheel "
        "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl'"
    )


def test_a_failing_download_repeats_what_pip_said_and_what_to_do(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "WARNING: slow\nERROR: No matching distribution found\n"
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr=said)
    monkeypatch.setattr("relight_assets.models.packages.wheel.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(ModelFileError, match=r"ERROR: No matching distribution found.*by hand") as caught:
        wheel.download(into, OTHERWISE)
    assert "slow" not in str(caught.value)


def test_the_wheel_is_asked_for_without_what_it_depends_on(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, stdout="", stderr="")

    monkeypatch.setattr("relight_assets.models.packages.wheel.subprocess.run", run)
    with pytest.raises(ModelFileError, match="it said nothing"):
        wheel.download(into, OTHERWISE)
    (command,) = asked
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "--require-hashes"} <= set(command)
    assert (into / "required.txt").read_text() == f"mediapipe==0.10.21 --hash=sha256:{wheel.SHA256}\n"


def test_a_client_that_an_environment_left_behind_is_passed_over(
    into: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("uv", "pip", "pip3"):
        (tmp_path / name).write_text("#!/no/such/python\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(wheel, "_own_pip", lambda: None)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelFileError, match="there is neither pip nor uv here"):
        wheel.download(into, OTHERWISE)
