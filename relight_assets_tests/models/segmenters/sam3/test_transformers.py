"""The real transformers with a small network and random weights, from a local folder."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.errors import ConfigError, ModelFileError
from relight_assets.models.segmenters.sam3.base import normalised
from relight_assets.models.segmenters.sam3.transformers import WEIGHTS, Sam3TransformersSegmenter
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3_transformers
from relight_assets_tests.models.segmenters.sam3.tiny_sam3_transformers import SIDE

torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
transformers = pytest.importorskip("transformers", reason="the SAM3 environment (make test-sam3) is not installed")
safe_open = pytest.importorskip("safetensors").safe_open

Pixels = NDArray[np.uint8]
SHAPES = [(120, 160), (257, 129), (64, 64), (1, 300)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sam3_transformers.write_folder(tmp_path_factory.mktemp("sam3"))


def made(folder: Path, **options: Any) -> Sam3TransformersSegmenter:
    return Sam3TransformersSegmenter(folder, **{"min_score": 0.0, "persons": "union"} | options)


@pytest.fixture(scope="module")
def segmenter(folder: Path) -> Sam3TransformersSegmenter:
    return made(folder)


@pytest.fixture(scope="module")
def images() -> list[Pixels]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in SHAPES]


def test_answers_have_the_images_shape_and_do_not_depend_on_the_batch(
    segmenter: Sam3TransformersSegmenter, images: list[Pixels]
) -> None:
    together = segmenter.masks(images, 4)
    assert len({mask.scores for mask in together}) == len(images)  # the network does look at them
    for mask, image in zip(together, images, strict=True):
        assert mask.probability.shape == image.shape[:2]
        assert mask.scores
        (alone,) = segmenter.masks([image], 4)
        assert alone.scores == pytest.approx(mask.scores, abs=1e-5)
        assert np.abs(alone.probability - mask.probability).max() <= 1 / 255 + 1e-6


def test_the_cached_prompt_is_the_prompt(segmenter: Sam3TransformersSegmenter, images: list[Pixels]) -> None:
    tokenizer = transformers.CLIPTokenizer.from_pretrained(segmenter._model.config.name_or_path, local_files_only=True)
    tokens = tokenizer(["person", "person"], return_tensors="pt", padding="max_length", max_length=32)
    with torch.inference_mode():
        squares = normalised(torch.stack([segmenter._square(image) for image in images[:2]]))
        uncached = segmenter._model(pixel_values=squares, **tokens)
        scores, logits = segmenter.candidates(squares)
    assert torch.equal(logits, uncached.pred_masks)
    assert torch.equal(scores, uncached.pred_logits.sigmoid() * uncached.presence_logits.sigmoid())


def test_the_image_is_prepared_as_the_official_processor_does(
    segmenter: Sam3TransformersSegmenter, folder: Path, images: list[Pixels]
) -> None:
    processor = transformers.Sam3Processor.from_pretrained(folder, local_files_only=True)
    wanted = processor(images=images[0], return_tensors="pt").pixel_values[0]
    square = normalised(segmenter._square(images[0]))
    assert float((square - wanted).abs().max()) < 2 / 127  # a level, of rounding


def test_a_prompt_is_not_cut_off(folder: Path) -> None:
    assert made(folder, text_prompt="x" * 30).masks([], 1) == []  # this tokenizer knows letters alone
    with pytest.raises(ConfigError, match=r"sam3\.text_prompt takes 33 tokens and the network reads 32"):
        made(folder, text_prompt="x" * 31)


def test_in_bfloat16_as_on_a_gpu_the_answers_are_about_the_same(
    segmenter: Sam3TransformersSegmenter, folder: Path
) -> None:
    short = made(folder)
    short._model, short._text = short._model.bfloat16(), short._text.bfloat16()
    squares = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        short_scores, short_logits = short.candidates(squares)
    with torch.inference_mode():
        scores, logits = segmenter.candidates(squares)
    assert short_logits.dtype == torch.bfloat16
    assert float((short_scores - scores).abs().max()) < 0.05
    assert float((short_logits.float() - logits).abs().max()) < 0.1 * float(logits.abs().max())


def test_the_repositorys_own_layout_is_taken(
    segmenter: Sam3TransformersSegmenter, folder: Path, tmp_path: Path, images: list[Pixels]
) -> None:
    official = tiny_sam3_transformers.write_video_folder(tmp_path / "official", folder)
    with safe_open(official / WEIGHTS, "pt") as file:
        assert {name.split(".")[0] for name in file.keys()} == {"detector_model", "tracker_model", "tracker_neck"}  # noqa: SIM118
    (own,), (wanted,) = made(official).masks(images[:1], 1), segmenter.masks(images[:1], 1)
    assert own.scores == wanted.scores
    assert np.array_equal(own.probability, wanted.probability)


def test_nobody_is_an_empty_mask_and_the_best_score(folder: Path, images: list[Pixels]) -> None:
    (mask,) = made(folder, min_score=1.0).masks(images[:1], 1)
    assert not mask.probability.any()
    assert mask.scores == ()
    assert 0 < (mask.best_score or 0) < 1


LOAD = """
import sys
from pathlib import Path
from relight_assets.models.segmenters.sam3.transformers import Sam3TransformersSegmenter
Sam3TransformersSegmenter(Path(sys.argv[1]))
"""


def test_it_is_loaded_without_a_word(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def refused(folder: Path, match: str, **options: Any) -> None:
    with pytest.raises(ModelFileError, match=match):
        made(folder, **options)


def test_weights_that_lack_something_are_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / WEIGHTS)
    name = next(name for name in tensors if "detr_decoder" in name and name.endswith("weight"))
    changes = [
        ({}, "1 missing keys"),
        ({name: torch.zeros(2, 2)}, "cannot be loaded|1 mismatched keys"),
        ({name: tensors[name] * float("nan")}, "1 of .* tensors hold NaN or infinity"),
    ]
    for number, (change, reported) in enumerate(changes):
        other = tmp_path / str(number)
        shutil.copytree(folder, other)
        kept = {key: tensor for key, tensor in tensors.items() if key != name}
        save_file(kept | change, other / WEIGHTS, metadata={"format": "pt"})
        refused(other, reported)


def test_folders_that_are_none_are_refused(folder: Path, tmp_path: Path) -> None:
    refused(tmp_path, "cannot be loaded")
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare)
    (bare / WEIGHTS).unlink()
    refused(bare, "Sam3Model cannot be loaded")
    dim = tmp_path / "dim"
    shutil.copytree(folder, dim)
    (settings,) = (file for file in dim.glob("*processor*.json") if "image_mean" in file.read_text())
    settings.write_text(settings.read_text().replace("0.5", "0.4", 1))
    refused(dim, r"wants images of mean .0\.4")
    odd = tmp_path / "odd"
    shutil.copytree(folder, odd)
    (odd / "config.json").write_text(json.dumps({"model_type": "nothing"}))
    refused(odd, "cannot be loaded|missing keys|mismatched keys")


def test_an_altered_file_is_refused(folder: Path) -> None:
    wanted = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    assert made(folder, sha256=wanted).masks([], 1) == []
    refused(folder, "sam3.sha256 wants 0000", sha256="0" * 64)
