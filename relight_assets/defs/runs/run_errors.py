"""Why a run of the command line did not succeed, in one sentence."""

from collections.abc import Sequence

import dagster as dg

from relight_assets import errors
from relight_assets.core.messages.crash_reports import cause_of, sentence, unexpected
from relight_assets.defs.dagster_internals import RecordedError, home_of, recorded_errors
from relight_assets.defs.runs.history import history_error, history_error_of
from relight_assets.errors import InterruptedRunError, RelightError, UserError

_INTERRUPTIONS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}


class LaunchError(RelightError):
    """A run did not end well for a reason that is not one of ours."""

    code = "run_failed"


def raised_by(instance: dg.DagsterInstance, run_id: str, error: BaseException) -> RelightError:
    """What to report of an error that Dagster let through, instead of recording it as the run's."""
    fault = history_error(error, home_of(instance))
    return fault if fault is not None else unexpected(error, f"run {run_id}")


def failure_of(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, split: str) -> RelightError:
    """What to report of a run that did not succeed."""
    stopped_by = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR
    ]
    if stopped_by:
        return LaunchError(
            f"{'; '.join(map(_sentence_about, stopped_by))}; `relight verify --split {split}` lists everything"
        )
    run = f"run {result.run_id}"
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        failure = data.user_failure_data
        if failure is not None and failure.description:
            user_error = failure.metadata.get("user_error")
            kind = UserError if user_error is not None and user_error.value else LaunchError
            return kind(failure.description)
        if data.error is not None:
            return _of_error(
                recorded_errors(data.error), data.error.to_string(), instance, f"{run}, step {event.step_key}"
            )
    for event in result.all_events:  # before or after the steps: a resource, say
        if event.event_type is dg.DagsterEventType.RUN_FAILURE and (error := event.job_failure_data.error) is not None:
            return _of_error(recorded_errors(error), error.to_string(), instance, run)
    return LaunchError(f"{run} did not succeed; `relight dev` shows its events")


def _of_error(chain: Sequence[RecordedError], traceback: str, instance: dg.DagsterInstance, doing: str) -> RelightError:
    if any(error.name in _INTERRUPTIONS for error in chain):
        return InterruptedRunError()
    for error in chain:
        kind = getattr(errors, error.name, None) if error.path == f"{errors.__name__}.{error.name}" else None
        if isinstance(kind, type):  # one of ours, raised where nothing turns it into a failure with a sentence
            return (UserError if issubclass(kind, UserError) else LaunchError)(error.message)
    plain = [(error.name, error.message) for error in chain]
    fault = history_error_of(plain, home_of(instance))
    if fault is not None:
        return fault
    return LaunchError(f"{sentence(cause_of(plain), traceback, doing)}, and in the UI among the run's events")


def _sentence_about(evaluation: dg.AssetCheckEvaluation) -> str:
    """One sentence about a check that failed, with the first fault that it found."""
    examples = evaluation.metadata.get("examples")
    first = examples.records[0].data if isinstance(examples, dg.TableMetadataValue) and examples.records else None
    return f"the check `{evaluation.check_name}` failed" + (f": {first['file']} {first['text']}" if first else "")
