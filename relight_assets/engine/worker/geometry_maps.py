"""The depth or the normals of one photo, from its file or from a network, as the light wants them."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.networks import Geometry
from relight_assets.core.arrays import Rgb8
from relight_assets.core.regular_files import AnyRoot, ImageRoot
from relight_assets.dataset.geometry_files import decode_geometry, geometry_path, read_geometry, remembered_sha256
from relight_assets.engine.state.digests import ABSENT
from relight_assets.errors import ImageError
from relight_assets.models.networks.geometry import ShapeEstimator
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap
from relight_assets.stages.degraded.stage import GEOMETRY_FILE
from relight_assets.storage.files import FileStamp, stamp_source


class GeometryMap:
    """The map of one photo; its file is read once, when it is needed."""

    def __init__(
        self,
        geometry: Geometry,
        photo: Path,
        *,
        image_root: AnyRoot,
        max_pixels: int,
        estimator: ShapeEstimator | None,
        files: str | None = None,
    ):
        self._geometry, self._photo, self._image_root = geometry, photo, image_root
        self._files = geometry.files if files is None else files
        self._max_pixels, self._estimator = max_pixels, estimator
        self._data: bytes | None = None
        self._made: ShapeMap | None = None
        self.stamps: dict[str, FileStamp] = {}
        """Of the file, once that was looked at and is there."""

    def sha256(self, remembered: list[FileStamp]) -> dict[str, str]:
        """The sha256 of the file; read where its stat is none that is remembered."""
        if not self._geometry.from_file:
            return {}
        if not self.stamps:
            try:
                self._stamp(remembered)
            except ImageError:
                return {GEOMETRY_FILE: ABSENT}
        return {name: stamp.sha256 for name, stamp in self.stamps.items()}

    def _stamp(self, remembered: list[FileStamp]) -> None:
        path = geometry_path(self._files, self._photo, self._image_root)
        known = remembered_sha256(path, remembered)
        if known is None:
            try:
                self.read()
            except ImageError:  # whose content may be known all the same, so that what was made of it stays
                self.stamps = {GEOMETRY_FILE: stamp_source(path, ImageRoot.of_any_names(self._image_root))}
        else:
            self.stamps = {GEOMETRY_FILE: next(stamp for stamp in remembered if stamp.sha256 == known)}

    def read(self) -> None:
        """Read the file, if there is to be one and that was not done.

        Raises:
            GeometryMissingError, GeometryFileError: it is not there, or nothing that may be opened.
        """
        if self._geometry.from_file and self._data is None:
            path = geometry_path(self._files, self._photo, self._image_root)
            self._data, stamp = read_geometry(path, self._max_pixels, self._image_root)
            self.stamps = {GEOMETRY_FILE: stamp}

    def of(self, rgb: Rgb8) -> ShapeMap | None:
        """The map of the photo, (H, W, 3) uint8 sRGB; None where the recipe wants none.

        Raises:
            GeometryMissingError, GeometryFileError: as :meth:`read`, or the file holds no such map.
            ModelAnswerError: the network gives none.
        """
        kind = self._geometry.kind
        if kind is not None and self._made is None:
            image = self._estimator.estimate(rgb) if self._estimator is not None else self._decoded(kind, rgb)
            if kind == "depth":
                self._made = ShapeMap("depth", -image if self._geometry.invert else image)
            else:
                down = np.float32(1 if self._geometry.y_axis == "down" else -1)
                self._made = ShapeMap("normals", image * np.array([1, down, 1], np.float32))
        return self._made

    def _decoded(self, kind: Literal["depth", "normals"], rgb: Rgb8) -> NDArray[np.float32]:
        self.read()
        assert self._data is not None  # noqa: S101  (read just now)
        name = self._files.rpartition("/")[2].replace("{stem}", self._photo.stem)
        return decode_geometry(
            self._data, kind, photo_size=(rgb.shape[0], rgb.shape[1]), max_pixels=self._max_pixels, name=name
        )
