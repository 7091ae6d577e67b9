"""What the assets, partitions, jobs, sensors, resources and the pool of one project are called in Dagster.

A Dagster instance may hold several of our projects, and other people's assets beside them.  A prefix keeps them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names

JOBS = ("relight_split", "masks_only", "experiment", "retry_dead_letters", "rebuild_mapping", "verify", "run_checks")
"""The jobs of a project, without prefix."""


@dataclass(frozen=True)
class Names:
    """The names of one project."""

    prefix: str = ""
    """Empty: the project has the instance to itself."""
    pool: str = "gpu"
    """The concurrency pool of the ops that use the devices."""

    def of(self, name: str) -> str:
        """The name of a job, an op, a sensor, a schedule, a resource, a group or a file of the instance."""
        return f"{self.prefix}_{name}" if self.prefix else name

    def key(self, *path: str) -> dg.AssetKey:
        """The key of an asset."""
        return dg.AssetKey([self.prefix, *path] if self.prefix else path)

    @property
    def partitions(self) -> str:
        """The name under which the instance keeps the partitions, one for each split."""
        return self.of("splits")

    @property
    def splits(self) -> dg.DynamicPartitionsDefinition:
        """The partitions of all assets and jobs."""
        return dg.DynamicPartitionsDefinition(name=self.partitions)

    @property
    def run_inputs(self) -> str:
        """The key of the resource :class:`relight_assets.defs.resources.RunInputs`."""
        return self.of("run_inputs")

    @property
    def split_csv(self) -> dg.AssetKey:
        """The asset that stands for the CSV of a split."""
        return self.key("split_csv")

    @property
    def mapping(self) -> dg.AssetKey:
        """The asset of the mapping CSV, which has the checks."""
        return self.key("mapping_csv")

    @property
    def stages(self) -> Sequence[dg.AssetKey]:
        """The assets of the stages, in order."""
        return [self.key(stage) for stage in stage_names()]

    @property
    def csvs(self) -> Sequence[dg.AssetKey]:
        """The assets that every run of a split ends with."""
        return [self.mapping, self.key("dead_letters")]

    def recipe(self, stage: Stage) -> dg.AssetKey:
        """The asset that stands for the recipe of one stage."""
        return self.key("recipe", stage)

    @property
    def experiments(self) -> dg.AssetKey:
        """The asset that all experiments show as."""
        return self.key("experiments")

    @property
    def experiment_partitions(self) -> dg.MultiPartitionsDefinition:
        """Its partitions: each experiment with each split."""
        named = dg.DynamicPartitionsDefinition(name=self.of("experiments"))
        return dg.MultiPartitionsDefinition({"experiment": named, "split": self.splits})

    def experiment(self, name: str, split: str) -> dg.MultiPartitionKey:
        """The partition of one experiment with one split."""
        return dg.MultiPartitionKey({"experiment": name, "split": split})

    def owns(self, run: dg.DagsterRun) -> bool:
        """Whether a run is of this project; without a prefix every run is."""
        if not self.prefix or run.job_name in map(self.of, JOBS):
            return True
        return any(key.path[0] == self.prefix for key in run.asset_selection or ())


OWN = Names()
"""Of a project that has the instance to itself, as the command line works with it."""
