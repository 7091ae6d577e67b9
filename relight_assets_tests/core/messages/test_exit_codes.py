"""With what commands end: the worst of all splits, in one order."""

import itertools

import pytest

from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.errors import CsvError, InterruptedRunError, RelightError, UserError, WorkersFailedError

BY_CODE: dict[int, RelightError] = {
    130: InterruptedRunError(),
    1: WorkersFailedError("no worker is left"),
    2: CsvError("a bad CSV"),
}
ORDER = [130, 1, 2, 3, 0]


@pytest.mark.parametrize("codes", [c for size in range(4) for c in itertools.permutations(BY_CODE, size)])
@pytest.mark.parametrize("done", [True, False])
def test_the_first_of_the_order_wins_wherever_it_stands(codes: tuple[int, ...], done: bool) -> None:
    expected = min([*codes, 0 if done else 3], key=ORDER.index)
    assert exit_code([BY_CODE[code] for code in codes], done=done) == expected


def test_every_mistake_is_2() -> None:
    assert exit_code([UserError("x"), CsvError("y")]) == 2
