"""What each stage makes of its pictures: the files, as pixels, and the numbers of its record."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import canonical_digest
from relight_assets.core.rounding import rounded
from relight_assets.dataset.layout import variant_name
from relight_assets.engine.worker.artifacts import Pictures, Pixels
from relight_assets.engine.worker.recorded_faces import Points, packed
from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.models.networks.albedo import AlbedoExtractor
from relight_assets.stages.albedo import albedo, learned
from relight_assets.stages.composites import composite
from relight_assets.stages.degraded import degrade
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.foreground_color import Blend
from relight_assets.stages.image_metrics import glance
from relight_assets.stages.masks import mask as masks
from relight_assets.stages.masks import photo_filters, photo_tags
from relight_assets.stages.masks.perceptual_hash import fingerprint
from relight_assets.stages.registry import Stage

Read = Callable[[str], Pixels]
"""Gives the pixels of an output file of an earlier stage."""


@dataclass(frozen=True)
class StageOutput:
    """What a stage made: pixels by file name, or finished PNG bytes, and its numbers."""

    files: dict[str, Pixels | bytes]
    numbers: dict[str, Any]


def make(stage: Stage, pictures: Pictures, read: Read, source_sha256: str, faces: Sequence[Points]) -> StageOutput:
    """Compute one stage; ``faces`` are those of the record, (468, 3) float32 in pixels.

    Raises:
        ImageError: the image cannot be done.
        DamagedFileError: a file that the stage reads is not the recorded one.
    """
    tools, recipe = pictures.tools, pictures.tools.recipe
    if stage == "masks":
        return _masks(pictures, recipe)
    if stage == "albedo":
        return albedo_of(read("foreground"), recipe, source_sha256, tools.albedo_extractor)
    if stage == "degraded":
        shape_map = pictures.geometry.of(read("input")) if recipe.geometry.kind is not None else None
        lit = degraded_of(read, recipe, source_sha256, faces, gobos=tools.gobos, shape_map=shape_map)
        return replace(lit, numbers=_with_glances(lit, read, recipe.background.blend))
    return composites_of(read, recipe)


def albedo_of(
    foreground: Pixels, recipe: Recipe, source_sha256: str, extractor: AlbedoExtractor | None = None
) -> StageOutput:
    """The albedo by the method that is drawn for this photo."""
    chosen = recipe.albedo_extraction
    method = albedo.draw_method(chosen.mix, recipe.seed, source_sha256)
    if method != "learned":
        noise = albedo.grain(source_sha256)
        made = albedo.extract(foreground, chosen.methods.retinex, method, noise)
    else:
        assert extractor is not None  # noqa: S101  (a recipe that draws it is not run without)
        made = learned.extract(foreground, extractor.albedo)
    return StageOutput({"albedo": made.image}, made.numbers)


def degraded_of(
    read: Read,
    recipe: Recipe,
    source_sha256: str,
    faces: Sequence[Points],
    *,
    gobos: Gobos = NO_GOBOS,
    shape_map: ShapeMap | None = None,
) -> StageOutput:
    """The person under each of the recipe's drawn lights.

    Raises:
        WeakPairError: no drawn strength made a pair differ enough.
    """
    foreground = read("foreground")
    files: dict[str, Pixels | bytes] = {}
    lights: list[dict[str, Any]] = []
    for variant in range(recipe.variants):
        made = degrade.degrade(
            input_rgb=cv2.cvtColor(foreground, cv2.COLOR_RGBA2RGB),
            foreground=foreground,
            albedo=read("albedo"),
            faces=faces,
            triangles=TRIANGLES,
            degradation=recipe.degradation,
            lights=recipe.light_sampling,
            seed=recipe.seed,
            source_sha256=source_sha256,
            variant=variant,
            gobos=gobos,
            shape_map=shape_map,
            join_faces=recipe.geometry.join_faces,
        )
        files[variant_name("degraded_fg", variant, recipe.variants)] = made.image
        lights.append(
            {
                "degradation_type": made.degradation_type,
                "light_direction": list(made.light_direction),
                **made.numbers,
                **({"geometry": recipe.geometry.source} if shape_map is not None else {}),
                **({"patterns_sha256": patterns_sha256(recipe)} if recipe.degradation.hard_shadow.gobos else {}),
            }
        )
    return StageOutput(files, lights[0] if recipe.variants == 1 else {"variants": lights})


def patterns_sha256(recipe: Recipe) -> str:
    """What tells one set of the user's own shadow patterns from another: of their names and content."""
    return canonical_digest([list(gobo) for gobo in recipe.degradation.hard_shadow.gobos])


def _with_glances(lit: StageOutput, read: Read, blend: Blend) -> dict[str, Any]:
    """The numbers of a stage's lights, each with what was measured of its picture."""
    photo = [read(name) for name in ("input", "foreground", "background", "albedo")]
    lights = lit.numbers.get("variants") or [lit.numbers]
    for light, person in zip(lights, lit.files.values(), strict=True):
        assert not isinstance(person, bytes)  # noqa: S101  (what was made just now)
        seen = glance(*(*photo, person), blend=blend)
        if seen is not None:
            light["seen"] = rounded(asdict(seen))
    return lit.numbers


def composites_of(read: Read, recipe: Recipe) -> StageOutput:
    """Each degraded person on the recipe's background."""
    gray = recipe.background.use_gray
    behind = None if gray else read("background")
    files: dict[str, Pixels | bytes] = {}
    for variant in range(recipe.variants):
        person = read(variant_name("degraded_fg", variant, recipe.variants))
        made = composite.composite(person, behind, recipe.background)
        files[variant_name("output", variant, recipe.variants)] = made
    return StageOutput(files, {"background": "gray" if gray else "original"})


def _masks(pictures: Pictures, recipe: Recipe) -> StageOutput:
    image = pictures.decoded()
    mask = pictures.person()
    faces = pictures.faces(image.rgb)
    numbers = masks.person_numbers(mask.probability)
    found: dict[str, Any] = {"score": rounded(numbers.score)}
    if mask.scores is None:
        masks.require_person(numbers, len(faces), recipe.masks)
    else:
        masks.require_instances(mask.scores, mask.best_score, numbers.coverage, recipe)
        found = {"score": rounded(mask.scores[0]), "instance_scores": rounded(list(mask.scores))}
    # A segmenter that tells persons apart has kept to the policy already; a person of it may be in several parts.
    persons = recipe.masks.persons if mask.scores is None else "union"
    alpha = masks.clean_alpha(mask.probability, image.rgb, mask.cells, persons)
    seen = photo_filters.look(image.rgb, alpha, faces[0].points if faces else None)
    photo_filters.require(seen, recipe.photo_qa)
    tagged = photo_tags.tags(
        image.rgb,
        alpha,
        probability=mask.probability,
        scores=mask.scores,
        faces=[face.points for face in faces],
        chroma=seen.chroma,
    )
    masks.require_one_person(tagged.second_person, persons)
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
            **tagged.plain(),
            **packed(faces),
            "fingerprint": fingerprint(image.rgb),
            "face_presence": round(float(faces[0].presence), 4) if faces else None,
        },
    )
