"""Machines with GPUs, for tests: a driver's answers as values, and a driver's libraries built from C."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from relight_assets.engine.hardware.nvml import Driver, Gpu

UUIDS = tuple(f"GPU-{letter * 8}-5a1d-4e0f-9c3b-0123456789ab" for letter in "abcdef01")
LOST = "GPU is lost: reset it"


def driver(count: int = 3, *, lost: tuple[int, ...] = (), models: tuple[str, ...] = ("H100",)) -> Driver:
    """The driver of a machine with ``count`` GPUs, of which some have fallen off the bus."""
    gpus = [
        Gpu(number, None, fault=LOST)
        if number in lost
        else Gpu(number, UUIDS[number], models[number % len(models)], 81_920, 80_896)
        for number in range(count)
    ]
    return Driver("570.1", tuple(gpus), expected=True)


class Libraries:
    """``libnvidia-ml.so.1`` and ``libcuda.so.1`` of a machine that the environment describes: nvidia_driver.c."""

    def __init__(self, folder: Path):
        compiler = shutil.which("cc")
        if compiler is None:
            import pytest  # here: worker processes import this module, too

            pytest.skip("there is no C compiler to build a driver's libraries with")
        self.folder = folder
        source = Path(__file__).with_name("nvidia_driver.c")
        library = folder / "libnvidia-ml.so.1"
        subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(library), str(source)], check=True)
        shutil.copy(library, folder / "libcuda.so.1")

    def environment(self, gpus: str = "", **described: str) -> dict[str, str]:
        """The environment of a process that finds these libraries, and in them these GPUs."""
        hidden = {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES"}
        own = {name: value for name, value in os.environ.items() if name not in hidden}
        return {**own, "LD_LIBRARY_PATH": str(self.folder), "FAKE_GPUS": gpus, **described}

    def answer(self, code: str, environment: dict[str, str]) -> Any:
        """What ``code`` prints, as JSON, in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def described(*codes: int, models: tuple[str, ...] = ("NVIDIA H100",)) -> str:
    """GPUs for FAKE_GPUS, each with the code that it answers."""
    return ";".join(f"{UUIDS[n]},{models[n % len(models)]},{code}" for n, code in enumerate(codes))
