"""Which devices CUDA_VISIBLE_DEVICES means, by CUDA's own rules (CUDA C++ Programming Guide, environment variables).

The list is read from the left and ends at the first entry that names no device, such as -1.  An entry is a number, a
UUID of a GPU or of a MIG instance, or the beginning of one if no other begins so.  No device may be named twice.
Numbers count in CUDA's order: as ``nvidia-smi`` with ``CUDA_DEVICE_ORDER=PCI_BUS_ID``, the fastest first without.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from relight_assets.engine.hardware.nvml import Driver, Gpu, Instance
from relight_assets.errors import ConfigError, GpuUnavailableError

VISIBLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"
_NONE = ("", "none", "void", "nodevfiles")
"""What container runtimes and Slurm write for "no GPU"."""
_ASK_S = 60.0


@dataclass(frozen=True)
class Device:
    """A GPU, or a MIG instance, that work can be given to."""

    name: str
    """As ``nvidia-smi`` numbers it: ``gpu 3``, or ``gpu 3:1`` for the second instance of it."""
    uuid: str


@dataclass(frozen=True)
class Visible:
    """The devices that a process may use."""

    devices: tuple[Device, ...]
    lost: Mapping[str, str]
    """Names of those that are meant and cannot be used, and why."""
    notes: tuple[str, ...] = ()
    """What a person should know of the list."""


def hides_all(environ: Mapping[str, str]) -> bool:
    """Whether somebody has said that there are to be no GPUs."""
    first = environ.get(VISIBLE, "0").split(",")[0].strip().lower()
    return first in _NONE or re.fullmatch(r"-\d+", first) is not None


def visible_devices(environ: Mapping[str, str], driver: Driver) -> Visible:
    """The devices that are meant; without the variable all there are, each MIG instance by itself.

    Raises:
        ConfigError: a device is named twice.
        GpuUnavailableError: it cannot be found out which GPU a number means.
    """
    text = environ.get(VISIBLE)
    if text is None:
        every = [device for gpu in driver.gpus for device in _devices(gpu)]
        return Visible(tuple(every), {_name(gpu): gpu.fault for gpu in driver.gpus if gpu.fault})
    named: list[Gpu | Device] = []
    notes: list[str] = []
    reader = _Reader(environ, driver)
    for entry in [] if hides_all(environ) else [entry.strip() for entry in text.split(",")]:
        found = reader.read(entry)
        if found is None:
            if driver.gpus and not re.fullmatch(r"-\d+", entry):
                notes.append(
                    f"{VISIBLE}={text}: {entry!r} is no GPU here, and the list ends there, as it does for CUDA"
                )
            break
        if found in named:
            raise ConfigError(f"{VISIBLE}={text} names a GPU twice; CUDA takes such a list for empty")
        named.append(found)
    return Visible(
        tuple(each for each in named if isinstance(each, Device)),
        {_name(each): each.fault or "" for each in named if isinstance(each, Gpu)},
        tuple(notes),
    )


def _name(gpu: Gpu) -> str:
    return f"gpu {gpu.number}"


def _devices(gpu: Gpu) -> list[Device]:
    if gpu.fault is not None or gpu.uuid is None:
        return []
    if gpu.instances is None:
        return [Device(_name(gpu), gpu.uuid)]
    return [Device(f"{_name(gpu)}:{number}", part.uuid) for number, part in enumerate(gpu.instances)]


class _Reader:
    """Finds what an entry means: a device, a lost GPU, or nothing."""

    def __init__(self, environ: Mapping[str, str], driver: Driver):
        self._environ = environ
        self._gpus = driver.gpus
        self._silent = [gpu for gpu in driver.gpus if gpu.uuid is None]
        """Lost GPUs that do not tell their UUID: an unknown one must be theirs."""
        self._order: Sequence[Gpu] | None = None

    def read(self, entry: str) -> Device | Gpu | None:
        if re.fullmatch(r"\+?\d{1,6}", entry, re.ASCII):
            number = int(entry)
            if self._order is None:
                self._order = cuda_order(self._gpus, self._environ)
            return _whole(self._order[number]) if number < len(self._order) else None
        if not re.match(r"(GPU|MIG)-", entry):
            return None
        matches = list(self._beginning_with(entry))
        if len(matches) == 1:
            return matches[0]
        return self._silent.pop(0) if not matches and self._silent else None

    def _beginning_with(self, entry: str) -> Iterator[Device | Gpu]:
        text = entry.lower()
        for gpu in self._gpus:
            if (gpu.uuid or "").lower().startswith(text) and (found := _whole(gpu)):
                yield found
            for device, part in zip(_devices(gpu), gpu.instances or (), strict=False):
                if _is(part, text):
                    yield device


def _is(part: Instance, text: str) -> bool:
    return part.uuid.lower().startswith(text) or part.place.lower() == text


def _whole(gpu: Gpu) -> Device | Gpu | None:
    """What CUDA takes for a GPU that is named as such: of one in MIG mode, the first instance."""
    return gpu if gpu.fault is not None else next(iter(_devices(gpu)), None)


def cuda_order(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> Sequence[Gpu]:
    """The GPUs as CUDA numbers them.

    Of GPUs of one model none is faster, so they keep the order of the bus; of others CUDA itself is asked.

    Raises:
        GpuUnavailableError: CUDA did not answer.
    """
    models = {gpu.name for gpu in gpus if gpu.fault is None}
    if environ.get(ORDER) == "PCI_BUS_ID" or len(models) < 2:
        return gpus
    by_uuid = {gpu.uuid: gpu for gpu in gpus}
    return [by_uuid[uuid] for uuid in _asked(environ) if uuid in by_uuid]


_ASK = """
import ctypes, sys
cuda = ctypes.CDLL("libcuda.so.1")
def call(name, *arguments):
    code = getattr(cuda, name)(*arguments)
    if code:
        sys.exit(f"{name} failed with CUDA error {code}")
count, device, uuid = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(16)
call("cuInit", 0)
call("cuDeviceGetCount", ctypes.byref(count))
for number in range(count.value):
    call("cuDeviceGet", ctypes.byref(device), number)
    call("cuDeviceGetUuid", uuid, device)
    print(uuid.raw.hex())
"""
"""In a process of its own: whoever has called ``cuInit`` cannot be given another device any more."""


def _asked(environ: Mapping[str, str]) -> list[str]:
    """The UUIDs of all GPUs in CUDA's order."""
    unmasked = {name: value for name, value in environ.items() if name != VISIBLE}
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-c", _ASK], env=unmasked, capture_output=True, text=True, timeout=_ASK_S, check=True
        )
        return [f"GPU-{UUID(line)}" for line in answer.stdout.split()]
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise GpuUnavailableError(
            f"{VISIBLE} has numbers, the GPUs here are of several models, and CUDA cannot be asked in which order it "
            f"counts them ({said[-1] if said else error}); name them by UUID (`nvidia-smi -L`), or set "
            f"{ORDER}=PCI_BUS_ID"
        ) from error
