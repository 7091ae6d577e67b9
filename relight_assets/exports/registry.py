"""The layouts, by name: one module of ``exports/layouts`` each."""

import difflib
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from relight_assets.errors import UserError
from relight_assets.exports.base import ExportSpec

_MODULES = (
    "imagefolder", "ai_toolkit", "musubi_tuner", "simpletuner", "diffsynth", "sd_scripts", "onetrainer", "parquet",
    "webdataset", "jsonl",
)  # fmt: skip


@cache
def layouts() -> dict[str, ExportSpec]:
    """Every layout, in the order of the docs."""
    found = [import_module(f"relight_assets.exports.layouts.{name}").EXPORT for name in _MODULES]
    return {spec.name: spec for spec in found}


def layout(name: str) -> ExportSpec:
    """The layout of a name.

    Raises:
        UserError: there is none.
    """
    if name not in layouts():
        near = difflib.get_close_matches(name, layouts(), n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise UserError(f"--layout: there is no layout `{name}`{hint} There are: {', '.join(layouts())}")
    return layouts()[name]


def need_packages(spec: ExportSpec) -> None:
    """Make sure that what a layout needs is installed.

    Raises:
        UserError: it is not.
    """
    missing = [name for name in (spec.shards.needs if spec.shards is not None else ()) if find_spec(name) is None]
    if missing:
        raise UserError(f"the layout `{spec.name}` needs {', '.join(missing)}: pip install 'relight_assets[export]'")
