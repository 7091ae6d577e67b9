"""The CSV that a folder belongs to comes back as it went, or not at all."""

import os
from pathlib import Path

import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.origin import Origin, read_origin, write_origin

ORIGIN = Origin("/a b/é/train_images.csv", "0" * 64, "/photos", ("/a/x_variants.csv",), ("/exports/imagefolder",))


@pytest.fixture
def layout(tmp_path: Path) -> SplitLayout:
    return SplitLayout(tmp_path)


def test_round_trip(layout: SplitLayout) -> None:
    assert read_origin(layout) is None
    write_origin(layout, ORIGIN)
    assert read_origin(layout) == ORIGIN
    before = layout.origin.stat()
    write_origin(layout, ORIGIN)
    assert layout.origin.stat().st_ino == before.st_ino  # nothing new, nothing written
    write_origin(layout, Origin("/b.csv", "1" * 64))
    assert read_origin(layout) == Origin("/b.csv", "1" * 64)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"path": "/a.csv"}',
        b'{"path": "", "sha256": "' + b"0" * 64 + b'"}',
        b'{"path": "/a.csv", "sha256": "0"}',
        b'{"path": "/a.csv", "sha256": "' + b"0" * 64 + b'\\n"}',
        b'{"path": "/a\\u0000.csv", "sha256": "' + b"0" * 64 + b'"}',
        b'{"path": 5, "sha256": "' + b"0" * 64 + b'"}',
        b'{"path": "/a.csv", "sha256": "' + b"0" * 64 + b'", "mappings": [1]}',
        b'{"path": "/a.csv", "sha256": "' + b"0" * 64 + b'", "exports": ["relative"]}',
    ],
)
def test_what_is_damaged_is_none(layout: SplitLayout, damage: bytes) -> None:
    layout.origin.write_bytes(damage)
    assert read_origin(layout) is None
    write_origin(layout, ORIGIN)
    assert read_origin(layout) == ORIGIN


def test_a_pipe_is_none_and_nobody_waits_for_it(layout: SplitLayout) -> None:
    os.mkfifo(layout.origin)
    assert read_origin(layout) is None
    write_origin(layout, ORIGIN)
    assert read_origin(layout) == ORIGIN


def test_a_folder_in_its_place_is_reported(layout: SplitLayout) -> None:
    layout.origin.mkdir()
    with pytest.raises(IsADirectoryError):
        read_origin(layout)


def test_the_places_of_a_name_are_those_where_the_csv_and_the_root_put_it() -> None:
    assert ORIGIN.places_of("x/1.png") == ["/photos/x/1.png", "/a b/é/x/1.png"]
    assert Origin("/a/train_images.csv", "0" * 64).places_of("1.png") == ["/a/1.png"]
    assert ORIGIN.places_of("/b/1.png") == ["/b/1.png"]
