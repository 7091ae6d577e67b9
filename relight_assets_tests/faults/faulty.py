"""Workers in which something goes wrong: the file name of an image says what.

``05.png`` is a plain photo.  ``05-segfault.png`` ends its worker whenever that takes the image,
``05-segfault-once.png`` the first time, and ``05-sigkill.temp.albedo.png`` when the worker has written the temp file
of ``NNNNN_albedo.png`` and not renamed it yet.  (This module is imported by worker processes: keep it light.)
"""

import ctypes
import errno
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from relight_assets.dataset.layout import png_name
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets_tests.engine.nvidia import UUIDS
from relight_assets_tests.faults.seam import Moment, Point, WatchedStorage, die

FILE_LIMIT = 30_000
"""What a file may have in bytes on a :class:`SmallFiles` disk: records fit, images do not."""


class FaultyWorker(ImageWorker):
    """The real worker, on whose way lies what the images' names say."""

    def __init__(self, **settings: Any) -> None:
        self._storage = WatchedStorage()
        super().__init__(**{**settings, "storage": self._storage})

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        return super().process(self._suffered(item) for item in items)

    def _suffered(self, item: WorkItem) -> WorkItem:
        fault = Fault.of(Path(item.file))
        if fault is None:
            return item

        def act() -> None:
            if not fault.once or _first_time(item.file):
                _ACTIONS[fault.action](self, item)

        if fault.moment is None:
            act()
        else:
            self._storage.arm(Point(png_name(item.index, fault.file), fault.moment), act)
        return item


@dataclass(frozen=True)
class Fault:
    """What a file name asks for."""

    action: str
    moment: Moment | None
    """Of the write of ``file``; None: as soon as the worker takes the image."""
    file: str
    once: bool

    @classmethod
    def of(cls, path: Path) -> "Fault | None":
        _, fault, once = [*path.stem.split("-"), "", ""][:3]
        if not fault:
            return None
        action, moment, file = [*fault.split("."), "", ""][:3]
        return cls(action, cast("Moment", moment) if moment else None, file, once == "once")


def _first_time(file: str) -> bool:
    try:
        os.close(os.open(f"{file}.once", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def _hold(_: ImageWorker, item: WorkItem) -> None:
    Path(f"{item.file}.held").touch()
    while True:
        time.sleep(3600)


def _loop(*_: object) -> None:
    while True:
        pass


def _use_up_files(*_: object) -> None:
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _make_read_only(worker: ImageWorker, _: WorkItem) -> None:
    assert isinstance(worker, OwnMount)
    worker.make_read_only()


def _in_its_place(item: WorkItem, make: Callable[[Path], object]) -> None:
    Path(item.file).unlink()
    make(Path(item.file))


def _secret(path: Path) -> Path:
    return path.parent.with_name("elsewhere") / "secret.png"


def _swap_folder(item: WorkItem) -> None:
    folder = Path(item.file).parent
    folder.rename(folder.with_name("before"))
    folder.symlink_to(folder.with_name("elsewhere"))


_ACTIONS: dict[str, Callable[[ImageWorker, WorkItem], object]] = {
    "sigkill": lambda *_: die(),
    "segfault": lambda *_: ctypes.string_at(0),
    "exit": lambda *_: os._exit(7),
    "loop": _loop,
    "stop": lambda *_: os.kill(os.getpid(), signal.SIGSTOP),
    "hold": _hold,
    "files": _use_up_files,
    "readonly": _make_read_only,
    "replace": lambda _, item: shutil.copyfile(Path(item.file).with_name("00.png"), item.file),
    "remove": lambda _, item: Path(item.file).unlink(),
    "folder": lambda _, item: _in_its_place(item, Path.mkdir),
    "pipe": lambda _, item: _in_its_place(item, os.mkfifo),
    "link": lambda _, item: _in_its_place(item, lambda path: path.symlink_to("../elsewhere/secret.png")),
    "hardlink": lambda _, item: _in_its_place(item, lambda path: path.hardlink_to(_secret(path))),
    "swap": lambda _, item: _swap_folder(item),
}


# -- workers that do not come up ---------------------------------------------------------------------------------


class ExitsInLoad(ImageWorker):
    """Ends while it loads, on every slot."""

    def __init__(self, **_: Any) -> None:
        os._exit(7)


class ExitsInLoadOnDevice1(ImageWorker):
    """Ends while it loads where it is given the second GPU."""

    def __init__(self, **settings: Any) -> None:
        if os.environ.get("CUDA_VISIBLE_DEVICES") == UUIDS[1]:
            os._exit(7)
        super().__init__(**settings)


class HangsInLoad(ImageWorker):
    """Never comes up; leaves the file ``loading`` beside the split's folder."""

    def __init__(self, *, folder: Path, **_: Any) -> None:
        (folder.parent / "loading").touch()
        while True:
            time.sleep(3600)


# -- disks that take no more -------------------------------------------------------------------------------------


class SmallFiles(ImageWorker):
    """On a disk that takes files of at most ``FILE_LIMIT`` bytes."""

    def __init__(self, **settings: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        super().__init__(**settings)


_CLONE_NEWNS, _MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18


class OwnMount(FaultyWorker):
    """Sees its folder through a mount of its own, which can become read-only while it works.  Root alone can."""

    def __init__(self, *, folder: Path, **settings: Any) -> None:
        self._folder = os.fsencode(folder)
        self._libc = ctypes.CDLL(None, use_errno=True)
        # Before there is any other thread: a mount namespace is a thread's.
        self._check(self._libc.unshare(_CLONE_NEWNS))
        self._mount(b"/", _MS_REC | _MS_PRIVATE)
        self._mount(self._folder, _MS_BIND)
        super().__init__(folder=folder, **settings)

    def make_read_only(self) -> None:
        while True:
            try:
                return self._mount(self._folder, _MS_BIND | _MS_REMOUNT | _MS_RDONLY)
            except OSError as error:
                if error.errno != errno.EBUSY:  # a file is being written just now
                    raise

    def _mount(self, target: bytes, flags: int) -> None:
        self._check(self._libc.mount(target, target, None, ctypes.c_ulong(flags), None))

    @staticmethod
    def _check(status: int) -> None:
        if status != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
