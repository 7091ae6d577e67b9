"""How pairs are made, by what, and what they are known to lack: the second half of a card."""

from collections.abc import Iterator, Mapping
from typing import Any

from relight_assets import __version__
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.cards.markdown import code, number, plain, table
from relight_assets.exports.rows.maker import Maker
from relight_assets.models import registry

STEPS = """1. **Masks**: a segmenter finds the person in the photo, and the colors decide the edge.
2. **Albedo**: the photo's own light is estimated and taken out of the colors of the person.
3. **Degraded**: a light that is drawn at random falls on the person: on a face mesh, joined to a shape that is inflated
   from the outline or comes from given depth or normals.
4. **Composites**: the person under that light is put on the background.

Every random value is drawn from the seed and the photo's sha256: the same photo and recipe give the same pair."""
LIMITS = """- The drawn lights are rendered, not photographed. No training run has tested the pairs.
- Hair, clothes and hands have no shape of their own for the light to fall on, unless depth or normals were given.
- Highlights of the photo on glasses, hair and cloth, and sharp edges of cast shadows, partly stay in the albedo and so
  under every drawn light.
- Masks are made for one person near the camera. Background can stay between curls or beside a hat.
- Scores decide whether a photo shows a person: a statue can pass.
- Measured captions say of the light what was measured; where nothing was, they say nothing of it.
- A flipped pair with a caption that says "left" is false: train without flips."""
_MOST_MAKERS = 5
"""Recipes and versions that a card shows; a split that was run at once has one."""
_MOST_VALUES = 200
"""Values of a recipe that a card shows."""


def making(counts: Counts) -> Iterator[str]:
    """The sections on how the pairs were made, from what, and by which models."""
    yield "## How the pairs were made"
    yield STEPS
    yield "## Recipe and versions"
    yield from _makers(counts)
    yield "## Models"
    yield _models(counts)
    yield "## Known limits"
    yield LIMITS


def _makers(counts: Counts) -> Iterator[str]:
    """Versions and recipe of each maker, that of the most pairs first."""
    makers = sorted(counts.makers.items(), key=lambda item: (-item[1], item[0].digest))
    for maker, pairs in makers[:_MOST_MAKERS]:
        if len(makers) > 1:
            yield f"Of {number(pairs)} pairs:"
        yield _versions(maker)
        yield _recipe(maker.differences)
    if len(makers) > _MOST_MAKERS:
        rest = sum(pairs for _, pairs in makers[_MOST_MAKERS:])
        yield f"The records of {number(rest)} more pairs have {len(makers) - _MOST_MAKERS} other recipes or versions."


def _versions(maker: Maker) -> str:
    rows = [
        ("version of relight_assets", plain(maker.package_version)),
        (
            "code versions of the stages",
            plain(", ".join(f"{stage} {version}" for stage, version in maker.code_versions)),
        ),
        ("seed", "not recorded" if maker.seed is None else str(maker.seed)),
        ("digest of recipe, seed and version", code(maker.recipe_digest)),
    ]
    return table(("what", "value"), rows)


def _recipe(differences: Mapping[str, Any] | None) -> str:
    if differences is None:
        return "The records do not say which recipe it was."
    if not differences:
        return "Every value of the recipe is the default of that version."
    rows = list(_values(differences))
    rest = f"\n\n{number(len(rows) - _MOST_VALUES)} more values are in the records." if len(rows) > _MOST_VALUES else ""
    shown = table(("value of the recipe", "differs from the default"), rows[:_MOST_VALUES])
    return f"{shown}{rest}"


def _values(differences: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in differences.items():
        if isinstance(value, dict) and value:
            yield from _values(value, f"{within}{key}.")
        else:
            yield code(f"{within}{key}"), code(str(value))


def _models(counts: Counts) -> str:
    rows = [
        (code(model.name), plain(model.purpose), code(sha256) if sha256 else "not recorded", plain(model.licence))
        for model, sha256 in _used(counts)
    ]
    versions = {maker.package_version for maker in counts.makers} - {__version__}
    note = (
        ""
        if not versions
        else (
            f"\n\nThe sha256 of models beside the segmenter are those of version {__version__}, which wrote this card."
        )
    )
    return f"{table(('model', 'for', 'sha256', 'licence'), rows)}{note}"


_Model = registry.ShippedModel | registry.GivenModel


def _used(counts: Counts) -> Iterator[tuple[_Model, str]]:
    """The models that made the pairs, and the sha256 of each: as recorded, or else that of the registry."""
    segmenters = {maker.segmenter: maker.segmenter_sha256 for maker in counts.makers}
    specs = {name: registry.SEGMENTERS[name] for name in segmenters if name in registry.SEGMENTERS}
    recorded = {spec.model: segmenters[name] for name, spec in specs.items()}
    beside = {name for spec in specs.values() for name in spec.beside}
    names = {*recorded, *beside, *registry.PERSON_MODELS, *counts.networks}
    known: tuple[_Model, ...] = (*registry.SHIPPED, *registry.OPTIONAL, *registry.GIVEN)
    for model in known:
        if model.name in names:
            own = model.sha256 if isinstance(model, registry.ShippedModel) else ""
            yield model, recorded.get(model.name, own)
