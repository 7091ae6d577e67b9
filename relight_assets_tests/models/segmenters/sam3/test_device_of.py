"""The device of a process: the GPU that it was given, or an error; the CPU where it was given none."""

from types import SimpleNamespace
from typing import Any

import pytest

from relight_assets.errors import DeviceFailedError
from relight_assets.models.segmenters.sam3.base import device_of


def torch(*, gpu: bool = False, cuda: str | None = "13.0") -> Any:
    """As torch answers where it can use no GPU; the real one runs in the SAM3 environment."""

    def init() -> None:
        raise RuntimeError("CUDA driver initialization failed, you might not have a CUDA gpu.\nMore.")

    return SimpleNamespace(
        __version__="2.14.1",
        version=SimpleNamespace(cuda=cuda),
        cuda=SimpleNamespace(is_available=lambda: gpu, init=init),
    )


@pytest.mark.parametrize("given", [None, "", "-1"])
def test_where_no_gpu_was_given_it_is_the_cpu(given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert device_of(torch()) == "cpu"


def test_a_gpu_that_was_given_is_used_or_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a")
    assert device_of(torch(gpu=True)) == "cuda"
    with pytest.raises(
        DeviceFailedError, match=r"cannot use the GPU GPU-a: CUDA driver init.* CUDA gpu\.; `relight doc"
    ):
        device_of(torch())
    with pytest.raises(DeviceFailedError, match=r"torch 2\.14\.1 is built for the CPU: install a build for CUDA"):
        device_of(torch(cuda=None))
