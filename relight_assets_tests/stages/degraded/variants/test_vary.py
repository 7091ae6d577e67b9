"""Lights of one photo differ in one attribute: no number of another one changes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.exposure import seen_colors
from relight_assets.stages.degraded.light_sampler import Attribute, Streams
from relight_assets.stages.degraded.sampler import Relit, relight
from relight_assets.stages.degraded.variants import vary
from relight_assets.stages.degraded.variants.vary import attributes_of, varied
from relight_assets_tests.stages.degraded.lights import light_of
from relight_assets_tests.stages.degraded.scenes import face_scene

FAMILIES = ("soft_shading", "hard_shadow", "specular", "none")
DRAWN = {
    Attribute.DIRECTION: {"highlight_lights", "rim_lights", "front_light", "second_lamp", "environment_turn"},
    Attribute.SOFTNESS: {"lamp_size", "wrap", "penumbra", "penumbra_widening", "highlight_half_angle"},
    Attribute.COLOR: {
        "key_temperature",
        "key_tint",
        "ambient_temperature",
        "white_balance",
        "highlight_temperatures",
        "rim_colors",
        "gels",
        "gels_swapped",
        "gel_saturation",
        "screen",
        "lamp_color",
    },
    Attribute.STRENGTH: {
        "ambient",
        "key_share",
        "shadow_level",
        "specular_gain",
        "rim_gains",
        "rim_sheen",
        "gel_balance",
        "sky_level",
        "ground_level",
        "environment_fill",
    },
    Attribute.PATTERN: {"pattern_type", *(f"pattern_{name}" for name in (
        "rotation", "tilt", "offset", "coverage", "face_coverage", "wavelength", "periods", "phases", "bend", "size",
        "panes", "bar", "width", "corner",
    ))},
}  # fmt: skip
"""The drawn numbers of each attribute."""
MEASURED = {"shadow_coverage", "environment_key_share"}
DIRECTION, SOFTNESS, COLOR, STRENGTH = list(Attribute)[:4]
OF_KINDS = {
    "back": (DIRECTION, COLOR, STRENGTH),
    "gels": (DIRECTION, SOFTNESS, COLOR, STRENGTH),
    "screen": (DIRECTION, COLOR, STRENGTH),
    "sky": (DIRECTION, SOFTNESS, COLOR, STRENGTH),
    "ring": (SOFTNESS, COLOR, STRENGTH),
    "dish": (DIRECTION, SOFTNESS, COLOR, STRENGTH),
    "window": (DIRECTION, SOFTNESS, COLOR, STRENGTH),
    "environment": (DIRECTION, COLOR, STRENGTH),
}
"""What each kind of studio light, and a panorama, can differ in."""


def streams_of(variant: int) -> Streams:
    return lambda purpose: stream(4, "", variant, purpose)


def first_light(family: str, **options: Any) -> Relit:
    sections = {name: {"weight": float(name == family)} for name in FAMILIES}
    degradation = Degradation.model_validate(sections | options)
    return relight(face_scene(), degradation, LightSampling(), streams_of(0))


def cases() -> Iterator[Any]:
    for attribute in Attribute:
        for family in ("soft_shading", "hard_shadow", "specular"):
            if attribute != Attribute.PATTERN or family == "hard_shadow":
                yield pytest.param(attribute, family, id=f"{attribute.value}-{family}")


@pytest.mark.parametrize(("attribute", "family"), list(cases()))
def test_only_numbers_of_the_attribute_differ(
    attribute: Attribute, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"kinds": {"none": 0} if attribute != Attribute.DIRECTION else {"none": 1e6}}
    first = first_light(family, hard_shadow={"weight": float(family == "hard_shadow")} | kinds)
    monkeypatch.setattr(vary, "attributes_of", lambda _light: [attribute])
    assert_only_differs_in(attribute, first)


@pytest.mark.parametrize("kind", OF_KINDS)
def test_studio_lights_and_panoramas_differ_in_one_attribute(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = relight(face_scene(), light_of(kind), LightSampling(), streams_of(0))
    has_bars = first.numbers["has_pattern"]
    assert attributes_of(first) == [each for each in OF_KINDS[kind] if each != Attribute.DIRECTION or not has_bars]
    for attribute in attributes_of(first):
        monkeypatch.setattr(vary, "attributes_of", lambda _light, only=attribute: [only])
        assert_only_differs_in(attribute, first)


def test_a_windows_bars_fit_one_place_and_their_edges_change_with_the_softness() -> None:
    lights = (relight(face_scene(), light_of("window"), LightSampling(), streams_of(each)) for each in range(20))
    first = next(light for light in lights if light.numbers["has_pattern"])
    assert attributes_of(first) == [Attribute.SOFTNESS, Attribute.COLOR, Attribute.STRENGTH]


def assert_only_differs_in(attribute: Attribute, first: Relit) -> None:
    found, lights = varied(first, [streams_of(31), streams_of(32)], stream(0, "", 0, "order"))
    assert found == attribute
    assert lights[0] is first
    drawn = [light.draft.sampled.numbers | drawn_strength(light) for light in lights]
    changed = {name for name in drawn[0] if any(drawn[0][name] != other.get(name) for other in drawn[1:])}
    changed -= MEASURED
    if first.family == "environment" and attribute == Attribute.DIRECTION:
        changed -= {"specular_gain"}  # the drawn gain times the lamp's share, which is another once the room is turned
    assert changed <= DRAWN[attribute]
    directions = {light.direction for light in lights}
    assert len(directions) == (3 if attribute == Attribute.DIRECTION else 1)
    assert changed or attribute == Attribute.DIRECTION
    colors = [seen_colors(light.draft.sampler.scene, light.seen) for light in lights]
    assert all(np.abs(colors[0] - other).max() > 0.003 for other in colors[1:])


def drawn_strength(light: Relit) -> dict[str, Any]:
    return light.seen.shading.numbers | {"white_balance": list(light.draft.camera.white_balance)}


def test_what_a_light_can_differ_in() -> None:
    plain, patterned = (
        first_light("hard_shadow", hard_shadow={"weight": 1, "kinds": {"none": weight}}) for weight in (1e6, 0)
    )
    assert attributes_of(plain) == [Attribute.DIRECTION, Attribute.SOFTNESS, Attribute.COLOR, Attribute.STRENGTH]
    assert attributes_of(patterned) == [Attribute.SOFTNESS, Attribute.COLOR, Attribute.STRENGTH, Attribute.PATTERN]
    assert attributes_of(first_light("none")) == [Attribute.COLOR]


def test_the_same_streams_give_the_same_lights() -> None:
    lights = [
        varied(first_light("specular"), [streams_of(1)], stream(0, "", 0, "order"))[1][1].numbers for _ in range(2)
    ]
    assert lights[0] == lights[1]


def test_where_no_attribute_gives_a_strong_light_the_photo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_weak(*_: object) -> None:
        raise WeakPairError("too weak")

    first = first_light("specular")
    monkeypatch.setattr(vary, "redrawn", too_weak)
    with pytest.raises(WeakPairError, match="too weak"):
        varied(first, [streams_of(1)], stream(0, "", 0, "order"))
