"""An expression of the user's decides which rows leave, and can do nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from relight_assets.errors import UserError
from relight_assets.exports.rows.labels import columns
from relight_assets.exports.rows.selection import RowFilter


@pytest.fixture
def row() -> Callable[..., dict[str, Any]]:
    def made(**given: Any) -> dict[str, Any]:
        return dict.fromkeys(columns()) | given

    return made


def test_rows_for_which_it_is_true(row: Callable[..., dict[str, Any]]) -> None:
    chosen = RowFilter("masks_face_size > 0.2 AND family = 'specular'")
    assert chosen.takes(row(masks_face_size=0.3, family="specular"))
    assert not chosen.takes(row(masks_face_size=0.1, family="specular"))
    assert not chosen.takes(row(masks_face_size=None, family="specular"))
    assert RowFilter("NOT masks_monochrome").takes(row(masks_monochrome=False))
    assert RowFilter(None).takes(row())


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("famly = 'none'", "no column `famly`; did you mean `family`"),
        ('"famly" = 1', "no column `famly`; did you mean `family`"),
        ("xyzzy", "its columns are those of samples.csv"),
        ("family =", "syntax error"),
        ("1; DROP TABLE samples", "."),
        ("1) FROM samples; DELETE FROM samples; --", "."),
        ("1), (2", "must be one expression"),
        ("1) UNION ALL SELECT (2", "must be one expression"),
        ("(SELECT writefile('x', 'y'))", "no such function"),
        ("(SELECT load_extension('x'))", "."),
        ("(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c)", "."),
    ],
)
def test_what_is_no_expression_over_a_row(where: str, message: str, row: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(UserError, match=message):
        RowFilter(where).takes(row())
