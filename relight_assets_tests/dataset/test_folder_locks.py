"""One writer of a split's folder at a time."""

import threading
from pathlib import Path

import pytest

from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout
from relight_assets.errors import OutputFolderError


def test_two_writers_of_one_folder_are_kept_apart(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path / "data-train")
    with locked_folder(layout), pytest.raises(OutputFolderError, match=r"being written by process \d+"):  # noqa: SIM117
        with locked_folder(layout):
            pass


def test_who_may_wait_gets_the_folder_when_it_is_free(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path / "data-train")
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with locked_folder(layout):
            held.set()
            free.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    with pytest.raises(OutputFolderError), locked_folder(layout, wait_s=0.2):
        pass
    threading.Timer(0.3, free.set).start()
    with locked_folder(layout, wait_s=30):
        assert free.is_set()
    holder.join()
