"""What can be started for a split from the UI's Jobs page, beside materializing assets."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from relight_assets.defs.checks.files import verdict_table
from relight_assets.defs.jobs.experiments import experiment_job
from relight_assets.defs.jobs.run_checks import run_checks_job
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.engine.experiments import experiment_recipe
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets.stages.registry import all_stage_names, stage_names

SHOWN = 50
"""Faults in a run's metadata at most."""


def jobs_of(names: Names = OWN) -> Sequence[Any]:
    """All jobs of a project of these names."""
    csvs = dg.AssetSelection.assets(*names.csvs)
    # Stages that the recipe does not ask for are no assets; by their keys' beginnings, they need not be there.
    optional = [names.key(stage).path for stage in all_stage_names() if stage not in stage_names()]
    everything = dg.AssetSelection.assets(*names.stages) | dg.AssetSelection.key_prefixes(*optional) | csvs
    return [
        dg.define_asset_job(
            names.of("relight_split"),
            selection=everything,
            description="Bring everything of one split up to date: only what is missing or stale is computed.",
        ),
        dg.define_asset_job(
            names.of("masks_only"),
            selection=dg.AssetSelection.assets(names.key("masks")) | csvs,
            description="Segment one split and no more, to look at the masks before the rest is made of them.",
        ),
        experiment_job(names),
        dg.define_asset_job(
            names.of("retry_dead_letters"),
            selection=everything,
            config={"ops": {names.of("relight_images"): {"config": {"retry_failed": True}}}},
            description=f"As {names.of('relight_split')}, and retries failed images even if nothing changed.",
        ),
        dg.define_asset_job(
            names.of("rebuild_mapping"),
            selection=csvs,
            description="Write the mapping and the failures CSV of one split as its files stand. Computes nothing.",
        ),
        _verify_job(names),
        run_checks_job(names),
    ]


class VerifyConfig(dg.Config):
    """What is verified."""

    experiment: str = Field(default="", description="Of a named experiment, its own outputs; empty: the split's.")
    sample: int = Field(default=0, ge=0, description="So many images, evenly spread; 0 = all of them.")


def _verify_job(names: Names) -> dg.JobDefinition:
    @dg.op(
        name=names.of("verify_files"),
        out=dg.Out(dg.Nothing),
        required_resource_keys={names.run_inputs},
        description=(
            "Reads every file of the split: its sha256 against its record, the background of every composite, and the "
            "mapping CSV against its input, and measures every image. Fails if anything is not as it must be. Changes "
            "nothing."
        ),
    )
    def verify_files(context: dg.OpExecutionContext, config: VerifyConfig) -> None:
        _verify_files(context, config, inputs_of(context, names), names)

    @dg.job(
        name=names.of("verify"),
        partitions_def=names.splits,
        description="Compare every file of one split with its record, its background and its mapping CSV.",
    )
    def verify() -> None:
        verify_files()

    return verify


def _verify_files(context: dg.OpExecutionContext, config: VerifyConfig, run_inputs: RunInputs, names: Names) -> None:
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
    key, partition = (
        (names.mapping, found.split)
        if experiment is None
        else (names.experiments, names.experiment(experiment, found.split))
    )
    metadata = _metadata(found)
    context.log_event(dg.AssetObservation(key, partition=partition, description=summary, metadata=metadata))
    if not found.passed:
        raise dg.Failure(description=summary, metadata=metadata, allow_retries=False)
    context.log.info(summary)


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
