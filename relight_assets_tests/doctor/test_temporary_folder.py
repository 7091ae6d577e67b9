"""Where temporary files go, and whether Dagster's servers can talk there."""

import os
import tempfile
from pathlib import Path

import pytest

from relight_assets.doctor.temporary_folder import LONGEST, check_sockets, temporary_folder
from relight_assets.errors import ConfigError


def test_it_is_the_folder_that_python_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    (tmp_path / "there").mkdir()
    for given in (tmp_path / "there", tmp_path / "none", file):
        monkeypatch.setenv("TMPDIR", str(given))
        monkeypatch.setattr(tempfile, "tempdir", None)
        assert str(temporary_folder(os.environ)) == tempfile.gettempdir()


def test_no_folder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight_assets.doctor.temporary_folder.write_fault", lambda _: "closed")
    with pytest.raises(ConfigError, match="set TMPDIR to one"):
        temporary_folder({})


@pytest.mark.parametrize(
    ("name", "fits"), [("é", True), ("t%20x", False), ("t?x", False), ("t#x", False), ("t%x", True)]
)
def test_a_folder_that_is_a_part_of_an_address(tmp_path: Path, name: str, fits: bool) -> None:
    folder = Path("/tmp") / f"relight-test-{os.getpid()}-{name}"
    folder.mkdir()
    try:
        if fits:
            check_sockets({"TMPDIR": str(folder)})
        else:
            with pytest.raises(ConfigError, match="set TMPDIR to another"):
                check_sockets({"TMPDIR": str(folder)})
    finally:
        folder.rmdir()


def test_a_folder_that_is_too_long(tmp_path: Path) -> None:
    # 107 bytes is what the system takes for a socket; Python's names in the folder have eleven and a slash.
    longest = tmp_path / ("x" * (LONGEST - len(os.fsencode(tmp_path)) - 1))
    longest.mkdir()
    check_sockets({"TMPDIR": str(longest)})
    longer = longest.with_name(f"{longest.name}x")
    longer.mkdir()
    with pytest.raises(ConfigError, match=r"too long for the sockets .* \(96 bytes; at most 95\)"):
        check_sockets({"TMPDIR": str(longer)})
