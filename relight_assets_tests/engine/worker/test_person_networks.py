"""Threads share networks, never at the same time, and no more are loaded than are used side by side."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from relight_assets.engine.worker import person_networks
from relight_assets.engine.worker.person_networks import PersonNetworks
from relight_assets.models.faces.mesh import FaceMesher
from relight_assets.models.files import ModelFiles
from relight_assets_tests.conftest import PORTRAITS

THREADS = 3


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[FaceMesher]:
    """The meshers that are loaded."""
    meshers: list[FaceMesher] = []

    def counted(*files: Path) -> FaceMesher:
        meshers.append(FaceMesher(*files))
        return meshers[-1]

    monkeypatch.setattr(person_networks, "FaceMesher", counted)
    return meshers


def test_one_thread_after_the_other_takes_what_is_loaded(photos: Path, loaded: list[FaceMesher]) -> None:
    networks = PersonNetworks(ModelFiles())
    image = cv2.imread(str(photos / PORTRAITS[0]))[:, :, ::-1]
    for _ in range(THREADS):
        with ThreadPoolExecutor(1) as thread:
            assert len(thread.submit(networks.faces, image).result()) == 1
    assert len(loaded) == 1


def test_threads_side_by_side_have_networks_of_their_own(
    photos: Path, loaded: list[FaceMesher], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = PersonNetworks(ModelFiles())
    images = [cv2.imread(str(photos / name))[:, :, ::-1].copy() for name in PORTRAITS[:THREADS]]
    alone = [networks.faces(image)[0].points for image in images]
    together, find = threading.Barrier(THREADS), FaceMesher.faces

    def meets_the_others(mesher: FaceMesher, rgb: Any) -> Any:
        together.wait(30)
        return find(mesher, rgb)

    monkeypatch.setattr(FaceMesher, "faces", meets_the_others)
    with ThreadPoolExecutor(THREADS) as threads:
        found = [faces[0].points for faces in threads.map(networks.faces, images)]
        again = [faces[0].points for faces in threads.map(networks.faces, images)]
    assert len(loaded) == THREADS
    for expected, *others in zip(alone, found, again, strict=True):
        for other in others:
            np.testing.assert_array_equal(other, expected)
