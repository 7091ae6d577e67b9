"""Locks that end with their holder, and what they say of it."""

import os
from pathlib import Path

import pytest

from relight_assets.storage.local import LOCAL
from relight_assets.storage.locks import TakenError


def test_a_lock_says_who_holds_it_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with LOCAL.lock(tmp_path / "x.lock"):
        assert f"process {os.getpid()} on " in (tmp_path / "x.json").read_text()
        with pytest.raises(TakenError, match=f"process {os.getpid()}"), LOCAL.lock(tmp_path / "x.lock"):
            pass
    assert not (tmp_path / "x.json").exists()
    with LOCAL.lock(tmp_path / "x.lock"):
        pass


def test_whoever_only_reads_locks_no_folder_in_which_nobody_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LOCAL.lock(tmp_path / "none" / ".lock", to_read=True):
        assert not (tmp_path / "none").exists()
    monkeypatch.setattr(os, "access", lambda *_: False)  # as on a read-only disk
    with LOCAL.lock(tmp_path / ".lock", to_read=True):
        assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    with (
        LOCAL.lock(tmp_path / "made" / ".lock", to_read=False),
        pytest.raises(TakenError),
        LOCAL.lock(tmp_path / "made" / ".lock", to_read=True),
    ):
        pass
