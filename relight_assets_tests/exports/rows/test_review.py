"""What a person dropped stays, by path or by sha256."""

import pytest

from relight_assets.errors import CsvError
from relight_assets.exports.rows.review import dropped_photos, photos_to_forget, review_path
from relight_assets_tests.conftest import Bench
from relight_assets_tests.exports.conftest import Export


def write(bench: Bench, text: str) -> None:
    review_path(bench.csv_path, "train").write_text(text, encoding="utf-8")


def test_by_path_as_the_csv_has_it(own: Bench, export: Export) -> None:
    first, second = own.split().table["image_path"].iloc[:2]
    write(own, f"image_path,decision,reason\n{first},drop,wax\n{second},keep,\n")
    dropped = dropped_photos(own.split(), None)
    assert len(dropped) == 1
    assert (export(dropped=dropped).pairs, export(dropped=dropped).left_out["review"]) == (3, 1)


def test_by_sha256(own: Bench, export: Export) -> None:
    sha256 = own.recorded()[2].record.source.sha256
    write(own, f"\ufeffreason,sha256,decision\nodd,{sha256.upper()},Drop\n\n")
    assert dropped_photos(own.split(), None) == {sha256}
    assert export(dropped={sha256}).left_out["review"] == 1


def test_what_is_to_be_forgotten_leaves_no_more_at_once(own: Bench, export: Export) -> None:
    first, second, third = own.split().table["image_path"].iloc[:3]
    write(own, f"image_path,decision,forget\n{first},keep,\n{second},,yes\n{third},keep,no\n")
    assert photos_to_forget(own.split(), None) == [second]
    assert export(dropped=dropped_photos(own.split(), None)).left_out["review"] == 1


def test_a_review_may_do_nothing_but_have_photos_forgotten(own: Bench) -> None:
    write(own, f"sha256,forget\n{'A' * 64},X\n{'b' * 64},\n")
    assert photos_to_forget(own.split(), None) == ["A" * 64]
    assert dropped_photos(own.split(), None) == {"a" * 64}


def test_none_where_there_is_no_review(own: Bench) -> None:
    assert dropped_photos(own.split(), None) == frozenset()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a column `decision`"),
        ("image_path,reason\na,b\n", "needs a column `decision`"),
        ("decision,reason\ndrop,b\n", "needs a column `decision` .* and a column `image_path` or `sha256`"),
        ("image_path,decision\na.png,maybe\n", "line 2: `decision` must be keep or drop"),
        ("image_path,decision\nnone.png,drop\n", "line 2: train_images.csv has no row with the photo 'none.png'"),
        ("image_path,decision,forget\na.png,keep,maybe\n", "line 2: `forget` must be yes or no"),
        ("image_path,forget\nnone.png,yes\n", "line 2: train_images.csv has no row with the photo 'none.png'"),
        ("image_path,decision\n,drop\n", "line 2: .* must name a photo"),
        ("image_path,decision\n\xff", None),
    ],
)
def test_a_review_that_is_none(own: Bench, text: str, message: str | None) -> None:
    if message is None:
        review_path(own.csv_path, "train").write_bytes(text.encode("latin-1"))
        message = "cannot be read"
    else:
        write(own, text)
    with pytest.raises(CsvError, match=message):
        dropped_photos(own.split(), None)
