"""The shape that the light falls on: a height field over the image, nearer to the camera is higher.

Where a face mesh is given, the face is that mesh.  Everything else (hair, neck, body) is an
inflated silhouette with a dome for the head.  The two are joined in height, over a band, never in
shading: a join in shading shows as the rim of a mask.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Mask, Plane, Points, Triangles
from relight_assets.core.color import safe_ratio
from relight_assets.stages.degraded.geometry.filters import inward_distance, smooth, smoothstep
from relight_assets.stages.degraded.geometry.head import CHIN, FOREHEAD, Head, head_of_mask, head_of_mesh

STEEPEST = 2.2
"""Slopes approach this and never pass it (65 degrees): inflated silhouettes are infinitely steep."""
INFLATION_REACH = 0.8
"""Screening length of the inflation in units of s: wider bodies do not bulge further."""
INFLATION_DEPTH = 0.6
"""Depth of a body over its half width: people are flatter than they are wide, and a neck lies behind its chin."""
SWEEPS, SPECTRAL_RADIUS = 40, 0.99
"""Jacobi sweeps on each level of the inflation, and the spectral radius by which they are accelerated."""
DOME_HEIGHT = 0.7
"""Height of the head's dome, in units of the head's smaller half axis."""
NECK_DEPTH = 0.2
"""How far the neck lies behind the jaw, in units of the face's height: from above, a chin shades it."""
NECK_SHARE = 0.6
"""The most of it, as a share of the height."""
NECK_STARTS, NECK_ENDS, NECK_WIDTH = (-0.3, 0.0), (0.2, 0.6), (0.4, 0.75)
"""How far below the chin it begins to lie back, and does; comes forward again, and has; the same aside, likewise."""
JAW_EDGE, JAW_BLUR = 0.08, 0.02
"""Width of the step below the jaw, and blur of its edge, whose corners would be seen in the shadow, likewise."""
JOIN_BAND = 0.16
"""Width of the join, in units of the face's size, measured inward from the mesh's outline."""
JOIN_REACH = 0.16
"""How far outside of the mesh its depth still pulls at what lies around, in units of the face's size."""


def height_field(mask: Plane, faces: Sequence[Points], triangles: Triangles, size: float) -> tuple[Plane, Plane, Head]:
    """Build the height field of a person.

    Args:
        mask: (h, w) float32 alpha in 0..1.  Where it touches a border the person is taken to go on.
        faces: (468, 3) float32 per face, pixels of ``mask``, x right, y down, z smaller is nearer.
        triangles: (N, 3) int32 point numbers of the mesh's surface.
        size: the subject's size s in pixels.

    Returns:
        height (h, w) float32 in pixels, 0 outside the mask; the share of the real face in it
        (h, w) float32 in 0..1; the head, of the first face where there are several.
    """
    solid = (mask > 0.5).astype(np.float32)
    height = np.float32(INFLATION_DEPTH) * np.sqrt(2 * inflate(solid, INFLATION_REACH * size))
    heads = [head_of_mesh(points) for points in faces] or [head_of_mask(solid)]
    domes = np.zeros_like(height)
    for head in heads:
        domes = np.maximum(domes, _dome(head, height.shape))
    height += domes
    height = smooth(height, 0.02 * size)
    share = np.zeros_like(height)
    for points in faces:
        height, one = join_face(height, points, triangles)
        share = np.maximum(share, one)
    for points in faces:
        # Not another's face, and never all of it: what is beside the person has no height, and must not shade it.
        most = np.float32(NECK_SHARE) * np.maximum(height, 0) * (share < 0.5)
        height -= np.minimum(_neck(points, height.shape), most)
    # Smoothed once more than each part was, so that no crease of the dome or the join is left.
    height = smooth(height, 0.006 * size) * solid
    return height, share * solid, heads[0]


def in_mask(mask: Plane, faces: Sequence[Points]) -> list[Points]:
    """The faces that most of their points show to be in a mask: other people's give no shape to this one."""

    def inside(points: Points) -> bool:
        columns, rows = np.rint(points[:, :2]).astype(np.intp).T
        inside_image = (columns >= 0) & (columns < mask.shape[1]) & (rows >= 0) & (rows < mask.shape[0])
        return bool(2 * np.count_nonzero(mask[rows[inside_image], columns[inside_image]] > 0.5) > len(points))

    return [points for points in faces if inside(points)]


def _neck(points: Points, shape: tuple[int, int]) -> Plane:
    """How far what is below the jaw lies behind it, (h, w) float32 in pixels; 0 on the mesh and beside the head."""
    flat = points[:, :2].astype(np.float32)
    axis, chin = flat[CHIN] - flat[FOREHEAD], flat[CHIN]
    length = max(float(np.hypot(*axis)), 1.0)
    right, down = (np.float32(part / length**2) for part in axis.tolist())
    dx = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(chin[0])
    dy = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(chin[1])
    under, aside = dx * right + dy * down, np.abs(dx * down - dy * right)
    below = _ramp(under, *NECK_STARTS) * (1 - _ramp(under, *NECK_ENDS)) * (1 - _ramp(aside, *NECK_WIDTH))
    mesh = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mesh, cv2.convexHull(np.rint(flat).astype(np.int32)), 1)
    beside = cv2.distanceTransform(1 - mesh, cv2.DIST_L2, 3) * np.float32(1 / length)
    behind = below * _ramp(beside, 0, JAW_EDGE)
    return np.float32(NECK_DEPTH * length) * smooth(behind, JAW_BLUR * length)


def _ramp(values: Plane, start: float, end: float) -> Plane:
    return smoothstep((values - np.float32(start)) * np.float32(1 / (end - start)))


def _dome(head: Head, shape: tuple[int, ...]) -> Plane:
    dome = np.maximum(1 - head.distance((shape[0], shape[1])), 0)
    return np.float32(DOME_HEIGHT * min(head.half_width, head.half_height)) * dome ** np.float32(0.65)


def inflate(solid: Plane, reach: float) -> Plane:
    """Solve ``(Laplace - 1 / reach^2) u = -1`` inside a mask; ``sqrt(2 u)`` is a rounded silhouette.

    u is 0 on the silhouette and has no slope across the image's border, where the person goes
    on.  Nested iteration: each level refines the solution of the one half as large.
    """
    levels = [solid]
    while min(levels[-1].shape) >= 48:
        height, width = levels[-1].shape
        levels.append(cv2.resize(levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA))
    u = np.zeros_like(levels[-1])
    for depth in range(len(levels) - 1, -1, -1):
        inside = (levels[depth] >= 0.5).astype(np.float32)
        if u.shape != inside.shape:
            u = cv2.resize(u, inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
        u = _relax(u * inside, inside, float(4**depth), reach)
    return u


def _relax(u: Plane, inside: Plane, step: float, reach: float) -> Plane:
    # Jacobi sweeps, accelerated as by Golub and Varga (1961): each looks back at the one before.
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    inverse = inside / np.float32(4 + step / max(reach, 1.0) ** 2)
    before, omega = u, 1.0
    for sweep in range(SWEEPS):
        after = cv2.filter2D(u, -1, cross, borderType=cv2.BORDER_REPLICATE)
        after += np.float32(step)
        after *= inverse
        if sweep:
            omega = 1 / (1 - SPECTRAL_RADIUS**2 * (0.5 if sweep == 1 else omega / 4))
            after = cv2.addWeighted(after, omega, before, 1 - omega, 0)
        before, u = u, after
    return np.maximum(u, 0)


def join_face(height: Plane, points: Points, triangles: Triangles) -> tuple[Plane, Plane]:
    """Put the depth of a face mesh into a height field.

    Around the mesh the field is pulled to the mesh's depth, less with distance, so that there is
    no step; inside, over a band, the field turns into the mesh.  Returns the new field and the
    mesh's share in it, both (h, w) float32.
    """
    depth, covered = rasterise(points, triangles, height.shape)
    if not covered.any():
        return height, np.zeros_like(height)
    extent = float(max(np.ptp(points[:, 0]), np.ptp(points[:, 1])))
    known = covered.astype(np.float32)
    face = safe_ratio(smooth(-depth * known, 0.008 * extent), smooth(known, 0.008 * extent), 1e-3)
    inside = inward_distance(covered)
    band = max(JOIN_BAND * extent, 1.5)
    ring = covered & (inside < 0.5 * band) & (height > 0)
    if not ring.any():
        ring = covered
    face += np.float32(np.median((height - face)[ring]))
    difference = (face - height) * known
    reach = JOIN_REACH * extent
    spread = smooth(known, reach)
    pull = safe_ratio(smooth(difference, reach), spread, 1e-4) * np.minimum(2 * spread, np.float32(1))
    share = smoothstep(inside / np.float32(band)) * known
    share = smooth(share, 0.01 * extent) * known
    return height + pull + share * (difference - pull), share


def rasterise(points: Points, triangles: Triangles, shape: tuple[int, int]) -> tuple[Plane, Mask]:
    """Draw a mesh as a depth map.

    Triangles are painted from the farthest to the nearest, each with its number; the number gives
    the plane, and the plane the depth of every pixel in one pass.

    Returns:
        depth (h, w) float32, 0 where nothing is drawn, and where something is, (h, w) bool.
    """
    owner = np.full(shape, -1, np.int32)
    corners = points[triangles]
    fixed = np.rint(np.clip(corners[..., :2], -8192, 8192) * 16).astype(np.int32)
    for number in np.argsort(-corners[..., 2].mean(axis=1), kind="stable").tolist():
        cv2.fillConvexPoly(owner, fixed[number], number, lineType=cv2.LINE_8, shift=4)
    rows, columns = np.nonzero(owner >= 0)
    depth = np.zeros(shape, np.float32)
    if rows.size == 0:
        return depth, owner >= 0
    exact = corners.astype(np.float64)
    first, second = exact[:, 1] - exact[:, 0], exact[:, 2] - exact[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    flat = np.abs(area) < 1e-9
    area = np.where(flat, 1.0, area)
    slope_x = np.where(flat, 0, (first[:, 2] * second[:, 1] - second[:, 2] * first[:, 1]) / area)
    slope_y = np.where(flat, 0, (first[:, 0] * second[:, 2] - second[:, 0] * first[:, 2]) / area)
    who = owner[rows, columns]
    values = exact[who, 0, 2] + slope_x[who] * (columns - exact[who, 0, 0]) + slope_y[who] * (rows - exact[who, 0, 1])
    # A triangle seen from its edge has a plane that runs away within a pixel.
    low, high = exact[..., 2].min(axis=1), exact[..., 2].max(axis=1)
    depth[rows, columns] = np.clip(values, low[who], high[who])
    return depth, owner >= 0


def normals(height: Plane) -> tuple[Plane, Plane, Plane]:
    """Return the unit normals (x right, y down, z to the camera) of a height field, slopes capped."""
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    squared = slope_x * slope_x + slope_y * slope_y
    squared *= np.float32(1 / STEEPEST**2)
    cap = np.float32(1) / cv2.sqrt(cv2.sqrt(1 + squared * squared))
    slope_x *= cap
    slope_y *= cap
    return normals_of_slopes(slope_x, slope_y)


def normals_of_slopes(slope_x: Plane, slope_y: Plane) -> tuple[Plane, Plane, Plane]:
    """Return the unit normals (x right, y down, z to the camera) of a surface with these slopes."""
    n_z = np.float32(1) / cv2.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    return -slope_x * n_z, -slope_y * n_z, n_z
