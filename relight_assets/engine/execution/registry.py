"""The engine that the setting ``engine`` names."""

from importlib import import_module

from relight_assets.config.engines import ENGINES
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.base import Engine


def make_engine(settings: Settings, recipe: Recipe | None) -> Engine:
    """The engine for workers that follow a recipe; None: for workers that hash files, which need no device.

    Raises:
        ConfigError: the settings ask for places that are not there.
        GpuUnavailableError: GPUs are expected and none can be used.
    """
    module, _, attribute = ENGINES[settings.engine].partition(":")
    engine: Engine = getattr(import_module(module), attribute)(settings, recipe)
    return engine
