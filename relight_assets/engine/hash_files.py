"""Hashing files whose content is not known, in worker processes, so that a dead disk hangs no run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.execution.dispatch import Finished, Notice
from relight_assets.engine.execution.dispatch import run as dispatch
from relight_assets.engine.execution.messages import FilesHashed, HashItem
from relight_assets.engine.execution.registry import make_engine
from relight_assets.engine.progress import Progress, ProgressWriter
from relight_assets.errors import ImageError
from relight_assets.storage.base import Storage
from relight_assets.storage.files import FileStamp, host_limit, stamp_source

BATCH = 8
"""Images handed over at a time: their files are read in less than a second."""


class HashWorker:
    """Hashes files in a process of its own; arguments as for :func:`stamp_of`."""

    def __init__(self, image_root: AnyRoot = None, layouts: Sequence[SplitLayout] = ()):
        self._stamp = partial(stamp_of, image_root=image_root, layouts=layouts)

    def process(self, items: Iterable[HashItem]) -> Iterator[FilesHashed]:
        """Hash the files of each item."""
        for item in items:
            yield FilesHashed(item.index, {path: self._stamp(Path(path)) for path in item.files})


def stamp_of(path: Path, *, image_root: AnyRoot, layouts: Sequence[SplitLayout] = ()) -> FileStamp | None:
    """The stamp of a file; None where it cannot be read.

    Args:
        path: a photo, or an image of ours.
        image_root: if set, a photo must lie in it.
        layouts: of the folders in which images of ours are.

    Raises:
        HostLimitError: no more files can be opened.
    """
    for layout in layouts:
        if path.parent == layout.folder:
            return _stamp_of_output(path, layout.storage)
    try:
        return stamp_source(path, ImageRoot.of_any_names(image_root))
    except ImageError:
        return None


def _stamp_of_output(path: Path, storage: Storage) -> FileStamp | None:
    try:
        size, token = storage.state(path)
        data = storage.read(path, max_bytes=size)
        if data is None or len(data) != size or storage.state(path) != (size, token):
            return None  # it changes while it is read
    except OSError as error:
        if limit := host_limit(error):
            raise limit from error
        return None
    return FileStamp(sha256_hex(data), size, token)


def hash_files(
    files: Mapping[int, tuple[str, ...]],
    settings: Settings,
    progress: ProgressWriter,
    watch: Callable[[Progress], None],
    layouts: Sequence[SplitLayout] = (),
) -> dict[str, FileStamp | None]:
    """The stamps of files, by path; None of one that cannot be read, or at which a worker died or hung twice.

    ``layouts`` are of the folders in which images of ours are.

    Raises:
        WorkersFailedError: no worker could be started or kept alive.
        HostLimitError: no more files can be opened.
    """
    found: dict[str, FileStamp | None] = {}
    where = {"image_root": settings.photo_root, "layouts": tuple(layouts)}
    items = [HashItem(number, paths) for number, paths in files.items()]
    with make_engine(settings, None).open(HashWorker, where, len(files)) as pool:
        results = dispatch(items, pool, batch=BATCH, start_s=pool.start_s, hang_s=settings.hang_s)
        with closing(results):
            for outcome in results:
                if isinstance(outcome, Notice):
                    progress.note(outcome.text)
                elif isinstance(outcome, Finished):
                    assert isinstance(outcome.result, FilesHashed)  # noqa: S101  (what this worker gives)
                    found.update(outcome.result.stamps)
                else:
                    found.update(dict.fromkeys(files[outcome.item.index]))
                if progress.count(failed=False):
                    watch(progress.now())
    return found
