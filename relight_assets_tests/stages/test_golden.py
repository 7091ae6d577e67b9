"""A stage whose bytes change must change its code version too, or old outputs would be taken for current.

When this fails on purpose: raise ``code_version`` of the stage and write ``golden.json`` anew with
``python -m relight_assets_tests.stages.test_golden``.  The bytes are those of the OpenCV and NumPy
versions and the processor features named in the file; under others the comparison is skipped.
"""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Background, Recipe
from relight_assets.stages.albedo import albedo
from relight_assets.stages.composites import composite
from relight_assets.stages.degraded import degrade
from relight_assets.stages.foreground_color import with_alpha
from relight_assets.stages.masks.matting.cut_out import cut_out
from relight_assets.stages.masks.matting.foreground import separate
from relight_assets.stages.registry import stage_spec
from relight_assets_tests.stages.made_eyes import draw_eye, eye_points
from relight_assets_tests.stages.portraits import face_mesh, portrait

GOLDEN = Path(__file__).with_name("golden.json")


def digest(*images):
    return hashlib.sha256(b"".join(np.ascontiguousarray(image).tobytes() for image in images)).hexdigest()


def computed():
    person = portrait()
    points, triangles = face_mesh()
    settings = Recipe()
    alpha = cut_out(person.probability, person.rgb).alpha
    layers = separate(person.rgb, alpha)
    surface = albedo.extract(layers.foreground, settings.albedo_extraction.methods.retinex).image
    by_skin = albedo.extract(layers.foreground, settings.albedo_extraction.methods.retinex, faces=[points]).image
    seen, relit = np.ascontiguousarray(person.rgb), []
    eyes = [eye_points(column, 80, 6, 0.9) for column in (64, 96)]
    for eye in eyes:
        draw_eye(seen, eye, (0.4, 0.1))
    looking = with_alpha(seen, layers.foreground[..., 3])
    for variant in range(6):
        found = degrade.degrade(
            input_rgb=person.rgb,
            foreground=looking,
            albedo=albedo.extract(looking, settings.albedo_extraction.methods.retinex).image,
            faces=[points] if variant % 2 else [],
            triangles=triangles,
            eyes=eyes,
            degradation=settings.degradation,
            lights=settings.light_sampling,
            seed=0,
            source_sha256="00" * 32,
            variant=variant,
        )
        relit.append(found.image)
    outputs = [
        composite.composite(relit[0], layers.background, Background(use_gray=use_gray, blend=blend))
        for use_gray in (True, False)
        for blend in ("srgb", "linear")
    ]
    images = {
        "masks": (layers.foreground, layers.background),
        "albedo": (surface, by_skin),
        "degraded": relit,
        "composites": outputs,
    }
    return {
        name: {"code_version": stage_spec(name).code_version, "sha256": digest(*made)} for name, made in images.items()
    }


def libraries():
    # Wider vectors add in another order, so the processor counts as well.
    return {"opencv": cv2.__version__, "numpy": np.__version__, "cpu": cv2.getCPUFeaturesLine()}


def test_bytes_change_only_with_the_code_version():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    written, here = golden["libraries"], libraries()
    if written["cpu"] != here["cpu"]:
        pytest.skip(f"golden.json was written on a processor with {written['cpu']}, this one has {here['cpu']}")
    if written != here:
        pytest.skip(f"golden.json was written with {written}, here is {here}")
    found = computed()
    for stage, kept in golden["stages"].items():
        if found[stage]["sha256"] != kept["sha256"]:
            assert found[stage]["code_version"] != kept["code_version"], f"{stage}: other bytes, same code_version"
        assert found[stage] == kept, f"{stage}: golden.json is out of date"


if __name__ == "__main__":
    cv2.setNumThreads(1)
    GOLDEN.write_text(json.dumps({"libraries": libraries(), "stages": computed()}, indent=2) + "\n", encoding="utf-8")
