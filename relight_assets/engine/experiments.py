"""Reading back the recipe of an experiment that was run."""

from relight_assets.config.loader import load_recipe
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.errors import UserError


def experiment_recipe(split: str, settings: Settings, experiment: str) -> LoadedRecipe:
    """The recipe that an experiment was run with last, from its folder.

    Raises:
        UserError: there is no such experiment of this split, or its recipe cannot be used.
    """
    written = SplitLayout(split_folder(settings.output_root, split, experiment)).recipe
    if not written.exists():
        raise UserError(f"the experiment `{experiment}` has nothing of the split `{split}`: no {written}")
    return load_recipe(written)
