"""The JSON Schema of a record, and the tables of its numbers in the docs: both are made from the stages' metrics.

``python -m relight_assets.dataset.record_schema docs`` writes ``record.schema.json`` and the tables of ``records.md``
into the folder ``docs``.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from relight_assets.dataset.record_format import SCHEMA_VERSION
from relight_assets.dataset.record_types import Record, StageEntry
from relight_assets.stages.base import StageSpec
from relight_assets.stages.degraded.light_sampler import SECOND
from relight_assets.stages.degraded.metrics import MEASURED
from relight_assets.stages.metric import Metric, schema_of
from relight_assets.stages.registry import stages

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
SCHEMA_FILE, TABLES_FILE = "record.schema.json", "records.md"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``NNNNN_metadata.json``."""
    (record, entry), definitions = msgspec.json.schema_components([Record, StageEntry])
    whole = definitions[_name(record)]
    properties = whole["properties"] | {
        "schema_version": {"const": SCHEMA_VERSION},
        "stages": {
            "type": "object",
            "properties": {spec.name: _entry(definitions[_name(entry)], spec) for spec in stages()},
            "additionalProperties": False,
        },
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
    shared = {name: one for name, one in definitions.items() if name not in {_name(record), _name(entry)}}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": f"Record of an image, version {SCHEMA_VERSION}",
        "properties": properties,
        "additionalProperties": False,
        "$defs": shared | {f"{spec.name}_numbers": schema_of(spec.metrics()) for spec in stages()},
    }
    return _without_python(schema)


def _without_python(schema: Any) -> Any:
    """A schema without what only Python reads: descriptions of classes, and its spelling of a text's end."""
    if isinstance(schema, list):
        return [_without_python(each) for each in schema]
    if not isinstance(schema, dict):
        return schema.removesuffix("\\Z") + "$" if isinstance(schema, str) and schema.endswith("\\Z") else schema
    own = {"description"} if "title" in schema else set()
    return {key: _without_python(value) for key, value in schema.items() if key not in own}


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _entry(entry: dict[str, Any], spec: StageSpec) -> dict[str, Any]:
    numbers: dict[str, Any] = {"$ref": f"#/$defs/{spec.name}_numbers"}
    if spec.per_light:
        several = {"type": "array", "items": numbers, "minItems": 1}
        lights = {
            "type": "object",
            "properties": {"variants": several},
            "required": ["variants"],
            "additionalProperties": False,
        }
        numbers = {"anyOf": [numbers, lights]}
    return {**entry, "title": spec.name, "properties": entry["properties"] | {"numbers": numbers}}


def tables() -> str:
    """The numbers of each stage as Markdown tables."""
    parts = [*((spec.name, spec.metrics()) for spec in stages()), ("degraded: metrics", MEASURED)]
    return "\n".join(f"## {title}\n\n{_table(metrics)}" for title, metrics in parts)


def _table(metrics: Sequence[Metric]) -> str:
    rows = ["| number | type and range | unit | meaning |", "|---|---|---|---|"]
    names = {metric.name for metric in metrics}
    for metric in metrics:
        # Those of a second family mean what those of the first do.
        if metric.name.startswith(SECOND) and metric.name.removeprefix(SECOND) in names:
            continue
        may = " or null" * metric.null + ("" if metric.required else "; not always there")
        rows.append(f"| `{metric.name}` | {metric.kind.text}{may} | {metric.unit} | {metric.meaning} |")
    return "\n".join(rows) + "\n"


def generated(folder: Path) -> dict[Path, str]:
    """The two files of a folder of docs, as they are to be."""
    page = folder / TABLES_FILE
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        folder / SCHEMA_FILE: f"{json.dumps(json_schema(), indent=1)}\n",
        page: f"{before}{BEGIN}\n\n{tables()}\n{END}{after}",
    }


def main() -> None:
    """Write them."""
    for path, text in generated(Path(sys.argv[1])).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
