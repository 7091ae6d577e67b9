"""Runs over existing outputs, under one recipe after the other, are ended at random: nothing is lost, no slot is held.

`make kills` does 25 rounds (`SEED=7 ROUNDS=100` for others); the ordinary suite does a few.
"""

import os
import time
from pathlib import Path
from random import Random

import pytest

from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.run import RunOptions, run_split
from relight_assets_tests.conftest import write_stock
from relight_assets_tests.faults.at_work import project_of_splits
from relight_assets_tests.faults.kills import Kills, Round, holders

SEED = int(os.environ.get("KILLS_SEED", "1"))
ROUNDS = int(os.environ.get("KILLS_ROUNDS", "2"))
PHOTOS = 20
TRAIN, VAL = 8, 5


@pytest.fixture
def kills(tmp_path: Path, photos: Path) -> Kills:
    stock = tmp_path / "stock"
    stock.mkdir()
    names = write_stock(stock, photos, PHOTOS)
    (tmp_path / "project").mkdir()
    project = project_of_splits(tmp_path / "project", photos, {})
    rows = {"train": names[:TRAIN], "val": names[TRAIN : TRAIN + VAL]}
    return Kills(project, stock, Random(f"kills {SEED}"), rows, names[TRAIN + VAL :])


def test_runs_that_are_ended_at_random_lose_nothing(kills: Kills, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    code, output = kills.finish()
    assert code == 0, output
    rounds: list[Round] = []
    for number in range(1, ROUNDS + 1):
        rounds.append(kills.round(number))
        with capsys.disabled():
            print(f"\n{rounds[-1]}", end="")
    code, output = kills.finish()
    assert code == 0, output
    assert kills.assert_sound() == {"done": sum(map(len, kills.rows.values()))}
    assert not list(holders(kills.project.root / ".dagster_home"))
    assert not list(kills.project.data.rglob(".relight-*"))
    assert kills.png_hashes() == undisturbed(kills)
    with capsys.disabled():
        ended = ", ".join(f"{count} {how}" for how, count in sorted(kills.ended.items()))
        print(f"\n{len(rounds)} rounds of seed {SEED} in {time.monotonic() - begun:.0f} s: {ended}")


def undisturbed(kills: Kills) -> dict[str, dict[str, str]]:
    """What one run of the last recipe, which nothing disturbs, makes of the last photos and CSVs."""
    settings = kills.bench.settings.model_copy(update={"output_root": kills.project.root / "undisturbed"})
    for split in kills.rows:
        csv = read_split_csv(kills.project.data / f"{split}_images.csv")
        run_split(csv, kills.recipe, settings, RunOptions())
    return kills.png_hashes(settings)
