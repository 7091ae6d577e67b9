"""Whether a folder can be written, without trying."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.storage.folders import nearest, write_fault


def test_what_is_there_and_what_could_be_made(tmp_path: Path) -> None:
    assert write_fault(tmp_path) is None
    assert write_fault(tmp_path / "new" / "er") is None
    assert nearest(tmp_path / "new" / "er") == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_folder(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("")
    link.symlink_to("nowhere")
    assert write_fault(file / "below") == f"{file} is not a folder"
    assert write_fault(link / "below") == f"{link} is not a folder"


@pytest.mark.parametrize(
    ("flags", "reported"), [(os.ST_RDONLY, "is on a read-only file system"), (0, "may not write in")]
)
def test_why_a_folder_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: int, reported: str
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))
    assert reported in (write_fault(tmp_path / "new") or "")


@pytest.mark.parametrize("refused", [True, False])
def test_a_call_that_a_container_refuses_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """The one for the effective user, by an old seccomp filter; or the one that leaves out capabilities."""

    def access(path: Path, mode: int, *, effective_ids: bool = False) -> bool:
        return effective_ids is not refused

    monkeypatch.setattr(os, "supports_effective_ids", {access})
    monkeypatch.setattr(os, "access", access)
    assert write_fault(tmp_path) is None
