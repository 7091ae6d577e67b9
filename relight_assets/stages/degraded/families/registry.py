"""The light families: one module of this package for each family in the recipe's section ``degradation``.

Families of other modules are added by :func:`register_families`.
"""

from collections.abc import Collection
from functools import cache
from importlib import import_module

from relight_assets.config.recipe.degradation import add_family, family_names, remove_family
from relight_assets.stages.degraded.light_family import LightFamily

_PACKAGE = "relight_assets.stages.degraded.families"
_extra: dict[str, str] = {}
"""The dotted module name of each family that was added."""


def family(name: str) -> LightFamily:
    """The family of a name in the recipe."""
    found: LightFamily = import_module(_extra.get(name, f"{_PACKAGE}.{name}")).FAMILY
    return found


@cache
def families() -> tuple[LightFamily, ...]:
    """All families, in the order of the recipe; the same object until one is added or removed."""
    return tuple(map(family, family_names()))


@cache
def second_names() -> tuple[str, ...]:
    """The families that can be added to another's light, in the order of the recipe."""
    return tuple(each.name for each in families() if each.add is not None)


def register_families(modules: Collection[str]) -> None:
    """Add the family ``FAMILY`` of each module, by its dotted name, to the recipe and all that is derived from it.

    Worker processes are given the names, and import the modules themselves.
    """
    for module in modules:
        added: LightFamily = import_module(module).FAMILY
        if added.name not in family_names():
            _extra[added.name] = module
            add_family(added.name, added.options)
    _forget_families()


def remove_families(modules: Collection[str]) -> None:
    """Take back what :func:`register_families` added."""
    for name in [name for name, module in _extra.items() if module in modules]:
        del _extra[name]
        remove_family(name)
    _forget_families()


def _forget_families() -> None:
    families.cache_clear()
    second_names.cache_clear()


def extra_modules() -> tuple[str, ...]:
    """The dotted names of the modules whose families were added."""
    return tuple(_extra.values())
