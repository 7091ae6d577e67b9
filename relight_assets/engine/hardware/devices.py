"""Which devices this run may use, one worker each, and each worker's share of the machine."""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.config.recipe.recipe import Segmenter
from relight_assets.config.settings import Settings
from relight_assets.engine.hardware.cgroups import cpu_limit, memory_limit
from relight_assets.engine.hardware.cuda_devices import VISIBLE, Visible, hides_all, visible_devices
from relight_assets.engine.hardware.nvml import Driver, read_driver
from relight_assets.errors import ConfigError, GpuUnavailableError
from relight_assets.models.registry import SEGMENTERS

MIN_MEMORY = 64 << 20
"""Of images in flight, bytes: a portrait of 1024x1024.  A larger one is worked on alone."""
WORKER_MEMORY = 1 << 30
"""What a worker on the CPU should have, bytes: 300 MiB for itself, and room for some images."""
NETWORK_MEMORY = 8 << 30
"""The same with a SAM3 network: 7 GB were seen."""
MAX_HASHING = 8
"""Workers that hash files; more would wait for the disk."""
ON_THE_CPU = (
    f"To work on the CPU on purpose, set num_gpus: none in config/platform.yaml (RELIGHT_NUM_GPUS=none), or "
    f"{VISIBLE}= to nothing"
)


@dataclass(frozen=True)
class DeviceSlot:
    """A place for one worker process: its name, and what its environment must hold."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    """What the device is called on this machine, however CUDA_VISIBLE_DEVICES names it; None: no GPU."""


@dataclass(frozen=True)
class Places:
    """Where the workers of a run may be."""

    slots: tuple[DeviceSlot, ...]
    lost: tuple[str, ...] = ()
    """Names of GPUs that were meant to be used and cannot be."""
    notes: tuple[str, ...] = ()
    """What a person should know of it."""


def worker_places(
    settings: Settings,
    environ: Mapping[str, str] = os.environ,
    driver: Driver | None = None,
    *,
    segmenter: Segmenter = "selfie",
) -> Places:
    """One slot per GPU, or ``cpu_workers`` slots where there is none, or is to be none.

    Each has its GPU by UUID, so that the one that is locked and watched is the one that CUDA uses.

    Args:
        settings: ``num_gpus`` and ``cpu_workers``.
        environ: where CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER and NVIDIA_VISIBLE_DEVICES are looked up.
        driver: what the NVIDIA driver says; default: it is asked.
        segmenter: whose workers these are; all but the embedded one need a GPU.

    Raises:
        ConfigError: more GPUs asked for than are visible, or one GPU named twice.
        GpuUnavailableError: GPUs are expected and none can be used.
    """
    if settings.num_gpus == "none" or (settings.num_gpus == "auto" and hides_all(environ)):
        return Places(_cpu_slots(settings, segmenter))
    driver = read_driver() if driver is None else driver
    visible = visible_devices(environ, driver)
    asked = settings.num_gpus if isinstance(settings.num_gpus, int) else None
    there = len(visible.devices) + len(visible.lost)
    if asked is not None and asked > there:
        why = f" ({driver.trouble})" if driver.trouble else ""
        raise ConfigError(
            f"num_gpus asks for {asked} GPUs but {there} are visible here{why}; use `auto` (all that are visible) or a "
            f"smaller number, or `none` for the CPU"
        )
    if not visible.devices:
        expected = _why_expected(environ, driver, segmenter)
        if visible.lost or expected:
            raise GpuUnavailableError(_no_gpu(driver, visible, expected))
        return Places(_cpu_slots(settings, segmenter), notes=_cpu_notes(driver))
    chosen = visible.devices[:asked]
    # One that was not asked for is nobody's loss.
    lost = {} if asked is not None and asked <= len(chosen) else visible.lost
    return Places(
        tuple(DeviceSlot(each.name, {VISIBLE: each.uuid}, each.uuid) for each in chosen),
        tuple(lost),
        (*visible.notes, *(f"{name} is not used ({fault}); the others go on" for name, fault in lost.items())),
    )


def hashing_slots() -> Places:
    """Slots for workers that hash files: one per core, and no more than a disk serves."""
    return Places(tuple(DeviceSlot(f"hashing {number}") for number in range(min(cores(), MAX_HASHING))))


def _cpu_slots(settings: Settings, segmenter: Segmenter) -> tuple[DeviceSlot, ...]:
    workers = settings.cpu_workers if isinstance(settings.cpu_workers, int) else _cpu_workers(segmenter)
    return tuple(DeviceSlot(f"cpu {number}", {VISIBLE: ""}) for number in range(workers))


def _cpu_workers(segmenter: Segmenter) -> int:
    """One per core, and no more than the memory holds."""
    each = NETWORK_MEMORY if SEGMENTERS[segmenter].needs_gpu else WORKER_MEMORY
    return max(1, min(cores(), available_memory() // each))


def _why_expected(environ: Mapping[str, str], driver: Driver, segmenter: Segmenter) -> str | None:
    """Who expects GPUs where none can be used; None: nobody."""
    if environ.get(VISIBLE) is not None:
        return f"{VISIBLE}={environ[VISIBLE]} names GPUs"
    if SEGMENTERS[segmenter].needs_gpu:
        return f"`segmenter: {segmenter}` needs a GPU"
    if driver.expected and environ.get("NVIDIA_VISIBLE_DEVICES") not in {"none", "void"}:
        return "GPUs are expected here"
    return None


def _no_gpu(driver: Driver, visible: Visible, expected: str | None) -> str:
    if visible.lost:
        message = "no GPU can be used: " + "; ".join(f"{name}: {fault}" for name, fault in visible.lost.items())
    elif driver.gpus:
        names = ", ".join(f"gpu {gpu.number} ({gpu.uuid})" for gpu in driver.gpus)
        message = f"{expected}, but none that is here: there are {names}"
    else:
        message = f"{expected}, but {driver.trouble or 'there is no NVIDIA driver here'}"
    return f"{message}. {ON_THE_CPU}"


def _cpu_notes(driver: Driver) -> tuple[str, ...]:
    return (f"the work is done on the CPU: {driver.trouble}",) if driver.trouble else ()


def threads_per_worker(settings: Settings, workers: int) -> int:
    """Stage and encoding threads of one worker: as set, or an even share of the cores."""
    if isinstance(settings.threads, int):
        return settings.threads
    return max(1, cores() // max(1, workers))


def memory_per_worker(settings: Settings, workers: int, available: Callable[[], int] | None = None) -> int:
    """Bytes of images that one worker may have in flight: as set, or its share of half of the free memory."""
    if isinstance(settings.memory_mib, int):
        return settings.memory_mib << 20
    return max(MIN_MEMORY, (available or available_memory)() // 2 // max(1, workers))


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that programs can still take: of the machine, or of the container if that is less."""
    limit = memory_limit(root)
    found = [_meminfo(root), limit.room if limit else None]
    return min((room for room in found if room is not None), default=8 << 30)


def _meminfo(root: Path) -> int | None:
    try:
        text = (root / "proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) << 10 if match else None


def cores(root: Path = Path("/")) -> int:
    """The cores that this process can keep busy: those it may run on, or what its CPU limit is worth, rounded up."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = cpu_limit(root)
    return allowed if limit is None else max(1, min(allowed, math.ceil(round(limit, 2))))
