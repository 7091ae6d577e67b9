"""How busy a device is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceUsage:
    """How busy a device is just now, whoever uses it."""

    percent: int | None
    """Share of the last moment (1 s or less) in which a kernel ran, 0..100; None: not reported for a MIG instance."""
    memory_mib: int
    """Memory in use, MiB."""
