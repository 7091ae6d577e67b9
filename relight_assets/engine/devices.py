"""Which devices this run may use, one worker each."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from relight_assets.errors import ConfigError
from relight_assets.settings import Settings


@dataclass(frozen=True)
class Slot:
    """A place for one worker process: its name, and what its environment must hold."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)


def visible_gpus(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES entries (numbers or UUIDs).

    An outer CUDA_VISIBLE_DEVICES is composed with, never overwritten: its entries are the answer.  As CUDA
    does, an entry of -1 ends the list.
    """
    outer = environ.get("CUDA_VISIBLE_DEVICES")
    if outer is None:
        return [str(number) for number in range(_driver_gpu_count())]
    entries = [entry.strip() for entry in outer.split(",") if entry.strip()]
    return entries[: entries.index("-1")] if "-1" in entries else entries


def _driver_gpu_count() -> int:
    try:
        listing = subprocess.run(
            ["nvidia-smi", "--list-gpus"],  # noqa: S607  (found on the PATH wherever the driver is installed)
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())


def worker_slots(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[Slot]:
    """One slot per GPU, or ``cpu_workers`` slots where there is no GPU.

    Raises:
        ConfigError: more GPUs asked for than are visible.
    """
    gpus = visible_gpus(environ)
    if isinstance(settings.num_gpus, int):
        if settings.num_gpus > len(gpus):
            raise ConfigError(
                f"num_gpus asks for {settings.num_gpus} GPUs but {len(gpus)} are visible here; "
                f"use `auto` (all that are visible, or the CPU where there are none) or a smaller number"
            )
        gpus = gpus[: settings.num_gpus]
    if gpus:
        return [Slot(f"gpu {gpu}", {"CUDA_VISIBLE_DEVICES": gpu}) for gpu in gpus]
    workers = settings.cpu_workers if isinstance(settings.cpu_workers, int) else _cores()
    return [Slot(f"cpu {number}") for number in range(workers)]


def threads_per_worker(settings: Settings, workers: int) -> int:
    """Encoding threads of one worker: as set, or an even share of the cores."""
    if isinstance(settings.threads, int):
        return settings.threads
    return max(1, _cores() // max(1, workers))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
