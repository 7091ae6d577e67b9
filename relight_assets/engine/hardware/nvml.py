"""What the NVIDIA driver says of its GPUs, through NVML, and what is wrong where it says nothing.

NVML counts all GPUs of the machine in the order of the PCI bus, whatever CUDA_VISIBLE_DEVICES says.
"""

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pynvml

from relight_assets.engine.hardware.usage import DeviceUsage

LIBRARY = "libnvidia-ml.so.1"
_RESET = "reset it (`nvidia-smi --gpu-reset`) or reboot; `dmesg | grep Xid` tells why"
_AFTER_UPDATE = "the driver was updated under it: reboot, or restart the container"
_ADVICE = MappingProxyType(
    {
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "the driver's library is there, its kernel module is not: "
        "`sudo modprobe nvidia` loads it",
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: f"driver and library are of different versions; {_AFTER_UPDATE}",
        pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: f"the library is older than it should be; {_AFTER_UPDATE}",
        pynvml.NVML_ERROR_NO_PERMISSION: "this user may not open /dev/nvidia*: permit it, or start the container "
        "with `--gpus`",
        pynvml.NVML_ERROR_GPU_IS_LOST: f"it has fallen off the bus; {_RESET}",
        pynvml.NVML_ERROR_RESET_REQUIRED: _RESET,
        pynvml.NVML_ERROR_UNKNOWN: "a container loses its GPUs so when systemd reloads: restart it; on the machine "
        "itself, `nvidia-smi` and `dmesg` tell more",
    }
)
_LOST = (pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED)


@dataclass(frozen=True)
class Instance:
    """A part of a GPU in MIG mode, which is a device of its own."""

    uuid: str
    place: str = ""
    """How drivers before R470 call it: the GPU's UUID and two numbers."""


@dataclass(frozen=True)
class Gpu:
    """A GPU and its memory."""

    number: int
    """As ``nvidia-smi`` counts."""
    uuid: str | None
    """None: it is lost, and does not even tell this."""
    name: str = ""
    memory_mib: int | None = None
    free_mib: int | None = None
    instances: tuple[Instance, ...] | None = None
    """Its parts; None: it is not in MIG mode."""
    fault: str | None = None
    """Why it cannot be used, and what to do."""


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver of this machine, its GPUs in the order of the PCI bus."""

    version: str | None = None
    gpus: tuple[Gpu, ...] = ()
    trouble: str | None = None
    """What is wrong with the driver as a whole, and what to do."""
    expected: bool = False
    """Something shows that this machine should have GPUs: a driver, whether it works or not."""


def read_driver(root: Path = Path("/")) -> Driver:
    """Ask the driver; raises nothing.  ``root``: where /dev and /proc are looked at, for signs of a driver."""
    signs = [*sorted((root / "dev").glob("nvidia*")), *sorted((root / "proc/driver").glob("nvidia"))]
    try:
        pynvml.nvmlInit()
        gpus = tuple(_gpu(number) for number in range(pynvml.nvmlDeviceGetCount()))
        version = _or_none(pynvml.nvmlSystemGetDriverVersion)
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return Driver(trouble=_trouble(error, signs), expected=bool(signs) or error.value not in absent)
    trouble = None if gpus else f"the NVIDIA driver {version} finds no GPU; `dmesg | grep -i nvrm` tells why"
    return Driver(version, gpus, trouble, expected=True)


def _trouble(error: Any, signs: list[Path]) -> str | None:
    if error.value != pynvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return f"the NVIDIA driver cannot be used (NVML: {_message(error)})"
    try:
        ctypes.CDLL(LIBRARY)
    except OSError as reason:
        if f"{LIBRARY}: cannot open shared object file: No such file" not in str(reason):
            return f"the NVIDIA driver's library cannot be loaded ({reason}); install it again"
    if not signs:
        return None
    return (
        f"there is an NVIDIA driver ({signs[0]}) without its library {LIBRARY}; install the driver's libraries, or "
        f"start the container with `--gpus` (NVIDIA Container Toolkit)"
    )


def _message(error: Any) -> str:
    advice = _ADVICE.get(error.value, "`nvidia-smi` and `dmesg` tell more")
    return f"{str(error).rstrip('.')}: {advice}"


def _gpu(number: int) -> Gpu:
    uuid = None
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(number)
        uuid = str(pynvml.nvmlDeviceGetUUID(handle))
        name = str(_or_none(pynvml.nvmlDeviceGetName, handle) or "")
        memory = _or_none(pynvml.nvmlDeviceGetMemoryInfo, handle)
        instances = _instances(handle, uuid)
    except pynvml.NVMLError as error:
        return Gpu(number, uuid, fault=_message(error))
    if instances == ():
        return Gpu(number, uuid, name, fault="it is in MIG mode and has no instance: make one (`nvidia-smi mig -cgi`)")
    if memory is None:
        return Gpu(number, uuid, name, instances=instances)
    return Gpu(number, uuid, name, int(memory.total) >> 20, int(memory.free) >> 20, instances)


def _instances(handle: Any, uuid: str) -> tuple[Instance, ...] | None:
    mode = _or_none(pynvml.nvmlDeviceGetMigMode, handle)
    if mode is None or mode[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
        return None
    return tuple(_present_instances(handle, uuid))


def _present_instances(handle: Any, uuid: str) -> Iterator[Instance]:
    for number in range(_or_none(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        with suppress(pynvml.NVMLError):  # numbers may have gaps
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
            places = [
                _or_none(ask, part)
                for ask in (pynvml.nvmlDeviceGetGpuInstanceId, pynvml.nvmlDeviceGetComputeInstanceId)
            ]
            yield Instance(str(pynvml.nvmlDeviceGetUUID(part)), "/".join(map(str, [f"MIG-{uuid}", *places])))


def _or_none(ask: Any, *arguments: Any) -> Any:
    """An answer that not every device gives; raises NVMLError where the device is lost."""
    try:
        return ask(*arguments)
    except pynvml.NVMLError as error:
        if error.value in _LOST:
            raise
        return None


def usage(uuid: str) -> DeviceUsage | None:
    """How busy a device is; None where the driver does not tell."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        rates = _or_none(pynvml.nvmlDeviceGetUtilizationRates, handle)
        used = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used) >> 20
        return DeviceUsage(None if rates is None else int(rates.gpu), used)
    except pynvml.NVMLError:
        return None
