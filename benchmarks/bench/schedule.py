"""Whether devices are kept busy, by the schedule alone: ``python -m benchmarks.bench.schedule``.

Dispatch, the pipes, the worker processes and the pipeline inside each are those of a run.  The network and the stages
are not there: the one sleeps its time in the segmenter's thread, the others theirs in stage threads.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import click

from relight_assets.engine.execution import dispatch
from relight_assets.engine.execution.dispatch import Finished, hand_out_size
from relight_assets.engine.execution.local import LocalPool
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.worker.pipeline import Pipeline, Steps

READ_S = 0.01
"""Decoding an image, in a thread that does nothing else."""
READERS = 3
"""As many as a worker of 16 threads has."""
SPREAD = 0.5
"""An image's time on a core is at most this much longer or shorter than the mean, as a share."""


@dataclass(frozen=True)
class Simulated:
    """A machine whose parts sleep."""

    device_ms: float
    """Of the network for one image in a full batch.  Batches are padded, so one that is not full takes as long."""
    core_ms: float = 200.0
    """Of a stage thread for one image, in the mean; each has a core."""
    devices: int = 8
    cores: int = 16
    """Of each device, as many as the stage threads of its worker."""
    batch: int = 16
    images: int = 12_000


@dataclass(frozen=True)
class Schedule:
    """What the schedule made of a simulated machine."""

    simulated: Simulated
    images_per_s: float
    """All devices together, from the first image on a device to the last result."""
    device_busy: float
    """Share of the time in which a device worked on images, 0..1, the mean of the devices, each from its first image
    to its last; filling up a batch is no work."""
    core_busy: float
    """The same of the stage threads, until the last result."""
    attainable: float
    """What ``device_busy`` cannot exceed: less than 1 where the cores cannot feed the device."""
    tail: float
    """Share of the run that was left when the first device had nothing more to do, 0..1."""


class SleepingWorker:
    """The pipeline of a real worker with steps that sleep."""

    def __init__(self, simulated: Simulated):
        self._simulated = simulated

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        """One result per item, with the seconds on the machine's clock between which it was on the device."""
        simulated, spans = self._simulated, dict[int, tuple[float, float]]()

        def read(item: WorkItem) -> int:
            time.sleep(READ_S)
            return item.index

        def segment(images: list[int]) -> None:
            start = time.monotonic()
            time.sleep(simulated.batch * simulated.device_ms / 1000)
            spans.update(dict.fromkeys(images, (start, time.monotonic())))

        def finish(image: int) -> ImageResult:
            time.sleep(core_s(simulated, image))
            start, end = spans.pop(image)
            return ImageResult(image, {}, timings_ms={"from": start, "until": end})

        steps = Steps(
            read=read, wants_segmenter=lambda _: True, segment=segment, batch=lambda: simulated.batch, finish=finish
        )
        yield from Pipeline(steps, readers=READERS, finishers=simulated.cores).run(items)


def core_s(simulated: Simulated, image: int) -> float:
    """Seconds that an image takes in a stage thread, the same in every run; neighbours differ."""
    golden = (image * 0.6180339887) % 1.0  # evenly spread in [0, 1), whatever part of the images is taken
    return simulated.core_ms / 1000 * (1 + SPREAD * (2 * golden - 1))


def schedule_once(simulated: Simulated) -> Schedule:
    """Run the images of a simulated machine through real dispatch and worker processes."""
    slots = [DeviceSlot(f"simulated {number}") for number in range(simulated.devices)]
    pool = LocalPool(slots, SleepingWorker, {"simulated": simulated}, threads=simulated.cores)
    size = hand_out_size(simulated.batch, pool, simulated.images)
    items = (WorkItem(number, "", "", ()) for number in range(simulated.images))
    devices = [_Device() for _ in slots]
    for event in dispatch.run(items, pool, batch=size, start_s=300, hang_s=300):
        if isinstance(event, Finished) and isinstance(event.result, ImageResult):
            devices[event.slot].add(event.result.timings_ms)
    return _schedule(simulated, [device for device in devices if device.images])


@dataclass
class _Device:
    images: int = 0
    start: float = float("inf")
    network_end: float = 0.0
    end: float = 0.0

    def add(self, times: dict[str, float]) -> None:
        self.images += 1
        self.start = min(self.start, times["from"])
        self.network_end = max(self.network_end, times["until"])
        self.end = time.monotonic()


def _schedule(simulated: Simulated, devices: list[_Device]) -> Schedule:
    device_s, core_s_each = simulated.device_ms / 1000, simulated.core_ms / 1000 / simulated.cores
    wall = max(device.end for device in devices) - min(device.start for device in devices)
    return Schedule(
        simulated=simulated,
        images_per_s=sum(device.images for device in devices) / wall,
        device_busy=_mean(device.images * device_s / (device.network_end - device.start) for device in devices),
        core_busy=_mean(device.images * core_s_each / (device.end - device.start) for device in devices),
        attainable=min(1.0, device_s / core_s_each),
        tail=(max(device.end for device in devices) - min(device.end for device in devices)) / wall,
    )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


@click.command()
@click.option("--device-ms", type=float, multiple=True, default=(10, 12.5, 15, 20, 30), show_default=True)
@click.option("--core-ms", default=Simulated.core_ms, show_default=True)
@click.option("--devices", default=Simulated.devices, show_default=True)
@click.option("--cores", default=Simulated.cores, show_default=True, help="Of each device.")
@click.option("--batch", default=Simulated.batch, show_default=True)
@click.option("--images", default=Simulated.images, show_default=True)
def main(device_ms: tuple[float, ...], **machine: float) -> None:
    """Say how busy devices and cores are kept, by the device's time for an image."""
    click.echo("device ms  images/s  device busy  attainable  cores busy   tail")
    for each in device_ms:
        found = schedule_once(Simulated(device_ms=each, **machine))  # type: ignore[arg-type]
        click.echo(
            f"{each:9g}  {found.images_per_s:8.1f}  {found.device_busy:11.1%}  {found.attainable:10.1%}"
            f"  {found.core_busy:10.1%}  {found.tail:5.1%}"
        )


if __name__ == "__main__":
    main()
