"""What is counted over pairs is what their labels say."""

from collections import Counter
from typing import Any

import pytest

from relight_assets.dataset.record_types import Record, StageEntry
from relight_assets.exports.cards.counts import Counts, ordered
from relight_assets.exports.rows.labels import columns
from relight_assets.exports.rows.maker import Maker
from relight_assets.storage.files import SourceInfo

SOURCE = SourceInfo("0" * 64, 1, "m:1", 64, 64)


def record(number: int = 0, **given: Any) -> Record:
    stages = {
        "masks": StageEntry("1" * 64, {}, code="9", numbers={"segmenter": "selfie", "segmenter_sha256": "a" * 64})
    }
    known: dict[str, Any] = {"seed": 0, "recipe": {}, "package_version": "1.0", "stages": stages} | given
    return Record(index=number, image_path="a.png", source=SOURCE, **known)


def labels(**given: Any) -> dict[str, Any]:
    return (
        dict.fromkeys(columns())
        | {"family": "specular", "caption_source": "measured", "width": 64, "height": 64}
        | given
    )


def counted(*rows: tuple[int, dict[str, Any]]) -> Counts:
    counts = Counts()
    for number, given in rows:
        counts.add(record(number), labels(**given))
    return counts


def test_pairs_and_photos_by_licence() -> None:
    counts = counted((0, {"licence": "A"}), (0, {"licence": "A"}), (1, {"licence": "A"}), (2, {}))
    assert (counts.pairs, counts.photos) == (4, 3)
    assert counts.licences == {"A": 3, "none given": 1}
    assert counts.photos_by_licence == {"A": 2, "none given": 1}


def test_lights_sizes_and_networks() -> None:
    counts = counted(
        (0, {"light_direction_word": "left", "albedo_method": "learned", "degraded_geometry": "depth_model"}),
        (1, {"light_direction_word": "left", "photo_light_direction_word": "right", "degraded_geometry": "depth_file"}),
        (2, {"family": None, "width": 128}),
    )
    assert counts.families == {"specular": 2, "not known": 1}
    assert counts.backgrounds == {"not known": 3}
    assert counts.directions == {"left": 2, "not known": 1}
    assert counts.photo_directions == {"right": 1, "not known": 2}
    assert counts.sizes == {(64, 64): 2, (128, 64): 1}
    assert counts.networks == {"albedo_model": 1, "geometry_model": 1}


def test_thirds_of_skins() -> None:
    skins = [70.0, 30.0, 50.0, None, 31.0, 51.0, 71.0]
    counts = counted(*((n, {"masks_skin_lightness": skin, "family": "ab"[n % 2]}) for n, skin in enumerate(skins)))
    thirds = counts.skin_thirds()
    assert [(third.low, third.high) for third in thirds[:3]] == [(30.0, 31.0), (50.0, 51.0), (70.0, 71.0)]
    assert [third.families for third in thirds[:3]] == [{"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 2}]
    assert (thirds[3].has_skin, thirds[3].families) == (False, {"b": 1})


@pytest.mark.parametrize("skins", [[], [40.0], [40.0, 40.0, 40.0, 40.0]])
def test_thirds_of_few_or_equal_skins_hold_every_pair_once(skins: list[float]) -> None:
    thirds = counted(*((n, {"masks_skin_lightness": skin}) for n, skin in enumerate(skins))).skin_thirds()
    assert sum(third.families.total() for third in thirds) == len(skins)
    assert all(third.has_skin for third in thirds)


def test_equally_frequent_ones_are_in_the_order_of_their_names() -> None:
    assert ordered(Counter({"b": 1, "a": 1, "c": 2})) == [("c", 2), ("a", 1), ("b", 1)]


def test_who_made_a_pair() -> None:
    first = Maker.of(record(recipe={"masks": {"persons": "union"}}))
    assert (first.differences, first.code_versions) == ({"masks": {"persons": "union"}}, (("masks", "9"),))
    assert (first.segmenter, first.segmenter_sha256) == ("selfie", "a" * 64)
    assert Maker.of(record(recipe=None)).differences is None
    others = [record(), record(seed=1), record(package_version="1.1"), record(recipe={"seed": 3})]
    assert len({Maker.of(each).digest for each in others}) == 4
    assert Maker.of(record(5)) == Maker.of(record(6)), "whose image it is does not count"
