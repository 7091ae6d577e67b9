"""What a run works with: the project, its splits' CSVs and the lock that says the run is alive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from relight_assets.config.context import ProjectContext
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.defs.assets.observations import observe_before_run
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.runs.run_locks import lock_until_exit
from relight_assets.defs.runs.step_process import end_with_run_worker, is_step_process
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import RelightError, UserError
from relight_assets.quality.feasibility import check_feasible


class RunInputs:
    """The project and the CSVs of one run as they were when it first read them: later changes are the next run's."""

    def __init__(self, read_project: Callable[[], ProjectContext], states: dict[str, SplitState] | None = None):
        self._read_project = read_project
        self.states: dict[str, SplitState] = {} if states is None else states
        """Where each split stood when a step of the run was done with it: scanned once, and kept up to date."""
        self._project: ProjectContext | None = None
        self._splits: dict[str, SplitCsv] = {}

    def project(self, num_gpus: int = 0) -> ProjectContext:
        """The project, with another number of GPUs unless that is 0.

        Raises:
            ConfigError: its settings or its recipe cannot be used.
        """
        if self._project is None:
            project = self._read_project()
            check_feasible(project.recipe)
            self._project = project
        return self._project.with_settings(num_gpus=num_gpus) if num_gpus else self._project

    def split(self, name: str) -> SplitCsv:
        """The CSV of a partition.

        Raises:
            CsvError: there is none, or it cannot be read.
            ConfigError: the settings cannot be used.
        """
        if name not in self._splits:
            settings = self.project().settings
            self._splits[name] = list_csvs(settings.csv_dir, settings.csv_glob).read(name)
        return self._splits[name]


def inputs_of(context: dg.OpExecutionContext | dg.AssetExecutionContext, names: Names) -> RunInputs:
    """The resource in a step of it; the step requires ``names.run_inputs``."""
    found: RunInputs = getattr(context.resources, names.run_inputs)
    return found


def run_inputs(
    read_project: Callable[[], ProjectContext], states: dict[str, SplitState] | None = None, names: Names = OWN
) -> dg.ResourceDefinition:
    """The resource :class:`RunInputs`, for runs of the project that ``read_project`` gives.

    The caller finds in ``states`` where the splits stand after a run in its own process; None: each run keeps its own.

    With it a run takes its lock: only one that has a lock is known to be dead when its process is.  A step in a process
    of its own takes none, for the run goes on after it; it ends with the process of the run instead.
    """

    def start(context: dg.InitResourceContext) -> RunInputs:
        assert context.instance is not None  # noqa: S101  (in a run there are both)
        assert context.run is not None  # noqa: S101
        if is_step_process():
            end_with_run_worker()
        else:
            lock_until_exit(context.instance, context.run.run_id)
        with suppress(RelightError):  # a step tells it, as its failure
            observe_before_run(context.instance, read_project(), context.run.tags.get("dagster/partition"), names)
        return RunInputs(read_project, states)

    return dg.ResourceDefinition(start, description="The project and the CSVs of one run, and its lock.")


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turn our own errors into a Dagster failure that shows the sentence and no traceback."""
    try:
        yield
    except RelightError as error:
        raise dg.Failure(
            description=str(error),
            metadata={"code": error.code, "user_error": isinstance(error, UserError)},
            allow_retries=error.retryable,
        ) from None
