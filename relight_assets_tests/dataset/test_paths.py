"""Cells of a CSV: what may be opened, and under which name it is kept."""

import itertools
import os
import socket
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relight_assets.dataset.paths import index_key, resolve_image_path
from relight_assets.errors import BlankPathError, PathRefusedError, SourceMissingError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A root with a.jpg and b/c.jpg, a CSV folder with d.jpg, and outside.jpg beside them."""
    real = tmp_path.resolve()
    for name in ("root/a.jpg", "root/b/c.jpg", "csvs/d.jpg", "outside.jpg"):
        (real / name).parent.mkdir(parents=True, exist_ok=True)
        (real / name).write_bytes(b"x")
    return real


HOSTILE = [
    ("../outside.jpg", "outside image_root"),
    ("b/../../outside.jpg", "outside image_root"),
    ("/etc/passwd", "outside image_root"),
    ("/no/such/file", "outside image_root"),
    ("link_out.jpg", "outside image_root"),
    ("dir_out/outside.jpg", "outside image_root"),
    ("loop.jpg", "loop"),
    ("b", "a folder"),
    ("b/", "a folder"),
    (".", "a folder"),
    ("pipe", "a named pipe"),
    ("sock", "a socket"),
    ("file:///etc/passwd", "addresses"),
    ("FILE:a.jpg", "addresses"),
    ("data:image/png;base64,AAAA", "addresses"),
    ("http://169.254.169.254/latest", "addresses"),
    ("s3://bucket/a.jpg", "addresses"),
    ("local://a.jpg", "addresses"),
    ("\\\\server\\share\\a.jpg", "Windows"),
    ("C:\\photos\\a.jpg", "Windows"),
    ("a.jpg\0", "control"),
    ("a\nb.jpg", "control"),
    ("a\x1b[31m.jpg", "control"),
    ("a\x85b.jpg", "control"),
    ("x" * 256, "names is longer"),
    ("é" * 128, "names is longer"),
    ("x/" * 2047 + "aa", "longer than 4095"),
]


@pytest.mark.parametrize(("cell", "reason"), HOSTILE)
def test_hostile(cell: str, reason: str, place: Path) -> None:
    root = place / "root"
    (root / "link_out.jpg").symlink_to(place / "outside.jpg")
    (root / "dir_out").symlink_to(place)
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(root, os.O_RDONLY)
        try:
            server.bind(f"/proc/self/fd/{folder}/sock")
        finally:
            os.close(folder)
        with pytest.raises(PathRefusedError, match=reason) as caught:
            resolve_image_path(cell, place / "csvs", root)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


LEGAL = [
    "-rf.jpg",
    "=cmd.jpg",
    "100% real.jpg",
    "a%20b%C3%A9.jpg",
    "%C3%A9t%C3%A9.jpg",
    "cost$.jpg",
    "US$a.jpg",
    "a~1.jpg",
    "photo:1.jpg",
    "back\\slash.jpg",
    "..jpg",
    "...jpg",
    "a..b.jpg",
    "quote'\".jpg",
    "e\u0301.jpg",
    "\u00e9.jpg",
    "😀.jpg",
    "with space.jpg",
    "x" * 251 + ".jpg",
    ".hidden.jpg",
    "no_extension",
    "CON",
    "~a.jpg",
    "~",
    "$HOME",
    "${SPLIT}.jpg",
    "%TEMP%",
]


@pytest.mark.parametrize("name", LEGAL)
def test_legal(name: str, place: Path) -> None:
    path = place / "root" / name
    path.write_bytes(b"x")
    assert resolve_image_path(name, place / "csvs", place / "root") == path
    assert resolve_image_path(str(path), place / "csvs", None) == path
    assert resolve_image_path(f" ./{name} ", place / "csvs", place / "root") == path


def test_where_it_is_looked_for(place: Path) -> None:
    root, csvs = place / "root", place / "csvs"
    assert resolve_image_path("a.jpg", csvs, root) == root / "a.jpg"
    assert resolve_image_path("d.jpg", csvs, None) == csvs / "d.jpg"
    assert resolve_image_path("../root/a.jpg", csvs, None) == root / "a.jpg"
    assert resolve_image_path("csvs/d.jpg", csvs, place) == csvs / "d.jpg"
    assert resolve_image_path("d.jpg", csvs, place) == csvs / "d.jpg"
    with pytest.raises(SourceMissingError, match="CSV's own folder lies outside image_root"):
        resolve_image_path("d.jpg", csvs, root)
    (root / "d.jpg").write_bytes(b"x")
    assert resolve_image_path("d.jpg", csvs, root) == root / "d.jpg"
    (root / "inside.jpg").symlink_to("b/c.jpg")
    assert resolve_image_path("inside.jpg", csvs, root) == root / "b/c.jpg"


def test_missing_and_blank(place: Path) -> None:
    for cell in ("gone.jpg", "gone/a.jpg", "a.jpg/b.jpg", str(place / "root/gone.jpg")):
        with pytest.raises(SourceMissingError):
            resolve_image_path(cell, place / "root", place / "root")
    for cell in ("", "  ", "\t", "\n"):
        with pytest.raises(BlankPathError):
            resolve_image_path(cell, place, None)


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("cell", ["gone.jpg", "b/gone.jpg", "gone/a.jpg", "./b/../gone.jpg", "broken.jpg"])
def test_what_is_missing_below_the_root_is_missing_wherever_the_csv_is(cell: str, root: bool, place: Path) -> None:
    (place / "root" / "broken.jpg").symlink_to("nowhere.jpg")
    for csvs in ("csvs", "root", "root/b"):
        with pytest.raises(SourceMissingError, match=r"in '.*/(root|csvs|root/b)'"):
            resolve_image_path(cell, place / csvs, place / "root" if root else None)


def test_what_is_missing_and_would_lie_outside_the_root_is_refused(place: Path) -> None:
    root = place / "root"
    (root / "broken.jpg").symlink_to(place / "nowhere.jpg")
    for cell in ("../gone.jpg", "b/../../gone.jpg", str(place / "gone.jpg"), "broken.jpg"):
        with pytest.raises(PathRefusedError, match="outside image_root"):
            resolve_image_path(cell, place / "csvs", root)
    # Out of the root as seen from the root, and into it as seen from the CSV's folder.
    with pytest.raises(SourceMissingError):
        resolve_image_path("../gone.jpg", root / "b", root)


@pytest.mark.parametrize(
    "cell", ["~/a.jpg", "~root/a.jpg", "$HOME/a.jpg", "${HOME}/a.jpg", "x/${S}.jpg", "%TEMP%/a.jpg"]
)
def test_nothing_is_expanded(cell: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "S", "TEMP"):
        monkeypatch.setenv(name, str(place / "root"))
    with pytest.raises(SourceMissingError, match="Neither ~ nor a variable is expanded; write the full path"):
        resolve_image_path(cell, place / "csvs", None)
    named = place / "csvs" / cell
    named.parent.mkdir(parents=True, exist_ok=True)
    named.write_bytes(b"x")
    assert resolve_image_path(cell, place / "csvs", None) == named


def test_devices(place: Path) -> None:
    with pytest.raises(PathRefusedError, match="device"):
        resolve_image_path("/dev/zero", place, None)


@pytest.mark.parametrize(
    ("cell", "root", "key"),
    [
        ("a.jpg", None, "a.jpg"),
        (" ./x//a.jpg ", None, "x/a.jpg"),
        ("/data/x/a.jpg", None, "/data/x/a.jpg"),
        ("/data/x/a.jpg", "/data", "x/a.jpg"),
        ("/data/x/a.jpg", "/data/", "x/a.jpg"),
        ("/database/a.jpg", "/data", "/database/a.jpg"),
        ("x/a.jpg", "/data", "x/a.jpg"),
        ("x/../a.jpg", "/data", "x/../a.jpg"),
        ("", "/data", ""),
        ("   ", None, ""),
        ("A.JPG", None, "A.JPG"),
    ],
)
def test_keys(cell: str, root: str | None, key: str) -> None:
    assert index_key(cell, Path("/csvs"), Path(root) if root else None) == key


def test_a_moved_root_keeps_every_key() -> None:
    before = index_key("/disk1/photos/a/b.jpg", Path("/x"), Path("/disk1/photos"))
    assert before == index_key("/mnt/new/a/b.jpg", Path("/y"), Path("/mnt/new"))


@given(st.text())
@example("0\r/")
def test_no_cell_breaks_a_key(cell: str) -> None:
    for root in (None, Path("/data"), Path("relative")):
        key = index_key(cell, Path("/csvs"), root)
        assert index_key(key, Path("/csvs"), root) == key


def test_every_key_is_as_pathlib_would_write_it() -> None:
    for length in range(7):
        for cell in map("".join, itertools.product("/. a\n", repeat=length)):
            key = index_key(cell, Path("/csvs"), None)
            assert key == (str(PurePosixPath(key)).strip() if key else ""), repr(cell)


@given(st.text())
def test_no_cell_breaks_the_resolver(cell: str) -> None:
    try:
        resolve_image_path(cell, Path("/proc/self/fdinfo/none"), Path("/proc/self/fdinfo/none"))
    except (BlankPathError, PathRefusedError, SourceMissingError):
        return
    raise AssertionError(cell)
