"""A row's file at the moment when it is opened."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from relight_assets.core import regular_files
from relight_assets.core.regular_files import ImageRoot, open_regular
from relight_assets.dataset.paths import resolve_image_path
from relight_assets.errors import ImageError, PathRefusedError, SourceMissingError, SourceUnreadableError
from relight_assets.imaging.decode import size_of
from relight_assets.storage.files import read_source, stamp_source

SECRET = b"secret"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A root with b/c/a.jpg, a folder ``outside`` with files of the same names, and a link to the root."""
    real = tmp_path.resolve()
    for folder, content in (("root", b"inside"), ("outside", SECRET)):
        (real / folder / "b" / "c").mkdir(parents=True)
        (real / folder / "b" / "c" / "a.jpg").write_bytes(content)
        (real / folder / "a.jpg").write_bytes(content)
    (real / "root_link").symlink_to(real / "root")
    return real


def opened(path: Path, root: Path | ImageRoot) -> bytes:
    with open_regular(path, root) as file:
        return file.read()


@pytest.mark.parametrize("root", ["root", "root_link", "root_link/../root/b"])
def test_a_file_in_the_root_is_opened(place: Path, root: str) -> None:
    file = resolve_image_path("c/a.jpg" if root.endswith("b") else "b/c/a.jpg", place, place / root)
    assert opened(file, place / root) == b"inside"
    assert read_source(file, max_bytes=100, image_root=place / root)[0] == b"inside"
    assert stamp_source(file, place / root) == stamp_source(file)


def test_without_read_permission_on_folders_as_without_a_root(place: Path) -> None:
    (place / "root" / "b").chmod(0o111)
    assert opened(place / "root/b/c/a.jpg", place / "root") == b"inside"


def link_the_file(place: Path) -> None:
    (place / "root/b/c/a.jpg").unlink()
    (place / "root/b/c/a.jpg").symlink_to(place / "outside/a.jpg")


def link_to_a_link(place: Path) -> None:
    (place / "root/b/c/a.jpg").unlink()
    (place / "root/b/c/a.jpg").symlink_to("link")
    (place / "root/b/c/link").symlink_to("../../../outside/a.jpg")


def link_its_folder(place: Path) -> None:
    (place / "root/b/c").rename(place / "root/b/old")
    (place / "root/b/c").symlink_to(place / "outside/b/c")


def link_a_folder_above(place: Path) -> None:
    (place / "root/b").rename(place / "root/old")
    (place / "root/b").symlink_to("../outside/b")


def link_to_an_open_file(place: Path) -> None:
    (place / "root/b/c/a.jpg").unlink()
    (place / "root/b/c/a.jpg").symlink_to("/proc/self/fd/0")


def link_to_nothing(place: Path) -> None:
    (place / "root/b/c/a.jpg").unlink()
    (place / "root/b/c/a.jpg").symlink_to(place / "gone.jpg")


def hard_link(place: Path) -> None:
    (place / "root/b/c/a.jpg").unlink()
    (place / "root/b/c/a.jpg").hardlink_to(place / "outside/a.jpg")


def pipe(place: Path) -> None:
    (place / "root/b/c/a.jpg").unlink()
    os.mkfifo(place / "root/b/c/a.jpg")


SWAPS = [
    (link_the_file, "has become a link"),
    (link_to_a_link, "has become a link"),
    (link_its_folder, "'c' is refused: it has become a link"),
    (link_a_folder_above, "'b' is refused: it has become a link"),
    (link_to_an_open_file, "has become a link"),
    (link_to_nothing, "has become a link"),
    (hard_link, r"has 2 names \(hard links\).*hard_links: true"),
    (pipe, "a named pipe"),
]


@pytest.mark.parametrize(("swap", "reason"), SWAPS)
def test_what_is_put_in_its_place_before_it_is_opened(place: Path, swap: Callable[[Path], None], reason: str) -> None:
    root = place / "root"
    file = resolve_image_path("b/c/a.jpg", place, root)
    swap(place)
    with pytest.raises(PathRefusedError, match=reason):
        open_regular(file, root)
    with pytest.raises(PathRefusedError, match=reason):
        read_source(file, max_bytes=100, image_root=root)
    with pytest.raises(PathRefusedError, match=reason):
        stamp_source(file, root)
    assert size_of(file, root) == (0, 0)


@pytest.mark.parametrize("swap", [swap for swap, _ in SWAPS])
@pytest.mark.parametrize("step", range(4))
def test_what_is_put_in_its_place_while_it_is_opened(
    place: Path, swap: Callable[[Path], None], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each of the four names on the way is opened: the root, b, c and a.jpg."""
    root, opens = place / "root", 0
    file = resolve_image_path("b/c/a.jpg", place, root)
    real = os.open

    def slow(*args: object, **options: object) -> int:
        nonlocal opens
        if opens == step:
            swap(place)
        opens += 1
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(regular_files.os, "open", slow)
    with suppress(PathRefusedError):
        assert opened(file, root) == b"inside"  # of the folder as it was
    assert opens > step


@pytest.mark.parametrize("name", ["../outside/a.jpg", "b/../../outside/a.jpg", "/etc/passwd", "", "../root"])
def test_a_path_that_was_not_resolved_is_not_opened(place: Path, name: str) -> None:
    with pytest.raises(PathRefusedError, match="outside image_root"):
        open_regular(place / "root" / name, place / "root")


def test_a_root_that_is_a_link_to_another_folder_meanwhile(place: Path) -> None:
    file = resolve_image_path("b/c/a.jpg", place, place / "root_link")
    (place / "root_link").unlink()
    (place / "root_link").symlink_to(place / "outside")
    with pytest.raises(PathRefusedError, match="outside image_root"):
        open_regular(file, place / "root_link")


def test_files_and_folders_that_are_gone(place: Path) -> None:
    root = place / "root"
    for name, error in (("b/c/x.jpg", SourceMissingError), ("x/a.jpg", SourceMissingError)):
        with pytest.raises(error):
            read_source(root / name, max_bytes=100, image_root=root)
    (root / "b" / "x").write_bytes(b"")
    with pytest.raises(SourceMissingError):
        read_source(root / "b/x/a.jpg", max_bytes=100, image_root=root)
    with pytest.raises(ImageError) as caught:
        read_source(root / "a.jpg", max_bytes=100, image_root=place / "gone")
    assert not isinstance(caught.value, SourceUnreadableError)


def test_files_with_several_names_are_taken_where_that_is_asked_for(place: Path) -> None:
    hard_link(place)
    root = ImageRoot(place / "root", hard_links=True)
    assert opened(resolve_image_path("b/c/a.jpg", place, root), root) == SECRET
    found = resolve_image_path("b/c/a.jpg", place, place / "root")  # where it is asked is where it is opened
    with pytest.raises(PathRefusedError, match=r"'a.jpg' is refused: it has 2 names \(hard links\)"):
        opened(found, place / "root")
    assert resolve_image_path(str(place / "root/b/c/a.jpg"), place, None).exists()  # without a root
    (place / "outside/a.jpg").unlink()  # then it has one name again
    assert opened(resolve_image_path("b/c/a.jpg", place, place / "root"), place / "root") == SECRET


def test_no_descriptor_is_left_open(place: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    link_its_folder(place)
    for name, error in (("b/c/a.jpg", PathRefusedError), ("b/x/a.jpg", FileNotFoundError)):
        with pytest.raises(error):
            open_regular(place / "root" / name, place / "root")
    assert len(list(Path("/dev/fd").iterdir())) == before
