"""Hashing files whose content is not known, in worker processes, so that a dead disk hangs no run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.engine.execution.dispatch import Finished, Notice
from relight_assets.engine.execution.dispatch import run as dispatch
from relight_assets.engine.execution.messages import FilesHashed, HashItem
from relight_assets.engine.execution.registry import make_engine
from relight_assets.engine.progress import Progress, ProgressWriter
from relight_assets.errors import ImageError
from relight_assets.storage.files import FileStamp, stamp_source

BATCH = 8
"""Images handed over at a time: their files are read in less than a second."""


class HashWorker:
    """Hashes files in a process of its own; arguments as for :func:`stamp_of`."""

    def __init__(self, image_root: AnyRoot = None, outputs: Path | None = None):
        self._stamp = partial(stamp_of, image_root=image_root, outputs=outputs)

    def process(self, items: Iterable[HashItem]) -> Iterator[FilesHashed]:
        """Hash the files of each item."""
        for item in items:
            yield FilesHashed(item.index, {path: self._stamp(Path(path)) for path in item.files})


def stamp_of(path: Path, *, image_root: AnyRoot, outputs: Path | None) -> FileStamp | None:
    """The stamp of a file; None where it cannot be read.

    Args:
        path: the file.
        image_root: if set, it must lie in it.
        outputs: unless it lies here, where the images of ours are.
    """
    is_ours = outputs is not None and path.is_relative_to(outputs)
    try:
        return stamp_source(path, None if is_ours else ImageRoot.of_any_names(image_root))
    except ImageError:
        return None


def hash_files(
    files: Mapping[int, tuple[str, ...]],
    settings: Settings,
    progress: ProgressWriter,
    watch: Callable[[Progress], None],
) -> dict[str, FileStamp | None]:
    """The stamps of files, by path; None of one that cannot be read, or at which a worker died or hung twice.

    Raises:
        WorkersFailedError: no worker could be started or kept alive.
        HostLimitError: no more files can be opened.
    """
    found: dict[str, FileStamp | None] = {}
    where = {"image_root": settings.photo_root, "outputs": settings.output_root}
    items = [HashItem(number, paths) for number, paths in files.items()]
    with make_engine(settings, None).open(HashWorker, where, len(files)) as pool:
        results = dispatch(items, pool, batch=BATCH, start_s=settings.start_s, hang_s=settings.hang_s)
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
