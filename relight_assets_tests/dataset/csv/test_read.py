"""The zoo of CSVs: what is read, and what is refused with its line."""

import csv
import hashlib
import re
from pathlib import Path

import pytest

from relight_assets.dataset.csv import read
from relight_assets.dataset.csv.read import read_split_csv, split_name
from relight_assets.errors import CsvError


def put(folder: Path, data: bytes, name: str = "train_images.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


GOOD = [
    ("plain", b"image_path,age\na.jpg,3\nb.jpg,\n", [["a.jpg", "3"], ["b.jpg", ""]], [2, 3]),
    ("no last newline", b"image_path,age\na.jpg,3", [["a.jpg", "3"]], [2]),
    ("CRLF", b"image_path,age\r\na.jpg,3\r\n\r\nb.jpg,4\r\n", [["a.jpg", "3"], ["b.jpg", "4"]], [2, 4]),
    ("BOM", b"\xef\xbb\xbfimage_path,age\na.jpg,3\n", [["a.jpg", "3"]], [2]),
    (
        "quoted newline",
        b'image_path,age\n"a\nb.jpg","x\r\ny"\nc.jpg,4\n',
        [["a\nb.jpg", "x\r\ny"], ["c.jpg", "4"]],
        [2, 5],
    ),
    ("blank lines", b"\n\nimage_path,age\n\na.jpg,3\n\n\n", [["a.jpg", "3"]], [5]),
    ("quotes and commas", b'image_path,age\n"a,""b"".jpg"," =1 "\n', [['a,"b".jpg', " =1 "]], [2]),
    (
        "nothing is guessed",
        b"image_path,age\nNA,007\nnull,1e5\nNaN,TRUE\n",
        [["NA", "007"], ["null", "1e5"], ["NaN", "TRUE"]],
        [2, 3, 4],
    ),
    ("header only", b"image_path,age\n", [], []),
    ("unicode", "image_path,age\né😀.jpg,ü\n".encode(), [["é😀.jpg", "ü"]], [2]),
    ("blank cells", b"image_path,age\n,\n , \n", [["", ""], [" ", " "]], [2, 3]),
]


@pytest.mark.parametrize(("name", "data", "rows", "lines"), GOOD)
def test_good(name: str, data: bytes, rows: list[list[str]], lines: list[int], tmp_path: Path) -> None:
    split = read_split_csv(put(tmp_path, data))
    assert list(split.table.columns) == ["image_path", "age"], name
    assert split.table.to_numpy().tolist() == rows
    assert split.lines == lines
    assert list(split.table.index) == list(range(len(rows)))
    assert not split.table.isna().any().any()
    assert all(isinstance(cell, str) for row in split.table.to_numpy() for cell in row)
    assert split.sha256 == hashlib.sha256(data).hexdigest()
    assert split.split == "train"


def test_columns_keep_their_order_and_odd_names(tmp_path: Path) -> None:
    split = read_split_csv(put(tmp_path, b",z,image_path,a b\n0,1,x.jpg,2\n"))
    assert list(split.table.columns) == ["", "z", "image_path", "a b"]
    assert split.table["image_path"].tolist() == ["x.jpg"]


UNNAMED = [
    ("trailing commas", b"image_path,age,,\na,3,,\nb,,,\n", ["image_path", "age"], [["a", "3"], ["b", ""]], 2),
    ("one comma", b"image_path,age,\r\na,3,\r\n", ["image_path", "age"], [["a", "3"]], 1),
    ("in between", b"image_path,,age, ,x\na,,3,,\n", ["image_path", "age", "x"], [["a", "3", ""]], 2),
    ("first", b",image_path\n,a\n,b\n", ["image_path"], [["a"], ["b"]], 1),
    ("blanks", b"image_path,,\na, ,\t\n", ["image_path"], [["a"]], 2),
    (
        "some rows are shorter",
        b"image_path,age,,\na,3\nb,4,\nc,5,,\n",
        ["image_path", "age"],
        [[*"a3"], [*"b4"], [*"c5"]],
        2,
    ),
    ("no rows", b"image_path,age,,\n", ["image_path", "age"], [], 2),
    ("row labels", b",image_path,,\n0,a,,\n", ["", "image_path"], [["0", "a"]], 2),
    ("a name", b"image_path,Unnamed: 1\na,\n", ["image_path", "Unnamed: 1"], [["a", ""]], 0),
    ("blank rows", b"image_path,age,\na,3,\n,,\n", ["image_path", "age"], [["a", "3"], ["", ""]], 1),
]


@pytest.mark.parametrize(("name", "data", "columns", "rows", "dropped"), UNNAMED)
def test_columns_without_name_and_content_are_left_out(
    tmp_path: Path, *, name: str, data: bytes, columns: list[str], rows: list[list[str]], dropped: int
) -> None:
    split = read_split_csv(put(tmp_path, data))
    assert (list(split.table.columns), split.table.to_numpy().tolist()) == (columns, rows), name
    reported = "1 column" if dropped == 1 else f"{dropped} columns"
    assert split.notes == (
        (f"{split.path}: {reported} without a name and without content left out",) if dropped else ()
    )


def test_as_many_columns_as_a_spreadsheet_has(tmp_path: Path) -> None:
    commas = b"," * 16_000
    split = read_split_csv(put(tmp_path, b"image_path" + commas + b"\n" + (b"a" + commas + b"\n") * 50))
    assert split.table.shape == (50, 1)


def test_cells_are_as_large_as_they_are(tmp_path: Path) -> None:
    large = 'ab, "\n' * 500_000
    quoted = large.replace('"', '""')
    split = read_split_csv(put(tmp_path, f'image_path,note\na,"{quoted}"\n{"x" * 200_000},1\n'.encode()))
    assert split.table.to_numpy().tolist() == [["a", large], ["x" * 200_000, "1"]]
    assert split.lines == [2, 2 + 500_001]


def test_a_limit_that_somebody_lowered_is_none_of_ours(tmp_path: Path) -> None:
    before = csv.field_size_limit(10)
    try:
        assert len(read_split_csv(put(tmp_path, b"image_path\n" + b"x" * 100 + b"\n")).table) == 1
    finally:
        csv.field_size_limit(max(before, csv.field_size_limit()))


BAD = [
    ("zero bytes", b"", "is empty"),
    ("only blank", b"\xef\xbb\xbf\r\n  \n", "is empty"),
    ("no image_path", b"name,age\na,3\n", "no column 'image_path' among 'name', 'age'"),
    ("near", b"Image_Path,age\na,3\n", "the nearest is 'Image_Path'"),
    ("near with a space", b"age, image_path\na,3\n", "the nearest is ' image_path'"),
    ("semicolons", b"image_path;age\na;3\n", "semicolons"),
    ("tabs", b"image_path\tage\na\t3\n", "tabs"),
    ("doubled", b"image_path,age,age\na,3,4\n", "line 1: the column 'age' is there more than once"),
    ("ours", b"image_path,output_image_path\na,b\n", "output_image_path"),
    ("too many", b"image_path,age\na,3\nb,4,5\n", "line 3: 3 fields where the header has 2"),
    ("too few", b'image_path,age\n"a\nb",3\nb\n', "line 4: 1 fields"),
    ("UTF-16", "image_path,age\na,3\n".encode("utf-16"), "UTF-16"),
    ("UTF-16 BE", b"\xfe\xff" + "image_path\n".encode("utf-16-be"), "UTF-16"),
    ("latin-1", b"image_path,age\na,3\n\xe9t\xe9.jpg,4\n", "line 3: the byte 0xE9"),
    ("latin-1 behind a BOM", b"\xef\xbb\xbfimage_path\n\xfc\n", "line 2: the byte 0xFC"),
    ("NUL", b"image_path,age\na,3\nb\0,4\n", "line 3: a NUL byte"),
    ("open quote", b'image_path,age\na,3\n"b,4\nc,5\n', "line 3: the row that starts here"),
    ("text after a quote", b'image_path,age\n"a"b,3\n', "line 2: the row"),
    ("a giant cell without an end", b'image_path\na\n"' + b"x" * 200_000 + b"\n", "line 3: the row that starts here"),
    ("a stray cell", b"image_path,age,,\na,3,,\n\nb,4,, x \n", "line 4: the cell ' x ' is in column 4"),
    ("a column without a name", b"image_path,,age\na,1,3\n", "line 2: the cell '1' is in column 2"),
    ("a column with a blank name", b"image_path, \na,1\n", "which has no name in line 1"),
    ("a short row", b"image_path,age,\na\n", "line 2: 1 fields where the header has 3"),
    ("a comma too many", b"image_path,age\na,3,\n", "line 2: 3 fields where the header has 2"),
]


@pytest.mark.parametrize(("name", "data", "words"), BAD)
def test_bad(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    path = put(tmp_path, data)
    with pytest.raises(CsvError) as caught:
        read_split_csv(path)
    assert words in str(caught.value), name
    assert str(path) in str(caught.value)


def test_no_file_folder_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CsvError, match="There is no CSV"):
        read_split_csv(tmp_path / "gone.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CsvError, match="folder"):
        read_split_csv(tmp_path / "folder.csv")
    monkeypatch.setattr(read, "MAX_CSV_BYTES", 20)
    with pytest.raises(CsvError, match="larger than 20 bytes"):
        read_split_csv(put(tmp_path, b"image_path\n" + b"a\n" * 10))


def test_names() -> None:
    assert split_name(Path("/x/train_images.csv")) == "train"
    assert split_name(Path("train.csv")) == "train"
    assert split_name(Path("my_images_v2.csv")) == "my_images_v2"
    for bad in (
        "_images.csv",
        "a b_images.csv",
        "..csv",
        "é.csv",
        "x.CSV",
        "train_with_scores.csv",
        "a_failures.csv",
    ):
        with pytest.raises(CsvError, match=re.escape(bad)):
            split_name(Path(bad))
