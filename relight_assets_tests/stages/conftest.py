import cv2
import pytest

from relight_assets_tests.computed_once import computed_always


@pytest.fixture(autouse=True)
def _one_thread():
    # As in a worker.
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(autouse=True)
def _everything_computed():
    with computed_always():
        yield
