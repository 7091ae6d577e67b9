"""SAM3's files, looked at before they are loaded."""

import hashlib
from pathlib import Path

import pytest

from relight_assets.errors import ConfigError, ModelFileError
from relight_assets.models.segmenters.sam3 import weights
from relight_assets.models.segmenters.sam3.weights import (
    require_all,
    require_finite,
    require_prompt,
    vocabulary,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sam3.pt"
    path.write_bytes(b"weights")
    return path


def test_every_tensor_must_be_there_in_its_shape(file: Path) -> None:
    expected = {"a": (1, 2), "b": (3,), "c": (4,), "d": (5,), "table": (6,)}
    require_all(expected, expected | {"more": (1,)}, file)
    require_all(expected, {"a": [1, 2], "b": [3], "c": [4], "d": [5]}, file, computed={"table"})
    with pytest.raises(ModelFileError, match=r"lacks 4 of 5 tensors \(b, c, d and 1 more\)"):
        require_all(expected, {"a": (1, 2)}, file)
    with pytest.raises(ModelFileError, match=r"1 tensors of another shape \(a \(2, 1\) in place of \(1, 2\)\)"):
        require_all(expected, expected | {"a": (2, 1)}, file)
    with pytest.raises(ModelFileError, match="another shape"):
        require_all(expected, expected | {"table": (7,)}, file, computed={"table"})


def test_every_weight_must_be_a_number(file: Path) -> None:
    torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
    good = {"a": torch.ones(2), "half": torch.full((9,), 6e4).half(), "table": torch.full((2,), float("nan") * 1j)}
    require_finite(good, file)
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ModelFileError, match=r"sam3\.pt: 1 of 4 tensors hold NaN or infinity \(b\).*download"):
            require_finite(good | {"b": torch.tensor([1.0, bad])}, file)


def test_a_prompt_must_fit() -> None:
    require_prompt("person", 32)
    with pytest.raises(ConfigError, match="33 tokens and the network reads 32; make it shorter: 'persons'"):
        require_prompt("persons", 33)


def test_the_vocabulary_is_found_in_its_package_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "open_clip"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelFileError, match="pip install open_clip_torch"):
        vocabulary()
    (package / weights.VOCABULARY).write_bytes(b"words")
    with pytest.raises(ModelFileError, match="reinstall open_clip_torch"):
        vocabulary()
    monkeypatch.setattr(weights, "VOCABULARY_SHA256", hashlib.sha256(b"words").hexdigest())
    assert vocabulary() == package / weights.VOCABULARY


def test_the_real_vocabulary() -> None:
    pytest.importorskip("open_clip", reason="the SAM3 environment (make test-sam3) is not installed")
    assert vocabulary().stat().st_size == 1_356_917
