"""What the driver says, whether CUDA_VISIBLE_DEVICES means the same GPU to the product and to torch, and its lock."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection

from benchmarks.gpu.child import CannotCheckError
from benchmarks.gpu.setting import Row, Setting
from relight_assets.config.settings import Settings
from relight_assets.engine.hardware.cuda_devices import VISIBLE
from relight_assets.engine.hardware.devices import DeviceSlot, cores, worker_places
from relight_assets.engine.hardware.gpu_locks import reserved
from relight_assets.engine.hardware.nvml import read_driver, usage
from relight_assets.errors import DeviceBusyError

_TORCH_UUID = "import torch; print(torch.cuda.device_count(), torch.cuda.get_device_properties(0).uuid)"
_ASK_S = 120


def check(setting: Setting) -> Iterator[Row]:
    """The driver's figures, the first and the last device by UUID and number, and one lock for two processes."""
    yield from driver_figures()
    slots = [DeviceSlot("device of this check", device=f"gpu-check-{os.getpid()}")]
    if setting.device == "cuda":
        slots = list(worker_places(Settings(num_gpus="auto")).slots)
        for number in sorted({0, len(slots) - 1}):  # each takes torch's start, and in between there is nothing new
            slot = slots[number]
            yield visible_as(slot.device or "", slot)
            if VISIBLE not in os.environ:  # or numbers would count GPUs that are not ours
                yield visible_as(str(number), slot)
    yield one_lock(slots[:1])


def driver_figures() -> Iterator[Row]:
    """What NVML says: driver, names, memory, load."""
    driver = read_driver()
    yield {"driver": driver.version, "trouble": driver.trouble, "gpus": len(driver.gpus), "cores": cores()}
    for gpu in driver.gpus:
        now = usage(gpu.uuid) if gpu.uuid else None
        yield {
            "gpu": gpu.number,
            "name": gpu.name,
            "memory_mib": gpu.memory_mib,
            "free_mib": gpu.free_mib,
            "busy_percent": now.percent if now else None,
            "fault": gpu.fault,
        }


def visible_as(value: str, slot: DeviceSlot) -> Row:
    """Whether a value of CUDA_VISIBLE_DEVICES is one device to torch, and the same one that the product takes."""
    places = worker_places(Settings(num_gpus="auto"), {**os.environ, VISIBLE: value})
    taken = [place.device for place in places.slots]
    count, uuid = _torch_sees({**slot.environment, VISIBLE: value})
    same = taken == [slot.device] and count == 1 and _bare(slot.device) == _bare(uuid)
    return {VISIBLE: value, "product_takes": taken, "torch_sees": uuid, "same": same}


def _torch_sees(environment: Mapping[str, str]) -> tuple[int, str]:
    """How many devices torch finds in a fresh process, and the UUID of the first."""
    done = subprocess.run(
        [sys.executable, "-c", _TORCH_UUID],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_ASK_S,
        check=False,
    )
    if done.returncode:
        raise CannotCheckError(f"torch sees no GPU: {done.stderr.strip().splitlines()[-1]}")
    count, uuid = done.stdout.split()
    return int(count), uuid


def _bare(uuid: str | None) -> str:
    return (uuid or "").lower().removeprefix("gpu-").removeprefix("mig-")


def one_lock(slots: list[DeviceSlot]) -> Row:
    """A second process must not have the device that this one holds, and must have it when this one lets go."""
    with reserved(slots, 1, all_needed=True):
        refused = _other_process_gets(slots)
    return {
        "lock": slots[0].device,
        "refused_while_held": refused is not None,
        "said": refused,
        "given_afterwards": _other_process_gets(slots) is None,
    }


def _other_process_gets(slots: list[DeviceSlot]) -> str | None:
    """None: another process got the lock; otherwise what it was told."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_try_lock, args=(slots, theirs))
    process.start()
    answer: str | None = ours.recv()
    process.join()
    return answer


def _try_lock(slots: list[DeviceSlot], pipe: Connection) -> None:
    try:
        with reserved(slots, 1, all_needed=True):
            pipe.send(None)
    except DeviceBusyError as error:
        pipe.send(str(error))
