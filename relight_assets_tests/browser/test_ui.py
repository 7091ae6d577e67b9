"""What somebody sees and clicks in the Dagster UI, in a real browser."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets_tests.browser.conftest import (
    CLICK_MS,
    LONG,
    LONG_SPLIT,
    SPLITS,
    Process,
    Ui,
    eventually,
    write_csv,
)
from relight_assets_tests.conftest import assert_records_tell_the_truth, sha256

pytestmark = pytest.mark.servers

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ASSETS = (
    *("split_csv", "masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters", "samples", "gallery"),
)
STAGES = ASSETS[1:5]
RECIPES = 4
"""Observed sources with the names of the stages."""

MARGIN = 24
"""Pixels of a page of the UI, beyond which it cuts off."""
RUN_MS = 120_000


def test_a_partition_shows_its_numbers_and_its_contact_sheet(page: "Page") -> None:
    page.goto("/assets/composites?view=partitions&partition=train")

    assert _metadata(page, "rows").inner_text() == str(len(SPLITS["train"]))
    assert _metadata(page, "rows_done").inner_text() == "2"
    assert _metadata(page, "rows_failed").inner_text() == "1"  # the cat
    sheet = _metadata(page, "contact_sheet").locator("img")  # at once, without a click
    sheet.wait_for(state="visible")
    page.wait_for_function("image => image.complete && image.naturalWidth > 400", arg=sheet.element_handle())
    shown = sheet.bounding_box()
    assert shown is not None
    assert shown["width"] > 300


def test_the_failures_are_a_table(page: "Page") -> None:
    page.goto("/assets/dead_letters?view=partitions&partition=train")

    assert _metadata(page, "dagster/row_count").inner_text() == "1"
    failures = _metadata(page, "failures").locator("table")
    assert "no_person" in failures.inner_text()
    assert "cat.png" in failures.inner_text()


@pytest.mark.parametrize("asset", ASSETS[1:-2])
def test_nothing_is_cut_off_in_a_window_of_1280_pixels(page: "Page", asset: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/assets/{asset}?view=partitions&partition=train")
    _metadata(page, "rows" if asset in STAGES else "path").wait_for(state="visible")
    for sheet in page.locator("table img").all():
        page.wait_for_function("image => image.complete", arg=sheet.element_handle())
    ends = page.locator("table td, table img").evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
    assert len(ends) > 10
    assert max(ends) <= 1280 - MARGIN


def test_the_lineage_shows_all_assets_and_no_invitation(page: "Page", ui: Ui) -> None:
    page.goto("/asset-groups")

    for asset in (*ASSETS, "experiments"):
        page.locator("svg foreignObject").filter(has_text=asset).first.wait_for(state="visible")
    assert page.locator("svg foreignObject").count() == len(ASSETS) + 1 + RECIPES
    assert page.get_by_role("dialog").count() == 0  # "Join the community"
    for above, folders, files in os.walk(ui.home):  # what would be sent to Dagster
        assert not [name for name in (*folders, *files) if name == ".telemetry" or name.startswith("event.log")], above


def test_runs_of_the_command_line_are_listed(page: "Page") -> None:
    page.goto("/runs")

    launched = page.get_by_text("relight/launched_by: relight run")
    launched.nth(len(SPLITS) - 1).wait_for(state="visible")
    assert launched.count() == len(SPLITS)
    for split in SPLITS:
        assert page.get_by_text(f"partition: {split}", exact=True).count() > 0
    assert page.get_by_text("Success", exact=True).count() >= len(SPLITS)


def test_a_split_is_brought_up_to_date_by_clicks(page: "Page", ui: Ui) -> None:
    lost = ui.outputs("val") / "00001_output.png"
    before = sha256(lost)
    lost.unlink()

    with _workers_seen(ui) as seen:
        page.goto("/asset-groups")
        _launch(page, "val")
        assert _end_of_run(page) == "Success"

    assert sha256(lost) == before
    assert_records_tell_the_truth(SplitLayout(ui.outputs("val")))
    assert seen, "no worker process was seen during the run"
    assert eventually(lambda: not ui.workers(), 10), ui.workers()
    page.goto("/assets/composites?view=partitions&partition=val")
    assert _metadata(page, "computed").inner_text() == "1"
    assert _metadata(page, "reused").inner_text() == "1"


def test_the_gallery_of_a_split_is_a_link(page: "Page", ui: Ui) -> None:
    assert (ui.outputs("val") / "gallery" / "index.html").is_file()  # of the run before
    page.goto("/assets/gallery?view=partitions&partition=val")
    link = _metadata(page, "open").locator("a").first
    page.goto(str(link.get_attribute("href")))
    page.locator(".card .cell div").first.wait_for(state="visible")
    assert page.locator("#title small").inner_text() == "2 pairs"
    page.locator(".card").first.click()
    assert eventually(lambda: page.locator("#pictures img").first.evaluate("i => i.naturalWidth") > 200, 10)


def test_a_backfill_of_two_splits_by_clicks(page: "Page", ui: Ui) -> None:
    lost = [ui.outputs(split) / "00000_output.png" for split in SPLITS]
    before = [sha256(path) for path in lost]
    for path in lost:
        path.unlink()

    page.goto("/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.locator("[role=dialog][aria-modal=true]")
    dialog.get_by_text("Select a partition or create one").click()
    for split in SPLITS:
        page.get_by_role("menuitem").filter(has_text=split).click()
    dialog.get_by_text("Launch runs to materialize").click()  # closes the menu
    dialog.get_by_role("button", name="Launch backfill").click()
    page.get_by_text("Created backfill").wait_for(state="visible")
    page.get_by_text("View", exact=True).last.click()
    page.wait_for_url("**/runs/b/*")
    done = page.get_by_text("100% completed").nth(len(ASSETS) - 2)  # of all but the CSV, which is observed
    done.wait_for(state="visible", timeout=RUN_MS)

    assert [sha256(path) for path in lost] == before
    page.get_by_role("tab", name="Runs").click()
    page.get_by_text("Success", exact=True).nth(len(SPLITS) - 1).wait_for(state="visible")
    assert page.get_by_text("Success", exact=True).count() == len(SPLITS)  # one run each
    for split in SPLITS:
        assert page.get_by_text(f"partition: {split}", exact=True).count() > 0


def test_a_run_is_terminated_by_clicks_and_no_worker_is_left(page: "Page", ui: Ui) -> None:
    page.goto("/asset-groups")
    _launch(page, LONG_SPLIT)
    layout = SplitLayout(ui.outputs(LONG_SPLIT))
    assert eventually(lambda: ui.workers() and len(layout.numbers("metadata.json")) > 2, RUN_MS / 1000)

    page.get_by_role("button", name="Terminate").click()
    page.locator("[role=dialog]").get_by_role("button", name=re.compile("^Terminate")).click()

    assert eventually(lambda: not ui.workers(), 10), ui.workers()
    page.keyboard.press("Escape")
    assert _end_of_run(page) == "Canceled"
    assert len(layout.numbers("metadata.json")) < LONG
    assert_records_tell_the_truth(layout)
    (ui.folder / f"{LONG_SPLIT}_images.csv").unlink()  # so that nothing else runs it


def test_a_dropped_csv_becomes_a_partition_and_its_run_makes_images(page: "Page", ui: Ui, photos: Path) -> None:
    _switch(page, "new_csvs")
    write_csv(ui.folder, "dropped", [photos / "hopper_tall.png"])
    try:
        page.goto("/assets/composites?view=partitions")
        appeared = page.get_by_text("dropped", exact=True).first
        _reload_until(page, appeared.is_visible)
        output = ui.outputs("dropped") / "00000_output.png"
        assert eventually(output.exists, RUN_MS / 1000)
    finally:
        _switch(page, "new_csvs")
    page.goto("/assets/composites?view=partitions&partition=dropped")
    _reload_until(page, page.locator("img[src^='/logs/']").first.is_visible)
    assert _metadata(page, "rows_done").inner_text() == "1"


def _switch(page: "Page", name: str) -> None:
    """Switch a sensor or schedule on or off on the Automation page."""
    page.goto("/automation")
    row = page.get_by_text(name, exact=True).locator("xpath=ancestor::*[count(.//input[@type='checkbox'])=2][1]")
    switch = row.locator("input[type=checkbox]").last
    assert eventually(switch.is_enabled, CLICK_MS / 1000)
    before = switch.is_checked()
    switch.dispatch_event("click")  # it is drawn over
    assert eventually(lambda: switch.is_checked() != before, CLICK_MS / 1000)


def _reload_until(page: "Page", holds: Callable[[], bool]) -> None:
    def looked_anew() -> bool:
        page.wait_for_timeout(1000)
        if holds():
            return True
        page.reload()
        page.wait_for_timeout(1000)
        return holds()

    assert eventually(looked_anew, RUN_MS / 1000)


def _metadata(page: "Page", name: str) -> "Locator":
    """The value beside a name in the table of metadata."""
    row = page.locator("tr", has=page.locator("td:first-child", has_text=re.compile(rf"^\s*{re.escape(name)}\s*$")))
    row.first.wait_for(state="visible")
    return row.first.locator("> td").nth(1)


def _launch(page: "Page", split: str) -> None:
    """Materialize all assets of one split, and go to the run."""
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.locator("[role=dialog][aria-modal=true]")
    dialog.get_by_text("Select a partition or create one").click()
    page.get_by_role("menuitem").filter(has_text=split).click()
    dialog.get_by_text("Launch runs to materialize").click()  # closes the menu
    dialog.get_by_role("button", name="Launch 1 run").click()
    page.get_by_text("Launched run").wait_for(state="visible")
    page.get_by_text("View", exact=True).last.click()
    page.wait_for_url("**/runs/*")


def _end_of_run(page: "Page") -> str:
    state = page.get_by_text(re.compile("^(Success|Failure|Canceled)$")).first
    state.wait_for(state="visible", timeout=RUN_MS)
    return state.inner_text()


@contextmanager
def _workers_seen(ui: Ui) -> "Iterator[set[Process]]":
    """Collects the relight workers that live at some time meanwhile."""
    seen: set[Process] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            seen.update(ui.workers())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
