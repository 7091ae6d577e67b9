"""An example is a value that its key takes, and what was found is quoted as the file has it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from relight_assets.config.loader import load_recipe
from relight_assets.config.parsing.examples import example_of
from relight_assets.config.parsing.validation import validate
from relight_assets.config.parsing.yaml_reader import parse_yaml
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import settings_of
from relight_assets.errors import ConfigError


def places(model: type[BaseModel], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All keys of a file, those of sections too."""
    found = []
    for name, field in model.model_fields.items():
        found.append((*above, name))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += places(field.annotation, (*above, name))
    return found


@pytest.mark.parametrize("model", [Settings, Recipe])
def test_every_example_is_a_value_that_the_key_takes(model: type[BaseModel]) -> None:
    without = []
    for place in places(model):
        example = example_of(model, place)
        if example is None:
            without.append(".".join(place))
            continue
        value: Any = parse_yaml(example, "an example")
        for name in reversed(place):
            value = {name: value}
        validate(model, value, example)
    expected = {
        Settings: ["sam3.sha256", "albedo_model.sha256", "geometry_model.sha256", "alert_webhook", "ui_hosts"],
        Recipe: [],
    }
    assert without == expected[model], "with rules of their own, which say what is wanted; give others `examples`"


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("exports: pairs", "must be a list, such as [{name: pairs, layout: imagefolder}]"),
        ("exports: [pairs]", "must be a section of `key: value` lines, such as {name: pairs, layout: imagefolder}"),
        ("publish: 3", "found 3; must be a list, such as [{name: bucket, dest: 's3://BUCKET/PREFIX'}]"),
        (
            "quality: {strength_range: [0.3, b]}",
            '`quality.strength_range[1]`: found "b"; must be a number, such as 2.0',
        ),
        ("csv_dir: 3", "found 3; must be text, such as data"),
        ("image_root: [a]", 'found ["a"]; must be text, such as photos'),
        ("sam3: {sha256: abc}", "must be a sha256: 64 digits, of 0 to 9 and a to f"),
        ("sweep_cron: daily", 'found "daily"; must be longer, such as 0 3 * * *'),
        # As it is written, and not as YAML reads it.
        ("batch: 0x100000", "found 0x100000, which YAML reads as 1048576; must be less"),
        ("watch: 12:30", "found 12:30, which YAML reads as 750; must be true or false"),
        ("watch: 1_0", "found 1_0, which YAML reads as 10; must be true or false"),
        ("csv_dir: 1.50", "found 1.50, which YAML reads as 1.5; must be text"),
        ("threads: on", "found true, which YAML reads from `yes` and `on` too; must be `auto`"),
        ("batch: no", "found false, which YAML reads from `no` and `off` too; must be a whole number, such as 4"),
    ],
)
def test_settings(tmp_path: Path, text: str, reported: str) -> None:
    (tmp_path / "platform.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path / "platform.yaml", {})
    assert reported in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("ladder: 0.5", "found 0.5; must be a list, such as [0, 0.25, 0.5, 0.75, 1]"),
        ("image_size: big", 'found "big"; must be a whole number, such as 1024'),
        ("variants: 2.50", "found 2.50, which YAML reads as 2.5; must be a whole number, such as 1"),
        ("degradation: {hard_shadow: {kinds: none}}", "must be a section of `key: value` lines, such as {none: 0.16}"),
    ],
)
def test_recipes(tmp_path: Path, text: str, reported: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_recipe(tmp_path / "recipe.yaml")
    assert reported in str(caught.value)


def test_an_address_for_a_file_is_no_path(tmp_path: Path) -> None:
    from relight_assets.config.project_folder import platform_file, recipe_file

    for ask, name in ((platform_file, "RELIGHT_PLATFORM"), (recipe_file, "RELIGHT_CONFIG")):
        with pytest.raises(ConfigError, match=rf"^{name}: must be a file of this machine, and no address") as caught:
            ask({name: "https://example.com//S3CR3T.yaml"})
        assert "S3CR3T" not in str(caught.value)
