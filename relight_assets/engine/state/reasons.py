"""Why the stages of an image are to be made: what a dry run says, by comparing its record with what counts now."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from relight_assets import __version__
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.record_types import Record
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_state import ImageState
from relight_assets.stages.base import Stage, artifact_file
from relight_assets.stages.registry import stage_spec

KEYS_SHOWN = 3
"""Keys of the recipe that one reason names; more are counted."""
VALUE_SHOWN = 40
"""Characters of a value of the recipe."""
_OF_PHOTOS = {
    "new": "new photo",
    "changed": "the photo has changed",
    "other": "the row names another photo than before",
}


class Reasons:
    """Explains one image after the other, under one recipe."""

    def __init__(self, recipe: Recipe, digests: Digests):
        self._recipe, self._digests = recipe, digests
        self._keys: dict[tuple[str, Stage], str] = {}  # most records are of one recipe

    def of(self, image: ImageState, record: Record | None, stages: Sequence[Stage]) -> dict[Stage, str]:
        """Why each of ``stages``, none of which is current, is to be made."""
        whole = _of_whole_image(image)
        if whole is None and record is None:
            whole = "its record is gone or cannot be read"
        if whole is not None or record is None:
            return dict.fromkeys(stages, whole or "")
        return {stage: "; ".join(self._of_stage(stage, record, stages)) for stage in stages}

    def _of_stage(self, stage: Stage, record: Record, stages: Sequence[Stage]) -> list[str]:
        entry, spec = record.stages.get(stage), stage_spec(stage)
        upstream = [up for up in self._digests.upstream(stage) if up in stages]
        follows = [f"follows {', '.join(upstream)}"] if upstream else []
        if entry is None:
            return follows or ["not made yet"]
        code = (
            [f"code version {entry.code} -> {spec.code_version}"] if entry.code not in ("", spec.code_version) else []
        )
        keys = self._changed_keys(stage, record)
        found = [*([f"recipe: {keys}"] if keys else []), *code, *follows]
        return found or [self._of_files(stage, record)]

    def _changed_keys(self, stage: Stage, record: Record) -> str:
        """The keys of the stage's part of the recipe that are others than when the image was made, with both values."""
        if record.recipe is None:
            return ""
        known = (json.dumps(record.recipe, sort_keys=True), stage)
        if known not in self._keys:
            self._keys[known] = _describe_changes(record.recipe, self._recipe, stage)
        return self._keys[known]

    def _of_files(self, stage: Stage, record: Record) -> str:
        """Neither recipe nor code explain it: files of its own, or files and models that it reads."""
        entry = record.stages[stage]
        files = self._digests.files_read(record, None)
        for each in record.stages.values():
            files.update((name, stamp.sha256) for name, stamp in each.files.items())
        try:
            same = self._digests.of(stage, record.source.sha256, files) == entry.digest
        except KeyError:  # a file that it reads is not in the record
            same = False
        if same:
            return f"its files ({', '.join(map(artifact_file, entry.files))}) are gone or were changed"
        if record.package_version != __version__:
            return (
                f"made by version {record.package_version} of relight_assets, under other defaults or with other models"
            )
        models = " or models" if stage_spec(stage).models(self._recipe) else ""
        return f"files{models} that it reads are others than it was made of"


def _of_whole_image(image: ImageState) -> str | None:
    """A reason that holds for all that is to be made of an image; None: each stage has its own."""
    if image.unchecked:
        return "files have other times than were recorded: they are hashed, and what is equal is kept"
    if image.failure is not None:
        return f"tried again after {image.failure.code}"
    if image.photo == "new" and image.source_known:  # by the failure, which no longer holds
        return "it failed before, under another recipe or other code"
    return _OF_PHOTOS.get(image.photo)


def _describe_changes(recorded: Mapping[str, Any], recipe: Recipe, stage: Stage) -> str:
    try:
        before = Recipe.model_validate(recorded)
    except ValidationError:
        return "one that this version does not know"
    part = stage_spec(stage).recipe_part
    of_recipe = [key for key, *_ in _changes(before.model_dump(mode="json"), recipe.model_dump(mode="json"))]
    changes = [
        f"{_full_key(key, of_recipe)} {_shown(then)} -> {_shown(now)}"
        for key, then, now in _changes(part(before), part(recipe))
    ]
    more = len(changes) - KEYS_SHOWN
    return ", ".join(changes[:KEYS_SHOWN]) + (f" and {more} keys more" if more > 0 else "")


def _changes(before: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The dotted keys at which two plain values differ, with both values; None where there is none."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*now, *(name for name in before if name not in now)]:
            yield from _changes(before.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif before != now:
        yield key, before, now


def _full_key(key: str, of_recipe: Sequence[str]) -> str:
    """The key as the recipe's file has it: a stage's part may take a value out of another section."""
    return next((full for full in of_recipe if full == key or full.endswith(f".{key}")), key)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 3]}..."
