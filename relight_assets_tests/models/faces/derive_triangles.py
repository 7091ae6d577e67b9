"""Derives ``relight_assets/models/faces/face_triangles.txt`` from the edge lists that MediaPipe publishes.

Run it as ``python -m relight_assets_tests.models.faces.derive_triangles WHEEL`` to print the table again.
"""

import itertools
import runpy
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

MEMBER = "mediapipe/python/solutions/face_mesh_connections.py"

# Upper and lower rims of the three holes, from the corner on the image's left to the other one.
HOLES = (
    ((78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308), (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)),
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)

# The top of the forehead and its neighbour on the image's right: seen by the camera, the face
# lies below this edge, so the counter-clockwise triangle on it runs along it from right to left.
KNOWN_EDGE = (338, 10)

Triangle = tuple[int, int, int]


def edges_in(wheel: Path) -> set[tuple[int, int]]:
    """Return the 1322 edges of FACEMESH_TESSELATION, each once, smaller point first."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        path = Path(archive.extract(MEMBER, folder))
        names = runpy.run_path(str(path))
    return {(min(edge), max(edge)) for edge in names["FACEMESH_TESSELATION"]}


def cliques(edges: set[tuple[int, int]]) -> set[Triangle]:
    """Return every three points that are joined pairwise."""
    near = defaultdict(set)
    for a, b in edges:
        near[a].add(b)
        near[b].add(a)
    return {tuple(sorted((a, b, c))) for a, b in edges for c in near[a] & near[b]}  # type: ignore[misc]


def without_lids(triangles: set[Triangle]) -> set[Triangle]:
    """Drop the triangles all of whose edges have three sides: they lie behind three smaller ones."""
    uses = Counter(edge for triangle in triangles for edge in itertools.combinations(triangle, 2))
    return {t for t in triangles if not all(uses[edge] == 3 for edge in itertools.combinations(t, 2))}


def ladder(upper: tuple[int, ...], lower: tuple[int, ...]) -> set[Triangle]:
    """Close a hole between two rims of equal length that share both ends."""
    found = set()
    for i in range(len(upper) - 1):
        for triangle in ((upper[i], lower[i], lower[i + 1]), (upper[i], upper[i + 1], lower[i + 1])):
            if len(set(triangle)) == 3:
                found.add(tuple(sorted(triangle)))
    return found  # type: ignore[return-value]


def oriented(triangles: set[Triangle]) -> list[Triangle]:
    """Turn all triangles the same way round, walking from one known edge over shared edges."""
    sides = defaultdict(list)
    for triangle in triangles:
        for edge in itertools.combinations(triangle, 2):
            sides[edge].append(triangle)
    turned: dict[Triangle, Triangle] = {}
    waiting = [KNOWN_EDGE]
    while waiting:
        a, b = waiting.pop()
        for triangle in sides[min(a, b), max(a, b)]:
            if triangle in turned:
                continue
            (c,) = set(triangle) - {a, b}
            first = min(a, b, c)
            order = {a: (a, b, c), b: (b, c, a), c: (c, a, b)}[first]
            turned[triangle] = order
            waiting += [(c, b), (a, c)]
    return sorted(turned.values())


def derive(wheel: Path) -> list[Triangle]:
    """Return the 898 triangles, counter-clockwise on screen, sorted."""
    triangles = without_lids(cliques(edges_in(wheel)))
    for upper, lower in HOLES:
        triangles |= ladder(upper, lower)
    return oriented(triangles)


if __name__ == "__main__":
    for row in derive(Path(sys.argv[1])):
        sys.stdout.write(f"{row[0]} {row[1]} {row[2]}\n")
