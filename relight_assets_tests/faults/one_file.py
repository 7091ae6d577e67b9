"""Something else in a file's place, and files that the system refuses to whoever asks."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def _full(path: Path) -> None:
    path.mkdir()
    (path / "somebody's").write_text("mine")


OTHERS: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a folder that is not empty": _full,
    "a pipe": os.mkfifo,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "a link to what cannot be read": lambda path: path.symlink_to("/proc/self/mem"),  # EIO, for root too
    "a link to another file": lambda path: path.symlink_to("index.csv"),
}
"""What may stand in a file's place."""
STAYS = "a folder that is not empty"
"""What nobody may replace."""


def put(kind: str, path: Path) -> None:
    """Have something else stand in a file's place."""
    path.unlink(missing_ok=True)
    OTHERS[kind](path)


def refusing(folder: Path, *rules: tuple[str, str, int]) -> dict[str, str]:
    """An environment in whose processes system calls are refused; skips where there is no C compiler.

    Args:
        folder: for the library.
        rules: call, ending of the file's name, errno; see ``refusing.c``.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    library = folder / "refusing.so"
    source = Path(__file__).with_name("refusing.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    reported = "\n".join(f"{call} {ending} {number}" for call, ending, number in rules)
    return {"LD_PRELOAD": str(library), "REFUSED_FILES": reported}
