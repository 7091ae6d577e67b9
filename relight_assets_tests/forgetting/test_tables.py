"""Tables lose the rows that are meant, and keep all others byte for byte."""

from pathlib import Path

import pytest

from relight_assets.forgetting.tables import Row, kept_csv, kept_lines, kept_parquet


def is_two(row: Row) -> bool:
    return row.get("a") == "2"


def test_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n1,"x, ""y""\nz"\n2,\xff\n3,\xff\n')
    kept = kept_csv(path, is_two)
    assert kept.data == b'a,b\n1,"x, ""y""\nz"\n3,\xff\n'
    assert [row["a"] for row in kept.rows] == ["1", "3"]
    assert [row["a"] for row in kept.dropped] == ["2"]


@pytest.mark.parametrize("data", [b"a,b\n1\n", b'a,b\n1,"x\n'])
def test_a_csv_that_is_damaged(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"damaged|shorter"):
        kept_csv(path, is_two)


def test_json_lines_and_one_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": "1",  "b": "\xc3\xa9"}\n{"a": "2"}\n[1]\n{"a": "3"}\n{"a": "4')
    kept = kept_lines(path, is_two)
    assert kept.data == b'{"a": "1",  "b": "\xc3\xa9"}\n{"a": "3"}\n'
    assert len(kept.dropped) == 3


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    table = pa.table({"a": ["1", "2", None], "b": pa.array([1.5, 2.5, None], pa.float32())})
    pq.write_table(table, path)
    kept = kept_parquet(path, is_two)
    assert kept is not None
    assert len(kept.dropped) == 1
    path.write_bytes(kept.data)
    assert pq.read_table(path).equals(table.take([0, 2]))
    path.write_bytes(b"PAR1")
    assert kept_parquet(path, is_two) is None
