"""Records and failures: they come back as they went, or not at all."""

import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Failure, Record, StageEntry
from relight_assets.dataset.records import (
    files_match,
    metric_faults,
    read_failure,
    read_record,
    read_stamps,
    remove_failure,
    write_failure,
    write_record,
)
from relight_assets.stages.registry import stage_names, stage_spec
from relight_assets.storage.files import FileStamp, SourceInfo
from relight_assets.storage.local import LOCAL
from relight_assets_tests.conftest import Bench, rewrite_record

STAMP = FileStamp("f" * 64, 10, "1700000000123456789")
SEAL = ',\n "sha256": "' + "0" * 64 + '"\n}\n'
NUMBERS = {"masks": {"score": 0.5, "segmenter": "selfie", "instance_scores": [0.5, 0.25]}}
RECORD = Record(
    index=3,
    image_path='a,"b"\n😀.jpg',
    source=SourceInfo("a" * 64, 123, "1700000000000000001.2.3", 640, 480, '/photos/a,"b"\n😀.jpg'),
    stages={
        stage: StageEntry("d" * 64, dict.fromkeys(stage_spec(stage).artifacts, STAMP), numbers=NUMBERS.get(stage, {}))
        for stage in stage_names()
    },
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
        stage: StageEntry(entry.digest, backwards(entry.files), numbers=backwards(entry.numbers))
        for stage, entry in reversed(RECORD.stages.items())
    }
    write_record(layout, replace(RECORD, stages=shuffled))
    assert layout.record(3).read_bytes() == first
    assert list(json.loads(first)["stages"]) == list(stage_names())


def test_numpy_numbers_become_json(layout: SplitLayout) -> None:
    entry = StageEntry(
        "d" * 64,
        dict.fromkeys(stage_spec("masks").artifacts, STAMP),
        numbers={"score": np.float32(0.5), "faces": np.int64(3), "instance_scores": np.array([0.5, 0.25])},
    )
    write_record(layout, replace(RECORD, stages={"masks": entry}))
    back = read_record(layout.record(3))
    assert back is not None
    assert back.stages["masks"].numbers == {"score": 0.5, "faces": 3, "instance_scores": [0.5, 0.25]}


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("nan")])
def test_numbers_are_finite(value: Any, layout: SplitLayout) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_record(layout, replace(RECORD, timings_ms={"masks": value}))
    assert [path.name for path in layout.folder.iterdir()] == []
    with pytest.raises(TypeError, match="cannot stand"):
        write_record(layout, replace(RECORD, stages={"masks": StageEntry("d", {}, numbers={"a": object()})}))


def test_each_metric_and_each_file_has_a_line(layout: SplitLayout) -> None:
    numbers = {"eyes": [{"origin": [1.0, 2.0]}], "faces": 1}
    write_record(layout, replace(RECORD, stages={"masks": StageEntry("d" * 64, {"input": STAMP}, numbers=numbers)}))
    lines = layout.record(3).read_text().splitlines()
    assert '    "eyes": [{"origin":[1.0,2.0]}],' in lines
    assert '    "faces": 1' in lines
    assert any(line.startswith('    "input": {"sha256":"') for line in lines)
    assert '  "masks": {' in lines


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
        good.replace(b'"size":10,', b'"size":"10",'),
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
    stamps = {name: LOCAL.put_stamped(layout.png(3, name), b"x" * 9) for name in stage_spec("masks").artifacts}
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


def test_a_record_with_fewer_files_than_its_stage_writes_is_none(layout: SplitLayout) -> None:
    stamps = {name: LOCAL.put_stamped(layout.png(3, name), b"x" * 9) for name in stage_spec("masks").artifacts}
    write_record(layout, replace(RECORD, stages={"masks": StageEntry("d" * 64, stamps)}))
    assert read_stamps(layout.record(3)) is not None
    write_record(layout, replace(RECORD, stages={"masks": StageEntry("d" * 64, {"input": stamps["input"]})}))
    assert read_stamps(layout.record(3)) is None


# -- what is a record, and what is none -----------------------------------------------------------------------


def test_a_record_ends_with_the_sha256_of_what_stands_before(layout: SplitLayout) -> None:
    write_record(layout, RECORD)
    data = layout.record(3).read_bytes()
    content, seal = data[: -len(SEAL)], data[-len(SEAL) :]
    assert seal == f',\n "sha256": "{hashlib.sha256(content).hexdigest()}"\n}}\n'.encode()
    assert json.loads(data)["schema_version"] == 2


def test_a_flipped_bit_anywhere_makes_it_none(layout: SplitLayout) -> None:
    write_record(layout, RECORD)
    data = layout.record(3).read_bytes()
    for place in range(0, len(data), 7):
        layout.record(3).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert read_record(layout.record(3)) is None, place


def test_it_is_none_under_another_images_name(layout: SplitLayout) -> None:
    write_record(layout, RECORD)
    write_failure(layout, FAILURE)
    layout.record(3).rename(layout.record(4))
    layout.failure(3).rename(layout.failure(30))
    assert read_record(layout.record(4)) is None
    assert read_failure(layout.failure(30)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(index=-3),
        lambda found: found.update(image_path=""),
        lambda found: found.update(image_path=None),
        lambda found: found["source"].update(sha256="f" * 63),
        lambda found: found["source"].update(sha256="F" * 64),
        lambda found: found["source"].update(size=-1),
        lambda found: found["source"].update(token=5),
        lambda found: found["stages"]["masks"].update(digest="x" * 64),
        lambda found: found["stages"]["masks"].pop("digest"),
        lambda found: found["stages"]["masks"]["files"].pop("input"),
        lambda found: found["stages"]["masks"]["files"].update({"../x": found["stages"]["masks"]["files"]["input"]}),
        lambda found: found["stages"]["albedo"].update(files={}),
        lambda found: found["stages"]["albedo"].update(files=[]),
        lambda found: found["stages"].update(other=found["stages"]["albedo"]),
        lambda found: found.update(stages=None),
        lambda found: found.update(schema_version=3),
        lambda found: found.update(schema_version=True),
    ],
)
def test_structure_that_does_not_fit_makes_it_none(layout: SplitLayout, change: Callable[[Any], object]) -> None:
    write_record(layout, RECORD)
    rewrite_record(layout.record(3), lambda _: None)
    assert read_record(layout.record(3)) == RECORD
    rewrite_record(layout.record(3), change)
    assert read_record(layout.record(3)) is None


def test_a_pipe_is_none_and_nobody_waits_for_it(layout: SplitLayout) -> None:
    os.mkfifo(layout.record(3))
    assert read_record(layout.record(3)) is None
    write_record(layout, RECORD)
    assert read_record(layout.record(3)) == RECORD


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (lambda found: found["stages"]["masks"]["numbers"].update(score="high"), "score"),
        (lambda found: found["stages"]["masks"].update(numbers=[1, 2]), "masks"),
        (lambda found: found["stages"]["masks"]["numbers"].update(charm=1), "charm"),
        (lambda found: found.update(light_direction=True), "light_direction"),
        (lambda found: found.update(light_direction=[1, 1, 1]), "light_direction"),
        (lambda found: found.update(degradation_type="moon"), "degradation_type"),
        (lambda found: found.update(timings_ms={"masks": -1}), "timings_ms"),
        (lambda found: found.update(seed="7"), "seed"),
        (lambda found: found.update(recipe=[]), "recipe"),
        (lambda found: found.update(package_version=None), "package_version"),
    ],
)
def test_a_metric_that_does_not_fit_is_null_and_reported_and_the_record_stays(
    layout: SplitLayout, change: Callable[[Any], object], reported: str
) -> None:
    write_record(layout, RECORD)
    before = set(metric_faults(layout.record(3)))  # of what this record lacks
    rewrite_record(layout.record(3), change)
    record = read_record(layout.record(3))
    assert record is not None
    assert {stage: entry.files for stage, entry in record.stages.items()} == {
        stage: entry.files for stage, entry in RECORD.stages.items()
    }
    assert record.stages["masks"].numbers.get("score") in (0.5, None)
    assert record.stages["masks"].numbers.get("charm") is None
    assert record.light_direction in (None, RECORD.light_direction)
    assert any(reported in sentence for sentence in set(metric_faults(layout.record(3))) - before)


_READS = """
import sys, threading
from relight_assets.dataset.records import read_record
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
found = []
def read():
    together.wait()
    found.append(read_record(sys.argv[1]))
threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 4 and all(record is not None for record in found)
"""


def test_the_first_record_of_a_process_may_be_read_by_several_threads(finished: Bench) -> None:
    """A process in which msgspec met a struct for the first time in two threads at once crashed, one in five here."""
    path = str(finished.layout.record(0))
    for _ in range(4):
        readers = [subprocess.Popen([sys.executable, "-c", _READS, path]) for _ in range(4)]
        assert [reader.wait(60) for reader in readers] == [0] * 4
