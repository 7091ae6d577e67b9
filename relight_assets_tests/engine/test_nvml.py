"""What the driver says; on a machine without one, nothing."""

from relight_assets.engine.nvml import gpu_uuids, usage


def test_every_gpu_has_a_uuid_and_a_load() -> None:
    for uuid in gpu_uuids():  # none where there is no driver
        assert uuid.startswith("GPU-")
        load = usage(uuid)
        assert load is not None
        assert 0 <= load.percent <= 100
        assert load.memory_mib >= 0


def test_nothing_is_said_of_what_is_no_gpu() -> None:
    assert usage("GPU-nobody") is None
