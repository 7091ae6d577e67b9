"""What a materialization tells of the run that made it: images, counts, numbers, times, and what it was made with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from relight_assets import __version__
from relight_assets.config.quality import Quality
from relight_assets.config.recipe.degradation import family_names
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import canonical_digest
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.metrics import fitted_timings
from relight_assets.dataset.record_types import RecordStamps
from relight_assets.defs.metadata.previews import inline
from relight_assets.defs.metadata.warnings import Warnings
from relight_assets.engine.execution.messages import StageStatus
from relight_assets.engine.hardware.cgroups import memory_limit
from relight_assets.engine.run import CONTACT_SHEET, RunSummary
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.recorded import recorded_images, recorded_stamps
from relight_assets.engine.tally import DeviceTally
from relight_assets.models.files import ModelFiles
from relight_assets.quality.measured import Measured
from relight_assets.quality.sample import Sample
from relight_assets.quality.statistics import TAGS, RecordSums, SplitStatistics, recorded_metrics
from relight_assets.quality.thresholds import verdicts
from relight_assets.reports.charts import charts
from relight_assets.reports.contact_sheets import (
    FILE_CELL,
    INLINE_CELL,
    WORST,
    WORST_CELL,
    contact_sheet,
    metric_sheet,
    small_jpeg,
    stage_sheet,
    worst_sheet,
)
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import all_stage_names, stage_spec

STAGE_COLUMNS: dict[Stage, tuple[str, ...]] = {
    "masks": ("input", "foreground"),
    "albedo": ("foreground", "albedo"),
    "degraded": ("albedo", "degraded_fg"),
    "composites": ("input", "output"),
    "light_maps": ("normals", "visibility"),
}
"""What the contact sheet of a stage shows of each image: what it reads beside what it makes, target beside input."""
STAGE_SHEETS: dict[Stage, tuple[str, ...]] = {
    "masks": ("lowest_mask_score", "most_clipped"),
    "albedo": (),
    "degraded": ("charts",),
    "composites": ("contact_sheet_file", "worst_by_metric"),
    "light_maps": (),
}
OUTCOMES: tuple[StageStatus, ...] = ("computed", "reused", "failed", "rejected", "pending")


@dataclass(frozen=True)
class RunRecords:
    """What the records say of the images of a split once a run is through; of many images, those of a sample."""

    sample: Sample = field(default_factory=lambda: Sample(frozenset(), 0))
    """The images that all of this is of, but for the digests."""
    statistics: SplitStatistics = field(default_factory=SplitStatistics)
    sums: RecordSums = field(default_factory=RecordSums)
    """Of the rows that the run was asked for; of many, of a sample of their own."""
    measured: list[Measured] = field(default_factory=list)
    """What was measured of each finished image of the sample, by its image's number."""
    digests: dict[Stage, dict[str, str]] = field(default_factory=lambda: {stage: {} for stage in all_stage_names()})
    """Of the stages that are current, by the image's number."""
    milliseconds: Counter[str] = field(default_factory=Counter)
    """Milliseconds by step, summed over the sample's current images, whichever run made them."""

    @classmethod
    def of(cls, summary: RunSummary) -> "RunRecords":
        """Read the records of a split."""
        state = summary.state
        images = {number: image for number, image in state.by_number().items() if image.recorded}
        keys = {*state.keys[: summary.num_samples]}
        sample = Sample.of(images)
        asked = Sample.of(number for number, image in images.items() if image.key in keys)
        found = cls(sample)
        read = sample.numbers | asked.numbers
        for image in recorded_images(state.layout, (images[number] for number in sorted(read))):
            found._add_digests(image.record, image.current)
            if image.record.index in asked:
                found.sums.add(image)
            if image.record.index in sample:
                found.statistics.add(image)
                found.measured.extend(recorded_metrics(image))
                found.milliseconds.update(fitted_timings(image.record.timings_ms) if image.current else {})
        others = (image for number, image in images.items() if number not in read)
        for stamps, current in recorded_stamps(state.layout, others):
            found._add_digests(stamps, current)
        return found

    def _add_digests(self, record: RecordStamps, current: Sequence[Stage]) -> None:
        for stage in current:
            self.digests[stage][str(record.index)] = record.stages[stage].digest


def sheets_and_charts(
    summary: RunSummary,
    records: RunRecords,
    recipe: Recipe,
    quality: Quality,
    warn: Warnings,
    *,
    instance: dg.DagsterInstance,
    run_id: str,
) -> dict[str, Any]:
    """The contact sheet, the charts and the worst images; the larger sheet is written beside the outputs."""
    state, split, values = summary.state, summary.state.split.split, records.statistics.values

    def shown(name: str, preview: bytes | None, kind: str = "jpg", suffix: str | None = None) -> dict[str, Any]:
        there = f"{split}-{name}" if suffix is None else f"{split}{suffix}"
        return {name: inline(preview, kind, instance, run_id, there)} if preview is not None else {}

    def sheet() -> dict[str, Any]:
        done = [image.index for image in state.images.values() if image.status == "done" and image.index is not None]
        return shown("contact_sheet", contact_sheet(state.layout, done, INLINE_CELL), suffix="") | warn.part(
            f"the file {CONTACT_SHEET}", lambda: _sheet_file(state.layout, done)
        )

    def lowest() -> dict[str, Any]:
        scores = sorted(values["masks", "score"].items(), key=lambda item: (item[1], item[0]))
        return shown("lowest_mask_score", worst_sheet(state.layout, "foreground", scores[:WORST]))

    def most_clipped() -> dict[str, Any]:
        shares = (item for item in values["masks", "clipped"].items() if item[1] > 0)
        worst = sorted(shares, key=lambda item: (-item[1], item[0]))[:WORST]
        return shown("most_clipped", worst_sheet(state.layout, "input", worst))

    def by_metric() -> dict[str, Any]:
        near = [verdict for verdict in verdicts(records.measured, recipe, quality) if verdict.near_bound]
        worst = metric_sheet(state.layout, near, cell=WORST_CELL, count=4)
        return shown("worst_by_metric", small_jpeg(worst) if worst is not None else None)

    return {
        **warn.part("the contact sheet", sheet),
        **warn.part("the charts", lambda: shown("charts", charts(records.statistics, records.sample.note), "png")),
        **warn.part("the sheet of the lowest mask scores", lowest),
        **warn.part("the sheet of the most clipped photos", most_clipped),
        **warn.part("the sheet of the worst images by metric", by_metric),
    }


def stage_sheets(
    summary: RunSummary,
    stage: Stage,
    sheets: dict[str, Any],
    warn: Warnings,
    *,
    instance: dg.DagsterInstance,
    run_id: str,
) -> dict[str, Any]:
    """What of the sheets is of a stage, and a contact sheet of its own files."""
    state = summary.state

    def sheet() -> dict[str, Any]:
        named = [
            (image.index, image.key.rpartition("/")[2])
            for image in state.images.values()
            if stage in image.current and image.index is not None
        ]
        preview = stage_sheet(state.layout, STAGE_COLUMNS[stage], named)
        name = f"{state.split.split}-{stage}"
        return {"contact_sheet": inline(preview, "jpg", instance, run_id, name)} if preview is not None else {}

    own = {name: sheets[name] for name in STAGE_SHEETS[stage] if name in sheets}
    return warn.part("the contact sheet", sheet) | own


def _sheet_file(layout: SplitLayout, done: Sequence[int]) -> dict[str, Any]:
    sheet, path = contact_sheet(layout, done, FILE_CELL), layout.folder / CONTACT_SHEET
    if sheet is None:
        return {}
    layout.storage.put(path, sheet)
    return {"contact_sheet_file": dg.MetadataValue.path(str(path))}


def row_numbers(summary: RunSummary) -> dict[str, int]:
    """The rows of the split, and how many have each status."""
    state = summary.state
    return {"rows": len(state.keys)} | {f"rows_{status}": state.row_counts()[status] for status in ROW_STATUSES}


def totals(summary: RunSummary, records: RunRecords, warn: Warnings) -> dict[str, Any]:
    """What is the same for all stages: of what the statistics are, times, devices, memory."""
    state, note = summary.state, records.sample.note
    return {
        "orphans": state.orphans,
        **({"statistics": f"{note}: means, shares, tags, seconds, charts and worst images"} if note else {}),
        **warn.part("the seconds by stage", lambda: {"seconds_by_stage": _seconds_by_stage(records)}),
        "workers": summary.workers,
        **warn.part("the lines of the devices", lambda: _by_device(summary)),
        "images_per_s": round(summary.images_per_s, 3),
        "wall_s": round(summary.wall_s, 2),
        **warn.part("the peak memory", lambda: _peak_memory(summary)),
        "output_folder": dg.MetadataValue.path(str(state.layout.folder)),
    }


def provenance(stages: Sequence[Stage], recipe: Recipe, settings: Settings) -> dict[str, Any]:
    """What stages were made with: the recipe and their part of it, the models that they ask, and this package."""
    names = sorted({name for stage in stages for name in stage_spec(stage).models(recipe)})
    files = ModelFiles.of(settings)
    models = [files.sha256_of(name) for name in names]
    return {
        "recipe_digest": _shown_digest(recipe.model_dump(mode="json")),
        "stage_recipe_digest": _shown_digest([stage_spec(stage).recipe_part(recipe) for stage in stages]),
        **({"model_digest": _shown_digest(models)} if models else {}),
        "package_version": __version__,
    }


def _shown_digest(content: Any) -> str:
    """Half of a digest, still 128 bits: whole ones make the table wider than a window of 1,280 pixels."""
    return canonical_digest(content)[:32]


def counts(summary: RunSummary, stage: Stage) -> dict[str, Any]:
    """How many images had which outcome, and the codes of failures."""
    outcomes = summary.tally.outcomes[stage]
    return {
        "images": outcomes.total(),
        **{name: outcomes[name] for name in OUTCOMES},
        **({"failures_by_code": dict(summary.tally.codes)} if summary.tally.codes else {}),
    }


def numbers(records: RunRecords, stage: Stage) -> dict[str, Any]:
    """Means of what the records hold, the shares of the families of light, and how many photos have each tag.

    Of many images these are of a sample, and the tags of all are estimated from it.
    """
    sums, families = records.sums.stages[stage], records.sums.families
    shown_metrics = stage_spec(stage).shown_metrics
    names = tuple(sorted(sums.counts)) if shown_metrics is None else shown_metrics
    means = {f"mean_{name}": round(mean, 4) for name in names if (mean := sums.mean(name)) is not None}
    if stage == "degraded" and families:
        # Every family, so that the UI's plot over partitions has no holes.
        means |= {f"share_{name}": round(families[name] / families.total(), 4) for name in family_names()}
    tags, scale = records.statistics.tags, records.sample.scale
    return means | {f"tagged_{name}": round(tags[name] * scale) for name in TAGS.get(stage, ())}


def data_version(records: RunRecords, stage: Stage) -> str:
    """One name for the content: the digests of every image for which the stage is current."""
    return canonical_digest(records.digests[stage])


def _seconds_by_stage(records: RunRecords) -> dict[str, float]:
    """Worker seconds that the split's present images took, whenever they were made; estimated from a sample of many."""
    scale = records.sample.scale / 1000.0
    return {name: round(spent * scale, 2) for name, spent in sorted(records.milliseconds.items())}


def _by_device(summary: RunSummary) -> dict[str, Any]:
    """A line for each worker, so that one that lags behind shows; nothing where nothing was to do."""
    lines = [f"- {_device_line(name, device, summary)}" for name, device in summary.devices.items()]
    return {"devices": dg.MetadataValue.md("\n".join(lines))} if lines else {}


def _device_line(name: str, device: DeviceTally, summary: RunSummary) -> str:
    rate, busy = device.images / summary.wall_s, device.segmenter_share(summary.wall_s)
    parts = [
        counted(device.images, "image"),
        f"{rate:.2f} images/s",
        f"segmenter busy {busy:.0%}",
        f"threads {device.busy_share(summary.wall_s, summary.threads):.0%}",
        *([f"replaced {counted(device.replaced, 'time')}"] if device.replaced else []),
        f"{device.peak_mib:,} MiB",
        *([f"GPU {device.gpu_peak_mib:,} MiB"] if device.gpu_peak_mib else []),
    ]
    return f"{name}{' (lost)' if device.lost else ''}: {', '.join(parts)}"


def _peak_memory(summary: RunSummary) -> dict[str, int]:
    """Of the largest worker, with the limit for all, and of the busiest GPU; nothing where nothing was to do."""
    if not summary.devices:
        return {}
    gpu = max(device.gpu_peak_mib for device in summary.devices.values())
    return {
        "worker_peak_mib": max(device.peak_mib for device in summary.devices.values()),
        **({"memory_limit_mib": limit.limit >> 20} if (limit := memory_limit()) else {}),
        **({"gpu_peak_mib": gpu} if gpu else {}),
    }
