"""Recipes, platform files and variables: one sentence for each mistake, or a recipe; and little memory."""

import json
import subprocess
import sys
from pathlib import Path

from relight_assets_tests.fuzz.conftest import rounds, seed, tried

MAX_PEAK_MIB = 1200
TIMES = 4
"""Of the rounds of the others: 2,000 where those are 500."""


def test_a_recipe_is_refused_in_a_sentence_or_can_be_used(tmp_path: Path) -> None:
    count = TIMES * rounds(40)
    command = [sys.executable, "-m", "relight_assets_tests.fuzz.recipes", str(seed()), str(count), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert not answer["found"], "\n\n".join(answer["found"][:20])
    assert sum(answer["outcomes"].values()) == count
    assert answer["peak_mib"] < MAX_PEAK_MIB
    for reported, count in answer["outcomes"].items():
        kind, _, outcome = reported.rpartition(": ")
        tried[kind, outcome] += count
    tried["recipes, peak", f"{answer['peak_mib']} MiB"] += 1
