"""The collector of cyclic garbage leaves alone what was there before the first test, and comes less often.

Thousands of collected tests and the modules they import are millions of objects: to look at them again and again was a
tenth of the time of the tests that run in this process.
"""

import gc

import pytest

OBJECTS = 5_000
"""New objects after which the youngest are looked at, in place of Python's 700."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
