"""Whether a folder can be written, without trying."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.dataset.folders import nearest, write_fault


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


@pytest.mark.parametrize(("flags", "told"), [(os.ST_RDONLY, "is on a read-only file system"), (0, "may not write in")])
def test_why_a_folder_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: int, told: str) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))
    assert told in (write_fault(tmp_path / "new") or "")


def test_the_effective_user_is_asked_for_only_where_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some containers refuse the call that asks for it."""
    asked: list[bool] = []

    def access(path: Path, mode: int, *, effective_ids: bool = False) -> bool:
        asked.append(effective_ids)
        return True

    monkeypatch.setattr(os, "supports_effective_ids", {access})
    monkeypatch.setattr(os, "access", access)
    assert write_fault(tmp_path) is None
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert write_fault(tmp_path) is None
    assert asked == [False, True]
