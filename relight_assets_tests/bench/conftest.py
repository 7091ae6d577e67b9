"""Two small portraits, run once in a process of their own."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from relight_assets.bench.apart import apart, one_core
from relight_assets.bench.ours import RunCost, run_once
from relight_assets.bench.portraits import write_portraits


@dataclass(frozen=True)
class Pair:
    csv: Path
    outputs: Path
    cost: RunCost


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory, model_files: None) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    csv = write_portraits(folder, 2, 256)
    return Pair(csv, folder / "outputs", apart(one_core(), run_once, csv, folder / "outputs", 2, 1))
