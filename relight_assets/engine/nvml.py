"""What the NVIDIA driver says of its GPUs, through NVML; nothing where there is no driver.

NVML counts all GPUs of the machine in the order of the PCI bus, whatever CUDA_VISIBLE_DEVICES says.
"""

from dataclasses import dataclass
from functools import cache

import pynvml


@dataclass(frozen=True)
class Usage:
    """How busy a GPU is just now, whoever uses it."""

    percent: int
    """Share of the last moment (1 s or less) in which a kernel ran, 0..100."""
    memory_mib: int


@dataclass(frozen=True)
class Gpu:
    """A GPU and its memory."""

    uuid: str
    name: str
    memory_mib: int
    free_mib: int


@cache
def gpu_uuids() -> tuple[str, ...]:
    """The UUID of every GPU; empty where there is no driver."""
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        return tuple(pynvml.nvmlDeviceGetUUID(handle) for handle in handles)
    except pynvml.NVMLError:
        return ()


def usage(uuid: str) -> Usage | None:
    """How busy a GPU is; None where the driver does not tell."""
    if uuid not in gpu_uuids():
        return None
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        percent = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
        return Usage(int(percent), int(pynvml.nvmlDeviceGetMemoryInfo(handle).used) >> 20)
    except pynvml.NVMLError:
        return None


def gpus() -> list[Gpu]:
    """Every GPU that the driver tells of, whoever may use it."""
    found = []
    for uuid in gpu_uuids():
        try:
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            found.append(Gpu(uuid, pynvml.nvmlDeviceGetName(handle), int(memory.total) >> 20, int(memory.free) >> 20))
        except pynvml.NVMLError:
            continue
    return found


def driver_version() -> str | None:
    """The version of the NVIDIA driver; None where there is none."""
    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError:
        return None
