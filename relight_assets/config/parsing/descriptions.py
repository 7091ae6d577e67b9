"""The texts below the fields of a model, which describe them in the UI.

pydantic reads them too (``use_attribute_docstrings``), whenever a model is imported: two tenths of a second in each
process, and the UI alone shows them.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from types import ModuleType

from pydantic import BaseModel


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field of a model, those of the models that it is derived from among them.

    Empty where there is no source, or none that can be read.
    """
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            found |= _texts(inspect.getmodule(each)).get(each.__name__, {})
    return found


@cache
def _texts(module: ModuleType | None) -> dict[str, dict[str, str]]:
    """By the names of a module's classes and of their fields."""
    try:
        tree = ast.parse(inspect.getsource(module) if module is not None else "")
    except (OSError, TypeError, SyntaxError):  # compiled alone, not of Python, or being edited
        return {}
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(node.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
