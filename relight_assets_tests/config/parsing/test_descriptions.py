"""The texts below the fields of a model, as the UI shows them."""

import importlib
import py_compile
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.config.parsing.descriptions import descriptions
from relight_assets.config.recipe.networks import Network, ShapeNetwork
from relight_assets.config.recipe.types import Part


class Outer(Part):
    """A section of this test."""

    plain: int = 1
    """Of one line."""
    longer: int = 2
    """Of two,

    and a paragraph.
    """
    silent: int = 3


class Derived(Outer):
    """Another, with a text of its own for one of the fields."""

    plain: int = 4
    """Its own."""
    added: int = 5
    """New."""


def test_each_text_belongs_to_the_field_above_it() -> None:
    assert descriptions(Outer) == {"plain": "Of one line.", "longer": "Of two,\n\nand a paragraph."}


def test_a_derived_section_has_those_of_its_base_and_its_own() -> None:
    assert descriptions(Derived) == {"plain": "Its own.", "longer": "Of two,\n\nand a paragraph.", "added": "New."}
    assert descriptions(ShapeNetwork)["mean"] == "Taken off R, G and B; as ImageNet's."
    assert descriptions(ShapeNetwork)["square"] == descriptions(Network)["square"]


def _compiled(source: Path) -> None:
    py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")))
    source.unlink()


def _edited(source: Path) -> None:
    source.with_suffix(".pyc").unlink(missing_ok=True)
    importlib.import_module(source.stem)
    source.write_text(source.read_text() + "class A(")


@pytest.mark.parametrize("lose", [_compiled, _edited])
def test_without_a_source_that_can_be_read_there_are_none(
    lose: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"a_model{lose.__name__}"
    (tmp_path / f"{name}.py").write_text(
        'from pydantic import BaseModel\n\nclass A(BaseModel):\n    a: int = 1\n    """Text."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    lose(tmp_path / f"{name}.py")
    assert descriptions(importlib.import_module(name).A) == {}
