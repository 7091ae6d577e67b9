"""Captions say what was measured of the photo's light, and nothing else."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.errors import ConfigError
from relight_assets.exports.base import Caption
from relight_assets.exports.rows.captions import WORDS, ShownLight, angles, caption_of, direction_words, read_words

LIGHT = ShownLight((0.7071, -0.5, 0.5), 0.8, 0.5)


def unit(azimuth: float, elevation: float) -> tuple[float, float, float]:
    a, e = math.radians(azimuth), math.radians(elevation)
    return math.sin(a) * math.cos(e), -math.sin(e), math.cos(a) * math.cos(e)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "words"),
    [
        (0, 0, ["front"]),
        (22, 0, ["front"]),
        (23, 0, ["front right"]),
        (-23, 0, ["front left"]),
        (90, 30, ["right", "high"]),
        (-90, -20, ["left", "low"]),
        (135, 0, ["back right"]),
        (-135, 0, ["back left"]),
        (180, 0, ["back"]),
        (40, 61, ["above"]),
        (40, -61, ["below"]),
    ],
)
def test_ten_words_for_directions_as_seen_in_the_picture(azimuth: float, elevation: float, words: list[str]) -> None:
    assert direction_words(unit(azimuth, elevation)) == words


@given(st.floats(-179, 179), st.floats(-89, 89))
def test_angles_are_those_of_the_vector(azimuth: float, elevation: float) -> None:
    found = angles(unit(azimuth, elevation))
    assert found == pytest.approx((azimuth, elevation), abs=1e-4)


KEEP = "Keep identity, expression, clothes and framing."


@pytest.mark.parametrize(
    ("light", "text"),
    [
        (LIGHT, f"Relight the person with moderate light from the front right, high. {KEEP}"),
        (ShownLight(None, 0.9, 0.2), f"Relight the person with soft light. {KEEP}"),
        (ShownLight((1, 0, 0), 0.9, None), f"Relight the person with light from the right. {KEEP}"),
        (ShownLight((1, 0, 0), 0.49, None), "Relight the person."),
        (ShownLight(None, 0.0, None), "Relight the person."),
        (None, "Relight the person."),
    ],
)
def test_what_is_not_known_is_not_said(light: ShownLight | None, text: str) -> None:
    assert caption_of(ExportOptions(), WORDS, "", light).text == text


def test_sources_in_order_of_trust() -> None:
    def source(asked: str, cell: str, light: ShownLight | None) -> tuple[str, str]:
        found = caption_of(ExportOptions(caption=asked, trigger="relit:"), WORDS, cell, light)  # type: ignore[arg-type]
        return found.source, found.text.partition(" ")[2][:7]

    assert source("auto", " a  lamp\nby night ", LIGHT) == ("column", "a lamp ")
    assert source("auto", "", LIGHT) == ("measured", "Relight")
    assert source("auto", "", None) == ("fixed", "Relight")
    assert source("measured", "a lamp", LIGHT)[0] == "measured"
    assert source("fixed", "a lamp", LIGHT)[0] == "fixed"
    assert source("column", "", LIGHT)[0] == "fixed"
    assert source("auto", " NaN ", None) == ("fixed", "Relight")
    assert source("auto", "null", LIGHT)[0] == "measured"
    assert caption_of(ExportOptions(caption="none"), WORDS, "a lamp", LIGHT) == Caption("", "none")


def test_keywords() -> None:
    options = ExportOptions(form="keywords", trigger="relit")
    assert caption_of(options, WORDS, "", LIGHT).text == "relit moderate light, from the front right, high"


@given(st.text(), st.none() | st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)), st.floats(0, 1))
def test_no_caption_is_empty_and_none_has_a_line_break(
    cell: str, direction: tuple[float, float, float] | None, reliability: float
) -> None:
    text = caption_of(ExportOptions(), WORDS, cell, ShownLight(direction, reliability, None)).text
    assert text.strip()
    assert len(text.splitlines()) == 1


def test_a_drawn_light_is_described_as_drawn() -> None:
    found = caption_of(ExportOptions(), WORDS, "", ShownLight.drawn({"light_direction": [1.0, 0.0, 0.0]}))
    assert found == Caption(f"Relight the person with light from the right. {KEEP}", "drawn")


def test_other_words(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(
        "instruction: 'Beleuchte neu: {light}.'\nlight: Licht\nmoderate: mittleres\nfront right: von vorne rechts\n"
    )
    assert caption_of(ExportOptions(), read_words(path), "", ShownLight(LIGHT.direction, 1, 0.5)).text == (
        "Beleuchte neu: mittleres Licht von vorne rechts, high."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("softt: weich\n", "unknown word `softt`; did you mean `soft`"),
        ("soft: 3\n", "`soft` in .* must be a text"),
        ("- a\n", "must hold `key: value` lines, found a list"),
        ("instruction: light it\n", "must hold {light}"),
        ("a: [\n", "line 2|not YAML|expected"),
    ],
)
def test_words_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_words(path)
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        read_words(tmp_path / "none.yaml")
