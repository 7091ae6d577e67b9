"""What somebody sees and clicks in the Dagster UI, in a real browser."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from relight_assets.dataset.layout import SplitLayout
from relight_assets_tests.browser.conftest import SPLITS, Process, Ui, eventually
from relight_assets_tests.conftest import assert_records_tell_the_truth, sha256

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ASSETS = ("split_csv", "masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters")
RUN_MS = 120_000


def test_a_partition_shows_its_numbers_and_its_contact_sheet(page: "Page") -> None:
    page.goto("/assets/composites?view=partitions&partition=train")

    assert _metadata(page, "rows").inner_text() == str(len(SPLITS["train"]))
    assert _metadata(page, "rows_done").inner_text() == "2"
    assert _metadata(page, "rows_failed").inner_text() == "1"  # the cat
    sheet = _metadata(page, "contact_sheet").locator("img")  # at once, without a click
    sheet.wait_for(state="visible")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=sheet.element_handle())
    shown = sheet.bounding_box()
    assert shown is not None
    assert shown["width"] > 300


def test_the_failures_are_a_table(page: "Page") -> None:
    page.goto("/assets/dead_letters?view=partitions&partition=train")

    assert _metadata(page, "dagster/row_count").inner_text() == "1"
    failures = _metadata(page, "failures").locator("table")
    assert "no_person" in failures.inner_text()
    assert "cat.png" in failures.inner_text()


def test_the_lineage_shows_all_assets_and_no_invitation(page: "Page", ui: Ui) -> None:
    page.goto("/asset-groups")

    for asset in ASSETS:
        page.locator("svg foreignObject").filter(has_text=asset).first.wait_for(state="visible")
    assert page.locator("svg foreignObject").count() == len(ASSETS)
    assert page.get_by_role("dialog").count() == 0  # "Join the community"
    assert not [*ui.home.rglob(".telemetry"), *ui.home.rglob("event.log*")]  # what would be sent to Dagster


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
