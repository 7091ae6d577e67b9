"""The schema and the tables of the docs are those of the code, and real records fit the schema."""

import json
from pathlib import Path

import jsonschema
import pytest

from relight_assets.dataset.record_schema import generated, json_schema
from relight_assets.stages.registry import stages
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_docs_are_what_the_code_makes_them() -> None:
    for path, text in generated(DOCS).items():
        assert path.read_text(encoding="utf-8") == text, "write them anew: make docs"


def test_every_number_has_a_meaning_of_its_own() -> None:
    for spec in stages():
        assert len({metric.name for metric in spec.metrics()}) == len(spec.metrics())
        for metric in spec.metrics():
            assert metric.meaning[:1].isupper() or metric.meaning.startswith("sha256"), metric.name
            assert len(metric.meaning.split()) > 1, metric.name


@pytest.mark.parametrize(
    "sections", [{}, {"variants": 3, "degradation": {"mixture_probability": 1.0}}, {"background": {"use_gray": False}}]
)
def test_records_fit_the_schema(bench: Bench, sections: dict[str, object]) -> None:
    bench.write_csv(PORTRAITS[:3])
    bench.run(recipe_with(**sections))
    validator = jsonschema.Draft202012Validator(json_schema())
    for index in range(3):
        record = json.loads(bench.layout.record(index).read_text(encoding="utf-8"))
        validator.validate(record)
        record["stages"]["masks"]["numbers"]["coverage"] = 1.5
        (error,) = validator.iter_errors(record)
        assert list(error.absolute_path) == ["stages", "masks", "numbers", "coverage"]
