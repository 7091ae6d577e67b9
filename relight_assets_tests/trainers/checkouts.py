"""Imports from the checkouts of trainers that lie in the folder ``TRAINERS``, and what stands in for their models."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest


def checkout(name: str) -> Path:
    """The folder of a trainer's checkout; skips where there is none."""
    folder = Path(os.environ["TRAINERS"]) / name
    if not folder.is_dir():
        pytest.skip(f"no checkout of {name} in TRAINERS={os.environ['TRAINERS']}")
    return folder


@contextmanager
def importable(*roots: Path, stubs: tuple[str, ...] = ()) -> Iterator[None]:
    """Modules below the roots can be imported, and those named in ``stubs`` are empty ones.

    Stubs are packages that no reader of data needs: models, audio, downloads.
    """
    # These ask which packages there are: before there are stubs.
    for real in ("torch", "torchvision", "transformers", "diffusers", "accelerate", "peft"):
        importlib.import_module(real)
    path, modules = list(sys.path), dict(sys.modules)
    sys.path[:0] = map(str, roots)
    sys.modules.update({name: Stub(name) for name in stubs})
    try:
        yield
    finally:
        sys.path[:] = path
        new = sys.modules.keys() - modules.keys()
        for name in [each for each in new if each in stubs or _lies_in(sys.modules[each], roots)]:
            del sys.modules[name]


def _lies_in(module: ModuleType, roots: tuple[Path, ...]) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(Path(place).is_relative_to(root) for place in places if place is not None for root in roots)


class Stub(ModuleType):
    """A module in which every name is a class that takes anything and does nothing."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda *_, **__: None})
        setattr(self, name, made)
        return made
