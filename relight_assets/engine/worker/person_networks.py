"""The networks that find faces, eyes and bodies, for the threads of a worker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relight_assets.models.bodies import BodyDetector
from relight_assets.models.faces.eyes import EyeFinder
from relight_assets.models.faces.hidden import HiddenFace, hidden_face
from relight_assets.models.faces.mesh import FaceMesh, FaceMesher
from relight_assets.models.files import ModelFiles

Pixels = NDArray[np.uint8]
_FILES = ("face_detection", "face_landmark", "iris_landmark", "pose_detection")


class PersonNetworks:
    """Finds faces, eyes and bodies from any thread: a network serves one thread at a time, so there are several."""

    def __init__(self, models: ModelFiles):
        """Load one of each; more are loaded when threads need them at the same time.

        Raises:
            ModelFileError: a file is missing or altered, or cannot be read.
        """
        self._files = {name: models.path_of(name) for name in _FILES}
        self._loading = threading.Lock()
        first = _Networks(self._files, self._loading)
        self._idle = [first]
        _ = first.mesher, first.eyes, first.bodies

    def faces(self, rgb: Pixels) -> list[FaceMesh]:
        """The faces of an (H, W, 3) uint8 image, largest first."""
        with self._networks() as networks:
            return networks.mesher.faces(rgb)

    def hidden_face(self, rgb: Pixels, min_presence: float) -> HiddenFace | None:
        """As :func:`relight_assets.models.faces.hidden.hidden_face`."""
        with self._networks() as networks:
            return hidden_face(networks.mesher, rgb, min_presence)

    def eyes(self, rgb: Pixels, face: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The eyes of a face mesh (468, 3), (21, 2) float32 each: five points of the iris, 16 around the opening."""
        with self._networks() as networks:
            return [np.concatenate([eye.iris, eye.lids]) for eye in networks.eyes.eyes(rgb, face)]

    def body_score(self, rgb: Pixels) -> float:
        """How sure it is that there is a body, 0..1."""
        with self._networks() as networks:
            return networks.bodies.score(rgb)

    @contextmanager
    def _networks(self) -> Iterator["_Networks"]:
        """Those that no thread uses; new ones where all are in use."""
        try:
            networks = self._idle.pop()
        except IndexError:
            networks = _Networks(self._files, self._loading)
        try:
            yield networks
        finally:
            self._idle.append(networks)


class _Networks:
    """One network of each kind, each loaded when it is first used."""

    def __init__(self, files: dict[str, Path], loading: threading.Lock):
        self._files = files
        self._loading = loading

    @cached_property
    def mesher(self) -> FaceMesher:
        with self._loading:
            return FaceMesher(self._files["face_detection"], self._files["face_landmark"])

    @cached_property
    def eyes(self) -> EyeFinder:
        with self._loading:
            return EyeFinder(self._files["iris_landmark"])

    @cached_property
    def bodies(self) -> BodyDetector:
        with self._loading:
            return BodyDetector(self._files["pose_detection"])
