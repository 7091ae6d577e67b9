"""Random numbers that depend on what is drawn for whom, and on nothing else.

A stream is a counter-based generator keyed by the recipe's seed, the source file, the variant and
the stage (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).  Neither the
row's index, nor the worker, nor the order of work is part of the key, so none can change a pixel;
and as each stage and family has a stream of its own, drawing one number more in one of them leaves
the others as they were.
"""

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from numpy.random import Generator, Philox

Name = TypeVar("Name", bound=str)


def stream(seed: int, source_sha256: str, variant: int, stage: str) -> Generator:
    """Return the generator of one purpose.

    Args:
        seed: the recipe's seed.
        source_sha256: hex digest of the source file's bytes.
        variant: number of the variant of this source.
        stage: name of the purpose, for instance ``"degraded/light"``.
    """
    text = f"{seed}|{source_sha256}|{variant}|{stage}"
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
    return Generator(Philox(key=key))


class StreamWithout(Generator):
    """A stream of which one part comes from another stream; all else is drawn as if nothing were different."""

    def __init__(self, own: Generator, part: str, other: Generator):
        super().__init__(own.bit_generator)
        self._own, self.part, self._other = own, part, other

    def __deepcopy__(self, memo: dict[int, Any]) -> "StreamWithout":
        return StreamWithout(deepcopy(self._own, memo), self.part, deepcopy(self._other, memo))

    def of(self, part: str) -> Generator:
        """The stream that a part is drawn from."""
        return _Instead(self._own, self._other) if part == self.part else self


class _Instead(Generator):
    """Another stream; the one that it stands for goes on beside it, so that what follows there is drawn as before."""

    def __init__(self, own: Generator, other: Generator):
        super().__init__(other.bit_generator)
        self._own = own

    def random(self, *args: Any, **options: Any) -> Any:
        self._own.random(*args, **options)
        return super().random(*args, **options)

    def integers(self, *args: Any, **options: Any) -> Any:
        self._own.integers(*args, **options)
        return super().integers(*args, **options)


def part_of(rng: Generator, part: str) -> Generator:
    """The stream that a part of a purpose is drawn from: ``rng`` itself, unless that part comes from another."""
    return rng.of(part) if isinstance(rng, StreamWithout) else rng


def is_varied(rng: Generator, part: str) -> bool:
    """Whether a part of a stream comes from another one."""
    return isinstance(rng, StreamWithout) and rng.part == part


def uniform(rng: Generator, interval: tuple[float, float]) -> float:
    """Draw a number uniformly from an interval."""
    return float(interval[0] + (interval[1] - interval[0]) * rng.random())


def log_uniform(rng: Generator, interval: tuple[float, float]) -> float:
    """Draw a number whose logarithm is uniform.  Falls back to uniform when an end is not positive."""
    low, high = interval
    if low <= 0:
        return uniform(rng, interval)
    return float(low * (high / low) ** rng.random())


def weighted(rng: Generator, weights: Mapping[Name, float]) -> Name:
    """Draw a name with a probability proportional to its weight; the weights must not all be 0."""
    level = rng.random() * sum(weights.values())
    chosen = next(iter(weights))
    for name, weight in weights.items():
        if weight > 0:
            chosen = name
            level -= weight
            if level < 0:
                break
    return chosen
