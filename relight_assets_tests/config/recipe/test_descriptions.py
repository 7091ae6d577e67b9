"""The texts below the fields of a recipe's sections, as the UI shows them."""

import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets.config.recipe.descriptions import descriptions
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


@pytest.mark.processes
def test_without_the_source_there_are_none(tmp_path: Path) -> None:
    """As where a package was installed as compiled modules alone."""
    (tmp_path / "alone.py").write_text(
        'from relight_assets.config.recipe.types import Part\nclass A(Part):\n    a: int = 1\n    """Text."""\n'
    )
    code = (
        "import compileall, pathlib, sys; sys.path.insert(0, '.');"
        "compileall.compile_file('alone.py', legacy=True, quiet=1); pathlib.Path('alone.py').unlink();"
        "import alone; from relight_assets.config.recipe.descriptions import descriptions; print(descriptions(alone.A))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout == "{}\n"
