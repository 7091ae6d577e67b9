"""The projection says what it is and what it rests on."""

import pytest

from benchmarks.bench.projection import Assumptions, project


def test_the_gpu_bounds_where_the_cores_suffice() -> None:
    made = project(0.2, 50.0, 6.0, Assumptions(sam3_ms=30, cores_per_gpu=16, model_load_s=60))
    assert made.label.startswith("PROJECTION")
    assert made.cpu_s_per_image == pytest.approx(0.15)
    assert made.cpu_images_per_s == pytest.approx(15 / 0.15)
    assert (made.bound_by, made.images_per_s) == ("GPU", pytest.approx(8 / 0.03))
    assert made.total_s == pytest.approx(12_000 * 0.03 / 8 + 60)
    assert made.disk_mib_per_s == pytest.approx(6 * 8 / 0.03)


def test_the_cores_bound_where_they_are_few() -> None:
    made = project(0.2, 50.0, 6.0, Assumptions(cores_per_gpu=3))
    assert (made.bound_by, made.images_per_s) == ("CPU", pytest.approx(8 * 2 / 0.15))
