"""Which devices CUDA_VISIBLE_DEVICES means."""

from pathlib import Path

import pytest

from relight_assets.engine.hardware.cuda_devices import hides_all, visible_devices
from relight_assets.engine.hardware.nvml import Driver, Gpu, Instance
from relight_assets.errors import ConfigError, GpuUnavailableError
from relight_assets_tests.engine.nvidia import UUIDS, Libraries, described, driver

A, B, C = UUIDS[:3]


def seen(outer: str | None, machine: Driver | None = None, **environ: str) -> list[str]:
    named = environ if outer is None else {"CUDA_VISIBLE_DEVICES": outer, **environ}
    return [device.name for device in visible_devices(named, machine or driver()).devices]


@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        (None, ["gpu 0", "gpu 1", "gpu 2"]),
        ("2,0", ["gpu 2", "gpu 0"]),
        (" 1 , +2 ", ["gpu 1", "gpu 2"]),
        (f"{C},1", ["gpu 2", "gpu 1"]),
        ("GPU-b", ["gpu 1"]),
        ("GPU-BBBB", ["gpu 1"]),
        ("0,-1,1", ["gpu 0"]),
        ("0,,1", ["gpu 0"]),
        ("1,7,0", ["gpu 1"]),
        ("0,gpu1,2", ["gpu 0"]),
        ("GPU-zzzz,0", []),
        ("99999999999999999999", []),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
    ],
)
def test_the_list_is_read_as_cuda_reads_it(outer: str | None, expected: list[str]) -> None:
    assert seen(outer) == expected


def test_a_beginning_that_two_uuids_have_names_none() -> None:
    machine = Driver("1", (Gpu(0, "GPU-ab12"), Gpu(1, "GPU-ab34")), expected=True)
    assert (seen("GPU-ab", machine), seen("GPU-ab3", machine), seen("GPU-ab12", machine)) == ([], ["gpu 1"], ["gpu 0"])


def test_what_ends_the_list_is_reported_unless_it_is_meant_to() -> None:
    (note,) = visible_devices({"CUDA_VISIBLE_DEVICES": "0,7,1"}, driver()).notes
    assert note == "CUDA_VISIBLE_DEVICES=0,7,1: '7' is no GPU here, and the list ends there, as it does for CUDA"
    assert not visible_devices({"CUDA_VISIBLE_DEVICES": "0,-1,1"}, driver()).notes


@pytest.mark.parametrize("outer", ["0,0", f"0,{A}", "GPU-a,GPU-aa"])
def test_a_gpu_named_twice_is_an_error(outer: str) -> None:
    with pytest.raises(ConfigError, match=f"CUDA_VISIBLE_DEVICES={outer} names a GPU twice"):
        seen(outer)
    assert seen("0,-1,0") == ["gpu 0"]  # the second is not in the list


@pytest.mark.parametrize("outer", ["", " ", "-1", "-2,0", "none", "NoDevFiles"])
def test_what_hides_all_gpus(outer: str) -> None:
    assert hides_all({"CUDA_VISIBLE_DEVICES": outer})


@pytest.mark.parametrize("outer", ["0", "0,-1", "gpu0", "cuda:1", "GPU-x"])
def test_what_does_not(outer: str) -> None:
    assert not hides_all({"CUDA_VISIBLE_DEVICES": outer})
    assert not hides_all({})


def test_a_lost_gpu_is_named_and_keeps_its_number() -> None:
    for outer in (None, "0,1,2", "2,1,0", f"{A},{B},{C}"):  # B is what the lost one does not tell any more
        environ = {} if outer is None else {"CUDA_VISIBLE_DEVICES": outer}
        visible = visible_devices(environ, driver(lost=(1,)))
        assert {device.name for device in visible.devices} == {"gpu 0", "gpu 2"}
        assert list(visible.lost) == ["gpu 1"]
    assert not visible_devices({"CUDA_VISIBLE_DEVICES": "0,2"}, driver(lost=(1,))).lost


PARTS = (Instance("MIG-aa01", f"MIG-{A}/7/0"), Instance("MIG-ab02", f"MIG-{A}/8/0"))
SPLIT = Driver("1", (Gpu(0, A, "H100", instances=PARTS), Gpu(1, B, "H100")), expected=True)


@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        (None, ["MIG-aa01", "MIG-ab02", B]),
        ("MIG-ab02,MIG-aa01", ["MIG-ab02", "MIG-aa01"]),
        ("MIG-ab", ["MIG-ab02"]),
        ("MIG-a", []),
        (f"MIG-{A}/8/0", ["MIG-ab02"]),
        ("0,1", ["MIG-aa01", B]),  # of a GPU in MIG mode CUDA takes the first instance
        ("GPU-a", ["MIG-aa01"]),
        ("MIG-cc03,0", []),
    ],
)
def test_instances_of_a_gpu_in_mig_mode_are_devices(outer: str | None, expected: list[str]) -> None:
    environ = {} if outer is None else {"CUDA_VISIBLE_DEVICES": outer}
    assert [device.uuid for device in visible_devices(environ, SPLIT).devices] == expected


def test_a_gpu_and_its_first_instance_are_the_same_device() -> None:
    with pytest.raises(ConfigError, match="twice"):
        seen("0,MIG-aa01", SPLIT)


ORDERED = """
import json, os
from relight_assets.engine.hardware.cuda_devices import visible_devices
from relight_assets.engine.hardware.nvml import read_driver
from relight_assets.errors import RelightError
try:
    print(json.dumps([device.uuid for device in visible_devices(os.environ, read_driver()).devices]))
except RelightError as error:
    print(json.dumps(str(error)))
"""


SEVERAL = described(0, 0, 0, models=("RTX A2000", "A100", "H100"))


@pytest.mark.parametrize(
    ("gpus", "order", "expected"),
    [
        (SEVERAL, None, [C, A]),
        (SEVERAL, "FASTEST_FIRST", [C, A]),
        (SEVERAL, "PCI_BUS_ID", [A, C]),
        (described(0, 0, 0), None, [A, C]),
        (described(0, 0, 15, models=("RTX A2000", "A100")), "PCI_BUS_ID", [A]),
    ],
)
def test_numbers_are_counted_as_cuda_counts_them(
    libraries: Libraries, gpus: str, order: str | None, expected: list[str]
) -> None:
    outer = {"CUDA_VISIBLE_DEVICES": "0,2", **({"CUDA_DEVICE_ORDER": order} if order else {})}
    assert libraries.answer(ORDERED, libraries.environment(gpus, FAKE_FASTEST="2,1,0", **outer)) == expected


def test_where_cuda_cannot_be_asked_the_order_is_not_guessed(libraries: Libraries, tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").symlink_to(libraries.folder / "libnvidia-ml.so.1")  # and no libcuda beside it
    environment = libraries.environment(SEVERAL, CUDA_VISIBLE_DEVICES="1") | {"LD_LIBRARY_PATH": str(tmp_path)}
    reported = libraries.answer(ORDERED, environment)
    assert "CUDA cannot be asked in which order it counts them (" in reported
    assert "libcuda.so.1" in reported
    assert reported.endswith("name them by UUID (`nvidia-smi -L`), or set CUDA_DEVICE_ORDER=PCI_BUS_ID")
    assert libraries.answer(ORDERED, environment | {"CUDA_VISIBLE_DEVICES": "GPU-b"}) == [B]  # UUIDs need no order


def test_numbers_of_several_models_without_cuda() -> None:
    with pytest.raises(GpuUnavailableError, match="several models"):
        seen("0", driver(2, models=("A100", "H100")), PATH="", LD_LIBRARY_PATH="/nowhere")
    assert seen(None, driver(2, models=("A100", "H100"))) == ["gpu 0", "gpu 1"]
