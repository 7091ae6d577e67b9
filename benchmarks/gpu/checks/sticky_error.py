"""A real error after which a process can use its device no more: its worker is replaced, and every photo is done.

On a GPU an index out of range trips an assertion in a kernel.  A CPU has no such error; there the process aborts.
"""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.gpu.material import backends, recipe_of, weights_of, worker_of
from benchmarks.gpu.setting import Row, Setting
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.progress import Progress
from relight_assets.engine.run import RunOptions, run_split

IMAGES = 8


def check(setting: Setting) -> Iterator[Row]:
    """A run whose first worker breaks its device at its first photo."""
    settings = Settings(
        output_root=setting.scratch / "outputs-sticky",
        sam3=weights_of(setting),
        batch=2,
        num_gpus=1 if setting.device == "cuda" else "none",
        cpu_workers=1,
    )
    notices: list[str] = []

    def watch(progress: Progress) -> None:
        notices[:] = progress.notices

    split, recipe = read_split_csv(setting.photos_csv), recipe_of(setting, backends(setting)[0])
    options = RunOptions(num_samples=min(IMAGES, setting.images))
    summary = run_split(split, recipe, settings, options, watch, worker=partial(make_breaking_worker, setting))
    yield {
        "images": sum(device.images for device in summary.devices.values()),
        "quarantined": summary.tally.codes["worker_killer"],
        "workers_replaced": sum(device.replaced for device in summary.devices.values()),
    }
    yield {"said": next((notice for notice in notices if "replaced" in notice), None)}


def make_breaking_worker(setting: Setting, **settings: Any) -> Any:
    """The worker as it is, whose network breaks its device in the first process that is asked for a mask."""
    worker = worker_of(setting)(**settings)
    segmenter = worker.context.segmentation._segmenter  # noqa: SLF001  (nothing in the product asks for this)
    real, mark = segmenter.candidates, setting.scratch / "broken-once"

    def candidates(squares: Any) -> Any:
        if not mark.exists():
            mark.touch()
            break_device(segmenter.torch, segmenter.device)
        return real(squares)

    segmenter.candidates = candidates
    return worker


def break_device(torch: Any, device: str) -> None:
    """Never returns."""
    if device == "cpu":
        os.abort()
    torch.zeros(1, device=device)[torch.tensor([1_000], device=device)].sum().item()
