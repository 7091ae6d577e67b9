"""The plain peer: what a straightforward script makes of a portrait, with stock library calls and their defaults.

    OPENCV_FOR_THREADS_NUM=1 python benchmarks/bench/plain.py --masks MASKS --out OUT --json cost.json PHOTO...

One photo after the other: classical multi-scale Retinex (each channel on its own, cv2.GaussianBlur at 15, 80 and
250), a linear ramp as another light, a composite on gray, six PNGs by Pillow and one JSON.  MASKS holds a gray PNG of
the same size for each photo, by its stem: finding the person is not part of this script's cost.  float32 arrays;
NumPy's own default, float64, would make it three times as dear.  ``--by-plane`` blurs the channels as separate
planes, which is cheaper than one call on the photo as it lies in memory.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

SIGMAS = (15, 80, 250)
GRAY = 128
cpu_s: Counter[str] = Counter()


@contextmanager
def timed(step: str) -> Iterator[None]:
    start = time.process_time()
    yield
    cpu_s[step] += time.process_time() - start  # type: ignore[assignment]


def blur(image: Array, sigma: float, *, by_plane: bool) -> Array:
    if by_plane:
        return cv2.merge([cv2.GaussianBlur(plane, (0, 0), sigma) for plane in cv2.split(image)])
    return cv2.GaussianBlur(image, (0, 0), sigma)


def retinex(rgb: Array, *, by_plane: bool) -> Array:
    image = rgb.astype(np.float32) + 1.0
    mean = np.zeros_like(image)
    for sigma in SIGMAS:
        mean += (np.log(image) - np.log(blur(image, sigma, by_plane=by_plane))) / len(SIGMAS)
    low, high = np.percentile(mean, (1, 99), axis=(0, 1))
    return (np.clip((mean - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def shading(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.9)
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ramp = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    return np.clip(0.75 + slope * ramp, 0.1, 1.5)[..., None]


def process(photo: Path, masks: Path, out: Path, number: int, *, by_plane: bool) -> None:
    with timed("decode"):
        rgb = np.array(Image.open(photo).convert("RGB"))
        alpha = np.array(Image.open(masks / f"{photo.stem}.png").convert("L"))
    with timed("albedo"):
        albedo = retinex(rgb, by_plane=by_plane)
    with timed("degraded"):
        degraded = np.clip(albedo * shading(alpha.shape, np.random.default_rng(number)), 0, 255)
    with timed("composites"):
        mask = (alpha / np.float32(255))[..., None]
        images = {
            "input": rgb,
            "foreground": np.dstack([rgb * (alpha > 0)[..., None], alpha]),
            "background": np.dstack([rgb * (alpha < 255)[..., None], 255 - alpha]),
            "albedo": albedo,
            "degraded_fg": np.dstack([(degraded * (mask > 0)).astype(np.uint8), alpha]),
            "output": (degraded * mask + GRAY * (1 - mask)).astype(np.uint8),
        }
    with timed("encode"):
        for name, image in images.items():
            Image.fromarray(image).save(out / f"{number:05d}_{name}.png")
        record = {"index": number, "source": str(photo), "sigmas": SIGMAS, "coverage": float(mask.mean())}
        (out / f"{number:05d}_metadata.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="CPU-seconds per photo, in all and by step, go here")
    parser.add_argument("--by-plane", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    # All of the process, but not its start: imports cost a second, and a real run has thousands of photos.
    start, photos = time.process_time(), len(options.photos)
    for number, photo in enumerate(options.photos):
        process(photo, options.masks, options.out, number, by_plane=options.by_plane)
    spent = (time.process_time() - start) / photos
    steps_ms = {step: 1000.0 * seconds / photos for step, seconds in cpu_s.items()}
    print(f"{spent:.2f} CPU-s per photo: " + ", ".join(f"{name} {ms:.0f} ms" for name, ms in steps_ms.items()))
    if options.json:
        options.json.write_text(json.dumps({"cpu_s_per_image": spent, "stage_cpu_ms": steps_ms}), encoding="utf-8")


if __name__ == "__main__":
    main()
