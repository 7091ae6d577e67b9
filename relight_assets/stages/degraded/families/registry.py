"""The families of light: one module of this package for each family in the recipe's section ``degradation``.

Other modules may be registered by dotted name.  Worker processes register them again: see :func:`registered`.
"""

from functools import cache
from importlib import import_module

from relight_assets.config.recipe.lights import add_family, family_names, remove_family
from relight_assets.stages.degraded.light_family import LightFamily

_PACKAGE = "relight_assets.stages.degraded.families"
_registered: dict[str, str] = {}
"""The dotted module name of each registered family."""


def family(name: str) -> LightFamily:
    """The family of a name in the recipe."""
    found: LightFamily = import_module(_registered.get(name, f"{_PACKAGE}.{name}")).FAMILY
    return found


@cache
def second_names() -> tuple[str, ...]:
    """The families that can be added to another's light, in the order of the recipe."""
    return tuple(name for name in family_names() if family(name).add is not None)


def register(module: str) -> None:
    """Add the family of a module, by its dotted name, to the recipe and to all that is derived from it."""
    found: LightFamily = import_module(module).FAMILY
    if found.name not in family_names():
        _registered[found.name] = module
        add_family(found.name, found.options)
        second_names.cache_clear()


def unregister(module: str) -> None:
    """Take back what :func:`register` added."""
    name = next(name for name, known in _registered.items() if known == module)
    del _registered[name]
    remove_family(name)
    second_names.cache_clear()


def registered() -> tuple[str, ...]:
    """The dotted module names that :func:`register` was given, for workers."""
    return tuple(_registered.values())
