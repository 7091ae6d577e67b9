"""What can be started for a split from the UI's Jobs page, beside materializing assets."""

from typing import Any

import dagster as dg
from pydantic import Field

from relight_assets.defs.assets.splits import splits
from relight_assets.defs.checks.files import verdict_table
from relight_assets.defs.checks.specs import MAPPING
from relight_assets.defs.jobs.experiments import experiment_key
from relight_assets.defs.resources import RunInputs, as_dagster_failure
from relight_assets.engine.experiments import experiment_recipe
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets.stages.registry import all_stage_names, stage_names

_CSV_ASSETS = dg.AssetSelection.assets("mapping_csv", "dead_letters")
_OPTIONAL = [[stage] for stage in all_stage_names() if stage not in stage_names()]
# Those of a recipe that does not ask for them are no assets; by their keys' beginnings, they need not be there.
_ALL = dg.AssetSelection.assets(*stage_names()) | dg.AssetSelection.key_prefixes(*_OPTIONAL) | _CSV_ASSETS
SHOWN = 50
"""Faults in a run's metadata at most."""

relight_split = dg.define_asset_job(
    "relight_split",
    selection=_ALL,
    description="Bring everything of one split up to date: only what is missing or stale is computed.",
)
masks_only = dg.define_asset_job(
    "masks_only",
    selection=dg.AssetSelection.assets("masks") | _CSV_ASSETS,
    description="Segment one split and no more, to look at the masks before the rest is made of them.",
)
retry_dead_letters = dg.define_asset_job(
    "retry_dead_letters",
    selection=_ALL,
    config={"ops": {"relight_images": {"config": {"retry_failed": True}}}},
    description="As relight_split, and retries failed images even if nothing changed.",
)
rebuild_mapping = dg.define_asset_job(
    "rebuild_mapping",
    selection=_CSV_ASSETS,
    description="Write the mapping and the failures CSV of one split as its files stand. Computes nothing.",
)


class VerifyConfig(dg.Config):
    """What is verified."""

    experiment: str = Field(default="", description="Of a named experiment, its own outputs; empty: the split's.")
    sample: int = Field(default=0, ge=0, description="So many images, evenly spread; 0 = all of them.")


@dg.op(
    out=dg.Out(dg.Nothing),
    description=(
        "Reads every file of the split: its sha256 against its record, the background of every composite, and the "
        "mapping CSV against its input, and measures every image. Fails if anything is not as it must be. Changes "
        "nothing."
    ),
)
def verify_files(context: dg.OpExecutionContext, config: VerifyConfig, run_inputs: dg.ResourceParam[RunInputs]) -> None:
    """Verify one split."""
    experiment = config.experiment or None
    with as_dagster_failure():
        project, split = run_inputs.project(), run_inputs.split(context.partition_key)
        settings = project.settings
        loaded = experiment_recipe(split.split, settings, experiment) if experiment is not None else project.loaded
        found = verify_split(
            split,
            loaded.recipe,
            settings,
            quality=settings.quality_of(loaded),
            experiment=experiment,
            sample=config.sample or None,
        )
    summary = summary_of(found)
    # It stands among the events of what it is about, whatever came out.
    key = MAPPING if experiment is None else experiment_key(experiment)
    metadata = _metadata(found)
    context.log_event(dg.AssetObservation(key, partition=found.split, description=summary, metadata=metadata))
    if not found.passed:
        raise dg.Failure(description=summary, metadata=metadata, allow_retries=False)
    context.log.info(summary)


@dg.job(
    partitions_def=splits,
    description="Compare every file of one split with its record, its background and its mapping CSV.",
)
def verify() -> None:
    """See :func:`verify_files`."""
    verify_files()


def summary_of(found: Verification) -> str:
    """One sentence about a verification."""
    counts = ", ".join(f"{found.rows[status]} {status}" for status in ROW_STATUSES)
    faults = f"{len(found.faults)} faults" if found.faults else "all as they must be"
    bad = [f"{v.metric} {v.value:.3f} (wanted {v.bound})" for v in found.verdicts if not v.passed]
    measured = f"; not good enough: {', '.join(bad)}" if bad else ""
    return f"{found.split}: {counts}; {found.files} files of {found.images} images read: {faults}{measured}"


def _metadata(found: Verification) -> dict[str, Any]:
    records = [
        dg.TableRecord({"code": fault.code, "file": str(fault.file), "text": fault.text})
        for fault in found.faults[:SHOWN]
    ]
    return {
        **({"faults": dg.MetadataValue.table(records)} if records else {}),
        **({"metrics": verdict_table(found.verdicts)} if found.verdicts else {}),
        "files": found.files,
        "images": found.images,
    }
