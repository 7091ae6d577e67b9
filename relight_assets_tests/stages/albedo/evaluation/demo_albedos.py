"""A real demo portrait, and albedos of it that are good, or bad in one known way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, LinearRgb, Pixels8, Points, Rgb8, Rgba8
from relight_assets.core.color import decode, encode
from relight_assets.dataset.records import read_record
from relight_assets.imaging.png import decode_png
from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.stages.albedo.evaluation.albedo_metrics import AlbedoMetrics, measure_albedo
from relight_assets.stages.albedo.evaluation.chroma_step import FLOOR
from relight_assets.stages.albedo.evaluation.face_view import FaceView, view_of
from relight_assets.stages.foreground_color import with_alpha
from relight_assets.stages.masks.recorded_faces import unpacked
from relight_assets_tests.conftest import Bench

Factor = NDArray[np.float32]
"""(H, W, 1)."""


def lit(linear: LinearRgb, factor: Factor) -> LinearRgb:
    """Light that keeps ratios of colors as far as they tell anything: in the dark they do not."""
    return np.maximum((linear + FLOOR) * factor - FLOOR, 0)


@dataclass(frozen=True)
class Case:
    """A photo's person, and an albedo of it."""

    foreground: Rgba8
    albedo: Rgb8
    face: Points

    @property
    def view(self) -> FaceView:
        found = view_of(self.foreground, self.albedo, self.face)
        assert found is not None
        return found

    def measured(self) -> AlbedoMetrics:
        return measure_albedo(self.foreground, self.albedo, [self.face], TRIANGLES)


@dataclass(frozen=True)
class Demo:
    """A portrait whose face is 125 pixels high, dark enough to be lit."""

    foreground: Rgba8
    face: Points

    @classmethod
    def of(cls, finished: Bench) -> "Demo":
        """The third image of the split that is run once."""
        record = read_record(finished.layout.record(2))
        assert record is not None
        foreground: Pixels8 = decode_png(finished.layout.png(2, "foreground").read_bytes())
        return cls(foreground, unpacked(record.stages["masks"].numbers)[0])

    @cached_property
    def person(self) -> LinearRgb:
        return decode(self.foreground[..., :3].copy()) * np.float32(0.5)

    @property
    def alpha(self) -> Gray8:
        return self.foreground[..., 3].copy()

    def case(self, photo: LinearRgb, albedo: LinearRgb) -> Case:
        return Case(with_alpha(encode(photo), self.alpha), encode(albedo), self.face)

    def face_mask(self, softness: float = 1.0) -> Factor:
        """1 within the outline of the mesh."""
        drawn = np.zeros(self.alpha.shape, np.float32)
        cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(self.face[:, :2]).astype(np.int32)), 1.0)
        return cv2.GaussianBlur(drawn, (0, 0), softness)[..., None]

    def side_light(self, stops: float) -> Factor:
        """Light from the left on the mesh: what faces left is brighter by so many stops, what faces right darker."""
        corners = self.face[TRIANGLES].astype(np.float64)
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        toward = -across[:, 0] / np.linalg.norm(across, axis=1)
        light = np.zeros(self.alpha.shape, np.float32)
        for number in np.argsort(-corners[..., 2].mean(axis=1)):  # the nearest last
            cv2.fillConvexPoly(light, np.rint(corners[number, :, :2]).astype(np.int32), float(toward[number]))
        factor: Factor = np.exp2(np.float32(stops) * cv2.GaussianBlur(light, (0, 0), 2.0))
        return factor[..., None]

    def shadow(self, factor: float) -> Factor:
        """A hard shadow over all that is to the right of the nose."""
        found = np.ones((*self.alpha.shape, 1), np.float32)
        found[:, round(float(self.face[4, 0])) + 6 :] = factor
        return found

    def gloss(self) -> LinearRgb:
        """White light on both cheeks."""
        spot = np.zeros(self.alpha.shape, np.float32)
        for x, y, _ in self.face[[101, 330]]:
            cv2.circle(spot, (round(float(x)), round(float(y))), 9, 0.9, -1)
        return np.repeat(cv2.GaussianBlur(spot, (0, 0), 3.0)[..., None], 3, axis=2)

    def good(self) -> Case:
        """The person without the side light and the gloss of the photo."""
        as_bright = 1 - 0.15 * self.face_mask()  # as a whole, as the face is without them
        return self.case(lit(self.person, self.side_light(1.2) * as_bright) + self.gloss(), self.person)


def _skin_darkened(demo: Demo) -> Case:
    return demo.case(demo.person, lit(demo.person, 1 - 0.3 * demo.face_mask()))


def _painted_flat(demo: Demo) -> Case:
    flat, mask = cv2.GaussianBlur(demo.person, (0, 0), 6.0), demo.face_mask()
    return demo.case(demo.person, demo.person * (1 - mask) + flat * mask)


def _the_photo_itself(demo: Demo) -> Case:
    photo = lit(demo.person, demo.side_light(1.2))
    return demo.case(photo, photo)


def _colored_face(demo: Demo) -> Case:
    tint = 1 - demo.face_mask() * np.array([-0.05, 0.0, 0.12], np.float32)
    return demo.case(demo.person, lit(demo.person, tint))


def _glossy(demo: Demo) -> Case:
    glossy = demo.person + demo.gloss()
    return demo.case(glossy, glossy)


def _fog(demo: Demo) -> Case:
    return demo.case(demo.person, demo.person * np.float32(0.99) + np.float32(0.01))


def _clipped(demo: Demo) -> Case:
    return demo.case(demo.person, demo.person * np.float32(3.0))


def _pale(demo: Demo) -> Case:
    gray = demo.person.mean(axis=2, keepdims=True)
    return demo.case(demo.person, demo.person + np.float32(0.15) * (gray - demo.person))


BAD: dict[str, Callable[[Demo], Case]] = {
    "skin_against_rest": _skin_darkened,
    "mid_contrast": _painted_flat,
    "own_light_left": _the_photo_itself,
    "chroma_step": _colored_face,
    "highlight_left": _glossy,
    "dark_lift": _fog,
    "newly_clipped": _clipped,
    "face_chroma": _pale,
}
"""By the metric that must tell."""
