"""The gallery as somebody uses it, in a real browser, opened as a file: no server, no network."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.exports.rows.review import dropped_photos, photos_to_forget, review_path
from relight_assets.reports.gallery.gallery import Gallery, write_gallery
from relight_assets.reports.gallery.html_page import json_text
from relight_assets_tests.browser.conftest import CLICK_MS, eventually
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with
from relight_assets_tests.reports.gallery.conftest import column_of, data_of

pytestmark = pytest.mark.servers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "<img src=x onerror=\"document.title='ran'\">.png"
BREAKING = "some/a,\"b\"'</script><script>document.title='ran'</script>.png"
RECIPE = recipe_with(variants=2)
STRICT = DEFAULT_QUALITY.model_copy(update={"max_exposure": 0.0})


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Bench:
    """Four portraits under two lights, two of them with hostile names; a cat and half a file."""
    folder = tmp_path_factory.mktemp("gallery")
    own = folder / "photos"
    own.mkdir()
    names = [PORTRAITS[0], HOSTILE, BREAKING, PORTRAITS[3], "cat.png", "broken.png"]
    for name, of in zip(names, [*PORTRAITS, "cat.png", "broken.png"], strict=True):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_bytes((photos / of).read_bytes())
    made = Bench(folder, own)
    made.write_csv(names)
    made.run(RECIPE)
    return made


@pytest.fixture(scope="module")
def gallery(split: Bench) -> Gallery:
    return write_gallery(split.state(RECIPE), split.settings, STRICT)


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
def page(browser: "Browser", gallery: Gallery, requests: list[str]) -> "Iterator[Page]":
    """The page, opened in a new profile; whatever goes wrong in its scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(CLICK_MS)
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    _open(opened, gallery.page)
    yield opened
    title = opened.title()
    context.close()
    assert errors == []
    assert title == "train: relight gallery"
    assert {url.partition(":")[0] for url in requests} <= {"file", "data", "blob"}


def _open(page: "Page", path: Path) -> None:
    page.goto(path.as_uri())
    page.locator(".card .cell div").first.wait_for()


def _count(page: "Page") -> str:
    return page.locator("#title small").inner_text()


def _numbers(page: "Page") -> list[str]:
    return page.locator(".card .first b").all_inner_texts()


def _pixels(png: bytes) -> Any:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    return image


def test_every_pair_is_a_card_with_both_pictures(page: "Page") -> None:
    assert _count(page) == "8 pairs"
    assert _numbers(page)[:3] == ["00000 light 1", "00000 light 2", "00001 light 1"]
    target, condition = (_pixels(page.locator(".card").first.locator(".cell").nth(n).screenshot()) for n in (0, 1))
    assert target.std() > 20
    # The corner of the composite is the gray of the recipe, that of the photo is not.
    top = condition[4:14, condition.shape[1] - 16 : condition.shape[1] - 8]
    assert abs(float(top.mean()) - 128) < 12
    assert np.abs(target.astype(int) - condition).mean() > 5


def test_names_that_others_gave_are_text(page: "Page") -> None:
    page.fill("#search", "onerror")
    assert _count(page) == "2 of 8 pairs"
    page.locator(".card").first.click()
    assert HOSTILE in page.locator("#labels").inner_text()
    page.keyboard.press("Escape")
    page.fill("#search", "</script><script>document.title='ran'</script>")
    assert _count(page) == "2 of 8 pairs"
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("body > script:not([type])").count() == 1


def test_filters_by_family_direction_and_number_leave_what_passes(page: "Page", gallery: Gallery) -> None:
    data = data_of(gallery.page)
    families = column_of(data, "family")
    first = families[0]
    page.get_by_label(first.replace("_", " "), exact=False).first.check()
    wanted = sum(family == first for family in families)
    assert _count(page) == ("8 pairs" if wanted == 8 else f"{wanted} of 8 pairs")
    page.get_by_label(first.replace("_", " "), exact=False).first.uncheck()
    strengths = column_of(data, "degraded_strength")
    least = sorted(strengths)[3]
    page.select_option("#filters select.add", "degraded_strength")
    page.get_by_label("min degraded strength").fill(str(least))
    assert _count(page) == f"{sum(strength >= least for strength in strengths)} of 8 pairs"
    page.get_by_role("button", name="remove").click()
    assert _count(page) == "8 pairs"


def test_verdicts_are_filters_and_stand_on_the_cards(page: "Page", gallery: Gallery) -> None:
    data = data_of(gallery.page)
    failing = sum(map(bool, data["verdicts"]["failed"]))
    assert failing
    page.get_by_label("beyond exposure", exact=False).check()
    assert _count(page) in {f"{failing} of 8 pairs", "8 pairs"}
    assert "exposure" in page.locator(".card .fails").first.inner_text()


def test_it_sorts_by_any_metric_in_both_directions(page: "Page", gallery: Gallery) -> None:
    data = data_of(gallery.page)
    values = column_of(data, "degraded_metrics_identity")
    names = [
        f"{data['photos']['number'][photo]:05d} light {light + 1}"
        for photo, light in zip(data["rows"]["photo"], data["rows"]["variant"], strict=True)
    ]
    order = sorted(range(8), key=lambda place: values[place])
    page.select_option("#sort", "degraded_metrics_identity")
    assert _numbers(page)[0] == names[order[0]]
    page.click("#direction")
    assert _numbers(page)[0] == names[order[-1]]
    assert f"identity {values[order[-1]]:g}" in page.locator(".card .first").first.inner_text()


def test_failures_have_their_photo_and_their_reason(page: "Page") -> None:
    page.get_by_role("tab", name="failed").click()
    cat, broken = page.locator(".card").all()
    assert "no_person" in cat.inner_text()
    assert _pixels(cat.locator(".cell").screenshot()).std() > 20
    assert "image_corrupt" in broken.inner_text()
    assert "no picture" in broken.inner_text()


def test_the_slider_shows_target_and_condition_at_full_size(page: "Page", split: Bench) -> None:
    page.locator(".card").first.click()
    pictures = page.locator("#pictures")
    assert eventually(lambda: page.locator("#pictures img").first.evaluate("i => i.complete && i.naturalWidth") > 0, 10)
    height, width = cv2.imread(str(split.layout.png(0, "input"))).shape[:2]  # type: ignore[union-attr]
    box = pictures.bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (width, height)  # 1:1
    names = pictures.locator("img").evaluate_all("all => all.map(i => i.src.split('/').pop())")
    assert names == ["00000_v1_output.png", "00000_input.png"]
    page.mouse.move(box["x"] + width - 1, box["y"] + height / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + width * 0.25, box["y"] + height / 2, steps=4)
    page.mouse.up()
    assert page.locator("#pictures .over").evaluate("i => i.style.clipPath").startswith("inset(0px 75")
    page.keyboard.press("Space")
    assert page.locator("#pictures .over").evaluate("i => i.style.clipPath") == "inset(0px 0% 0px 0px)"


def test_mask_and_albedo_on_keys(page: "Page", split: Bench) -> None:
    page.locator(".card").first.click()
    page.keyboard.press("m")
    shown = page.locator("#pictures img")
    assert eventually(lambda: shown.evaluate("i => i.complete && i.src.endsWith('00000_foreground.png')"), 10)
    mask = _pixels(page.locator("#pictures").screenshot())
    alpha = cv2.imread(str(split.layout.png(0, "foreground")), cv2.IMREAD_UNCHANGED)[..., 3]  # type: ignore[index]
    assert np.abs(mask[..., 0].astype(int) - alpha).mean() < 3
    page.keyboard.press("a")
    assert page.locator("#pictures img").get_attribute("src") == "../00000_albedo.png"
    page.keyboard.press("a")
    assert page.locator("#pictures img").count() == 2
    page.keyboard.press("ArrowRight")
    assert "00000 light 2" in page.locator("#viewer-title").inner_text()


def test_what_is_decided_is_downloaded_as_the_review_that_exports_read(page: "Page", split: Bench) -> None:
    page.locator(".card").first.get_by_role("button", name="keep").click()
    page.locator(".card").nth(2).click()
    page.keyboard.press("d")
    page.fill("#reason", 'wax, "shiny"')
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    assert page.locator("#viewer-decision").inner_text() == "drop"  # of the photo, so of its other light
    page.keyboard.press("ArrowRight")
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    _reopened(page)
    assert page.locator("#decided").inner_text() == "1 keep, 1 drop, 1 forget"
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "train_review.csv"
    path = review_path(split.csv_path, "train")
    download.value.save_as(path)
    try:
        _assert_review(path, split.split())
    finally:
        path.unlink()


def _reopened(page: "Page") -> None:
    page.reload()
    page.locator(".card .cell div").first.wait_for()


def _assert_review(path: Path, split: SplitCsv) -> None:
    first, second, third = split.table["image_path"].iloc[:3]
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["image_path", "decision", "reason", "forget"],
        [first, "keep", "", ""],
        [second, "drop", 'wax, "shiny"', ""],
        [third, "drop", "", "yes"],
    ]
    assert dropped_photos(split, None) == {second, third}
    assert photos_to_forget(split, None) == [third]


def test_it_starts_from_the_review_and_gives_it_back_with_what_changed(
    browser: "Browser", split: Bench, gallery: Gallery
) -> None:
    first, second = split.split().table["image_path"].iloc[:2]
    path = review_path(split.csv_path, "train")
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_path", "decision", "by"], [first, "drop", "Ann"], [second, "keep", "Ben"]])
    try:
        made = write_gallery(split.state(RECIPE), split.settings, STRICT)
        with browser.new_context(accept_downloads=True) as context:
            page = context.new_page()
            _open(page, made.page)
            assert page.locator("#decided").inner_text() == "1 keep, 1 drop"
            page.locator(".card").nth(2).get_by_role("button", name="drop").click()
            with page.expect_download() as download:
                page.click("#download")
            found = Path(download.value.path()).read_text("utf-8").splitlines()
    finally:
        path.unlink()
        write_gallery(split.state(RECIPE), split.settings, STRICT)
    rows = list(csv.reader(found))
    assert rows[0] == ["image_path", "decision", "reason", "forget", "by"]
    assert [row[1:] for row in rows[1:]] == [["drop", "", "", "Ann"], ["drop", "", "", "Ben"]]


def test_away_from_its_split_it_shows_thumbnails_and_says_so(page: "Page", gallery: Gallery, tmp_path: Path) -> None:
    alone = tmp_path / "index.html"
    alone.write_bytes(gallery.page.read_bytes())
    _open(page, alone)
    page.locator(".card").first.click()
    note = page.locator("#stage-note")
    note.wait_for()
    assert note.inner_text() == "The full picture is not beside the gallery; this is its thumbnail."
    assert eventually(lambda: page.locator("#pictures img").first.evaluate("i => i.naturalWidth") > 64, 10)


def test_sprites_beside_the_page_are_loaded_when_they_are_seen(
    browser: "Browser", split: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.reports.gallery.gallery.ROWS_OF_SPRITE", 2)
    made = write_gallery(split.state(RECIPE), split.settings, STRICT, most_in_one_file=0)
    try:
        assert made.sprites == 6  # one photo, of two lights, each; two photos failed
        loaded: list[str] = []
        with browser.new_context(viewport={"width": 640, "height": 400}) as context:
            page = context.new_page()
            page.on("requestfinished", lambda request: loaded.append(request.url))
            _open(page, made.page)
            first = len({url for url in loaded if url.endswith(".js")})
            page.locator("#scroller").evaluate("e => { e.scrollTop = e.scrollHeight; }")
            assert eventually(lambda: "00003 light 2" in _numbers(page), 10)
            assert eventually(lambda: page.locator(".card").last.locator(".cell div").count() == 2, 10)
            assert 0 < first < 4
            assert len({url for url in loaded if url.endswith(".js")}) >= 4
    finally:
        monkeypatch.undo()
        write_gallery(split.state(RECIPE), split.settings, STRICT)


def test_of_12_000_rows_those_alone_that_are_seen_are_in_the_page(
    browser: "Browser", gallery: Gallery, tmp_path: Path
) -> None:
    many = tmp_path / "index.html"
    many.write_text(_repeated(gallery.page, 12_000), encoding="utf-8")
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        _open(page, many)
        assert _count(page) == "12,000 pairs"
        assert 0 < page.locator(".card").count() < 60
        page.select_option("#sort", " path")
        page.click("#direction")
        assert page.locator(".card").first.get_attribute("title").startswith("11999-")  # type: ignore[union-attr]
        page.locator("#scroller").evaluate("e => { e.scrollTop = e.scrollHeight; }")
        assert eventually(lambda: page.locator(".card").last.get_attribute("title").startswith("00000-"), 10)  # type: ignore[union-attr]
        assert page.locator(".card").count() < 60


def _repeated(path: Path, count: int) -> str:
    """The page with so many pairs, each a photo of its own."""
    text, data = path.read_text("utf-8"), data_of(path)
    pairs = len(data["rows"]["photo"])
    some = [place % pairs for place in range(count)]
    photos = [data["rows"]["photo"][place] for place in some]
    data["photos"] = {name: [values[photo] for photo in photos] for name, values in data["photos"].items()}
    data["photos"]["path"] = [f"{number:05d}-{name}" for number, name in enumerate(data["photos"]["path"])]
    data["rows"] = {"photo": list(range(count)), "variant": [data["rows"]["variant"][place] for place in some]}
    data["verdicts"]["failed"] = [data["verdicts"]["failed"][place] for place in some]
    for column in data["labels"]:
        values = [column["values"][place] for place in some]
        column["values"] = "".join(values) if column["kind"] == "flag" else values
    data["photosOfSprite"] = count
    start = text.index('id="data">') + len('id="data">')
    end = text.index("</script>", start)
    return text[:start] + json_text(data) + text[end:]
