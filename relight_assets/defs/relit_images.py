"""The four image assets: one op, each of its outputs selectable alone."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import dagster as dg
from pydantic import Field

from relight_assets.defs.previews import FILE_CELL, INLINE_CELL, contact_sheet, inline, save_sheet
from relight_assets.defs.resources import (
    SNAPSHOT,
    RecipeConfig,
    chosen_recipe,
    errors_for_people,
    experiment_of,
)
from relight_assets.defs.run_locks import RUN_LOCK
from relight_assets.defs.splits import SPLIT_CSV, splits
from relight_assets.engine.digests import CODE_VERSIONS
from relight_assets.engine.outgoing import write_split_failures, write_split_mapping
from relight_assets.engine.progress import Progress
from relight_assets.engine.run import RunOptions, RunSummary, look, run_split
from relight_assets.engine.survey import ROW_STATUSES
from relight_assets.recipe import STAGES, Degradation, Stage, canonical_digest
from relight_assets.settings import load_settings

POOL = "gpu"
LOG_EVERY_S = 5.0
STEPS = ("decode", "segment", *STAGES, "encode")
FAMILIES = tuple(Degradation().weights)

_DESCRIPTIONS: dict[Stage, str] = {
    "masks": (
        "The person of each photo, cut out. Per image: `NNNNN_input.png` (the photo, upright, 8-bit RGB), "
        "`NNNNN_foreground.png` and `NNNNN_background.png` (RGBA; the mask is the alpha of the foreground)."
    ),
    "albedo": (
        "The foreground without its light, by edge-aware multi-scale retinex on luminance. "
        "Per image: `NNNNN_albedo.png` (RGB, black outside the mask)."
    ),
    "degraded": (
        "The albedo under another light: soft shading, hard shadows or specular reflection, drawn per image. "
        "Per image: `NNNNN_degraded_fg.png` (RGBA). The record holds every drawn number."
    ),
    "composites": (
        "The degraded foreground on gray (or on the photo's own background): the model's input; the photo is "
        "its target. Per image: `NNNNN_output.png` (RGB)."
    ),
}
_UPSTREAM: dict[Stage, list[dg.AssetKey]] = {
    "masks": [SPLIT_CSV],
    "albedo": [dg.AssetKey("masks")],
    "degraded": [dg.AssetKey("masks"), dg.AssetKey("albedo")],
    "composites": [dg.AssetKey("masks"), dg.AssetKey("degraded")],
}
_KINDS: dict[Stage, set[str]] = {
    "masks": {"python", "tensorflow"},
    "albedo": {"python", "opencv"},
    "degraded": {"python", "opencv"},
    "composites": {"python", "opencv"},
}


class RelightConfig(RecipeConfig):
    """What one run is asked to do."""

    num_samples: int = Field(default=0, ge=0, description="Only the first so many rows; 0 = all rows.")
    num_gpus: int = Field(default=0, ge=0, description="So many GPUs; 0 = as config/platform.yaml says.")
    retry_failed: bool = Field(default=False, description="Also try images whose recorded failure still holds.")
    overwrite: bool = Field(
        default=False, description="Write into a folder that holds numbered pictures of unknown origin."
    )


@dg.multi_asset(
    name="relight_images",
    specs=[
        dg.AssetSpec(
            stage,
            deps=_UPSTREAM[stage],
            description=_DESCRIPTIONS[stage],
            kinds=_KINDS[stage],
            code_version=CODE_VERSIONS[stage],
        )
        for stage in STAGES
    ],
    can_subset=True,
    partitions_def=splits,
    pool=POOL,
    required_resource_keys={RUN_LOCK, SNAPSHOT},
)
def relight_images(context: dg.AssetExecutionContext, config: RelightConfig) -> Iterator[dg.MaterializeResult[Any]]:
    """Bring the selected assets of one split up to date, in worker processes.

    Every selected asset is yielded after all the work, or none is: a key that were left out would count as
    a success, and what is downstream would go on.
    """
    with errors_for_people():
        selected = [stage for stage in STAGES if dg.AssetKey(stage) in context.selected_asset_keys]
        summary = _run(context, config, selected)
    yield from _results(context, summary, selected)


def _run(context: dg.AssetExecutionContext, config: RelightConfig, selected: list[Stage]) -> RunSummary:
    settings = load_settings()
    if config.num_gpus:
        settings = settings.model_copy(update={"num_gpus": config.num_gpus})
    loaded = chosen_recipe(config)
    for warning in loaded.warnings:
        context.log.warning(warning)
    options = RunOptions(
        stages=selected,
        num_samples=config.num_samples or None,
        retry_failed=config.retry_failed,
        overwrite=config.overwrite,
        experiment=experiment_of(config),
    )
    split = context.resources.snapshot.split_of(settings, context.partition_key)
    context.log_event(
        dg.AssetObservation(SPLIT_CSV, partition=split.split, tags={"dagster/data_version": split.sha256})
    )
    try:
        return run_split(split, loaded.recipe, settings, options, _Log(context))
    except BaseException:
        # What is downstream is skipped now, when the CSVs are needed most.
        with suppress(Exception):
            survey = look(split, loaded.recipe, settings, options.experiment)
            write_split_mapping(survey, settings, options.experiment)
            write_split_failures(survey, settings, options.experiment)
        raise


class _Log:
    """Logs progress every few seconds, never per image: events are rows in a database."""

    def __init__(self, context: dg.AssetExecutionContext):
        self._context = context
        self._last = time.monotonic()
        self._notices = 0

    def __call__(self, progress: Progress) -> None:
        for notice in progress.notices[self._notices :]:
            self._context.log.warning(f"{progress.split}: {notice}")
        self._notices = len(progress.notices)
        if not progress.finished and time.monotonic() - self._last < LOG_EVERY_S:
            return
        self._last = time.monotonic()
        eta = f", {progress.eta_s:.0f} s to go" if progress.eta_s and not progress.finished else ""
        devices = "".join(f"\n{device}" for device in progress.devices)
        self._context.log.info(
            f"{progress.split}: {progress.done} of {progress.total} images, {progress.failed} failed, "
            f"{progress.images_per_s:.2f} images/s{eta}{devices}"
        )


def _results(
    context: dg.AssetExecutionContext, summary: RunSummary, selected: list[Stage]
) -> Iterator[dg.MaterializeResult[Any]]:
    survey = summary.survey
    done = [image.index for image in survey.images.values() if image.status == "done" and image.index is not None]
    # The UI keeps this order; what one looks for first stands first.
    pictures: dict[str, Any] = {}
    small, large = (contact_sheet(survey.layout, done, cell) for cell in (INLINE_CELL, FILE_CELL))
    if small is not None and large is not None:
        pictures["contact_sheet"] = inline(small, context.instance, context.run.run_id, survey.split.split)
        pictures["contact_sheet_file"] = dg.MetadataValue.path(str(save_sheet(survey.layout, large)))
    common = {
        "rows": len(survey.keys),
        **{f"rows_{status}": survey.row_counts()[status] for status in ROW_STATUSES},
        "orphans": survey.orphans,
        "seconds_by_stage": _seconds_by_stage(summary),
        "workers": summary.workers,
        **_by_device(summary),
        "images_per_s": round(summary.images_per_s, 3),
        "wall_s": round(summary.wall_s, 2),
        "output_folder": dg.MetadataValue.path(str(survey.layout.folder)),
    }
    for stage in selected:
        metadata = {**pictures, **_numbers(summary, stage), **_counts(summary, stage), **common}
        yield dg.MaterializeResult(
            asset_key=stage, metadata=metadata, data_version=dg.DataVersion(_data_version(summary, stage))
        )


def _counts(summary: RunSummary, stage: Stage) -> dict[str, Any]:
    outcomes = summary.tally.stages[stage].outcomes
    return {
        "images": outcomes.total(),
        **{name: outcomes[name] for name in ("computed", "reused", "failed", "rejected", "pending")},
        **({"failures_by_code": dict(summary.tally.codes)} if summary.tally.codes else {}),
    }


def _seconds_by_stage(summary: RunSummary) -> dict[str, float]:
    """Worker seconds that the split's present images took, whenever they were made."""
    total: Counter[str] = Counter()
    for image in summary.survey.images.values():
        if image.record is not None and image.current:
            total.update(image.record.timings_ms)
    return {name: round(milliseconds / 1000.0, 2) for name, milliseconds in sorted(total.items())}


def _by_device(summary: RunSummary) -> dict[str, Any]:
    """A table with a row per worker, in which one that lags behind shows; nothing where nothing was to do."""
    if not summary.devices:
        return {}
    records = [
        dg.TableRecord(
            {
                "device": name,
                "images": device.images,
                "images_per_s": round(device.images / summary.wall_s, 3),
                "segmenter_busy": round(device.segmenter_share(summary.wall_s), 3),
                "threads_busy": round(device.busy_share(summary.wall_s, summary.threads), 3),
                "replaced": device.replaced,
                **{f"{step}_s": round(device.seconds[step], 2) for step in STEPS},
            }
        )
        for name, device in summary.devices.items()
    ]
    return {"devices": dg.MetadataValue.table(records)}


_SHOWN_MEANS: dict[Stage, tuple[str, ...]] = {
    "masks": ("coverage", "score", "faces"),
    "albedo": (),
    "degraded": ("strength", "exposure"),
    "composites": (),
}


def _numbers(summary: RunSummary, stage: Stage) -> dict[str, Any]:
    tally = summary.tally.stages[stage]
    names = _SHOWN_MEANS[stage] or tuple(sorted(tally.counts))
    means = {f"mean_{name}": round(mean, 4) for name in names if (mean := tally.mean(name)) is not None}
    if stage == "degraded" and summary.tally.families:
        total = summary.tally.families.total()
        # Every family, so that the UI's plot over partitions has no holes.
        means |= {f"share_{family}": round(summary.tally.families[family] / total, 4) for family in FAMILIES}
    return means


def _data_version(summary: RunSummary, stage: Stage) -> str:
    """One name for the content: the digests of every image for which the stage is current."""
    survey = summary.survey
    return canonical_digest(
        {
            str(image.index): image.record.stages[stage].digest
            for image in survey.images.values()
            if image.record is not None and stage in image.current
        }
    )
