"""PROJECTION: what eight such GPUs would do, from what one has been measured to do."""

from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.bench.projection import Assumptions, project
from benchmarks.gpu.child import Outcome
from benchmarks.gpu.setting import BACKENDS, Row
from relight_assets.engine.hardware.devices import cores

GPUS = 8


def projected(outcomes: Sequence[Outcome]) -> Outcome:
    """One row for each backend that was measured alone and in the pipeline.

    Each GPU is taken to do what this one does alone, with its best batch and with this machine's cores for each of its
    workers; disks and memory are taken to keep up.
    """
    rows = {outcome.name: outcome.rows for outcome in outcomes}
    found = [_row(backend, rows.get("alone", []), rows.get("pipeline", [])) for backend in BACKENDS]
    measured = [row for row in found if row is not None]
    if not measured:
        return Outcome("projection", "left out", "no network was measured both alone and in the pipeline")
    return Outcome("projection", "done", rows=measured)


def _row(backend: str, alone: Sequence[Row], pipeline: Sequence[Row]) -> Row | None:
    rates = [row["images_per_s"] for row in alone if row["backend"] == backend and row.get("fits")]
    whole = next((row for row in pipeline if row["backend"] == backend and "fault" not in row), None)
    if not rates or whole is None:
        return None
    assumed = Assumptions(
        sam3_ms=1000 / max(rates),
        cores_per_gpu=max(1, cores() // whole["workers"]),
        model_load_s=whole["start_s"],
        gpus=GPUS,
    )
    made = asdict(project(whole["cpu_s_per_image"], 0.0, whole["mib_per_image"], assumed))
    return {"backend": backend, **made.pop("assumptions"), **made}
