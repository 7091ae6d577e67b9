"""Locks on the folders of splits: one writer at a time."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from relight_assets.dataset.layout import SplitLayout
from relight_assets.errors import OutputFolderError
from relight_assets.storage.locks import TakenError

_ASK_EVERY_S = 0.1


@contextmanager
def locked_folder(layout: SplitLayout, *, to_read: bool = False, wait_s: float = 0.0) -> Iterator[None]:
    """Be the only writer of a split's folder, which is made where it is missing.

    With ``to_read`` a folder that is not there, or that cannot be written, is left as it is.  Who holds it already is
    waited for, ``wait_s`` seconds at most.

    Raises:
        OutputFolderError: somebody else writes there, or the folder cannot be written.
    """
    folder = layout.folder
    with ExitStack() as stack:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                stack.enter_context(layout.storage.lock(layout.lock, to_read=to_read))
                break
            except TakenError as taken:
                if time.monotonic() >= deadline:
                    raise OutputFolderError(f"{folder} is being written by {taken}; wait for it, or stop it") from None
            except OSError as error:
                raise OutputFolderError(f"{folder} cannot be written: {error}") from error
            time.sleep(_ASK_EVERY_S)
        yield
