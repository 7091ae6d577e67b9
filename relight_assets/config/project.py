"""Reading a project's settings and recipe.  Only the edges do: the commands, and what Dagster loads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from relight_assets.config.context import ProjectContext
from relight_assets.config.loader import load_recipe, parse_recipe
from relight_assets.config.project_folder import is_there, project_folder, recipe_file
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import load_settings
from relight_assets.config.variables import RECIPE


@dataclass(frozen=True)
class ProjectSource:
    """What names a project's files.  Every method reads them anew."""

    environ: Mapping[str, str]
    """The environment, whose variables ``RELIGHT_...`` name files and replace settings."""
    platform: Path | None = None
    """Another settings file, by an option."""
    unknown_variables: tuple[str, ...] = ()
    """Sentences about variables that look like settings and are none."""

    def folder(self) -> Path:
        """See :func:`relight_assets.config.project_folder.project_folder`."""
        return project_folder(self.environ, self.platform)

    def settings(self) -> Settings:
        """See :func:`relight_assets.config.settings_loader.load_settings`."""
        return load_settings(self.environ, self.platform)

    def recipe(self) -> LoadedRecipe:
        """The project's recipe; all defaults where it has no recipe file.

        Raises:
            ConfigError: see :func:`relight_assets.config.loader.load_recipe`.
        """
        file = recipe_file(self.environ, self.platform)
        if not is_there(file) and RECIPE not in self.environ:
            return parse_recipe({}, "defaults", file.parent)
        return load_recipe(file)

    def context(self) -> ProjectContext:
        """Settings and recipe.

        Raises:
            ConfigError: one of them cannot be used.
        """
        recipe = recipe_file(self.environ, self.platform)
        return ProjectContext(self.folder(), self.settings(), self.recipe(), recipe)
