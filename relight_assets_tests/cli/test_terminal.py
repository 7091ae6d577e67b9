"""What the command line says of photos that are there twice, and of those that were turned away."""

import os
from dataclasses import replace

from rich.console import Console

from relight_assets.cli.terminal import FAULTS_SHOWN, _duplicates_sentence, _thirds_table, _told_rejections, status_of
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.quality.duplicates import Pair, Photo
from relight_assets.quality.thresholds import SOME, Measured, terciles
from relight_assets.stages.image_metrics import ImageMetrics
from relight_assets_tests.conftest import PORTRAITS, Bench

FINE = ImageMetrics(0.95, 0.7, -0.2, 0.2, 0.0, 0.0, 0.2, 1.0, 0, 0.0)


def pair(own: int, other: int, bits: int | None) -> Pair:
    one, two = (Photo("train", f"{index}.png", str(index), None, index) for index in (own, other))
    return Pair(one, two, bits)


def test_twins_are_told_by_number_and_not_endlessly() -> None:
    assert _duplicates_sentence([pair(4, 0, None), pair(7, 2, 9)]) == (
        "photos that are there twice: 0 = 4; photos that are nearly the same: 2 ~ 7 (9 of 256 bits)"
    )
    many = _duplicates_sentence([pair(index + 1, index, None) for index in range(FAULTS_SHOWN + 3)])
    assert many.endswith("19 = 20, and 3 more")


def test_rejections_are_told_by_thirds_of_skin() -> None:
    thirds = terciles([Measured(i, "specular", (0.0, 0.0, 1.0), 20.0 + i, FINE) for i in range(3 * SOME)])
    assert _told_rejections(thirds, [1.0, 2.0, 99.0]) == "turned away by photo_qa: 2 dark, 0 middle, 1 light"


def test_a_metric_that_no_picture_of_a_third_has_is_an_empty_cell() -> None:
    bare = replace(FINE, chroma=None)
    found = [Measured(i, "specular", None, 20.0 + i, bare if i < SOME else FINE) for i in range(3 * SOME)]
    table = _thirds_table(terciles(found))
    assert list(table.columns[-1].cells) == ["", "0.200", "0.200"]
    assert list(table.columns[3].cells) == ["0.950"] * 3


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
        console.print(status_of(bench.settings, Recipe()).table)
    return captured.get()
