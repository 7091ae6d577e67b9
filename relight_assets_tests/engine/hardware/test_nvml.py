"""What the driver says, and what is said of it where something is wrong.  The libraries are real ones, built from C."""

import re
from pathlib import Path
from typing import Any

import pytest

from relight_assets.engine.hardware.nvml import read_driver, usage
from relight_assets_tests.engine.nvidia import UUIDS, Libraries, described

ASK = """
import json
from dataclasses import asdict
from pathlib import Path
from relight_assets.engine.hardware.nvml import read_driver, usage
driver = asdict(read_driver(Path(ROOT)))
print(json.dumps({"driver": driver, "usage": [vars(use) if (use := usage(u)) else None for u in USED]}))
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine on which nothing shows a driver."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "proc/driver").mkdir(parents=True)
    return tmp_path


def asked(libraries: Libraries, root: Path, environment: dict[str, str], used: tuple[str, ...] = ()) -> Any:
    code = ASK.replace("ROOT", repr(str(root))).replace("USED", repr(used))
    return libraries.answer(code, environment)


def test_every_gpu_has_number_name_memory_and_load(libraries: Libraries, machine: Path) -> None:
    reported = asked(libraries, machine, libraries.environment(described(0, 0)), (UUIDS[1], "GPU-nobody"))
    first, second = reported["driver"]["gpus"]
    assert (first["number"], first["uuid"], first["name"]) == (0, UUIDS[0], "NVIDIA H100")
    assert (second["memory_mib"], second["free_mib"], second["fault"]) == (81_920, 80_896, None)
    assert (reported["driver"]["version"], reported["driver"]["trouble"]) == ("570.1", None)
    assert reported["usage"] == [{"percent": 37, "memory_mib": 1024}, None]


@pytest.mark.parametrize(
    ("code", "says", "expected"),
    [
        (9, "Driver Not Loaded: .*modprobe nvidia", False),
        (18, "version mismatch: .*reboot, or restart the container", True),
        (4, "Insufficient Permissions: this user may not open /dev/nvidia", True),
        (15, "GPU is lost: it has fallen off the bus; reset it", True),
        (999, "Unknown Error: a container loses its GPUs so when systemd reloads: restart it", True),
        (17, r"blocked the request: `nvidia-smi` and `dmesg` tell more", True),
        (12345, "NVML Error with code 12345: ", True),
    ],
)
def test_driver_trouble_is_reported_as_what_it_is(
    libraries: Libraries, machine: Path, code: int, says: str, expected: bool
) -> None:
    reported = asked(libraries, machine, libraries.environment(FAKE_INIT=str(code)))["driver"]
    assert (reported["gpus"], reported["expected"]) == ([], expected)
    assert re.search(rf"^the NVIDIA driver cannot be used \(NVML: .*{says}", reported["trouble"]), reported["trouble"]


def test_a_library_without_a_driver_and_a_sign_of_one_is_expected_to_have_gpus(
    libraries: Libraries, machine: Path
) -> None:
    (machine / "dev/nvidiactl").touch()
    assert asked(libraries, machine, libraries.environment(FAKE_INIT="9"))["driver"]["expected"]


def without_library(libraries: Libraries, folder: Path) -> dict[str, str]:
    return libraries.environment() | {"LD_LIBRARY_PATH": str(folder)}


@pytest.mark.parametrize("sign", ["dev/nvidia0", "proc/driver/nvidia"])
def test_a_driver_without_its_library(libraries: Libraries, machine: Path, sign: str) -> None:
    (machine / sign).touch()
    reported = asked(libraries, machine, without_library(libraries, machine))["driver"]
    assert reported["trouble"].startswith(
        f"there is an NVIDIA driver ({machine / sign}) without its library libnvidia-ml"
    )
    assert reported["expected"]


def test_where_there_is_nothing_nothing_is_wrong(libraries: Libraries, machine: Path) -> None:
    reported = asked(libraries, machine, without_library(libraries, machine))["driver"]
    assert (reported["gpus"], reported["trouble"], reported["expected"]) == ([], None, False)


def test_a_library_that_cannot_be_loaded(libraries: Libraries, machine: Path) -> None:
    (machine / "libnvidia-ml.so.1").write_bytes(b"cut off")
    reported = asked(libraries, machine, without_library(libraries, machine))["driver"]
    assert re.search(r"library cannot be loaded \(.*file too short\); install it again", reported["trouble"])


def test_a_driver_without_a_gpu(libraries: Libraries, machine: Path) -> None:
    reported = asked(libraries, machine, libraries.environment())["driver"]
    assert (reported["trouble"].split(";")[0], reported["expected"]) == ("the NVIDIA driver 570.1 finds no GPU", True)


def test_a_lost_gpu_keeps_its_number_and_costs_no_other(libraries: Libraries, machine: Path) -> None:
    gpus = asked(libraries, machine, libraries.environment(described(0, 15, 0, 4)))["driver"]["gpus"]
    assert [gpu["uuid"] for gpu in gpus] == [UUIDS[0], None, UUIDS[2], None]
    assert [(gpu["fault"] or "").split(":")[0] for gpu in gpus] == ["", "GPU is lost", "", "Insufficient Permissions"]


def test_instances_of_a_gpu_in_mig_mode(libraries: Libraries, machine: Path) -> None:
    environment = libraries.environment(described(0, 0, models=("NVIDIA H100+2", "NVIDIA H100+0")))
    reported = asked(libraries, machine, environment, (f"MIG-01{UUIDS[0][6:]}",))
    split, empty = reported["driver"]["gpus"]
    assert split["instances"] == [
        {"uuid": f"MIG-0{n}{UUIDS[0][6:]}", "place": f"MIG-{UUIDS[0]}/{7 + n}/0"} for n in (0, 1)
    ]
    assert "no instance" in empty["fault"]
    assert reported["usage"] == [{"percent": None, "memory_mib": 1024}]


def test_on_this_machine_every_gpu_has_a_uuid_and_a_load() -> None:
    for gpu in read_driver().gpus:  # none where there is no driver
        assert gpu.uuid is None or gpu.uuid.startswith("GPU-")
        load = usage(gpu.uuid) if gpu.uuid else None
        assert load is None or load.memory_mib >= 0


def test_nothing_is_said_of_what_is_no_gpu() -> None:
    assert usage("GPU-nobody") is None
