"""The texts below the fields of a recipe's sections.

pydantic reads them too (``use_attribute_docstrings``), whenever a section is imported: that costs every process a tenth
of a second or two, and the UI alone shows them.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

from relight_assets.config.recipe.types import Part


def descriptions(part: type[Part]) -> dict[str, str]:
    """The text below each field of a section, those of the sections that it is derived from among them.

    Empty where the source is not there to be read.
    """
    found: dict[str, str] = {}
    for each in reversed(part.__mro__):
        if issubclass(each, Part):
            found |= _texts(each.__module__).get(each.__name__, {})
    return found


@cache
def _texts(module: str) -> dict[str, dict[str, str]]:
    """By the names of a module's classes and of their fields."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:
        return {}
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(node.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
