"""A person prepared for light: cropped, at working size, with shape."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Mask, Plane, Points, Rgb8, Triangles
from relight_assets.core.color import luminance, safe_ratio
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry import height_field
from relight_assets.stages.degraded.geometry.bare_skin import bare_skin
from relight_assets.stages.degraded.geometry.close_up import CloseUp, close_up
from relight_assets.stages.degraded.geometry.filters import inward_distance, smooth, smoothstep
from relight_assets.stages.degraded.geometry.head import Head
from relight_assets.stages.degraded.geometry.noise import fbm
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap, shape_of
from relight_assets.stages.degraded.geometry.skin import likelihood
from relight_assets.stages.degraded.source_light.catch_lights import MirroredLamp
from relight_assets.stages.degraded.source_light.face_points import face_points
from relight_assets.stages.degraded.source_light.source_light import UNKNOWN, SourceLight, estimate

Numbers = dict[str, float | str | bool | list[float] | None]
"""What was drawn, in plain JSON values, for the record."""

WORKING_SIDE = 512
"""Longest side at which light is computed.  Light is smooth; what is sharp is the albedo, kept at full size."""
SHAPE_SIDE = 224
"""Longest side of the height field: a face mesh has no detail below about 3 mm."""
SHAPE_BLUR, RELIEF = 0.010, 0.15
"""Blur of the shape that light falls on, in units of s, as a mesh has facets, and how much the photo's own light and
dark is taken for relief: more looks wet and embossed, like clay."""
LUMINANCE_FLOOR = np.float32(0.01)
"""Added to luminance before the logarithm, linear: keeps noise in black hair from exploding."""
ALL_SAMPLES_BELOW = 4096
"""Inner pixels at half size, below which statistics take all pixels and not every second row and column."""
FEWEST_ANCHORS = 50
"""Samples of bare skin that say how bright a face is."""
DARK = (0.007, 0.035)
"""Luminance of the albedo, linear, up to which it is nearly black, and from which it is not."""
RIM_WIDTH = 0.02
"""Width of the band along the silhouette where a key light fades to its mean, in units of s."""


@dataclass(frozen=True)
class Scene:
    """Everything about a person that light depends on.  Planes are (h, w) float32 at working size."""

    alpha: Plane
    core: Mask
    """Alpha above .9: the person's inner pixels."""
    samples: NDArray[np.intp]
    """(N,) numbers, row by row, of the inner pixels that statistics are taken of: a quarter of many, all of few."""
    head_samples: NDArray[np.intp]
    """Those of them that lie in the head."""
    albedo: LinearRgb
    """(h, w, 3) linear RGB."""
    photo: LinearRgb
    """(h, w, 3) linear RGB, as photographed."""
    photo_light: Plane
    """Luminance of the photo, linear."""
    size: float
    """The subject's size s = sqrt(mask pixels), in working pixels."""
    height: Plane
    relief: Plane
    """What the photo's own light and dark adds to the height, in full, in working pixels."""
    face_share: Plane
    """The share of a real face in the height, 0..1."""
    skin: Plane
    """How surely the face is skin there, and not hair, glasses, eyes or teeth, 0..1; 1 beside it."""
    low_height: Plane
    """The height field at its own, smaller size, in its own pixels."""
    head: Head
    inward: Plane
    """Distance to the silhouette in working pixels."""
    source_light: SourceLight
    """The photo's own light, of the largest face."""
    faces: tuple[Points, ...]
    """The meshes that give faces their shape, in working pixels; everything else is an inflated silhouette."""
    full_photo: Rgb8 | None
    """The same part of the photo, as large as it is, (H, W, 3) uint8 sRGB; None: there is no larger one."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width at working size."""
        return self.alpha.shape[0], self.alpha.shape[1]

    @cached_property
    def normals(self) -> tuple[Plane, Plane, Plane]:
        """Of the shape that light falls on: x right, y down, z to the camera."""
        return self.smooth_normals(SHAPE_BLUR, RELIEF)

    @cached_property
    def dark(self) -> Plane:
        """How surely each point is nearly black, and not skin of a face, 0..1."""
        black, dim = (np.float32(math.log(level)) for level in DARK)
        dark = 1 - smoothstep((cv2.log(luminance(self.albedo) + np.float32(1e-4)) - black) / (dim - black))
        return dark * (1 - np.maximum(self.bare_skin, self.face_share * self.skin))

    @cached_property
    def bare_skin(self) -> Plane:
        """How surely each point is bare skin of a face, up to the hairline, 0..1."""
        return bare_skin(self.albedo, self.alpha, self.face_share, self.skin, self.faces)

    @cached_property
    def close_up(self) -> CloseUp:
        """The faces, closer than the working size; computed only where there are highlights."""
        return close_up(self.full_photo, self.photo_light, self.faces, self.head)

    def smooth_normals(self, blur: float, relief: float = 0.0) -> tuple[Plane, Plane, Plane]:
        """Return the unit normals of a smooth shape.

        Args:
            blur: in units of s.
            relief: how much the photo's own light and dark is taken for relief.
        """
        height = smooth(self.height, blur * self.size)
        return height_field.normals(cv2.scaleAdd(self.relief, relief, height) if relief else height)

    @cached_property
    def anchor_samples(self) -> NDArray[np.intp]:
        """Those that say how bright the person is: the face's bare skin; all of the person where too little shows."""
        bare = self.samples[(self.face_share * self.skin).ravel()[self.samples] > 0.5]
        return bare if bare.size >= FEWEST_ANCHORS else self.samples

    def at_side(self, side: int) -> Plane:
        """Return the height field with a longest side of at most ``side`` pixels, in its own pixels."""
        factor = min(1.0, side / max(self.low_height.shape))
        height, width = (max(1, round(n * factor)) for n in self.low_height.shape)
        small = cv2.resize(self.low_height, (width, height), interpolation=cv2.INTER_AREA)
        return small * np.float32(width / self.low_height.shape[1])

    @cached_property
    def sampled_albedo(self) -> NDArray[np.float32]:
        """(N, 3), linear, of :attr:`samples`."""
        return self.sampled(self.albedo)

    @cached_property
    def sampled_photo_light(self) -> NDArray[np.float32]:
        """(N,), linear."""
        return self.sampled(self.photo_light)

    def sampled(self, image: NDArray[np.float32], every: int = 1) -> NDArray[np.float32]:
        """Return (N,) values of an (h, w) plane, or (N, C) of an (h, w, C) image, at every so many :attr:`samples`."""
        return image.reshape(self.alpha.size, *image.shape[2:]).take(self.samples[::every], axis=0)

    def toward(self, light: Direction) -> Plane:
        """Return the cosine between the normals and a direction, -1..1."""
        n_x, n_y, n_z = self.normals
        return n_x * np.float32(light.x) + n_y * np.float32(light.y) + n_z * np.float32(light.z)

    def fade_rim(self, key: Plane) -> Plane:
        """Lead a key light to its mean along the silhouette, where inflated normals graze and rims would be bright."""
        mean = np.float32(self.sampled(key).mean(dtype=np.float64))
        return mean + (key - mean) * self._rim

    @cached_property
    def _rim(self) -> Plane:
        return smoothstep(self.inward / np.float32(max(RIM_WIDTH * self.size, 1.0)))


def once_a_scene(compute: Callable[[Scene], Plane]) -> Callable[[Scene], Plane]:
    """Keep with a scene what a function says of it, as a cached property does: every lamp and every draw asks again."""

    @wraps(compute)
    def kept(scene: Scene) -> Plane:
        found: dict[Callable[[Scene], Plane], Plane] = scene.__dict__.setdefault("_computed", {})
        if compute not in found:
            found[compute] = compute(scene)
        return found[compute]

    return kept


def build(
    *,
    alpha: Plane,
    albedo: LinearRgb,
    photo: LinearRgb,
    faces: Sequence[Points],
    triangles: Triangles,
    rng: Generator,
    shape_map: ShapeMap | None = None,
    join_faces: bool = True,
    full_photo: Rgb8 | None = None,
    mirrored: MirroredLamp | None = None,
) -> Scene:
    """Prepare a person.

    Args:
        alpha: (h, w) float32 in 0..1, at working size.
        albedo: (h, w, 3) float32 linear, weighted by alpha so that nothing from outside is in it.
        photo: (h, w, 3) float32 linear.
        faces: (468, 3) float32 meshes in working pixels, largest first; those beside the person do not count.
        triangles: (N, 3) int32.
        rng: for the random part of the shape.
        shape_map: depth or normals, of this same part of the photo; None: the shape is that of mask and mesh.
        join_faces: put the meshes into such a map.
        full_photo: (H, W, 3) uint8 sRGB, the photo at a larger size; None: there is none.
        mirrored: the lamp that the eyes of the largest face show; None: they show none.
    """
    shape = (alpha.shape[0], alpha.shape[1])
    photo_light = luminance(photo)
    core = alpha > 0.9
    if not core.any():
        core = alpha > 0 if alpha.any() else np.ones(shape, np.bool_)
    size = max(float(np.sqrt(np.count_nonzero(alpha > 0.5))), 1.0)
    factor = min(1.0, SHAPE_SIDE / max(shape))
    low_shape = (max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor)))
    ratio = np.array([low_shape[1] / shape[1], low_shape[0] / shape[0]])
    low_alpha = cv2.resize(alpha, low_shape[::-1], interpolation=cv2.INTER_AREA)
    low_size = size * float(ratio[0])
    faces = height_field.in_mask(alpha, faces)
    low_faces = [_rescaled(points, ratio) for points in faces]
    low_height, share, low_head = height_field.height_field(low_alpha, low_faces, triangles, low_size)
    skin = likelihood(albedo, faces)
    source_light = UNKNOWN
    if low_faces:  # of the face as it is, before chance bends its shape
        points = face_points(
            photo,
            skin,
            height=low_height,
            normals=height_field.normals(low_height),
            on_face=(share > 0.5) & (low_alpha > 0.9) & (low_head.distance(low_shape) < 1),
            face_height=float(np.ptp(low_faces[0][:, 1])),
        )
        source_light = estimate(points, mirrored)
    low_height = low_height + np.float32(0.010 * low_size) * fbm(rng, low_shape, 0.35 * low_size, 2)
    height = _enlarged(low_height, shape)
    if shape_map is not None:
        given = shape_of(
            shape_map, alpha=alpha, like=low_height, faces=low_faces if join_faces else [], triangles=triangles
        )
        low_height = given.low * (low_alpha > 0.5)  # where there is nobody nothing casts a shadow
        height = _enlarged(given.low, shape) + given.height - _enlarged(given.reduced, shape)

    log_light = cv2.log(photo_light + LUMINANCE_FLOOR)
    narrow, middle, wide = (_blurred(log_light, alpha, share * size) for share in (0.0025, 0.012, 0.05))
    coarse, fine = (middle - wide) * alpha / np.float32(0.5), (narrow - middle) * alpha / np.float32(0.4)
    # A real face brings its own relief: brows and lips are paint there, and so is what is not skin.
    real = cv2.resize(share, shape[::-1], interpolation=cv2.INTER_LINEAR)
    faithful = real if shape_map is None else np.ones_like(real)
    trust = (1 - np.float32(0.7) * faithful) * (1 - real + real * skin)
    relief = np.float32(size) * trust * (np.float32(0.05) * np.tanh(coarse) + np.float32(0.015) * np.tanh(fine))
    head = low_head.scaled(1 / ratio[0], 1 / ratio[1])
    samples = _sampled(core)
    disc = np.flatnonzero(head.distance(shape).ravel()[samples] < 1)
    inward = inward_distance(alpha > 0.5)
    return Scene(
        alpha=alpha,
        core=core,
        samples=samples,
        head_samples=samples[disc] if disc.size else samples,
        albedo=albedo,
        photo=photo,
        photo_light=photo_light,
        size=size,
        height=height,
        relief=relief,
        face_share=real,
        skin=skin,
        low_height=low_height,
        head=head,
        inward=inward,
        source_light=source_light,
        faces=tuple(faces),
        full_photo=full_photo,
    )


def _enlarged(low: Plane, shape: tuple[int, int]) -> Plane:
    # A height field at working size, in its pixels.
    ratio = low.shape[1] / shape[1]
    height = cv2.resize(low, shape[::-1], interpolation=cv2.INTER_CUBIC) * np.float32(1 / ratio)
    return smooth(height, 0.5 / ratio)


def _sampled(core: Mask) -> NDArray[np.intp]:
    sparse = np.zeros_like(core)
    sparse[::2, ::2] = core[::2, ::2]
    few = np.count_nonzero(sparse) < ALL_SAMPLES_BELOW
    return np.flatnonzero(core if few else sparse)


def _rescaled(points: Points, ratio: NDArray[np.float64]) -> Points:
    # Pixel centres are whole numbers on both scales.
    flat = (points[:, :2] + 0.5) * ratio - 0.5
    return np.column_stack([flat, points[:, 2] * ratio.mean()]).astype(np.float32)


def _blurred(values: Plane, weight: Plane, sigma: float) -> Plane:
    # Of the person only: what is beside it has no weight.
    return safe_ratio(smooth(values * weight, sigma), smooth(weight, sigma), 1e-3)
