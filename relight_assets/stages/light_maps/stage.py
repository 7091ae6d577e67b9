"""The stage ``light_maps`` as a StageSpec: keep the light of each degraded picture; off unless ``keep_light`` is on."""

from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.stages.base import FileContent, StageInputs, StageOutput, StageSpec, variant_name
from relight_assets.stages.degraded.parts.light_parts import LightMaps
from relight_assets.stages.degraded.stage import DEGRADED, drawn_lights
from relight_assets.stages.metric import Metric, list_of, number, whole

METRICS = (
    Metric(
        "window",
        list_of(number(0, 1e6), 4, 4),
        "Left, top, width and height of the part of the picture that light, normals, skin and visibility show",
        "pixels",
        required=True,
    ),
    Metric("noise_of", whole(1, 64), "Number of the drawn light whose noise the picture has", required=True),
)


def _reads(recipe: Recipe) -> tuple[str, ...]:
    count = recipe.variant_count
    people = tuple(variant_name("degraded_fg", number, count) for number in range(count))
    return ("input", "foreground", "albedo", *people)


def _make(inputs: StageInputs) -> StageOutput:
    """The light of each variant; that of a mix with the photo is the light it is mixed of."""
    recipe = inputs.recipe
    lights = drawn_lights(inputs)
    files: dict[str, FileContent] = {}
    numbers: list[dict[str, Any]] = []
    for variant, planned in enumerate(recipe.planned_variants):
        light = lights[planned.light]
        bare = light.no_gobo if planned.kind == "no_gobo" else None
        maps = (bare or light).maps
        assert maps is not None  # noqa: S101  (the recipe keeps the light)
        files |= {
            variant_name(name, variant, recipe.variant_count): content for name, content in _files_of(maps).items()
        }
        noise_of = 1 if recipe.vary == "one" else planned.light + 1
        numbers.append({"window": list(maps.window), "noise_of": noise_of})
    return StageOutput(files, numbers[0] if recipe.variant_count == 1 else {"variants": numbers})


def _files_of(maps: LightMaps) -> dict[str, FileContent]:
    return {"light.exr": maps.layers, "normals": maps.normals, "skin": maps.skin, "visibility": maps.visibility}


LIGHT_MAPS = StageSpec(
    name="light_maps",
    # The light is drawn by the code of `degraded`.
    code_version=f"1 of {DEGRADED.code_version}",
    artifacts=("light.exr", "normals", "skin", "visibility"),
    may_read=("input", "foreground", "albedo", "degraded_fg"),
    reads=_reads,
    reads_outside=DEGRADED.reads_outside,
    recipe_part=DEGRADED.recipe_part,
    make=_make,
    metrics=lambda: METRICS,
    description=(
        "The light of each degraded picture itself: `NNNNN_light.exr` (ambient, key and highlight apart, linear half "
        "floats), and `NNNNN_normals.png`, `NNNNN_skin.png` and `NNNNN_visibility.png`. With `keep_light: true`."
    ),
    per_light=True,
    enabled=lambda recipe: recipe.keep_light,
    models=DEGRADED.models,
    not_replayable=DEGRADED.not_replayable,
    kinds=frozenset({"python", "opencv"}),
    shown_metrics=(),
)
