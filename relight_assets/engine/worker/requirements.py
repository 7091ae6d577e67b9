"""What workers need before they can start, seen once: one clear error now, not one from every worker."""

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.worker.environment_files import load_environments
from relight_assets.engine.worker.gobo_files import load_gobos
from relight_assets.imaging.exr import require_exr
from relight_assets.models.files import ModelFiles
from relight_assets.models.loading import check_networks, check_segmenter


def check_requirements(recipe: Recipe, settings: Settings, *, on_gpu: bool) -> None:
    """See that the models and files of a recipe are on this machine; ``on_gpu``: where a GPU does the work.

    Raises:
        ModelFileError: a model file is missing or altered, or a package that it needs is not installed.
        GpuUnavailableError: the torch that is installed cannot use a GPU.
        ConfigError: a shadow pattern or a panorama of the user's cannot be read, or the package for OpenEXR files is
            not installed.
    """
    files = ModelFiles.of(settings)
    check_segmenter(recipe, files, on_gpu=on_gpu)
    check_networks(recipe, files)
    load_gobos(recipe)
    load_environments(recipe)
    if recipe.keep_light:
        require_exr()
