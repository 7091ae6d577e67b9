"""The driver's figures, what a value of CUDA_VISIBLE_DEVICES means, and the lock, with a stand-in for the driver."""

from typing import Any

import pytest

from benchmarks.gpu.checks import devices
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.hardware.nvml import Driver, Gpu

TWO = Driver(
    "550.1", (Gpu(0, "GPU-aaaa", "H200", 143_000, 140_000), Gpu(1, "GPU-bbbb", "H200", 143_000, 9)), expected=True
)
FIRST = DeviceSlot("gpu 0", {"CUDA_VISIBLE_DEVICES": "GPU-aaaa"}, "GPU-aaaa")


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "read_driver", lambda: TWO)
    monkeypatch.setattr("relight_assets.engine.hardware.devices.read_driver", lambda: TWO)


def test_the_driver_s_figures_have_a_row_for_each_gpu(two_gpus: None) -> None:
    driver, first, second = devices.driver_figures()
    assert (driver["driver"], driver["gpus"]) == ("550.1", 2)
    assert (first["name"], first["memory_mib"], first["busy_percent"]) == ("H200", 143_000, None)
    assert (second["gpu"], second["free_mib"]) == (1, 9)


@pytest.mark.parametrize("value", ["0", "GPU-aaaa", "GPU-aa"])
@pytest.mark.parametrize(("torch", "same"), [((1, "aaaa"), True), ((1, "bbbb"), False), ((2, "aaaa"), False)])
def test_a_device_is_the_same_only_where_torch_agrees(
    two_gpus: None, monkeypatch: pytest.MonkeyPatch, value: str, torch: tuple[int, str], same: bool
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(devices, "_torch_sees", lambda environment: asked.append(environment) or torch)
    row = devices.visible_as(value, FIRST)
    assert asked == [{"CUDA_VISIBLE_DEVICES": value}]
    assert (row["product_takes"], row["same"]) == (["GPU-aaaa"], same)
