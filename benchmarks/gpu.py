"""SAM3 on a GPU: images per second by batch, memory, and how long the GPU waits; alone and in the whole pipeline.

    python -m benchmarks.gpu [--checkpoint sam3.pt] [--json FILE]

Without a checkpoint the weights are random: the network's arithmetic is the same, the masks mean nothing.  Random
scores make every candidate a person, the most that the joining of masks can have to do.  Prints a table; --json writes
the figures.  Random weights take 3.4 GB of the folder for temporary files, the pipeline's outputs 2 GB; TMPDIR names
another.

It has not been run on a GPU yet.  ``--device cpu`` tries it with a small network in half a minute;
``--device cpu --network full --batches 1 --rounds 1 --images 0`` runs the full one, in some minutes and 7 GB.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench.portraits import write_portraits
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Sam3Weights, Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import DeviceOutOfMemoryError, RelightError
from relight_assets.imaging.decode import decode
from relight_assets.models.segmenters.sam3.native import Network, Sam3Segmenter, official_network

BATCHES = (1, 2, 4, 8, 16)
SIDE = 1024


@dataclass(frozen=True)
class Alone:
    """The segmenter by itself, one batch size.  None: the memory does not hold so many."""

    batch: int
    images_per_s: float | None
    memory_mib: float | None
    """Highest the device's allocator went; on a CPU the process."""
    waits: float | None
    """Share of the time in which the network was not at work, 0..1: uploads, resizing, masks on their way down.

    Gaps inside the network, where the GPU waits for the CPU to launch the next kernel, count as work."""


@dataclass(frozen=True)
class Whole:
    """The whole pipeline, everything written."""

    batch: int
    images: int
    images_per_s: float
    segmenter_busy: float
    workers: int


def random_checkpoint(file: Path, build: Callable[[], Network]) -> Path:
    """Write finite random weights of a network, in the official layout."""
    import torch

    generator = torch.Generator().manual_seed(0)
    model = build().model
    tensors = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("freqs_cis"):
            continue
        scale = "norm" in name and name.endswith("weight")
        tensors[f"detector.{name}"] = torch.randn(tensor.shape, generator=generator) * 0.02 + float(scale)
    torch.save({"model": tensors}, file)
    return file


def alone(segmenter: Any, photos: Sequence[np.ndarray], batch: int, rounds: int) -> Alone:
    """Measure one batch size."""
    torch, busy = segmenter.torch, _Busy(segmenter)
    on_gpu = segmenter.device == "cuda"
    some = [photos[n % len(photos)] for n in range(batch)]
    try:
        segmenter.masks(some, batch)  # the first call sets things up
        _forget_peak(torch, on_gpu=on_gpu)
        busy.start()
        start = time.perf_counter()
        for _ in range(rounds):
            segmenter.masks(some, batch)
        wall = time.perf_counter() - start
    except DeviceOutOfMemoryError:
        return Alone(batch, None, None, None)
    finally:
        busy.stop()
    return Alone(batch, batch * rounds / wall, _peak_mib(torch, on_gpu=on_gpu), max(0.0, 1 - busy.seconds() / wall))


def _forget_peak(torch: Any, *, on_gpu: bool) -> None:
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _peak_mib(torch: Any, *, on_gpu: bool) -> float:
    if on_gpu:
        return float(torch.cuda.max_memory_allocated() / 2**20)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class _Busy:
    """The time that the network takes: by the device's own clock where there is one."""

    def __init__(self, segmenter: Any):
        self._segmenter, self._torch = segmenter, segmenter.torch
        self._real, self._spans = segmenter.candidates, []

    def start(self) -> None:
        self._segmenter.candidates = self._timed

    def stop(self) -> None:
        self._segmenter.candidates = self._real

    def _timed(self, squares: Any) -> Any:
        before = self._now()
        answer = self._real(squares)
        self._spans.append((before, self._now()))
        return answer

    def _now(self) -> Any:
        if self._segmenter.device != "cuda":
            return time.perf_counter()
        event = self._torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(self) -> float:
        if self._segmenter.device != "cuda":
            return sum(after - before for before, after in self._spans)
        self._torch.cuda.synchronize()
        return sum(before.elapsed_time(after) for before, after in self._spans) / 1000


def whole(
    csv: Path,
    outputs: Path,
    checkpoint: Path,
    batch: int,
    worker: Callable[..., Any] = ImageWorker,
    *,
    trained: bool = False,
) -> Whole:
    """Run a split of portraits through everything."""
    settings = Settings(output_root=outputs, sam3=Sam3Weights(checkpoint=checkpoint), batch=batch, num_gpus="auto")
    # Random weights are not sure of anything, so whatever they mark is taken.
    taken = {} if trained else {"sam3": {"min_score": 0.0}, "masks": {"min_coverage": 0.0, "persons": "union"}}
    recipe = Recipe.model_validate({"segmenter": "sam3"} | taken)
    start = time.perf_counter()
    summary = run_split(read_split_csv(csv), recipe, settings, RunOptions(), worker=worker)
    wall = time.perf_counter() - start
    images = sum(device.images for device in summary.devices.values())
    busy = [device.segmenter_share(wall) for device in summary.devices.values()]
    return Whole(batch, images, images / wall, sum(busy) / len(busy), summary.workers)


def table(rows: Sequence[Alone], pipeline: Sequence[Whole]) -> str:
    """The figures for people."""
    lines = ["batch  images/s  memory MiB  GPU waits"]
    for row in rows:
        if row.images_per_s is None:
            lines.append(f"{row.batch:5}  does not fit")
        else:
            lines.append(f"{row.batch:5}  {row.images_per_s:8.2f}  {row.memory_mib:10,.0f}  {row.waits:9.0%}")
    lines += [
        f"whole pipeline, batch {run.batch}: {run.images} images, {run.images_per_s:.2f} images/s on {run.workers} "
        f"devices, start-up included, segmenter busy {run.segmenter_busy:.0%}"
        for run in pipeline
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write."""
    options = _options(arguments)
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        print("error: torch finds no GPU here; 'relight doctor' says what there is", file=sys.stderr)
        return 2
    build, worker = _network(options.network)
    with tempfile.TemporaryDirectory(prefix="relight-gpu-") as name:
        rows, pipeline = _measured(options, Path(name), build, worker)
    device = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    weights = "the given checkpoint" if options.checkpoint else "random weights: speed alone means anything"
    print(f"{device}, torch {torch.__version__}, {options.network} network, {weights}\n{table(rows, pipeline)}")
    if options.json:
        figures = {
            "device": device,
            "torch": torch.__version__,
            "network": options.network,
            "random_weights": options.checkpoint is None,
            "segmenter": [asdict(row) for row in rows],
            "pipeline": [asdict(run) for run in pipeline],
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="sam3.pt; without it the weights are random")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: to try this script")
    parser.add_argument("--network", choices=("full", "small"), help="small: the tests'; default on a CPU")
    parser.add_argument("--batches", type=int, nargs="+", help="default: 1 2 4 8 16, on a CPU 1 2")
    parser.add_argument("--rounds", type=int, help="calls per batch size; default: 20, on a CPU 2")
    parser.add_argument("--images", type=int, help="for the whole pipeline; 0 leaves it out; default: 400, on a CPU 4")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    on_gpu = options.device == "cuda"
    options.network = options.network or ("full" if on_gpu or options.checkpoint else "small")
    if options.checkpoint and options.network == "small":
        parser.error("a checkpoint is of the full network")
    options.batches = options.batches or list(BATCHES if on_gpu else BATCHES[:2])
    options.rounds = options.rounds or (20 if on_gpu else 2)
    options.images = (400 if on_gpu else 4) if options.images is None else options.images
    return options


def _network(which: str) -> tuple[Callable[[], Network], Callable[..., Any]]:
    """What builds a network, and the worker that runs it."""
    if which == "full":
        return official_network, ImageWorker
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests', which are not installed
    from relight_assets_tests.models.segmenters.sam3 import tiny_sam3  # noqa: PLC0415  (only where they are wanted)

    return tiny_sam3.network, tiny_sam3.SmallSam3Worker


def _measured(
    options: argparse.Namespace, scratch: Path, build: Callable[[], Network], worker: Callable[..., Any]
) -> tuple[list[Alone], list[Whole]]:
    (scratch / "portraits").mkdir()
    csv = write_portraits(scratch / "portraits", max(options.images, 16), SIDE)
    checkpoint = options.checkpoint or random_checkpoint(scratch / "sam3.pt", build)
    files = [csv.parent / cell for cell in read_split_csv(csv).table["image_path"]]
    photos = [decode(file, image_size=None, max_pixels=SIDE * SIDE).rgb for file in files[:16]]
    segmenter = Sam3Segmenter(checkpoint, build=build, min_score=0.5 if options.checkpoint else 0.0)
    rows = [alone(segmenter, photos, batch, options.rounds) for batch in options.batches]
    del segmenter  # or the pipeline's worker would have to share the device's memory with it
    if options.device == "cuda":
        import torch

        torch.cuda.empty_cache()
    fits = [row for row in rows if row.images_per_s is not None]
    if not options.images or not fits:
        return rows, []
    best = max(fits, key=lambda row: row.images_per_s or 0.0).batch
    csv.write_text("\n".join(["image_path", *map(str, files[: options.images]), ""]), encoding="utf-8")
    return rows, [whole(csv, scratch / "outputs", checkpoint, best, worker, trained=bool(options.checkpoint))]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RelightError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
