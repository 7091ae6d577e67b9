"""Records and failures: they come back as they went, or not at all."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from relight_assets.dataset.files import FileStamp, write_stamped
from relight_assets.dataset.layout import STAGE_FILES, SplitLayout
from relight_assets.dataset.records import (
    Failure,
    Record,
    SourceInfo,
    StageEntry,
    files_match,
    read_failure,
    read_record,
    remove_failure,
    write_failure,
    write_record,
)
from relight_assets.recipe import STAGES

STAMP = FileStamp("f" * 64, 10, "1700000000123456789")
NUMBERS = {"score": 0.5, "kind": "x", "n": [1, 2]}
RECORD = Record(
    index=3,
    image_path='a,"b"\n😀.jpg',
    source=SourceInfo("a" * 64, 123, "1700000000000000001.2.3", 640, 480, '/photos/a,"b"\n😀.jpg'),
    stages={stage: StageEntry("d" * 64, dict.fromkeys(STAGE_FILES[stage], STAMP), NUMBERS) for stage in STAGES},
    degradation_type="soft_shading",
    light_direction=[0.0, -0.6, 0.8],
    seed=2**62,
    package_version="0.1.0",
    timings_ms={"masks": 1.25},
)
FAILURE = Failure(
    index=3,
    image_path="a.jpg",
    code="no_person",
    stage="masks",
    message="nobody",
    attempts=2,
    rejected=False,
    retryable=True,
    source=FileStamp("a" * 64, 5, "6.7.8"),
    digest="d" * 64,
    traceback="...",
    package_version="0.1.0",
)


def backwards(items: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(items.items()))


@pytest.fixture
def layout(tmp_path: Path) -> SplitLayout:
    return SplitLayout(tmp_path)


def test_round_trip(layout: SplitLayout) -> None:
    write_record(layout, RECORD)
    assert read_record(layout.record(3)) == RECORD
    bare = replace(RECORD, stages={}, degradation_type=None, light_direction=None, timings_ms={})
    write_record(layout, bare, durable=False)
    assert read_record(layout.record(3)) == bare
    write_failure(layout, FAILURE)
    assert read_failure(layout.failure(3)) == FAILURE
    remove_failure(layout, 3)
    remove_failure(layout, 3)
    assert read_failure(layout.failure(3)) is None


def test_the_same_record_is_the_same_bytes(layout: SplitLayout) -> None:
    write_record(layout, RECORD)
    first = layout.record(3).read_bytes()
    shuffled = {
        stage: StageEntry(entry.digest, backwards(entry.files), backwards(entry.numbers))
        for stage, entry in reversed(RECORD.stages.items())
    }
    write_record(layout, replace(RECORD, stages=shuffled))
    assert layout.record(3).read_bytes() == first
    assert list(json.loads(first)["stages"]) == list(STAGES)


def test_numpy_numbers_become_json(layout: SplitLayout) -> None:
    entry = StageEntry(
        "d" * 64,
        dict.fromkeys(STAGE_FILES["masks"], STAMP),
        {"a": np.float32(0.5), "b": np.int64(3), "c": np.array([1.5, 2.5])},
    )
    write_record(layout, replace(RECORD, stages={"masks": entry}))
    back = read_record(layout.record(3))
    assert back is not None
    assert back.stages["masks"].numbers == {"a": 0.5, "b": 3, "c": [1.5, 2.5]}


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("nan")])
def test_numbers_are_finite(value: Any, layout: SplitLayout) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_record(layout, replace(RECORD, timings_ms={"masks": value}))
    assert [path.name for path in layout.folder.iterdir()] == []
    with pytest.raises(TypeError, match="cannot stand"):
        write_record(layout, replace(RECORD, stages={"masks": StageEntry("d", {}, {"a": object()})}))


def test_every_damage_is_no_record(layout: SplitLayout) -> None:
    assert read_record(layout.record(3)) is None
    write_record(layout, RECORD)
    path = layout.record(3)
    good = path.read_bytes()
    for cut in range(0, len(good) - 2, 97):
        path.write_bytes(good[:cut])
        assert read_record(path) is None
    content = json.loads(good)
    for name in content:
        for wrong in (None, True, "x", [], {}, 1.5, math.nan):
            if wrong == content[name] or (wrong in (None, {}) and name in _MAY_BE_EMPTY.get(str(wrong), ())):
                continue
            if name in {"image_path", "degradation_type", "package_version"} and wrong == "x":
                continue
            path.write_text(json.dumps(content | {name: wrong}))
            assert read_record(path) is None, (name, wrong)
    for text in (
        b"[]",
        b"null",
        b"3",
        b"\xff",
        b"[" * 100_000,
        good.replace(b'"size": 10,', b'"size": "10",'),
    ):
        path.write_bytes(text)
        assert read_record(path) is None


_MAY_BE_EMPTY = {"None": ("degradation_type", "light_direction"), "{}": ("stages", "timings_ms", "recipe")}


def test_the_place_of_a_photo_ends_as_its_name_does(layout: SplitLayout) -> None:
    path = layout.record(3)
    for name, place, fits in (
        ("a.jpg", "/photos/a.jpg", True),
        ("x/a.jpg", "/photos/x/a.jpg", True),
        ("/photos/a.jpg", "/photos/a.jpg", True),
        ("a.jpg", None, True),
        ("a.jpg", "/photos/aa.jpg", False),
        ("/photos/a.jpg", "/photos/b.jpg", False),
        ("a.jpg", "", False),
    ):
        write_record(layout, replace(RECORD, image_path=name, source=replace(RECORD.source, place=place)))
        assert (read_record(path) is not None) is fits, (name, place)


def test_a_newer_schema_is_no_record(layout: SplitLayout) -> None:
    write_record(layout, RECORD)
    path = layout.record(3)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 2}))
    assert read_record(path) is None


def test_a_record_that_cannot_be_read_is_an_error(layout: SplitLayout) -> None:
    layout.record(3).mkdir()
    with pytest.raises(OSError, match="directory"):
        read_record(layout.record(3))


def test_damaged_failures(layout: SplitLayout) -> None:
    write_failure(layout, FAILURE)
    path = layout.failure(3)
    content = json.loads(path.read_text())
    for change in ({"stage": "dance"}, {"attempts": "2"}, {"rejected": 1}, {"schema_version": 9}):
        path.write_text(json.dumps(content | change))
        assert read_failure(path) is None


def test_files_match(layout: SplitLayout) -> None:
    stamps = {name: write_stamped(layout.png(3, name), b"x" * 9) for name in STAGE_FILES["masks"]}
    record = replace(RECORD, stages={"masks": StageEntry("d", stamps)})
    assert files_match(layout, record, "masks")
    assert not files_match(layout, record, "albedo")
    path = layout.png(3, "input")
    status = path.stat()
    path.write_bytes(b"y" * 9)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert not files_match(layout, record, "masks")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert files_match(layout, record, "masks")
    path.write_bytes(b"y" * 8)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not files_match(layout, record, "masks")
    path.unlink()
    assert not files_match(layout, record, "masks")
    fewer = replace(RECORD, stages={"masks": StageEntry("d", {"foreground": stamps["foreground"]})})
    assert not files_match(layout, fewer, "masks")
