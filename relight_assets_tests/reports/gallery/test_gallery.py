"""The gallery of a split: what it holds, what it leaves out and says so, and its files."""

import shutil

import numpy as np
import pytest

from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.dataset.derived.gallery_files import sprites_in
from relight_assets.dataset.derived.thumbnails import of_record, read_thumbnail
from relight_assets.dataset.tombstones import add_tombstones
from relight_assets.errors import OutputFolderError, UserError
from relight_assets.exports.rows.review import review_path
from relight_assets.imaging.thumbnail import encode_thumbnail, thumbnail_made_of
from relight_assets.reports.gallery.gallery import write_gallery
from relight_assets.reports.gallery.html_page import json_text, sprite_file
from relight_assets.storage.local import LOCAL
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with
from relight_assets_tests.reports.gallery.conftest import Write, column_of, data_of, inner_thumbnails

STRICT = DEFAULT_QUALITY.model_copy(update={"min_identity": 0.999, "max_exposure": 0.0})


def test_every_pair_with_its_labels_and_every_photo_that_failed_with_its_reason(own: Bench, write: Write) -> None:
    made = write()
    assert (made.pairs, made.all_pairs, made.unfinished, made.sprites, made.notes) == (4, 4, 3, 0, ())
    assert made.page == own.layout.folder / "gallery" / "index.html"
    assert made.size == made.page.stat().st_size
    data = data_of(made.page)
    assert data["photos"]["path"] == [*(str(own.photos / name) for name in (*PORTRAITS, "cat.png", "broken.png")), ""]
    assert data["photos"]["status"] == [*["done"] * 4, "failed", "failed", "rejected"]
    assert [reason and reason[0] for reason in data["photos"]["reasons"]] == [
        *[None] * 4, "no_person", "image_corrupt", "blank_path",
    ]  # fmt: skip
    assert data["photos"]["line"] == [2, 3, 4, 5, 6, 7, 8]
    assert data["rows"] == {"photo": [0, 1, 2, 3], "variant": [0, 0, 0, 0]}
    record = own.recorded()[2].record
    strength = record.stages["degraded"].numbers["strength"]
    assert column_of(data, "degraded_strength")[2] == pytest.approx(strength, rel=1e-3)
    assert column_of(data, "family")[2] == record.degradation_type
    assert data["photos"]["sha256"][2] == record.source.sha256


def test_its_pictures_are_the_thumbnails_of_the_workers(own: Bench, write: Write) -> None:
    found = inner_thumbnails(write().page)
    assert [each is not None for each in found] == [True] * 5 + [False] * 2
    assert found[1] == own.layout.thumbnail(1).read_bytes()


def test_thumbnails_that_are_missing_or_of_an_earlier_time_are_made(own: Bench, write: Write) -> None:
    before = inner_thumbnails(write().page)
    shutil.copyfile(own.layout.thumbnail(2), own.layout.thumbnail(1))
    own.layout.thumbnail(0).unlink()
    own.layout.thumbnail(4).unlink()
    found = inner_thumbnails(write().page)
    assert found == before  # the same pixels, the same bytes
    record = own.recorded()[0].record
    assert read_thumbnail(own.layout, 0, of_record(record)) == found[0]


def test_a_folder_of_thumbnails_that_cannot_be_written_costs_none(own: Bench, write: Write) -> None:
    shutil.rmtree(own.layout.thumbnails)
    own.layout.thumbnails.write_text("somebody's")
    assert [each is not None for each in inner_thumbnails(write().page)] == [True] * 5 + [False] * 2


def test_each_light_is_a_row_and_the_photo_is_there_once(own: Bench, write: Write) -> None:
    recipe = recipe_with(variants=3)
    own.run(recipe)
    made = write(recipe=recipe)
    data = data_of(made.page)
    assert (made.pairs, len(data["photos"]["path"])) == (12, 4 + 3)
    assert data["rows"]["photo"] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert data["rows"]["variant"] == [0, 1, 2] * 4
    assert data["conditions"] == ["v1_output", "v2_output", "v3_output"]
    assert data["photosOfSprite"] == 83
    made_of = thumbnail_made_of(inner_thumbnails(made.page)[0] or b"")
    assert made_of is not None
    assert made_of.cells == 4


def test_many_rows_have_their_pictures_beside_the_page_and_those_of_before_go(
    own: Bench, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.reports.gallery.gallery.ROWS_OF_SPRITE", 2)
    first = write(most_in_one_file=6)
    assert first.sprites == 4
    old = sprites_in(own.layout)
    second = write(most_in_one_file=6)
    names = [str(path.relative_to(own.layout.gallery)) for path in sprites_in(own.layout)]
    assert data_of(second.page)["sprites"] == names
    assert not any(path.exists() for path in old)
    assert second.size == sum(path.stat().st_size for path in (second.page, *sprites_in(own.layout)))
    assert write().sprites == 0
    assert sprites_in(own.layout) == []


def test_verdicts_are_those_of_each_pair(own: Bench, write: Write) -> None:
    data = data_of(write(quality=STRICT).page)
    names = data["verdicts"]["metrics"]
    assert {"identity", "exposure"} <= set(names)
    exposures = column_of(data, "degraded_metrics_exposure")
    failed = [names.index("exposure") in each for each in data["verdicts"]["failed"]]
    assert failed == [exposure != 0 for exposure in exposures]
    assert data_of(write().page)["verdicts"]["failed"] == [[]] * 4


def test_of_more_pairs_than_a_page_shows_it_shows_some_and_says_so(own: Bench, write: Write) -> None:
    recipe = recipe_with(variants=3)
    own.run(recipe)
    made = write(recipe=recipe, most_pairs=6)
    data = data_of(made.page)
    assert (made.pairs, made.all_pairs) == (6, 12)
    assert [data["photos"]["number"][photo] for photo in data["rows"]["photo"]] == [0, 1, 1, 2, 3, 3]
    assert made.notes == tuple(data["notes"])
    assert made.notes[0].startswith("6 of 12 pairs are shown")
    strict = data_of(write(recipe=recipe, most_pairs=6, quality=STRICT).page)
    assert len(strict["rows"]["photo"]) == 6  # those that fail up to half, and others evenly
    assert sum(map(bool, strict["verdicts"]["failed"])) >= 3


def test_pending_rows_are_counted(own: Bench, write: Write) -> None:
    made = write(recipe=recipe_with(seed=5))
    assert made.pairs == 0
    assert made.notes == ("4 rows pending, not shown: run the split, then make the gallery again.",)


def test_it_starts_from_the_review_and_keeps_what_a_person_added(own: Bench, write: Write) -> None:
    first, second = own.split().table["image_path"].iloc[:2]
    sha256 = own.recorded()[1].record.source.sha256
    path = review_path(own.csv_path, "train")
    other = first.replace("/", "/./")[2:]  # another text, the same photo
    path.write_text(f"image_path,decision,by\n {other},drop,Ann\n", encoding="utf-8")
    review = data_of(write().page)["review"]
    assert review["file"] == "train_review.csv"
    assert review["columns"] == ["image_path", "decision", "reason", "forget", "by"]
    assert review["rows"] == [[first, "drop", "", "", "Ann"]]
    path.write_text(f"sha256,decision,reason\n{sha256},keep,good\n{'c' * 64},drop,\n", encoding="utf-8")
    made = write()
    assert data_of(made.page)["review"]["rows"] == [[second, "keep", "good", ""]]
    assert made.notes == (
        "1 rows of train_review.csv name photos by sha256 that are not here; what you download lacks them.",
    )


def test_a_review_that_cannot_be_read_is_said_and_stops_nothing(own: Bench, write: Write) -> None:
    review_path(own.csv_path, "train").write_text("image_path,decision\na.png,maybe\n", encoding="utf-8")
    (note,) = write().notes
    assert "`decision` must be keep or drop" in note


def test_nothing_of_a_forgotten_photo_is_shown_but_its_row(own: Bench, write: Write) -> None:
    record = own.recorded()[0].record
    add_tombstones(own.settings.output_root, {record.source.sha256: "requested"}, LOCAL)
    made = write()
    data = data_of(made.page)
    assert made.pairs == 3
    assert record.source.sha256 not in made.page.read_text("utf-8")
    (place,) = [place for place, reason in enumerate(data["photos"]["reasons"]) if reason and reason[0] == "forgotten"]
    assert inner_thumbnails(made.page)[place] is None


def test_a_page_that_cannot_be_written(own: Bench, write: Write) -> None:
    own.layout.gallery.write_text("a file")
    with pytest.raises(OutputFolderError, match="gallery cannot be written"):
        write()


def test_a_column_of_licences_that_is_not_there(own: Bench) -> None:
    settings = own.settings.model_copy(update={"licence_column": "rights"})
    with pytest.raises(UserError, match="rights"):
        write_gallery(own.state(), settings, DEFAULT_QUALITY)


def test_a_row_takes_less_than_10_kb_whatever_its_pictures_show(own: Bench, write: Write) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    thumbnail = encode_thumbnail([noise, noise], of_record(own.recorded()[0].record))
    labels = sum(len(json_text(column["values"])) for column in data_of(write().page)["labels"]) / 4
    assert 500 < labels < 10_000 - len(sprite_file(0, [thumbnail]))
