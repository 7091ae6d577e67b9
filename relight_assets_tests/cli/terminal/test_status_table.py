"""The table of `relight status`."""

import os

from rich.console import Console

from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.recipe.recipe import Recipe
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


def shown(bench: Bench) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(status_of(bench.settings, Recipe()).__rich__())
    return captured.get()
