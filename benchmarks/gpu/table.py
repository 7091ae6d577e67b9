"""The outcome of all checks: for people as text, for programs as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gpu.child import Outcome
from benchmarks.gpu.setting import Row
from relight_assets.core.atomic_io import write_atomic


def text(outcomes: Sequence[Outcome]) -> str:
    """Each check with its figures, rows of the same figures below each other; what was not done, and why."""
    blocks = []
    for outcome in outcomes:
        why = f": {outcome.why}" if outcome.why else ""
        blocks.append(
            "\n".join([f"{outcome.name}  ({outcome.state}, {outcome.seconds:g} s{why})", *_rows(outcome.rows)])
        )
    return "\n\n".join(blocks)


def _rows(rows: Sequence[Row]) -> list[str]:
    lines: list[str] = []
    while rows:
        names = tuple(rows[0])
        alike = [row for row in rows if tuple(row) == names]
        rows = [row for row in rows if tuple(row) != names]
        lines += _columns([names, *(tuple(_shown(value) for value in row.values()) for row in alike)])
    return lines


def _columns(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return [f"  {line}" for line in lines]


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def write_json(file: Path, machine: Row, outcomes: Sequence[Outcome]) -> None:
    """Write everything."""
    figures = {"machine": machine, "checks": [asdict(outcome) for outcome in outcomes]}
    write_atomic(file, f"{json.dumps(figures, indent=1)}\n".encode())
