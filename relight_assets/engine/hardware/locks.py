"""Locks on the folders of splits: one writer at a time."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

from relight_assets.dataset.layout import SplitLayout
from relight_assets.errors import OutputFolderError
from relight_assets.storage.locks import TakenError


@contextmanager
def locked_folder(layout: SplitLayout) -> Iterator[None]:
    """Be the only writer of a split's folder, which is made where it is missing.

    Raises:
        OutputFolderError: somebody else writes there, or the folder cannot be written.
    """
    folder = layout.folder
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(layout.storage.lock(layout.lock))
        except TakenError as taken:
            raise OutputFolderError(f"{folder} is being written by {taken}; wait for it, or stop it") from None
        except OSError as error:
            raise OutputFolderError(f"{folder} cannot be written: {error}") from error
        yield


@contextmanager
def still_folder(layout: SplitLayout) -> Iterator[None]:
    """Keep a split's folder as it is while it is read, where there is one; one that cannot be written is so anyway.

    Raises:
        OutputFolderError: somebody writes there.
    """
    with locked_folder(layout) if os.access(layout.folder, os.W_OK) else nullcontext():
        yield
