"""The CSVs that go out."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from relight_assets.dataset.csv import mapping
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.mapping import (
    FailureRow,
    escape_formula,
    failures_beside,
    failures_blocks,
    is_mapping_name,
    mapping_blocks,
    output_csv_paths,
    remove_variants,
    replace_reasons,
    withdraw_outputs,
    write_failures,
    write_mapping,
    write_variants,
)
from relight_assets.dataset.csv.read import SplitCsv, read_split_csv
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.errors import CsvError
from relight_assets.storage import files

INPUT = '\ufeffimage_path,note, x\r\na.jpg,"=1+1, ""q"""," s "\r\n"b\nc.jpg","x\r\ny","\r"\r\n,,\r\n@é.jpg,007,NA\r\n'


@pytest.fixture
def split(tmp_path: Path) -> SplitCsv:
    path = tmp_path / "train_images.csv"
    path.write_bytes(INPUT.encode())
    return read_split_csv(path)


def test_where_they_go(split: SplitCsv, tmp_path: Path) -> None:
    mapping, failures, variants = output_csv_paths(split.path, None)
    assert variants == tmp_path / "train_images_variants.csv"
    assert mapping == tmp_path / "train_images_with_relighting_outputs.csv"
    assert failures == tmp_path / "train_images_failures.csv"
    assert output_csv_paths(split.path, Path("/m"))[0] == Path("/m/train_images_with_relighting_outputs.csv")


def test_mapping_keeps_every_cell(split: SplitCsv, tmp_path: Path) -> None:
    before = split.path.read_bytes()
    mapping, failures, _ = output_csv_paths(split.path, None)
    write_mapping(split, [tmp_path / "00000_output.png", None, None, Path("rel.png")], mapping)
    write_failures(split, [], failures)
    data = mapping.read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    with mapping.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["image_path", "note", " x", "output_image_path"]
    assert [row[:3] for row in rows] == split.table.to_numpy().tolist()
    assert rows[0][1:3] == ['=1+1, "q"', " s "]
    assert rows[1][:3] == ["b\nc.jpg", "x\r\ny", "\r"]
    outputs = [row[3] for row in rows]
    assert outputs == [str(tmp_path / "00000_output.png"), "", "", str(Path.cwd() / "rel.png")]
    assert split.path.read_bytes() == before
    assert list_csvs(tmp_path, "*.csv").found == {"train": split.path}
    write_mapping(split, [tmp_path / "00000_output.png", None, None, Path("rel.png")], mapping)
    assert mapping.read_bytes() == data


def test_one_output_for_each_row(split: SplitCsv, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_mapping(split, [None], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_failures(split: SplitCsv, tmp_path: Path) -> None:
    target = tmp_path / "train_images_failures.csv"
    write_failures(split, [], target)
    assert target.read_bytes() == b"line,image_path,code,stage,message\n"
    row = FailureRow(3, "=b.jpg", "image_corrupt", "masks", "=HYPERLINK(1)\nsecond\tline")
    write_failures(split, [row], target)
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["3", "'=b.jpg", "image_corrupt", "masks", "'=HYPERLINK(1) second line"]


@pytest.mark.parametrize("column", ["image_path", "code", "stage", "message"])
@pytest.mark.parametrize("text", ["=1+1", "-2+3", "@SUM(1)", "+cmd|' /C calc'!A0", '" =1', "a;=1", "\tx"])
def test_no_column_of_the_failures_holds_a_formula(column: str, text: str) -> None:
    row = replace(FailureRow(3, "b.jpg", "image_corrupt", "masks", "damaged"), **{column: text})
    data = b"".join(failures_blocks([row])).decode()
    found = dict(zip(*csv.reader(data.splitlines()), strict=True))
    assert found["line"] == "3"
    assert found[column] == escape_formula(text)
    for separator in ",;\t":  # with which a spreadsheet may read it
        for cells in csv.reader(data.splitlines(), delimiter=separator):
            assert not [cell for cell in cells if cell.strip(" \"'").startswith(tuple("=+-@")) and "'" not in cell]


@pytest.mark.parametrize(
    "text",
    [
        *("=1", "+1", "-1", "-1.5", "@A1", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20A1"),
        *("\tx", "\rx", "\nx", "\u22121", "\ufe661", "\ufe62x", "|x", "%x", '"=1', '""" =1', "'=1", "\u201c=1"),
        *("\xa0=1", "\u3000=1", "\u200b=1", "\ufeff=1", "\x00=1", "\x1f=1", "\u202e=1", "\u2028=1", "\x85=1"),
        *("=cmd|'/C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "=DDE('a';'b';'c')", "+A1", "=1;=2"),
    ],
)
def test_formulas_are_escaped(text: str) -> None:
    escaped = escape_formula(text)
    assert escaped.startswith("'")
    assert "\n" not in escaped
    assert "\t" not in escaped


def test_plain_text_is_left_alone() -> None:
    for text in ("", "It failed: a=b", "'quoted'", "1-2", "é", "a/-b.jpg", "a, -1", "a; b", "x@y", "100%", '"a" = b'):
        assert escape_formula(text) == text


@pytest.mark.parametrize("text", ["a;=1", "a;  =1", 'a;"=1', "a;-1", "a;\uff1d1", ";=1"])
def test_a_formula_behind_a_semicolon_is_escaped(text: str) -> None:
    before, _, after = text.partition(";")
    assert escape_formula(text) == f"{before};'{after}"


def test_the_mapping_keeps_the_cells_of_the_input(tmp_path: Path) -> None:
    """They are the user's, who may have meant a formula, or a file of that name."""
    path = tmp_path / "train_images.csv"
    data = b'image_path,=note\n=a.jpg,"=1+1"\n-b.jpg,"@A;=1"\n'
    path.write_bytes(data)
    text = b"".join(mapping_blocks(read_split_csv(path), [None, None]))
    assert list(csv.reader(text.decode().splitlines())) == [
        ["image_path", "=note", "output_image_path"],
        ["=a.jpg", "=1+1", ""],
        ["-b.jpg", "@A;=1", ""],
    ]


def test_the_input_is_never_written(split: SplitCsv, tmp_path: Path) -> None:
    before = split.path.read_bytes()
    link, hard = tmp_path / "link.csv", tmp_path / "hard.csv"
    link.symlink_to(split.path)
    os.link(split.path, hard)
    for target in (split.path, tmp_path / "." / "train_images.csv", link, hard):
        with pytest.raises(CsvError, match="never written"):
            write_mapping(split, [None] * 4, target)
        with pytest.raises(CsvError, match="never written"):
            write_failures(split, [], target)
    assert split.path.read_bytes() == before


def test_a_folder_that_cannot_be_written(split: SplitCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CsvError, match="cannot be written"):
        write_failures(split, [], tmp_path / "gone" / "x.csv")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CsvError, match="No space left"):
        write_failures(split, [], tmp_path / "x.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["train_images.csv"]


def test_a_row_for_each_variant_of_a_finished_row(split: SplitCsv, tmp_path: Path) -> None:
    target = output_csv_paths(split.path, None)[2]
    two = [tmp_path / "00000_v1_output.png", tmp_path / "00000_v2_output.png"]
    write_variants(split, [two, [], [], two[:1]], target)
    with target.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["image_path", "note", " x", "output_variant", "output_image_path"]
    assert [(row[0], *row[3:]) for row in rows] == [
        ("a.jpg", "1", str(two[0])),
        ("a.jpg", "2", str(two[1])),
        ("@é.jpg", "1", str(two[0])),
    ]
    assert list_csvs(tmp_path, "*.csv").found == {"train": split.path}


def test_an_image_that_does_not_stay_leaves_an_empty_cell_and_all_else_as_it_was(
    split: SplitCsv, tmp_path: Path
) -> None:
    target = output_csv_paths(split.path, None)[0]
    images = [tmp_path / f"{number}_output.png" for number in range(4)]
    write_mapping(split, [*images[:3], None], target)
    asked = []

    def stays(cell: str, output: str) -> bool:
        asked.append((cell, output))
        return cell != "b\nc.jpg"

    before = target.read_bytes()
    withdraw_outputs(target, stays)
    assert target.read_bytes() == before.replace(str(images[1]).encode(), b"")
    cells = split.table["image_path"].tolist()
    assert asked == list(zip(cells, map(str, images[:3]), strict=False))  # an empty one is not asked about


def test_a_light_that_does_not_stay_loses_its_row(split: SplitCsv, tmp_path: Path) -> None:
    target = output_csv_paths(split.path, None)[2]
    write_variants(split, [[tmp_path / "1.png", tmp_path / "2.png"], [], [tmp_path / "3.png"], []], target)
    before = target.read_bytes()
    withdraw_outputs(target, lambda _, output: not output.endswith("2.png"))
    assert target.read_bytes() == b"".join(line for line in before.splitlines(keepends=True) if b"2.png" not in line)


def test_nothing_is_written_where_nothing_is_to_be_taken_out(split: SplitCsv, tmp_path: Path) -> None:
    target = output_csv_paths(split.path, None)[0]
    withdraw_outputs(target, lambda *_: False)
    withdraw_outputs(split.path / "no folder" / "x.csv", lambda *_: False)
    assert not target.exists()
    write_mapping(split, [tmp_path / "1.png", None, None, None], target)
    before = target.stat()
    withdraw_outputs(target, lambda *_: True)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_cells_of_any_size_come_back_and_keep_what_stays(tmp_path: Path) -> None:
    large = 'x,"\r\n' * 100_000
    path = tmp_path / "train_images.csv"
    path.write_text('image_path,note\na,"' + large.replace('"', '""') + '"\nb,\n', newline="")
    split = read_split_csv(path)
    target = output_csv_paths(path, None)[0]
    write_mapping(split, [tmp_path / "0.png", tmp_path / "1.png"], target)
    withdraw_outputs(target, lambda cell, _: cell == "a")
    assert [row[1:] for row in csv_reader(target.read_bytes().decode())] == [
        ["note", "output_image_path"],
        [large, str(tmp_path / "0.png")],
        ["", ""],
    ]


def test_columns_that_were_left_out_of_the_input_are_in_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "train_images.csv"
    path.write_text("image_path,,note,\na,,x,\nb,,,\n")
    target = output_csv_paths(path, None)[0]
    write_mapping(read_split_csv(path), [None, None], target)
    assert target.read_text() == "image_path,note,output_image_path\na,x,\nb,,\n"


HEADER = "image_path,note,output_image_path\n"


@pytest.mark.parametrize(
    "rows",
    [
        'a.jpg,"cut off,/x/1.png\n',
        "a.jpg,x,/x/1.png\nb.jpg\n",
        "a.jpg,x,/x/1.png,\n",
        "a.jpg,/x/1.png\n",
    ],
)
def test_of_a_damaged_mapping_the_header_stays(tmp_path: Path, rows: str) -> None:
    target = tmp_path / "m.csv"
    target.write_text(HEADER + rows)
    withdraw_outputs(target, lambda *_: True)
    assert target.read_text() == HEADER


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\ufeffimage_path,output_image_path\r\na.jpg,/1.png\r\n", "\ufeffimage_path,output_image_path\na.jpg,\n"),
        ("image_path,output_image_path,mine\na.jpg,/1.png,x\n", "image_path,output_image_path,mine\na.jpg,,x\n"),
        (",image_path,output_image_path\n0,a.jpg,/1.png\n\n", ",image_path,output_image_path\n0,a.jpg,\n"),
        ("image_path,output_variant,output_image_path,mine\na.jpg,1,/1.png,x\n", None),
    ],
    ids=["a byte order mark", "another column", "blank lines", "variants"],
)
def test_a_mapping_that_an_editor_has_saved_is_one_still(tmp_path: Path, text: str, left: str | None) -> None:
    target = tmp_path / "m.csv"
    target.write_text(text, newline="")
    withdraw_outputs(target, lambda *_: False)
    assert target.read_text() == (text.partition("\n")[0] + "\n" if left is None else left)


@pytest.mark.parametrize(
    "data", [b"", b"image_path,mine\na.jpg,/x/1.png\n", b"output_image_path\n/1.png\n", b"\xff\x00", b'"cut off']
)
def test_somebody_elses_file_is_not_touched(tmp_path: Path, data: bytes) -> None:
    target = tmp_path / "m.csv"
    target.write_bytes(data)
    withdraw_outputs(target, lambda *_: False)
    assert target.read_bytes() == data


def test_a_mapping_that_cannot_be_changed_is_a_sentence(
    split: SplitCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = output_csv_paths(split.path, None)[0]
    write_mapping(split, [tmp_path / "1.png", None, None, None], target)
    before = target.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CsvError, match="cannot be written: No space left"):
        withdraw_outputs(target, lambda *_: False)
    assert target.read_bytes() == before
    with pytest.raises(CsvError, match="directory"):
        withdraw_outputs(tmp_path, lambda *_: False)


def test_which_names_are_of_csvs_that_name_images() -> None:
    mapping, failures, variants = output_csv_paths(Path("/d/train_images.csv"), None)
    assert is_mapping_name(mapping)
    assert is_mapping_name(variants)
    assert not is_mapping_name(failures)
    assert not is_mapping_name(Path("/d/train_images.csv"))


def test_reasons_are_replaced_and_all_else_stays(split: SplitCsv, tmp_path: Path) -> None:
    target = tmp_path / "train_images_failures.csv"
    rows = [FailureRow(2, "a.png", "no_person", "masks", "nobody"), FailureRow(3, "=b.png", "x", "albedo", "y, z")]
    write_failures(split, rows, target)
    before = target.read_bytes()
    count, data = replace_reasons(target, {"'=b.png", "c.png"}.__contains__, {"code": "gone", "message": "m"})
    assert (count, target.read_bytes()) == (1, before)
    assert data == before.replace(b'x,albedo,"y, z"', b"gone,albedo,m")
    target.write_bytes(data)
    assert replace_reasons(target, lambda _: True, {"code": "gone", "message": "m"})[0] == 1
    assert replace_reasons(target, {"'=b.png"}.__contains__, {"code": "gone", "message": "m"})[0] == 0


@pytest.mark.parametrize("data", [None, b"", b"a,b\n1,2\n", b'line,image_path,code,stage,message\n"', b"\xff\x00"])
def test_what_is_no_failures_csv_has_no_reasons(tmp_path: Path, data: bytes | None) -> None:
    target = tmp_path / "x_failures.csv"
    if data is not None:
        target.write_bytes(data)
    assert replace_reasons(target, lambda _: True, {"code": "gone"})[0] == 0


def test_the_failures_csv_beside_a_mapping() -> None:
    assert failures_beside(Path("/a/x_with_relighting_outputs.csv")) == Path("/a/x_failures.csv")
    assert failures_beside(Path("/a/x_variants.csv")) is None
    assert failures_beside(Path("/a/.mapping.csv")) is None


def test_only_a_csv_of_variants_is_removed(split: SplitCsv, tmp_path: Path) -> None:
    target = output_csv_paths(split.path, None)[2]
    write_variants(split, [[], [], [], []], target)
    remove_variants(target)
    assert not target.exists()
    remove_variants(target)
    target.write_text("image_path,mine\n")
    remove_variants(target)
    assert target.exists()


def test_a_mapping_of_several_blocks_has_every_row_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "_ROWS_PER_BLOCK", 2)
    path = tmp_path / "train_images.csv"
    path.write_text("image_path,note\n" + "".join(f'{number}.png,"a, ""{number}"""\n' for number in range(7)))
    split = read_split_csv(path)
    outputs = [tmp_path / f"{number}_output.png" if number % 2 else None for number in range(7)]
    assert len(list(mapping_blocks(split, outputs))) == 4  # the header is a line, too
    target = tmp_path / "out.csv"
    write_mapping(split, outputs, target)
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[:2] for row in rows] == [[f"{number}.png", f'a, "{number}"'] for number in range(7)]
    assert [row[2] for row in rows] == [str(output or "") for output in outputs]
    withdraw_outputs(target, lambda cell, _: cell != "3.png")
    with target.open(newline="", encoding="utf-8") as file:
        left = list(csv.reader(file))[1:]
    assert left == [row if row[0] != "3.png" else [*row[:2], ""] for row in rows]


def test_outputs_that_are_not_one_for_each_row_leave_the_mapping_alone(tmp_path: Path) -> None:
    path = tmp_path / "train_images.csv"
    path.write_text("image_path\na.png\nb.png\n")
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(ValueError, match="zip"):
        write_mapping(read_split_csv(path), [None], target)
    assert target.read_text() == "before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.csv", "train_images.csv"]
