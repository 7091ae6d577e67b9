"""ProjectContext: the settings and the recipe of a project, read once and passed down."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings


@dataclass(frozen=True)
class ProjectContext:
    """A project's settings and recipe, and where they came from."""

    folder: Path
    """The project's folder; the working directory where there is no project."""
    settings: Settings
    loaded: LoadedRecipe
    """The recipe file's content: that of the splits' own folders, unless an experiment replaces it."""
    recipe_file: Path
    """Where the recipe is read from; there may be no such file, and then all is default."""

    @property
    def recipe(self) -> Recipe:
        """The recipe itself."""
        return self.loaded.recipe

    @property
    def quality(self) -> Quality:
        """The thresholds for the recipe's images."""
        return self.settings.quality_of(self.loaded)

    def with_settings(self, **changes: Any) -> "ProjectContext":
        """The same with other settings, which are taken as they are."""
        return replace(self, settings=self.settings.model_copy(update=changes))
