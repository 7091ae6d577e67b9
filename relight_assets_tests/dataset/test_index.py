"""The laws of the index: a number is given once and for ever."""

import csv
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight_assets.dataset import index
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.record_types import Failure, Record
from relight_assets.dataset.records import write_failure, write_record
from relight_assets.errors import OutputFolderError
from relight_assets.storage.files import SourceInfo

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def a_record(number: int, key: str) -> Record:
    source = SourceInfo("0" * 64, 1, "1.2.3", 64, 64)
    return Record(index=number, image_path=key, source=source, seed=0, package_version="0")


def a_failure(number: int, key: str) -> Failure:
    return Failure(
        index=number,
        image_path=key,
        code="x",
        stage=None,
        message="",
        attempts=1,
        rejected=False,
        retryable=False,
        package_version="0",
    )


@pytest.fixture
def layout(tmp_path: Path) -> SplitLayout:
    return SplitLayout(tmp_path)


def test_first_csv_gives_row_positions(layout: SplitLayout) -> None:
    assert index.load(layout) == {}
    assert index.extend(layout, ["b", "a", "", "b", "c"]) == {"b": 0, "a": 1, "c": 2}
    assert index.load(layout) == {"b": 0, "a": 1, "c": 2}
    assert layout.index_csv.read_text() == 'index,image_path\n0,"b"\n1,"a"\n2,"c"\n'
    assert index.extend(layout, ["new", "c", "a"]) == {"b": 0, "a": 1, "c": 2, "new": 3}


def test_a_key_of_any_length_keeps_its_number(layout: SplitLayout) -> None:
    keys = ["a", "x" * 200_000, 'y"\n,' * 100_000, "b"]
    numbers = index.extend(layout, keys)
    assert index.load(layout) == numbers == dict(zip(keys, range(4), strict=True))
    assert index.extend(layout, ["c"])["c"] == 4


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(KEYS, max_size=8), max_size=5), st.randoms(use_true_random=False))
def test_append_only(batches: list[list[str]], rng: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = SplitLayout(Path(folder))
        known: dict[str, int] = {}
        for batch in batches:
            now = index.extend(layout, batch)
            assert {key: now[key] for key in known} == known
            assert sorted(now.values()) == list(range(len(now)))
            assert set(now) == set(known) | set(batch)
            shuffled = rng.sample(batch, len(batch))
            assert index.extend(layout, shuffled) == now
            assert index.load(layout) == now
            assert list(now.values()) == sorted(now.values())
            known = now


@settings(deadline=None, max_examples=60)
@given(st.lists(KEYS, min_size=1, max_size=8, unique=True), st.data())
def test_cut_anywhere(keys: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = SplitLayout(Path(folder))
        before = index.extend(layout, keys)
        held = data.draw(st.sets(st.sampled_from(sorted(before.values()))))
        by_number = {number: key for key, number in before.items()}
        for number in held:
            if number % 2:
                write_record(layout, a_record(number, by_number[number]), durable=False)
            else:
                write_failure(layout, a_failure(number, by_number[number]), durable=False)
        whole = layout.index_csv.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        layout.index_csv.write_bytes(whole[:cut])
        loaded = index.load(layout)
        assert loaded.items() <= before.items()
        assert {by_number[number] for number in held} <= set(loaded)
        after = index.extend(layout, reversed(keys))
        assert {key: after[key] for key in loaded} == loaded
        assert len(set(after.values())) == len(after) == len(before)
        assert all(after[by_number[number]] == number for number in held)
        assert index.load(layout) == after


def flipped(data: bytes) -> bytes:
    return data.replace(b'1,"b"', b'0,"b"')


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: b"\xff" + data,
        lambda data: data.replace(b"1,", b"x,"),
        lambda data: data.replace(b'"b"', b'"\xff"'),
        lambda data: data.replace(b"index", b"number"),
        lambda data: data + b"3\n",
        lambda data: data + b'3,"a"\n',
        lambda data: data + b'1,"new"\n',
        lambda data: data + b'99999999999999999999999999,"new"\n',
        lambda data: data + b"9" * 5000 + b',"new"\n',
        lambda data: data + b'999999999,"new"\n',
        lambda data: data + b'-1,"new"\n',
        lambda data: data + '\u0663,"new"\n'.encode(),
        lambda data: data + b' 3,"new"\n',
        lambda data: data.replace(b'1,"b"\n2,"c"\n', b'2,"c"\n1,"b"\n'),
        lambda data: data.replace(b'1,"b"\n', b'1,"b"\n1,"b"\n'),
        lambda data: data.replace(b'1,"b"\n', b'999999999,"b"\n'),
        flipped,
    ],
)
def test_damage_is_mended_from_the_folder(damage: Callable[[bytes], bytes], layout: SplitLayout) -> None:
    before = index.extend(layout, ["a", "b", "c"])
    write_record(layout, a_record(0, "a"))
    write_record(layout, a_record(1, "b"))
    write_failure(layout, a_failure(2, "c"))
    layout.index_csv.write_bytes(damage(layout.index_csv.read_bytes()))
    assert index.load(layout) == before
    assert index.extend(layout, []) == before
    assert layout.index_csv.read_text() == 'index,image_path\n0,"a"\n1,"b"\n2,"c"\n'


def test_a_number_in_the_folder_is_never_given_again(layout: SplitLayout) -> None:
    layout.png(7, "input").touch()
    assert index.extend(layout, ["a"]) == {"a": 8}
    layout.record(20).write_text("damaged")
    assert index.extend(layout, ["a", "b"]) == {"a": 8, "b": 21}


def test_a_record_under_another_number_is_not_believed(layout: SplitLayout) -> None:
    write_record(layout, a_record(3, "a"))
    layout.record(3).rename(layout.record(5))
    assert index.load(layout) == {}
    assert index.extend(layout, ["a"]) == {"a": 6}


def test_of_two_records_that_claim_an_image_the_one_is_believed_that_is_listed(layout: SplitLayout) -> None:
    keys = {"a": 0, "b": 1, "c": 2}
    index.extend(layout, keys)
    for key, number in keys.items():
        write_record(layout, a_record(number, key))
    write_record(layout, a_record(0, "c"))
    assert index.rebuild(layout) == keys
    layout.index_csv.write_text('index,image_path\n0,"a"\n1,"c"\n2,"b"\n')
    write_record(layout, a_record(0, "a"))
    assert index.rebuild(layout) == keys  # one record each: they are the truth


def test_a_long_index_is_written_and_compared_in_blocks(layout: SplitLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_ROWS_PER_BLOCK", 3)
    keys = [f'{number} "a",\n{number}.png' for number in range(10)]
    numbers = index.extend(layout, keys)
    assert numbers == index.load(layout) == {key: number for number, key in enumerate(keys)}
    with layout.index_csv.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["index", "image_path"], *([str(n), key] for n, key in enumerate(keys))]
    before = layout.index_csv.stat().st_ino
    assert index.extend(layout, keys, numbers) == numbers
    assert layout.index_csv.stat().st_ino == before  # it is what it would be


def test_nothing_new_writes_nothing(layout: SplitLayout) -> None:
    index.extend(layout, ["a"])
    before = layout.index_csv.stat()
    index.extend(layout, ["a", ""])
    assert layout.index_csv.stat().st_ino == before.st_ino


def test_an_older_copy_of_the_index_is_completed(layout: SplitLayout) -> None:
    index.extend(layout, ["a"])
    older = layout.index_csv.read_bytes()
    now = index.extend(layout, ["a", "b", "c"])
    write_record(layout, a_record(1, "b"))
    layout.index_csv.write_bytes(older)
    assert index.load(layout) == {"a": 0, "b": 1}
    assert index.extend(layout, ["c", "b", "a"]) == now


def test_rebuilt_where_a_record_says_otherwise(layout: SplitLayout) -> None:
    before = index.extend(layout, ["a", "b", "c"])
    write_record(layout, a_record(0, "a"))
    write_record(layout, a_record(1, "b"))
    layout.index_csv.write_bytes(b'index,image_path\n0,"b"\n1,"a"\n2,"c"\n')
    assert index.load(layout) == {"b": 0, "a": 1, "c": 2}
    assert index.rebuild(layout) == before
    assert index.extend(layout, ["d"], index.rebuild(layout)) == {**before, "d": 3}
    assert index.load(layout) == {**before, "d": 3}


def test_a_key_listed_under_a_number_of_nothing_is_that_of_its_record(layout: SplitLayout) -> None:
    index.extend(layout, ["a", "b"])
    write_record(layout, a_record(0, "a"))
    layout.index_csv.write_bytes(b'index,image_path\n1,"a"\n')
    assert index.load(layout) == {"a": 0}


def test_a_number_after_which_there_is_none_is_reported(layout: SplitLayout) -> None:
    (layout.folder / "999999999_input.png").touch()
    with pytest.raises(OutputFolderError, match="999999999"):
        index.extend(layout, ["a"])
    assert not layout.index_csv.exists()


def test_files_with_absurd_numbers_are_nobodys(layout: SplitLayout) -> None:
    for name in ("9999999999_input.png", "000000001_input.png", f"{'9' * 200}_input.png"):
        (layout.folder / name).touch()
    assert index.extend(layout, ["a"]) == {"a": 0}


def test_a_pipe_in_its_place_is_no_index_and_nobody_waits_for_it(layout: SplitLayout) -> None:
    os.mkfifo(layout.index_csv)
    write_record(layout, a_record(0, "a"))
    assert index.load(layout) == {"a": 0}
    assert index.extend(layout, ["b"]) == {"a": 0, "b": 1}
    assert layout.index_csv.is_file()
