"""Parquet files with the pictures in them, as Hugging Face ``datasets`` and its hub read them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from relight_assets.exports.base import ExportSpec, PairBytes, Role, Shards

COLUMNS: dict[Role, str] = {"target": "image", "condition": "conditioning_image", "mask": "mask"}
MAX_BYTES = 500_000_000
"""Of a file, about."""
GROUP_BYTES = 100_000_000
"""Of a row group: ``datasets`` cuts there, and viewers give up on larger ones."""


def _write(path: Path, pairs: Iterable[PairBytes]) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415  (of the extra alone)

    schema = _schema()
    # PNG does not compress again.
    with pq.ParquetWriter(path, schema, compression="none", write_page_index=True) as writer:
        rows: list[dict[str, Any]] = []
        size = 0
        for pair in pairs:
            more = sum(map(len, pair.images.values()))
            if rows and size + more > GROUP_BYTES:
                _write_group(writer, rows, schema)
                rows, size = [], 0
            rows.append(_row(pair))
            size += more
        if rows:
            _write_group(writer, rows, schema)


def _write_group(writer: Any, rows: list[dict[str, Any]], schema: Any) -> None:
    import pyarrow as pa  # noqa: PLC0415

    writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))


def _row(pair: PairBytes) -> dict[str, Any]:
    images = {
        column: {"bytes": pair.images[role], "path": f"{pair.stem}.png"}
        for role, column in COLUMNS.items()
        if role in pair.images
    }
    texts = {"text": pair.caption or None, "stem": pair.stem, "image_path": pair.image_path, "licence": pair.licence}
    return {**images, **texts}


def _schema() -> Any:
    import pyarrow as pa  # noqa: PLC0415

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [*((name, image) for name in COLUMNS.values()), *((name, pa.string()) for name in _TEXTS)]
    # What datasets itself writes: without it the columns load as structs and not as pictures.
    features: Mapping[str, Any] = {
        **{name: {"_type": "Image"} for name in COLUMNS.values()},
        **{name: {"dtype": "string", "_type": "Value"} for name in _TEXTS},
    }
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


_TEXTS = ("text", "stem", "image_path", "licence")


def _read(path: Path) -> Iterator[PairBytes]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=16):
                for row in batch.to_pylist():
                    images = {role: row[column]["bytes"] for role, column in COLUMNS.items() if row.get(column)}
                    yield PairBytes(row["stem"], row["image_path"], row["text"] or "", row.get("licence"), images)
    except pa.ArrowException as error:
        raise ValueError(f"it is damaged: {error}") from error


EXPORT = ExportSpec(
    "parquet",
    "datasets, pyarrow",
    COLUMNS,
    start='datasets.load_dataset("parquet", data_dir="{folder}/data")',
    load="""import datasets
rows = datasets.load_dataset("parquet", data_files="{folder}/data/*.parquet", split="train")
target, condition, mask, text = (rows[0][name] for name in ("image", "conditioning_image", "mask", "text"))""",
    shards=Shards("data/{split}-{number:05d}-of-{count:05d}.parquet", MAX_BYTES, _write, _read, ("pyarrow",)),
)
