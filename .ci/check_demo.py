"""Are the demo's outputs right?  Looks at the files alone, with none of the package's own code."""

import csv
import json
import sys
from pathlib import Path

import cv2
import numpy as np

FILES = ("input", "foreground", "background", "albedo", "degraded_fg", "output")
EXPECTED = {"train": (8, {"no_person", "image_corrupt"}), "val": (4, {"no_person"}), "test": (4, set())}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check_image(folder: Path, number: str) -> None:
    images = {}
    for name in FILES:
        image = cv2.imread(str(folder / f"{number}_{name}.png"), cv2.IMREAD_UNCHANGED)
        assert image is not None, f"{folder}/{number}_{name}.png does not open"
        images[name] = image
    record = json.loads((folder / f"{number}_metadata.json").read_text(encoding="utf-8"))
    assert set(record["stages"]) == {"masks", "albedo", "degraded", "composites"}
    alpha = images["foreground"][..., 3]
    assert 0.05 < (alpha > 127).mean() < 0.95, f"{number}: odd coverage"
    assert (images["output"][alpha == 0] == 128).all(), f"{number}: the gray is not exact"
    assert np.array_equal(alpha, images["degraded_fg"][..., 3])
    weight = alpha[..., None] / 255.0
    back = images["foreground"][..., :3] * weight + images["background"][..., :3] * (1 - weight)
    assert np.abs(back - images["input"]).max() <= 2, f"{number}: the layers do not give the photo back"


def main(demo: Path) -> None:
    for split, (done, codes) in EXPECTED.items():
        table = rows(demo / f"{split}_images.csv")
        mapping = rows(demo / f"{split}_images_with_relighting_outputs.csv")
        failures = rows(demo / f"{split}_images_failures.csv")
        assert [{k: v for k, v in row.items() if k != "output_image_path"} for row in mapping] == table
        outputs = [Path(row["output_image_path"]) for row in mapping if row["output_image_path"]]
        assert len(outputs) == done, f"{split}: {len(outputs)} outputs"
        assert {row["code"] for row in failures} == codes, f"{split}: {failures}"
        assert len(outputs) + len(failures) == len(table)
        for path in outputs:
            check_image(path.parent, path.name.partition("_")[0])
        assert (demo / "outputs" / f"data-{split}" / "contact_sheet.jpg").stat().st_size < 300_000
        print(f"{split}: {done} of {len(table)} rows done, {sorted(codes)} as they should")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
