"""Reading the recipe: users' own files run, mistakes are reported clearly."""

import re
from pathlib import Path

import pytest
import yaml

from relight_assets.config.loader import load_recipe, parse_recipe
from relight_assets.config.parsing.validation import MAX_FAULTS
from relight_assets.config.recipe.degradation import family_names
from relight_assets.config.recipe.legacy_keys import SCRIPT_KEYS
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible

ROOT = Path(__file__).resolve().parents[2]

SCRIPTS = """
sam3: {enabled: true, text_prompt: "person", multimask_output: false}
sam2: {multimask_output: false}
albedo_extraction:
  methods:
    intrinsic_anything: {enabled: false, checkpoint_dir: "models/x"}
    retinex: {enabled: true, scales: [15, 80, 250]}
    lab: {enabled: true}
  selection: "priority"
  blend_with_original: {enabled: true, ratio_range: [0.15, 0.25]}
degradation:
  soft_shading:
    weight: 0.8
    normal_estimation: "MiDaS_small"
    ambient_range: [0.6, 0.85]
    specular_intensity_range: [0.05, 0.2]
    shininess_range: [10, 100]
    add_subtle_patterns: true
    pattern_opacity: [0.35, 0.6]
    pattern_blur_range: [21, 51]
  hard_shadow:
    weight: 0.0
    opacity_range: [0.1, 0.3]
    shadow_softness: 0.7
    blur_range: [31, 111]
    num_patterns: 200
    use_patterns: true
  specular: {weight: 0.0, intensity_range: [0.1, 0.5], shininess_range: [10, 100]}
  advanced_shading: {weight: 0.0}
light_sampling: {method: "hemisphere_uniform", elevation_range: [10, 80], azimuth_range: [0, 360]}
background: {use_gray: true, gray_color: [128, 128, 128]}
memory: {max_gpu_memory_gb: 22, clear_cache_between_stages: true}
paths: {data_root: "data", output_root: "data/outputs", models_root: "models"}
pipeline: {name: "ffhq_relighting_mvp", stages: [segmentation, albedo, shadow]}
"""


def leaves(data: object, prefix: str = "") -> set[str]:
    if not isinstance(data, dict):
        return {prefix}
    return set().union(*(leaves(value, f"{prefix}.{key}".lstrip(".")) for key, value in data.items()))


def test_the_shipped_recipe_is_the_defaults_and_names_every_key() -> None:
    file = ROOT / "config" / "mvp_config.yaml"
    loaded = load_recipe(file)
    assert loaded.recipe == Recipe()
    assert loaded.warnings == ()
    assert leaves(yaml.safe_load(file.read_text())) == leaves(Recipe().model_dump())


def test_a_file_of_the_scripts_runs_with_one_warning_for_each_ignored_key() -> None:
    loaded = parse_recipe(yaml.safe_load(SCRIPTS), "theirs.yaml", ROOT)
    ignored = {re.findall(r"`([^`]+)` is ignored", warning)[0] for warning in loaded.warnings}
    assert ignored == {
        "sam3.enabled",
        "sam3.multimask_output",
        "sam2",
        "albedo_extraction.methods.intrinsic_anything",
        "albedo_extraction.methods.lab",
        "albedo_extraction.selection",
        "albedo_extraction.blend_with_original",
        "degradation.soft_shading.normal_estimation",
        "degradation.soft_shading.add_subtle_patterns",
        "degradation.soft_shading.pattern_opacity",
        "degradation.soft_shading.pattern_blur_range",
        "degradation.hard_shadow.shadow_softness",
        "degradation.hard_shadow.blur_range",
        "degradation.hard_shadow.num_patterns",
        "degradation.hard_shadow.use_patterns",
        "degradation.advanced_shading",
        "memory",
        "paths",
        "pipeline",
    }
    assert len(loaded.warnings) == len(ignored)
    check_feasible(loaded.recipe)


def test_their_display_ranges_are_converted_to_linear_light() -> None:
    light = parse_recipe(yaml.safe_load(SCRIPTS), "theirs.yaml", ROOT).recipe.degradation
    assert light.soft_shading.ambient_linear == pytest.approx((0.319, 0.694), abs=0.002)
    assert light.soft_shading.specular_gain == pytest.approx((0.18, 0.85), abs=0.02)
    assert light.soft_shading.roughness == pytest.approx((0.374, 0.639), abs=0.002)
    assert light.hard_shadow.shadow_level == pytest.approx((0.448, 0.787), abs=0.002)


def test_the_table_has_every_key_of_their_file_and_stands_in_the_docs() -> None:
    for leaf in leaves(yaml.safe_load(SCRIPTS)):
        parents = {".".join(leaf.split(".")[:depth]) for depth in range(1, leaf.count(".") + 2)}
        assert any(re.fullmatch(key.pattern.replace("*", ".*"), name) for key in SCRIPT_KEYS for name in parents), leaf
    docs = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    for key in SCRIPT_KEYS:
        why = f" {key.why} " if key.why else " "
        assert f"| `{key.pattern}` | {key.fate} |{why}|" in docs


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("sead: 3", ["unknown key `sead`", "did you mean `seed`?"]),
        ("degradation: {soft_shading: {wieght: 1}}", ["`degradation.soft_shading.weight`?"]),
        ("background: {grey_color: [1, 2, 3]}", ["did you mean `background.gray_color`?"]),
        ("qqqq: 1", ["unknown key `qqqq`", "allowed here", "`seed`"]),
        ("seed: abc", ["`seed`", 'found "abc"', "whole number"]),
        ("seed: 1.5", ["`seed`", "found 1.5"]),
        ("seed: true", ["`seed`", "found true"]),
        ("background: {use_gray: 'yes'}", ["`background.use_gray`", "true or false"]),
        ("background: {gray_color: [0, 0, 256]}", ["`background.gray_color[2]`", "found 256", "255"]),
        ("background: {gray_color: [0, 0, -1]}", ["`background.gray_color[2]`", "found -1"]),
        ("background: {gray_color: [0, 0]}", ["`background.gray_color[2]`", "missing"]),
        ("background: gray", ["`background`", 'found "gray"', "section"]),
        ("light_sampling: {method: cone}", ['found "cone"', "hemisphere_uniform"]),
        ("degradation: {soft_shading: {ambient_range: [.8, .2]}}", ["ambient_range", "[0.8, 0.2]", "larger"]),
        ("degradation: {soft_shading: {ambient_range: []}}", ["ambient_range", "missing"]),
        ("degradation: {soft_shading: {ambient_range: [.nan, 1]}}", ["ambient_range", "from 0 to 1"]),
        ("degradation: {soft_shading: {ambient_range: 0.5}}", ["ambient_range", "list"]),
        ("degradation: {soft_shading: {weight: -1}}", ["`degradation.soft_shading.weight`", "found -1"]),
        ("degradation: {soft_shading: {weight: .inf}}", ["`degradation.soft_shading.weight`"]),
        (
            "degradation: {" + ", ".join(f"{name}: {{weight: 0}}" for name in family_names()) + "}",
            ["`degradation`", "sum to 0"],
        ),
        ("light_sampling: {elevation_range: [80, 85]}", ["do not overlap", "could never be lit"]),
        ("segmenter: sam2", ["`segmenter`", 'found "sam2"', "'selfie'"]),
        ("albedo_extraction: {methods: {retinex: {enabled: false}}}", ["cannot be switched off"]),
        ("seed: 1\nseed: 2", ["line 2", "`seed` is given twice"]),
        ("background: {use_gray: true, use_gray: false}", ["given twice"]),
        ("3: x", ["the key 3 is not text"]),
        ("- a\n- b", ["must hold `key: value` lines"]),
        ("seed: [1", ["not plain YAML"]),
        ("seed: 2001-99-99", ["not plain YAML"]),
        ("seed: !!int abc", ["not plain YAML"]),
        ("masks: &a {x: *a}", ["not plain YAML"]),
        ("seed: !!python/object/apply:os.system ['true']", ["not plain YAML"]),
    ],
)
def test_a_mistake_is_one_clear_error(tmp_path: Path, text: str, reported: list[str]) -> None:
    file = tmp_path / "my_recipe.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    message = str(caught.value)
    assert message.startswith(str(file))
    for part in reported:
        assert part in message


def test_thresholds_in_a_recipe_count_and_are_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text("seed: 3\nquality: {min_identity: 0.7, rim_range: [0.5, 2], max_comb: }\n", encoding="utf-8")
    loaded = load_recipe(file)
    assert loaded.recipe == Recipe(seed=3)
    assert loaded.quality.model_dump(exclude_unset=True) == {"min_identity": 0.7, "rim_range": (0.5, 2)}
    (warning,) = loaded.warnings
    assert warning.startswith(f"{file}: `quality` belongs in config/platform.yaml")


@pytest.mark.parametrize(
    ("section", "reported"),
    [
        ("{min_identty: 0.7}", "unknown key `quality.min_identty`; did you mean `quality.min_identity`?"),
        ("{min_identity: 7}", "`quality.min_identity`: found 7; must be less than or equal to 1"),
        ("{max_comb: '0.1'}", '`quality.max_comb`: found "0.1"; must be a number, such as 0.05'),
        ("[0.1]", "`quality`: found [0.1]; must be a section of `key: value` lines, such as {min_identity: 0.55}"),
    ],
)
def test_a_mistake_in_thresholds_is_one_clear_error(tmp_path: Path, section: str, reported: str) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(f"quality: {section}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    assert str(caught.value) == f"{file}: {reported}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_recipe(tmp_path / "none.yaml")


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n", encoding="utf-8")
    assert load_recipe(tmp_path / "empty.yaml").recipe == Recipe()


def test_an_empty_section_and_an_empty_key_keep_their_defaults() -> None:
    assert parse_recipe({"background": {}, "seed": None}, "x", ROOT).recipe == Recipe()


def test_what_the_embedded_segmenter_does_not_know_is_warned_about() -> None:
    asked = {"sam3": {"text_prompt": "child", "min_score": 0.3}, "masks": {"persons": "reject"}}
    warnings = parse_recipe(asked, "x", ROOT).warnings
    assert [warning.split("`")[1] for warning in warnings] == ["sam3.text_prompt", "sam3.min_score"]
    assert parse_recipe(asked | {"segmenter": "sam3"}, "x", ROOT).warnings == ()


def test_scales_without_effect_are_warned_about() -> None:
    section = {"methods": {"retinex": {"scales": [10, 50]}}}
    assert "no effect" in parse_recipe({"albedo_extraction": section}, "x", ROOT).warnings[0]


def test_what_no_network_or_file_is_asked_for_is_warned_about() -> None:
    learned = {"methods": {"learned": {"size": 256}}}
    assert "`albedo_extraction.mix.learned` is 0" in parse_recipe({"albedo_extraction": learned}, "x", ROOT).warnings[0]
    assert parse_recipe({"albedo_extraction": learned | {"mix": {"learned": 1}}}, "x", ROOT).warnings == ()
    asked = {"source": "depth_file", "files": "{stem}_z.png", "y_axis": "down", "network": {"size": 70}}
    warnings = parse_recipe({"geometry": asked}, "x", ROOT).warnings
    assert [warning.split("`")[1] for warning in warnings] == ["geometry.y_axis", "geometry.network"]


def test_a_recipe_that_gives_no_usable_pairs_is_refused() -> None:
    flat = {"degradation": {"soft_shading": {"ambient_range": [0.9, 0.99]}}}
    with pytest.raises(ConfigError, match=r"degradation\.soft_shading: only .* lower `ambient_range`"):
        check_feasible(parse_recipe(flat, "x", ROOT).recipe)


def test_of_very_many_mistakes_the_first_are_reported_and_the_others_counted(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("".join(f"key{number}: 1\n" for number in range(3000)))
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == MAX_FAULTS + 1
    assert lines[-1] == f"{file}: and {3000 - MAX_FAULTS} more mistakes"


def test_a_strange_key_or_value_is_shown_on_one_line(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    for text in (f"{'k' * 500}: 1", '"a\\nb": 1', 'segmenter: "\\u202egnp.x"', f"segmenter: {'x' * 9000}"):
        file.write_text(text)
        with pytest.raises(ConfigError) as caught:
            load_recipe(file)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < len(str(file)) + 400


@pytest.mark.parametrize("value", [10**5000, "\ud800", float("inf")], ids=["digits", "half", "inf"])
def test_values_that_come_from_elsewhere_than_a_file_are_reported_too(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^the launchpad: "):
        parse_recipe({"seed": value}, "the launchpad", ROOT)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("masks: {min_coverage: many}", 'found "many"; must be a number, such as 0.05'),
        ("background: {gray_color: gray}", 'found "gray"; must be a list, such as [128, 128, 128]'),
        ("seed: x", 'found "x"; must be a whole number, such as 0'),
    ],
)
def test_a_wrong_type_is_answered_with_the_default_of_that_key(tmp_path: Path, text: str, reported: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(reported)):
        load_recipe(file)
