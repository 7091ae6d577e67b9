"""The networks that find faces, eyes and bodies, for the threads of a worker."""

import threading

import numpy as np
from numpy.typing import NDArray

from relight_assets.models.bodies import BodyDetector
from relight_assets.models.faces.eyes import EyeFinder
from relight_assets.models.faces.hidden import HiddenFace, hidden_face
from relight_assets.models.faces.mesh import FaceMesh, FaceMesher
from relight_assets.models.files import ModelFiles

Pixels = NDArray[np.uint8]


class PersonNetworks:
    """Finds faces, eyes and bodies from any thread: a network serves one thread at a time, so each has its own."""

    def __init__(self, models: ModelFiles):
        """Load the networks of this thread; others load theirs when they first need them.

        Raises:
            ModelFileError: a file is missing or altered, or cannot be read.
        """
        self._face_files = models.path_of("face_detection"), models.path_of("face_landmark")
        self._eye_file = models.path_of("iris_landmark")
        self._body_file = models.path_of("pose_detection")
        self._loading = threading.Lock()
        self._own = threading.local()
        self._own.mesher = FaceMesher(*self._face_files)
        self._own.eyes = EyeFinder(self._eye_file)
        self._own.bodies = BodyDetector(self._body_file)

    def faces(self, rgb: Pixels) -> list[FaceMesh]:
        """The faces of an (H, W, 3) uint8 image, largest first."""
        return self._mesher().faces(rgb)

    def hidden_face(self, rgb: Pixels, min_presence: float) -> HiddenFace | None:
        """As :func:`relight_assets.models.faces.hidden.hidden_face`."""
        return hidden_face(self._mesher(), rgb, min_presence)

    def eyes(self, rgb: Pixels, face: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The eyes of a face mesh (468, 3), (21, 2) float32 each: five points of the iris, 16 around the opening."""
        if not hasattr(self._own, "eyes"):
            with self._loading:
                self._own.eyes = EyeFinder(self._eye_file)
        return [np.concatenate([eye.iris, eye.lids]) for eye in self._own.eyes.eyes(rgb, face)]

    def body_score(self, rgb: Pixels) -> float:
        """How sure it is that there is a body, 0..1."""
        if not hasattr(self._own, "bodies"):
            with self._loading:
                self._own.bodies = BodyDetector(self._body_file)
        return self._own.bodies.score(rgb)

    def _mesher(self) -> FaceMesher:
        if not hasattr(self._own, "mesher"):
            with self._loading:
                self._own.mesher = FaceMesher(*self._face_files)
        return self._own.mesher
