"""One writer of a split's folder at a time."""

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
