"""The collector of cyclic garbage leaves alone what was there before the first test.

Thousands of collected tests and the modules they import are millions of objects: to look at them again and again was a
tenth of the time of the tests that run in this process.
"""

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
