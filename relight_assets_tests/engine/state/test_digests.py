"""A stage's digest changes with exactly what its pixels depend on."""

from dataclasses import replace

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import canonical_digest, sha256_hex
from relight_assets.engine.state.current import current_stages
from relight_assets.engine.state.digests import Digests
from relight_assets.stages import registry
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names, stage_spec

FILES = {name: f"sha of {name}" for name in ("input", "foreground", "background", "albedo", "degraded_fg")}


def all_of(digests: Digests, source: str = "s", **changed: str) -> dict[Stage, str]:
    return {stage: digests.of(stage, source, FILES | changed) for stage in stage_names()}


def different(one: dict[Stage, str], other: dict[Stage, str]) -> set[Stage]:
    return {stage for stage in stage_names() if one[stage] != other[stage]}


@pytest.fixture
def plain() -> Digests:
    return Digests(Recipe(), lambda name: name)


def test_the_source_concerns_masks_and_what_is_keyed_by_it(plain: Digests) -> None:
    assert different(all_of(plain), all_of(plain, source="t")) == {"masks", "albedo", "degraded"}


def test_where_the_albedo_method_is_drawn_the_seed_concerns_it() -> None:
    def drawn(seed: int = 0) -> Digests:
        mix = {"retinex": 0.7, "retinex_fast": 0.3}
        return Digests(Recipe.model_validate({"seed": seed, "albedo_extraction": {"mix": mix}}), lambda name: name)

    assert different(all_of(drawn()), all_of(drawn(seed=1))) == {"albedo", "degraded"}


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("input", {"degraded"}),
        ("foreground", {"albedo", "degraded"}),
        ("albedo", {"degraded"}),
        ("degraded_fg", {"composites"}),
        ("background", set()),
    ],
)
def test_a_file_concerns_the_stages_that_read_it(plain: Digests, name: str, stages: set[Stage]) -> None:
    assert different(all_of(plain), all_of(plain, **{name: "other"})) == stages


def test_the_background_file_is_read_where_it_is_used() -> None:
    own = Digests(Recipe.model_validate({"background": {"use_gray": False}}), lambda name: name)
    assert different(all_of(own), all_of(own, background="other")) == {"composites"}
    assert own.upstream("composites") == ("degraded", "masks")


def test_another_model_file_concerns_the_stages_that_use_it(plain: Digests) -> None:
    other_mask = Digests(Recipe(), lambda name: "new" if name == "selfie" else name)
    other_mesh = Digests(Recipe(), lambda name: "new" if name == "face_landmark" else name)
    assert different(all_of(plain), all_of(other_mask)) == {"masks"}
    assert different(all_of(plain), all_of(other_mesh)) == {"masks", "albedo", "degraded"}


def test_faces_concern_the_albedo_only_where_it_is_evened_by_skin() -> None:
    for section in ({"methods": {"retinex": {"surround": "gaussian"}}}, {"mix": {"retinex": 0, "retinex_fast": 1}}):
        recipe = Recipe.model_validate({"albedo_extraction": section})
        one, other = (
            Digests(recipe, lambda name, new=new: "new" if new and name == "face_landmark" else name)
            for new in (False, True)
        )
        assert different(all_of(one), all_of(other)) == {"masks", "degraded"}


def test_the_segmenter_its_weights_and_its_options_concern_the_masks(plain: Digests) -> None:
    def sam3(weights: str = "sam3", **options: object) -> dict[Stage, str]:
        recipe = Recipe.model_validate({"segmenter": "sam3", "sam3": options})
        return all_of(Digests(recipe, lambda name: weights if name == "sam3" else name))

    assert different(all_of(plain), sam3()) == {"masks"}
    assert different(sam3(), sam3("other")) == {"masks"}
    assert different(sam3(), sam3(text_prompt="child")) == {"masks"}
    idle = Digests(Recipe.model_validate({"sam3": {"text_prompt": "child"}}), lambda name: name)
    assert different(all_of(plain), all_of(idle)) == set()


def test_a_network_and_its_options_concern_the_albedo_where_it_can_be_drawn(plain: Digests) -> None:
    def learned(weights: str = "albedo_model", weight: float = 1, **options: object) -> dict[Stage, str]:
        section = {"mix": {"retinex": 0, "retinex_fast": 1, "learned": weight}, "methods": {"learned": options}}
        recipe = Recipe.model_validate({"albedo_extraction": section})
        return all_of(Digests(recipe, lambda name: weights if name == "albedo_model" else name))

    assert different(all_of(plain), learned()) == {"albedo"}
    assert different(learned(), learned("other")) == {"albedo"}
    assert different(learned(), learned(size=256)) == {"albedo"}
    assert different(learned(weight=0), learned("other", weight=0, size=256)) == set()


def test_a_photo_s_depth_concerns_the_degraded_where_it_is_read(plain: Digests) -> None:
    digests = Digests(Recipe.model_validate({"geometry": {"source": "depth_file"}}), lambda name: name)
    one, other = (all_of(digests, geometry_file=sum_) for sum_ in ("1", "2"))
    assert different(one, other) == {"degraded"}
    assert digests.upstream("degraded") == ("masks", "albedo")
    assert different(all_of(plain, geometry_file="1"), all_of(plain, geometry_file="2")) == set()


def test_a_network_of_depth_concerns_the_degraded_where_it_is_asked() -> None:
    def asked(source: str, weights: str) -> dict[Stage, str]:
        recipe = Recipe.model_validate({"geometry": {"source": source}})
        return all_of(Digests(recipe, lambda name: weights if name == "geometry_model" else name), geometry_file="")

    assert different(asked("depth_model", "1"), asked("depth_model", "2")) == {"degraded"}
    assert different(asked("depth_file", "1"), asked("depth_file", "2")) == set()


def test_a_new_code_version_concerns_its_stage(plain: Digests, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = replace(stage_spec("albedo"), code_version="next")
    monkeypatch.setitem(registry._STAGES, "albedo", newer)
    assert different(all_of(plain), all_of(Digests(Recipe(), lambda name: name))) == {"albedo"}


def test_no_record_means_nothing_is_current(plain: Digests) -> None:
    assert current_stages(plain, None, "s", lambda *_: True) == ()


def test_the_spelling_is_the_canonical_one() -> None:
    """Spelled in pieces for speed; records on disk hold the digest of the whole."""
    recipe = Recipe()
    digests = Digests(recipe, lambda name: f'sha "{name}" é')
    files = {name: sha256_hex(name.encode()) for name in FILES}
    for stage in stage_names():
        whole = {
            "code": stage_spec(stage).code_version,
            "recipe": stage_spec(stage).recipe_part(recipe),
            "models": [f'sha "{name}" é' for name in stage_spec(stage).models(recipe)],
            "source": None if stage == "composites" else "0" * 64,
            "reads": {name: files[name] for name in stage_spec(stage).reads_under(recipe)},
        }
        assert digests.of(stage, "0" * 64, files) == canonical_digest(whole)
