"""Runs of a job, and what its checks found."""

from typing import Any

import dagster as dg

from relight_assets.definitions import defs


def run(instance: dg.DagsterInstance, split: str, job: str = "relight_split") -> dg.ExecuteInProcessResult:
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return (
        defs()
        .resolve_job_def(job)
        .execute_in_process(partition_key=split, instance=instance, run_config=config, raise_on_error=False)
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def failed(result: dg.ExecuteInProcessResult) -> set[str]:
    return {name for name, evaluation in checks(result).items() if not evaluation.passed}
