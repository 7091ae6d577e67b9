"""SAM3's files, looked at before they are loaded."""

import hashlib
import os
from pathlib import Path

import pytest

from relight_assets.errors import ConfigError, ModelFileError
from relight_assets.models.segmenters.sam3 import weights
from relight_assets.models.segmenters.sam3.weights import (
    check_sha256,
    require_all,
    require_finite,
    require_prompt,
    sha256_of,
    vocabulary,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "relight_assets" / "weights.json"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sam3.pt"
    path.write_bytes(b"weights")
    return path


def test_a_file_is_read_once_and_again_when_it_changed(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = hashlib.sha256(b"weights").hexdigest()
    assert sha256_of(file) == wanted
    with monkeypatch.context() as patch:
        patch.setattr(weights, "_digest", lambda _: pytest.fail("it was read again"))
        assert sha256_of(file) == wanted
    file.write_bytes(b"Weights")
    os.utime(file, ns=(0, 1))
    assert sha256_of(file) == hashlib.sha256(b"Weights").hexdigest()
    cache.write_text("damaged")
    assert sha256_of(file) == hashlib.sha256(b"Weights").hexdigest()


def test_a_cache_that_cannot_be_written_is_done_without(file: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert sha256_of(file) == hashlib.sha256(b"weights").hexdigest()


def test_another_file_is_refused_with_both_sums(file: Path, tmp_path: Path) -> None:
    check_sha256(file, None)
    check_sha256(file, hashlib.sha256(b"weights").hexdigest())
    with pytest.raises(ModelFileError, match=f"sha256 {hashlib.sha256(b'weights').hexdigest()}.*wants 0000"):
        check_sha256(file, "0" * 64)
    with pytest.raises(ModelFileError, match="cannot be read"):
        sha256_of(tmp_path / "gone.pt")


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
