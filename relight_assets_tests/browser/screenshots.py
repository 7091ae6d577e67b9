"""The pictures in docs/images, taken anew from a `relight dev` that shows the demo.

make demo && make dev PLATFORM=demo/platform.yaml, then
python -m relight_assets_tests.browser.screenshots --url http://127.0.0.1:3000
"""

import argparse
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from relight_assets_tests.browser.conftest import BROWSERS, FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH = 1300


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--to", type=Path, default=IMAGES)
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        page = browser.new_context(base_url=asked.url).new_page()
        takes = {
            "lineage.png": _lineage,
            "partition.jpg": _partition,
            "runs.png": _runs,
        }
        for name, take in takes.items():
            take(page)
            page.wait_for_timeout(1500)  # animations
            _save(page.screenshot(), asked.to / f"ui_{name}")
        browser.close()


def _lineage(page: "Page") -> None:
    page.set_viewport_size({"width": 1900, "height": 900})
    page.goto("/asset-groups")
    page.locator("svg foreignObject").nth(6).wait_for(state="visible")


def _partition(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 1250})
    page.goto("/assets/composites?view=partitions&partition=train")
    page.locator("img[src^='/logs/']").wait_for(state="visible")


def _runs(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 600})
    page.goto("/runs")
    page.get_by_text("Success", exact=True).first.wait_for(state="visible")


def _save(shot: bytes, path: Path) -> None:
    """A page as PNG, one with photos as JPEG."""
    with Image.open(io.BytesIO(shot)) as opened:
        picture = opened.convert("RGB")
    if path.suffix == ".jpg":
        picture.save(path, quality=85, optimize=True)
    else:
        picture.resize((WIDTH, picture.height * WIDTH // picture.width), Image.Resampling.LANCZOS).save(
            path, optimize=True
        )
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
