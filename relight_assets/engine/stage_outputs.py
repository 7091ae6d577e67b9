"""What each stage makes of its pictures: the files, as pixels, and the numbers of its record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relight_assets.engine.pictures import Pictures, Pixels
from relight_assets.models.face_mesh import TRIANGLES
from relight_assets.recipe import Recipe, Stage
from relight_assets.stages import albedo, composites, degraded, masks, photo_qa
from relight_assets.stages.fingerprint import fingerprint

Read = Callable[[str], Pixels]
"""Gives the pixels of an output file of an earlier stage."""


@dataclass(frozen=True)
class StageOutput:
    """What a stage made: pixels by file name, or finished PNG bytes, and its numbers."""

    files: dict[str, Pixels | bytes]
    numbers: dict[str, Any]


def make(stage: Stage, pictures: Pictures, read: Read, source_sha256: str) -> StageOutput:
    """Compute one stage.

    Raises:
        ImageError: the image cannot be done.
        DamagedFileError: a file that the stage reads is not the recorded one.
    """
    recipe = pictures.tools.recipe
    if stage == "masks":
        return _masks(pictures, recipe)
    if stage == "albedo":
        chosen = recipe.albedo_extraction
        method = albedo.draw_method(chosen.mix, recipe.seed, source_sha256)
        made = albedo.extract(read("foreground"), chosen.methods.retinex, method)
        return StageOutput({"albedo": made.image}, made.numbers)
    if stage == "degraded":
        return _degraded(pictures, read, recipe, source_sha256)
    gray = recipe.background.use_gray
    image = composites.composite(read("degraded_fg"), None if gray else read("background"), recipe.background)
    return StageOutput({"output": image}, {"background": "gray" if gray else "original"})


def _masks(pictures: Pictures, recipe: Recipe) -> StageOutput:
    image = pictures.decoded()
    mask = pictures.person()
    faces = pictures.faces(image.rgb)
    numbers = masks.person_numbers(mask.probability)
    found: dict[str, Any] = {"score": round(float(numbers.score), 6)}
    if mask.scores is None:
        masks.require_person(numbers, len(faces), recipe.masks)
    else:
        masks.require_instances(mask.scores, mask.best_score, numbers.coverage, recipe)
        found = {"score": round(mask.scores[0], 6), "instance_scores": [round(score, 6) for score in mask.scores]}
    alpha = masks.clean_alpha(mask.probability, image.rgb)
    seen = photo_qa.look(image.rgb, alpha, faces[0].points if faces else None)
    photo_qa.require(seen, recipe.photo_qa)
    layers = masks.separate(image.rgb, alpha, recipe.background.blend)
    pictures.keep("input", image.rgb)
    return StageOutput(
        files={
            "input": image.rgb if image.verbatim is None else image.verbatim,
            "foreground": layers.foreground,
            "background": layers.background,
        },
        numbers={
            **found,
            **pictures.tools.segmenter_identity,
            **seen.plain(),
            "faces": len(faces),
            "fingerprint": fingerprint(image.rgb),
            "face_presence": round(float(faces[0].presence), 4) if faces else None,
        },
    )


def _degraded(pictures: Pictures, read: Read, recipe: Recipe, source_sha256: str) -> StageOutput:
    rgb = read("input")
    made = degraded.degrade(
        input_rgb=rgb,
        foreground=read("foreground"),
        albedo=read("albedo"),
        faces=[face.points for face in pictures.faces(rgb)],
        triangles=TRIANGLES,
        degradation=recipe.degradation,
        lights=recipe.light_sampling,
        seed=recipe.seed,
        source_sha256=source_sha256,
        gobos=pictures.tools.gobos,
    )
    numbers = {
        "degradation_type": made.degradation_type,
        "light_direction": [float(part) for part in made.light_direction],
        **made.numbers,
    }
    return StageOutput({"degraded_fg": made.image}, numbers)
