"""The CSVs that go out: the mapping to the composites, and the rows that have none."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from relight_assets.dataset.mapping_csv import FailureRow, outgoing_paths, write_failures, write_mapping
from relight_assets.defs.resources import (
    RecipeConfig,
    chosen_recipe,
    errors_for_people,
    experiment_of,
    split_of,
)
from relight_assets.defs.splits import SPLIT_CSV, splits
from relight_assets.engine.run import look, mapping_folder
from relight_assets.engine.survey import Survey
from relight_assets.errors import BlankPathError
from relight_assets.recipe import STAGES
from relight_assets.settings import load_settings

_STAGE_KEYS = [dg.AssetKey(stage) for stage in STAGES]


def _survey(context: dg.AssetExecutionContext, config: RecipeConfig) -> tuple[Survey, Any]:
    settings = load_settings()
    experiment = experiment_of(config)
    split = split_of(settings, context.partition_key)
    survey = look(split, chosen_recipe(config).recipe, settings, experiment)
    return survey, outgoing_paths(split.path, mapping_folder(settings, experiment))


@dg.asset(
    deps=[SPLIT_CSV, *_STAGE_KEYS],  # all: with some unselected, it must still come after the others
    partitions_def=splits,
    kinds={"csv", "pandas"},
    code_version="1",
    description=(
        "The input's rows and columns, in order, and `output_image_path`: the absolute path of the composite (the "
        "model's input; `image_path` is its target), empty unless all four stages of that image are current. "
        "Written to `<name>_with_relighting_outputs.csv`; the input CSV stays as it is."
    ),
)
def mapping_csv(context: dg.AssetExecutionContext, config: RecipeConfig) -> dg.MaterializeResult[Any]:
    """Write the mapping of one split."""
    with errors_for_people():
        survey, (target, _) = _survey(context, config)
        outputs = survey.outputs()
        write_mapping(survey.split, outputs, target)
    names = [*survey.split.table.columns, "output_image_path"]
    counts = survey.row_counts()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(outputs),
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(name, "string", description=_COLUMNS.get(name)) for name in names]
            ),
            "path": dg.MetadataValue.path(str(target)),
            "rows_with_output": sum(output is not None for output in outputs),
            **{f"rows_{status}": counts[status] for status in ("done", "failed", "rejected", "pending")},
        }
    )


_COLUMNS = {
    "image_path": "The original photo: the training target.",
    "output_image_path": "The degraded composite: the training input. Empty where there is none.",
}


@dg.asset(
    deps=[SPLIT_CSV, *_STAGE_KEYS],
    partitions_def=splits,
    kinds={"csv"},
    code_version="1",
    description=(
        "Every row that failed or was rejected, with its line in the input, its code, stage and message; a header "
        "alone where all went well. Written to `<name>_failures.csv`."
    ),
)
def dead_letters(context: dg.AssetExecutionContext, config: RecipeConfig) -> dg.MaterializeResult[Any]:
    """Write the failures of one split."""
    with errors_for_people():
        survey, (_, target) = _survey(context, config)
        rows = list(_failure_rows(survey))
        write_failures(survey.split, rows, target)
    shown = [
        dg.TableRecord(
            {"line": r.line, "code": r.code, "stage": r.stage, "image_path": r.image_path, "message": r.message}
        )
        for r in rows[:50]
    ]
    schema = dg.TableSchema(
        [
            dg.TableColumn("line", "int"),
            *(dg.TableColumn(name, "string") for name in ("code", "stage", "image_path", "message")),
        ]
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "path": dg.MetadataValue.path(str(target)),
            **({"failures": dg.MetadataValue.table(shown, schema)} if rows else {}),
        }
    )


def _failure_rows(survey: Survey) -> Iterator[FailureRow]:
    cells = survey.split.table["image_path"]
    for row, (key, cell) in enumerate(zip(survey.keys, cells, strict=True)):
        line = survey.split.lines[row]
        if key is None:
            yield FailureRow(line, cell, BlankPathError.code, "masks", "the image_path cell is empty")
            continue
        failure = survey.images[key].failure
        if failure is not None:
            yield FailureRow(line, cell, failure.code, failure.stage or "masks", failure.message)
