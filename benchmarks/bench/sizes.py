"""How much is measured: enough for figures to quote, or just enough to see that everything works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts of one bench.  ``short`` and ``long`` are images of the two runs whose difference is taken."""

    side: int
    rounds: int
    short: int
    long: int
    plain: int
    """Images that the plain peer makes in each round."""
    dispatched: int
    """Items through the parent, with a worker that does nothing."""
    planned: int
    """Finished images that are planned again."""


FULL = Sizes(side=1024, rounds=5, short=16, long=80, plain=2, dispatched=10_000, planned=12_000)
QUICK = Sizes(side=384, rounds=1, short=1, long=4, plain=1, dispatched=200, planned=20)
