"""Locks on the folders of splits: one writer at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from relight_assets.dataset.layout import SplitLayout
from relight_assets.errors import OutputFolderError
from relight_assets.storage.locks import TakenError


@contextmanager
def locked_folder(layout: SplitLayout, *, to_read: bool = False) -> Iterator[None]:
    """Be the only writer of a split's folder, which is made where it is missing.

    With ``to_read`` a folder that is not there, or that cannot be written, is left as it is.

    Raises:
        OutputFolderError: somebody else writes there, or the folder cannot be written.
    """
    folder = layout.folder
    with ExitStack() as stack:
        try:
            stack.enter_context(layout.storage.lock(layout.lock, to_read=to_read))
        except TakenError as taken:
            raise OutputFolderError(f"{folder} is being written by {taken}; wait for it, or stop it") from None
        except OSError as error:
            raise OutputFolderError(f"{folder} cannot be written: {error}") from error
        yield
