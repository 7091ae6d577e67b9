"""The table of `relight status`."""

import os

import pytest
from rich.console import Console

from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.storage import local
from relight_assets_tests.conftest import PORTRAITS, Bench


def test_status_tells_which_rows_are_unchecked_and_reads_no_file(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    assert "unchecked" not in shown(bench)
    for path in bench.layout.folder.glob("00001_*.png"):
        os.utime(path, (1, 1))
    assert "1 rows unchecked: their files have other times" in shown(bench)
    assert bench.run().tally.computed_images == 0
    assert "unchecked" not in shown(bench)


def test_status_that_trusts_says_how_many_images_were_not_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_TICK_NS", 0)  # as if the records were old
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    bench.layout.png(0, "output").unlink()
    assert "looked at" not in shown(bench)
    assert "train: 2 finished images were not looked at (--trust-state)" in shown(bench, trust=True)


def shown(bench: Bench, *, trust: bool = False) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(status_of(bench.settings, Recipe(), trust=trust).__rich__())
    return captured.get()
