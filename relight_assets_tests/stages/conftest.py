import cv2
import pytest


@pytest.fixture(autouse=True)
def _one_thread():
    # As in a worker.
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)
