"""A process of its own that decodes damaged images, so that what it takes is its own: see ``test_images.py``."""

import json
import signal
import sys
import warnings
from collections import Counter
from pathlib import Path
from random import Random

from relight_assets.dataset.geometry_files import decode_geometry
from relight_assets.engine.hardware.peak_memory import peak_mib
from relight_assets.engine.worker import gobo_files
from relight_assets.errors import RelightError
from relight_assets.imaging.decode import MAX_PIXELS, decode
from relight_assets_tests.fuzz.image_generator import damaged, sources

FILE_S = 60
"""Seconds until a file that is still being decoded ends the process.  A busy machine takes less than one."""


def main(seed: str, rounds: int, folder: Path) -> None:
    """Decode so many, and print what came of it."""
    warnings.simplefilter("ignore")
    found: Counter[str] = Counter()
    faults: list[str] = []
    whole = sources()
    path, last = folder / "photo", folder / "last"
    for number in range(rounds):
        rng = Random(f"{seed} {number}")
        case = damaged(rng, whole)
        path.write_bytes(case.data)
        last.write_text(f"round {number}: {case.source}, {case.kind}")
        signal.alarm(FILE_S)
        try:
            outcome = _tried(case.source, case.data, path, rng)
        except RelightError as error:
            outcome = error.code
            if "\n" in str(error) or len(str(error)) > 1000:
                faults.append(f"{last.read_text()}: {error}")
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            outcome = type(error).__name__
            faults.append(f"{last.read_text()}: {outcome}: {str(error)[:300]}")
        finally:
            signal.alarm(0)
        found[outcome] += 1
    peak = peak_mib()
    print(json.dumps({"found": found, "faults": faults, "peak_mib": peak}))


def _tried(source: str, data: bytes, path: Path, rng: Random) -> str:
    if source in {"depth", "normals"}:
        kind = source if rng.random() < 0.8 else rng.choice(("depth", "normals"))
        decode_geometry(data, kind, photo_size=(96, 80), max_pixels=MAX_PIXELS, name="a_depth.png")  # type: ignore[arg-type]
        return "a map"
    if rng.random() < 0.2:
        rgb = decode(path, image_size=gobo_files.SIDE, max_pixels=gobo_files.MAX_PIXELS, photo=False).rgb
        assert max(rgb.shape[:2]) <= gobo_files.SIDE
        return "a gobo"
    rgb = decode(path).rgb
    assert rgb.ndim == 3
    assert rgb.shape[0] * rgb.shape[1] <= MAX_PIXELS
    return "an image"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
