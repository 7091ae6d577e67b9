"""A result that is taken again is the one that would be computed, and nobody can change it for others."""

import importlib

import numpy as np

from relight_assets_tests.computed_once import FUNCTIONS, computed_always, computed_once, once


class Adder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: np.ndarray, by: int = 1) -> np.ndarray:
        """Add."""
        self.calls += 1
        return image + by


def test_the_same_input_is_computed_once_and_another_anew() -> None:
    adder = Adder()
    add = once(adder)
    image = np.arange(6, dtype=np.int64)
    assert np.array_equal(add(image), add(image.copy()))
    assert adder.calls == 1
    image[5] = 9
    assert add(image)[5] == 10
    assert add(image, by=2)[5] == 11
    assert adder.calls == 3


def test_a_result_that_is_changed_is_nobody_elses() -> None:
    add = once(Adder())
    add(np.zeros(3))[:] = 7
    assert add(np.zeros(3)).tolist() == [1, 1, 1]


def test_what_fails_is_tried_again() -> None:
    calls = []

    @once
    def fail(value: int) -> None:
        calls.append(value)
        raise ValueError(value)

    for _ in range(2):
        try:
            fail(3)
        except ValueError:
            continue
    assert calls == [3, 3]


def test_everything_is_computed_where_that_is_asked_for() -> None:
    adder = Adder()
    add = once(adder)
    with computed_always():
        add(np.zeros(2))
        add(np.zeros(2))
    assert adder.calls == 2


def test_the_functions_are_what_the_stages_call() -> None:
    before = [getattr(importlib.import_module(module), name) for module, name in FUNCTIONS]
    with computed_once():
        for (module, name), function in zip(FUNCTIONS, before, strict=True):
            assert getattr(importlib.import_module(module), name).__wrapped__ is function
