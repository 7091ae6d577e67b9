"""A backend that is missing or breaks costs its own rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gpu import material
from benchmarks.gpu.child import CannotCheckError
from benchmarks.gpu.setting import Backend, Row, Setting
from relight_assets.errors import ModelFileError


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, device="cpu", network="small", images=1, side=64)


def test_what_has_no_package_is_said_and_the_other_backend_is_there(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_: Setting, backend: Backend) -> None:
        if backend == "sam3":
            raise ModelFileError("the package sam3 cannot be imported\n(more)")
        setting.weights(backend).mkdir()

    monkeypatch.setattr(material, "_write_random", write)
    _, native, other = material.prepare(setting)
    assert native["fault"] == "ModelFileError: the package sam3 cannot be imported"
    assert "fault" not in other
    assert material.backends(setting) == ["sam3_transformers"]


def test_without_any_backend_nothing_can_be_checked(setting: Setting) -> None:
    with pytest.raises(CannotCheckError, match="neither"):
        material.backends(setting)


def test_a_backend_that_breaks_leaves_the_other_its_rows(setting: Setting) -> None:
    setting.weights("sam3").touch()
    setting.weights("sam3_transformers").mkdir()

    def measure(_: Setting, backend: Backend) -> Iterator[Row]:
        yield {"backend": backend, "batch": 1}
        if backend == "sam3":
            raise RuntimeError("no kernel image")

    assert list(material.for_each_backend(setting, measure)) == [
        {"backend": "sam3", "batch": 1},
        {"backend": "sam3", "fault": "RuntimeError: no kernel image"},
        {"backend": "sam3_transformers", "batch": 1},
    ]
