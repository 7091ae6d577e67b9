"""Which devices this run may use, one worker each, and each worker's share of the machine."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.engine.nvml import gpu_uuids
from relight_assets.errors import ConfigError
from relight_assets.settings import Settings

MIN_MEMORY = 512 << 20


@dataclass(frozen=True)
class Slot:
    """A place for one worker process: its name, and what its environment must hold."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    """What the device is called on this machine, however CUDA_VISIBLE_DEVICES names it; None: no GPU."""


def visible_gpus(environ: Mapping[str, str] = os.environ, uuids: tuple[str, ...] | None = None) -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES entries (numbers or UUIDs).

    An outer CUDA_VISIBLE_DEVICES is composed with, never overwritten: its entries are the answer.  As CUDA
    does, an entry that names no GPU (-1, or one that the driver does not know) ends the list.
    """
    uuids = gpu_uuids() if uuids is None else uuids
    outer = environ.get("CUDA_VISIBLE_DEVICES")
    if outer is None:
        return list(uuids)
    entries = [entry.strip() for entry in outer.split(",") if entry.strip()]
    unknown = (n for n, entry in enumerate(entries) if entry == "-1" or (uuids and _device_of(entry, uuids) is None))
    return entries[: next(unknown, len(entries))]


def _device_of(entry: str, uuids: tuple[str, ...]) -> str | None:
    """The lasting name of what an entry of CUDA_VISIBLE_DEVICES means; None: no such GPU."""
    if not uuids:
        return f"GPU {entry}"  # no driver to ask, so its own name must do
    if entry.isdigit():
        return uuids[int(entry)] if int(entry) < len(uuids) else None
    if entry.startswith("MIG-"):
        return entry
    return next((uuid for uuid in uuids if uuid.startswith(entry)), None)  # CUDA takes shortened UUIDs


def worker_slots(
    settings: Settings, environ: Mapping[str, str] = os.environ, uuids: tuple[str, ...] | None = None
) -> list[Slot]:
    """One slot per GPU, or ``cpu_workers`` slots where there is no GPU.

    Args:
        settings: ``num_gpus`` and ``cpu_workers``.
        environ: where CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER are looked up.
        uuids: of the machine's GPUs, in the order of the PCI bus; default: the driver is asked.

    Raises:
        ConfigError: more GPUs asked for than are visible, or one GPU named twice.
    """
    uuids = gpu_uuids() if uuids is None else uuids
    gpus = visible_gpus(environ, uuids)
    if isinstance(settings.num_gpus, int):
        if settings.num_gpus > len(gpus):
            raise ConfigError(
                f"num_gpus asks for {settings.num_gpus} GPUs but {len(gpus)} are visible here; "
                f"use `auto` (all that are visible, or the CPU where there are none) or a smaller number"
            )
        gpus = gpus[: settings.num_gpus]
    if not gpus:
        workers = settings.cpu_workers if isinstance(settings.cpu_workers, int) else cores()
        return [Slot(f"cpu {number}") for number in range(workers)]
    devices = [_device_of(gpu, uuids) for gpu in gpus]
    if len(set(devices)) < len(devices):
        raise ConfigError(f"CUDA_VISIBLE_DEVICES={environ.get('CUDA_VISIBLE_DEVICES')} names a GPU twice")
    # Numbers mean what nvidia-smi shows; CUDA's own default order puts the fastest first.
    order = {"CUDA_DEVICE_ORDER": environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")}
    return [
        Slot(f"gpu {_number(gpu, uuids)}", {"CUDA_VISIBLE_DEVICES": gpu, **order}, device)
        for gpu, device in zip(gpus, devices, strict=True)
    ]


def _number(gpu: str, uuids: tuple[str, ...]) -> str:
    device = _device_of(gpu, uuids)
    return str(uuids.index(device)) if device in uuids else gpu


def threads_per_worker(settings: Settings, workers: int) -> int:
    """Stage and encoding threads of one worker: as set, or an even share of the cores."""
    if isinstance(settings.threads, int):
        return settings.threads
    return max(1, cores() // max(1, workers))


def memory_per_worker(settings: Settings, workers: int, available: Callable[[], int] | None = None) -> int:
    """Bytes of pictures that one worker may have in flight: as set, or its share of half of the free memory."""
    if isinstance(settings.memory_mib, int):
        return settings.memory_mib << 20
    return max(MIN_MEMORY, (available or available_memory)() // 2 // max(1, workers))


def available_memory() -> int:
    """Bytes that programs can still take: of the machine, or of the container if that is less."""
    found = [_meminfo(), _cgroup_room()]
    return min((room for room in found if room is not None), default=8 << 30)


def _meminfo() -> int | None:
    match = re.search(r"^MemAvailable:\s+(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    return int(match[1]) << 10 if match else None


def _cgroup_room() -> int | None:
    limit, used = (_text(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    return max(0, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
