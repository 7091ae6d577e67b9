"""What `relight verify` prints of duplicates, and of photos that were rejected."""

from dataclasses import replace

from relight_assets.cli.terminal.verification import (
    FAULTS_SHOWN,
    _describe_duplicates,
    _describe_rejections,
    _thirds_table,
)
from relight_assets.quality.duplicates.pairs import Pair, Photo
from relight_assets.quality.fairness import terciles
from relight_assets.quality.measured import SOME, Measured
from relight_assets.stages.image_metrics import ImageMetrics

FINE = ImageMetrics(0.95, 0.7, -0.2, 0.2, 0.0, 0.0, 0.2, 1.0, 0, 0.0)


def pair(own: int, other: int, bits: int | None) -> Pair:
    one, two = (Photo("train", f"{index}.png", str(index), None, index) for index in (own, other))
    return Pair(one, two, bits)


def test_duplicates_are_listed_by_number_and_not_endlessly() -> None:
    assert _describe_duplicates([pair(4, 0, None), pair(7, 2, 9)]) == (
        "duplicates: 0 = 4; near duplicates: 2 ~ 7 (9 of 256 bits)"
    )
    many = _describe_duplicates([pair(index + 1, index, None) for index in range(FAULTS_SHOWN + 3)])
    assert many.endswith("19 = 20, and 3 more")


def test_rejections_are_reported_by_thirds_of_skin() -> None:
    thirds = terciles([Measured(i, "specular", (0.0, 0.0, 1.0), 20.0 + i, FINE) for i in range(3 * SOME)])
    assert _describe_rejections(thirds, [1.0, 2.0, 99.0]) == "rejected by photo_qa: 2 dark, 0 middle, 1 light"


def test_a_metric_that_no_image_of_a_third_has_is_an_empty_cell() -> None:
    bare = replace(FINE, chroma=None)
    found = [Measured(i, "specular", None, 20.0 + i, bare if i < SOME else FINE) for i in range(3 * SOME)]
    table = _thirds_table(terciles(found))
    assert list(table.columns[-1].cells) == ["", "0.200", "0.200"]
    assert list(table.columns[3].cells) == ["0.950"] * 3
