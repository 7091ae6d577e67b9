"""What the stages of one image are given: its photo, the segmenter's answer, its faces, and earlier artifacts."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from relight_assets.core.arrays import Pixels8, Plane, Points, Rgb8, Triangles
from relight_assets.dataset.record_types import StageEntry
from relight_assets.engine.worker.artifacts import DamagedFileError, ImageArtifacts
from relight_assets.errors import DeviceOomError
from relight_assets.imaging.decode import DecodedImage
from relight_assets.models.faces.hidden import HiddenFace
from relight_assets.models.faces.mesh import TRIANGLES, FaceMesh
from relight_assets.stages.base import AlbedoNetwork, FoundFace, Stage
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap
from relight_assets.stages.masks.person_mask import PersonMask
from relight_assets.stages.masks.recorded_faces import FacesUnreadableError, unpacked, unpacked_eyes


class TaskInputs:
    """The :class:`~relight_assets.stages.base.StageInputs` of an image on its way through the stages."""

    def __init__(self, artifacts: ImageArtifacts, entries: Mapping[Stage, StageEntry], source_sha256: str):
        """``entries`` are those of the stages that are current, and grow as stages are made."""
        context = artifacts.context
        self.recipe, self.source_sha256 = context.recipe, source_sha256
        self.segmenter, self.gobos = context.segmenter_identity, context.gobos
        self.environments = context.environments
        self.face_triangles: Triangles = TRIANGLES
        extractor = context.albedo_extractor
        self.albedo_network: AlbedoNetwork | None = extractor.albedo if extractor is not None else None
        self.handed_on = artifacts.handed_on
        self._artifacts, self._entries = artifacts, entries

    def read(self, artifact: str) -> Pixels8:
        """An artifact of an earlier stage, as its file holds it.

        Raises:
            DamagedFileError: it is not the recorded file, or cannot be read.
        """
        stamps = {name: stamp for entry in self._entries.values() for name, stamp in entry.files.items()}
        return self._artifacts.read(artifact, stamps)

    def photo(self) -> DecodedImage:
        """The source."""
        return self._artifacts.decoded()

    def person(self) -> PersonMask:
        """The segmenter's answer for the source."""
        return self._artifacts.person()

    def probability_of(self, rgb: Rgb8) -> Plane:
        """The segmenter's answer for another image, (h, w) float32 in 0..1.

        Raises:
            DeviceOomError: it does not fit into the device's memory.
        """
        (answer,) = self._artifacts.context.segmentation([rgb])
        if isinstance(answer, DeviceOomError):
            raise answer
        return answer.probability

    @cached_property
    def _faces(self) -> list[FaceMesh]:
        return self._artifacts.context.person_networks.faces(self.photo().rgb)

    def found_faces(self) -> Sequence[FaceMesh]:
        """The faces of the source, by the networks, largest first."""
        return self._faces

    def found_eyes(self, face: FoundFace) -> Sequence[Points]:
        """The eyes of one of them, (21, 2) float32 each: irises and lids, in the photo's pixels."""
        return self._artifacts.context.person_networks.eyes(self.photo().rgb, face.points)

    def hidden_face(self, min_presence: float) -> HiddenFace | None:
        """A face that shows only once the source is rotated, inverted or stretched."""
        return self._artifacts.context.person_networks.hidden_face(self.photo().rgb, min_presence)

    def body_score(self) -> float:
        """How sure the pose detector is that the source shows a body."""
        return self._artifacts.context.person_networks.body_score(self.photo().rgb)

    def recorded_faces(self) -> Sequence[Points]:
        """The faces of the source, as the record holds them.

        Raises:
            DamagedFileError: they cannot be read, so the masks must be made again.
        """
        try:
            return unpacked(self._entries["masks"].numbers)
        except FacesUnreadableError as error:
            raise DamagedFileError("masks") from error

    def recorded_eyes(self) -> Sequence[Points]:
        """The eyes of the source, as the record holds them.

        Raises:
            DamagedFileError: they cannot be read, so the masks must be made again.
        """
        try:
            return unpacked_eyes(self._entries["masks"].numbers)
        except FacesUnreadableError as error:
            raise DamagedFileError("masks") from error

    def shape_map(self) -> ShapeMap | None:
        """Depth or normals of the source; None where the recipe asks for none."""
        return self._artifacts.geometry.of(self.read("input")) if self.recipe.geometry.kind is not None else None
