"""Labels by column: short, and what is not known is told from 0, "" and false."""

from relight_assets.reports.gallery.table import Column, Table


def table_of(*rows: dict[str, object]) -> list[dict[str, object]]:
    columns = {
        "size": Column("size", float, "pixels", "How large"),
        "family": Column("family", str),
        "truncated": Column("truncated", bool, is_tag=True),
        "never": Column("never", float),
    }
    table = Table(columns)
    for row in rows:
        table.add(row)
    assert table.rows == len(rows)
    return table.plain()


def test_each_kind_of_column() -> None:
    size, family, truncated = table_of(
        {"size": 0.123456, "family": "soft", "truncated": True},
        {"size": None, "family": None, "truncated": None},
        {"size": 12345.0, "family": "", "truncated": False},
        {"family": "soft"},
    )
    said = {"name": "size", "unit": "pixels", "meaning": "How large", "kind": "number"}
    assert size == {**said, "values": [0.1235, None, 12345, None]}
    assert family == {"name": "family", "kind": "text", "words": ["soft", ""], "values": [0, -1, 1, 0]}
    assert truncated == {"name": "truncated", "tag": True, "kind": "flag", "values": "1-0-"}


def test_columns_of_which_nothing_is_known_are_left_out() -> None:
    assert table_of({"size": 1.0}) == [
        {"name": "size", "unit": "pixels", "meaning": "How large", "kind": "number", "values": [1]}
    ]
    assert table_of() == []
