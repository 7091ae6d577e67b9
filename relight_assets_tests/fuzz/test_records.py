"""Records, damaged in every way: nothing crashes, nothing stops, and one run makes every image what it was."""

import json
import traceback
import warnings
from collections.abc import Sequence
from itertools import product
from random import Random

from relight_assets.cli.terminal.messages import out
from relight_assets.cli.terminal.status_table import status_of
from relight_assets.cli.terminal.verification import print_verifications
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.records import read_record
from relight_assets.engine.state.load import load_split_state
from relight_assets.quality.verify.split import verify_split
from relight_assets_tests.conftest import Bench
from relight_assets_tests.fuzz.conftest import IMAGES, Whole, rounds, tried
from relight_assets_tests.fuzz.generator import Mutation, as_schema_1, mutations, record_text

DAMAGED = 9
"""Of a round's records; the others stay whole, and what is pasted is theirs."""


def test_damaged_records_cost_their_rows_a_run_at_most(rng: Random, bench: Bench, whole: Whole) -> None:
    found: list[str] = []
    for _ in range(-(-rounds(18) // DAMAGED)):
        damaged = list(mutations(rng, whole.records, DAMAGED))
        if (fault := fault_of(bench, whole, damaged)) is not None:
            alone = [fault_of(bench, whole, [each]) for each in damaged]
            found += [each for each in alone if each is not None] or [f"none of them alone: {fault}"]
    assert not found, "\n\n".join(found)


def test_what_is_anothers_is_not_believed(bench: Bench, whole: Whole) -> None:
    names = (("image_path",), ("source",), ("image_path", "source"), ("image_path", "source", "stages"))
    damaged = []
    for number, (schema, taken) in enumerate(product((1, 2), names)):
        own, other = json.loads(whole.records[number]), json.loads(whole.records[8 + number % 4])
        if schema == 1:
            own, other = as_schema_1(own), as_schema_1(other)
        own |= {name: other[name] for name in taken}
        damaged.append((number, Mutation(f"pinned, schema {schema}", " ".join(taken), record_text(own, schema))))
    survives(bench, whole, damaged)


def fault_of(bench: Bench, whole: Whole, damaged: Sequence[tuple[int, Mutation]]) -> str | None:
    """What comes of damaged records that should not, in words."""
    try:
        survives(bench, whole, damaged)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
        where = " | ".join(f"{number}: {each.kind} at {each.where!r}" for number, each in damaged)
        return f"{where}: {''.join(traceback.format_exception(error))[-1500:]}"
    return None


def survives(bench: Bench, whole: Whole, damaged: Sequence[tuple[int, Mutation]]) -> None:
    whole.fill(bench)
    outcomes = {}
    for number, mutation in damaged:
        path = bench.layout.record(number)
        path.write_bytes(mutation.data)
        outcomes[number] = "no record" if read_record(path) is None else "a record"
    shown(bench)
    before = load_split_state(bench.split(), Recipe(), bench.settings)
    bench.run()
    after = load_split_state(bench.split(), Recipe(), bench.settings)
    assert after.row_counts() == {"done": IMAGES}
    assert (after.unchecked_rows, after.orphans, after.misnumbered) == (0, 0, False)
    assert bench.png_hashes() == whole.png_hashes
    assert lasting_index.load(bench.layout) == lasting_index.load(whole.bench.layout)
    states = list(before.images.values())
    for number, mutation in damaged:
        redone = "nothing was to be done" if states[number].status == "done" else "done again"
        tried[mutation.kind, f"{outcomes[number]}, {redone}"] += 1


def shown(bench: Bench) -> None:
    """All that a person can see of the split, made and thrown away."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out.print(status_of(bench.settings, Recipe()).table)
        print_verifications([verify_split(bench.split(), Recipe(), bench.settings)])
