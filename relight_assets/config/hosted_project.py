"""A project inside somebody else's: its files are named one by one, and the working directory says nothing."""

from dataclasses import dataclass
from pathlib import Path

from relight_assets.config.context import ProjectContext
from relight_assets.config.loader import load_recipe, parse_recipe
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import settings_of
from relight_assets.config.variables import variable_of

OF_THE_MACHINE = (
    *("model_dir", "engine", "num_gpus", "cpu_workers", "threads", "memory_mib", "batch", "start_s", "hang_s"),
    *("max_megapixels", "alert_webhook", "ray.address", "ray.slots", "ray.cpus_per_worker", "ray.start_s"),
)
"""The settings that the environment replaces for all projects of a host; the others differ from project to project."""


@dataclass(frozen=True, kw_only=True)
class HostedProject(ProjectSource):
    """What names the files of such a project.  Every method reads them anew."""

    here: Path
    """The folder that it is of."""
    data: Path
    """The folder with its CSVs, which is only read: other projects may read it too."""
    outputs: Path
    """The folder for all that is made, the mappings and failures CSVs too."""
    recipe_path: Path | None = None
    """None: the recipe is all defaults."""
    settings_path: Path | None = None
    """None: the settings are all defaults."""

    def folder(self) -> Path:
        """Where it is."""
        return self.here

    def settings(self) -> Settings:
        """Its settings, with its own folders.

        Raises:
            ConfigError: see :func:`relight_assets.config.settings_loader.settings_of`.
        """
        variables = map(variable_of, OF_THE_MACHINE)
        found = settings_of(
            self.settings_path, {name: self.environ[name] for name in variables if name in self.environ}
        )
        return found.model_copy(update=self._own_folders)

    @property
    def _own_folders(self) -> dict[str, Path | None]:
        # Two projects may share a settings file, and must not write into the same folders.
        return {"csv_dir": self.data, "output_root": self.outputs, "mapping_dir": self.outputs, "export_root": None}

    def recipe(self) -> LoadedRecipe:
        """Its recipe.

        Raises:
            ConfigError: see :func:`relight_assets.config.loader.load_recipe`.
        """
        return (
            load_recipe(self.recipe_path) if self.recipe_path is not None else parse_recipe({}, "defaults", self.here)
        )

    def context(self) -> ProjectContext:
        """Settings and recipe.

        Raises:
            ConfigError: one of them cannot be used.
        """
        recipe_file = self.recipe_path or self.here / "mvp_config.yaml"
        return ProjectContext(self.here, self.settings(), self.recipe(), recipe_file)
