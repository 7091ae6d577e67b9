"""The images in docs/images, taken anew from a `relight dev` that shows the demo.

make demo
relight --platform demo/platform.yaml run --split train --config FILE --experiment candlelight   # CANDLELIGHT, below
relight --platform demo/platform.yaml gallery --split train
make dev PLATFORM=demo/platform.yaml, and when the runs that the sensor starts have ended
python -m relight_assets_tests.browser.screenshots --url http://127.0.0.1:3000
"""

import argparse
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from PIL import Image

from relight_assets_tests.browser.conftest import BROWSERS, FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH = 1300
CANDLELIGHT = """ops:
  relight_experiment:
    config:
      experiment: candlelight
      recipe:
        degradation:
          color_adaptation: 0
          soft_shading:
            key_temperature_range: [1800, 2400]
          hard_shadow: {weight: 0}
          specular: {weight: 0}
          studio: {weight: 0}
"""


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
            "materialize.png": _materialize,
            "partition.jpg": _partition,
            "failures.png": _failures,
            "checks.png": _checks,
            "launchpad.png": _launchpad,
            "experiment.jpg": _experiment,
            "automation.png": _automation,
            "runs.png": _runs,
            "gallery.jpg": _gallery,
            "gallery_pair.jpg": _gallery_pair,
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
    page.wait_for_timeout(8000)  # how each asset stands comes after its box, and nothing says when it is all there


def _materialize(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 760})
    page.goto("/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.locator("[role=dialog][aria-modal=true]")
    dialog.get_by_role("button", name="All", exact=True).first.click()
    dialog.get_by_text("3 partitions").wait_for(state="visible")


def _failures(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 900})
    page.goto("/assets/dead_letters?view=partitions&partition=train")
    page.get_by_text("no_person (masks)").first.wait_for(state="visible")


def _checks(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 800})
    page.goto("/assets/mapping_csv?view=checks&checkDetail=failure_rate")
    page.get_by_text("Plots", exact=True).wait_for(state="visible")


def _launchpad(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 800})
    config = urlencode({"config": CANDLELIGHT})
    page.goto(f"/locations/relight_assets/jobs/experiment/playground/setup?{config}")
    page.get_by_text("relight_experiment").first.wait_for(state="visible")


def _experiment(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 1150})
    page.goto("/assets/experiments?view=events")
    page.locator("img[src^='/logs/']").first.wait_for(state="visible")


def _automation(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 520})
    page.goto("/automation")
    page.get_by_text("new_csvs", exact=True).wait_for(state="visible")


def _partition(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 1850})
    page.goto("/assets/composites?view=partitions&partition=train")
    page.locator("img[src^='/logs/']").nth(1).wait_for(state="visible")


def _runs(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 600})
    page.goto("/runs")
    page.get_by_text("Success", exact=True).first.wait_for(state="visible")


def _gallery(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 540})
    page.goto("/relight/data-train/gallery/index.html")
    page.locator(".card .cell div").first.wait_for(state="visible")


def _gallery_pair(page: "Page") -> None:
    page.set_viewport_size({"width": 1500, "height": 900})
    page.locator(".card").nth(2).click()
    page.locator("#pictures img").first.wait_for(state="visible")


def _save(shot: bytes, path: Path) -> None:
    """A page as PNG, one with photos as JPEG."""
    with Image.open(io.BytesIO(shot)) as opened:
        image = opened.convert("RGB")
    image = image.resize((WIDTH, image.height * WIDTH // image.width), Image.Resampling.LANCZOS)
    if path.suffix == ".jpg":
        image.save(path, quality=80, optimize=True)
    else:
        image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
