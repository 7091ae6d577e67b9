"""Two small portraits, run once in a process of their own."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.bench.isolated_process import isolated, one_core
from benchmarks.bench.pipeline_run import RunCost, run_once
from benchmarks.bench.portraits import write_portraits


@dataclass(frozen=True)
class Pair:
    csv: Path
    outputs: Path
    cost: RunCost


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory, model_files: None) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    csv = write_portraits(folder, 2, 256)
    return Pair(csv, folder / "outputs", isolated(one_core(), run_once, csv, folder / "outputs", 2, 1))
