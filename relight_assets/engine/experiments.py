"""Reading back the recipe of an experiment that was run."""

from contextlib import suppress

from relight_assets.config.loader import load_recipe
from relight_assets.config.parsing.yaml_reader import MAX_BYTES
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.errors import UserError
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL


def experiment_recipe(split: str, settings: Settings, experiment: str, storage: Storage = LOCAL) -> LoadedRecipe:
    """The recipe that an experiment was run with last, from its folder.

    Raises:
        UserError: there is no such experiment of this split, or its recipe cannot be used.
    """
    written = SplitLayout(split_folder(settings.output_root, split, experiment), storage).recipe
    if storage.kind(written) is None:
        raise UserError(f"the experiment `{experiment}` has nothing of the split `{split}`: no {written}")
    content = None
    with suppress(OSError):  # whoever reads a recipe says why it cannot be read
        content = storage.read(written, max_bytes=MAX_BYTES)
    return load_recipe(written, content)
