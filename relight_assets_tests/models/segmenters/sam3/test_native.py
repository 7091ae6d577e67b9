"""The real package with a small network and random weights: what the adapter makes of it, and what it refuses."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.errors import ConfigError, ModelFileError
from relight_assets.models.segmenters.sam3 import native
from relight_assets.models.segmenters.sam3.base import normalised
from relight_assets.models.segmenters.sam3.native import Network, Sam3Segmenter
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3

torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("sam3", reason="the SAM3 environment (make test-sam3) is not installed")

Pixels = NDArray[np.uint8]
SHAPES = [(120, 160), (257, 129), (64, 64), (1, 300)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = tiny_sam3.random_weights(tiny_sam3.network().model)
    return tiny_sam3.write_checkpoint(tmp_path_factory.mktemp("sam3") / "sam3.pt", weights)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return


def made(checkpoint: Path, **options: Any) -> Sam3Segmenter:
    return Sam3Segmenter(checkpoint, build=tiny_sam3.network, **{"min_score": 0.0, "persons": "union"} | options)


@pytest.fixture(scope="module")
def segmenter(checkpoint: Path) -> Sam3Segmenter:
    return made(checkpoint)


@pytest.fixture(scope="module")
def images() -> list[Pixels]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in SHAPES]


def test_answers_are_probabilities_of_the_images_shape_with_scores(
    segmenter: Sam3Segmenter, images: list[Pixels]
) -> None:
    for mask, image in zip(segmenter.masks(images, 4), images, strict=True):
        assert mask.probability.shape == image.shape[:2]
        assert mask.probability.dtype == np.float32
        assert 0 < mask.probability.max() <= 1
        assert mask.scores
        assert mask.scores == tuple(sorted(mask.scores, reverse=True))
        assert mask.best_score == mask.scores[0]


def test_what_else_is_in_the_batch_changes_nothing(segmenter: Sam3Segmenter, images: list[Pixels]) -> None:
    together = segmenter.masks(images, 4)
    assert len({mask.scores for mask in together}) == len(images)  # the network does look at them
    for number, image in enumerate(images):
        (alone,) = segmenter.masks([image], 4)
        assert alone.scores == pytest.approx(together[number].scores, abs=1e-5)
        assert np.abs(alone.probability - together[number].probability).max() <= 1 / 255 + 1e-6
    first, again = segmenter.masks(images[:1], 4), segmenter.masks(images[:1], 4)
    assert np.array_equal(first[0].probability, again[0].probability)
    assert len(segmenter.masks(images, 3)) == 4
    assert segmenter.masks([], 4) == []


def test_the_answers_are_those_of_the_packages_own_processor(segmenter: Sam3Segmenter, images: list[Pixels]) -> None:
    from sam3.model.sam3_image_processor import Sam3Processor

    processor = Sam3Processor(segmenter._model, resolution=tiny_sam3.SIDE, device="cpu", confidence_threshold=-1.0)
    for image in images[:2]:
        chw = torch.from_numpy(image).permute(2, 0, 1)
        assert torch.equal(normalised(segmenter._square(image)), processor.transform(chw))
        state = processor.set_image(chw)
        state = processor.set_text_prompt(prompt="person", state=state)
        with torch.inference_mode():
            squares = torch.zeros((4, 3, tiny_sam3.SIDE, tiny_sam3.SIDE), dtype=torch.uint8)
            squares[0] = segmenter._square(image)
            scores, logits = segmenter.candidates(normalised(squares))
        assert np.allclose(scores[0].numpy(), state["scores"].numpy(), atol=1e-5)
        own = torch.nn.functional.interpolate(logits[:1], image.shape[:2], mode="bilinear", align_corners=False)
        assert np.allclose(own[0].sigmoid().numpy(), state["masks_logits"][:, 0].numpy(), atol=1e-4)


def test_the_prompt_is_computed_once_and_is_what_it_would_be_each_time(
    segmenter: Sam3Segmenter, checkpoint: Path, images: list[Pixels]
) -> None:
    with torch.inference_mode():
        fresh = segmenter._model.backbone.forward_text(["person"], device="cpu")
    for name, kept in segmenter._text.items():
        assert torch.equal(kept, fresh[name])
    other = made(checkpoint, text_prompt="a red bus")
    assert not np.array_equal(other.masks(images[:1], 1)[0].probability, segmenter.masks(images[:1], 1)[0].probability)


def test_a_prompt_is_not_cut_off(checkpoint: Path) -> None:
    assert made(checkpoint, text_prompt="red " * 30).masks([], 1) == []
    with pytest.raises(ConfigError, match=r"sam3\.text_prompt takes 33 tokens and the network reads 32"):
        made(checkpoint, text_prompt="red " * 31)


def test_in_bfloat16_as_on_a_gpu_the_answers_are_about_the_same(
    segmenter: Sam3Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No GPU is needed to see that all of it runs so.  What the package keeps from it, it keeps from it here too.
    real = torch.amp.autocast
    monkeypatch.setattr(torch.amp, "autocast", lambda **options: real(**options | {"device_type": "cpu"}))
    squares = torch.rand((2, 3, tiny_sam3.SIDE, tiny_sam3.SIDE), generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        scores, logits = segmenter.candidates(squares)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            short_scores, short_logits = segmenter.candidates(squares)
    assert short_logits.dtype == torch.bfloat16
    assert float((short_scores - scores).abs().max()) < 0.05
    assert float((short_logits.float() - logits).abs().max()) < 0.1 * float(logits.abs().max())


def test_nobody_is_an_empty_mask_and_the_best_score(checkpoint: Path, images: list[Pixels]) -> None:
    (mask,) = made(checkpoint, min_score=1.0).masks(images[:1], 1)
    assert not mask.probability.any()
    assert mask.probability.shape == images[0].shape[:2]
    assert mask.scores == ()
    assert 0 < (mask.best_score or 0) < 1


def test_one_person_is_part_of_all(checkpoint: Path, segmenter: Sam3Segmenter, images: list[Pixels]) -> None:
    everyone = segmenter.masks(images[:1], 1)[0]
    largest = made(checkpoint, persons="largest").masks(images[:1], 1)[0]
    rejecting = made(checkpoint, persons="reject").masks(images[:1], 1)[0]
    assert len(everyone.scores or ()) > 1
    assert largest.scores == rejecting.scores == everyone.scores
    assert np.all(largest.probability <= everyone.probability + 1 / 255)
    assert np.array_equal(rejecting.probability, everyone.probability)


# -- weights -------------------------------------------------------------------------------------------------


def test_a_checkpoint_in_the_official_layout_is_what_is_run(checkpoint: Path, segmenter: Sam3Segmenter) -> None:
    saved = torch.load(checkpoint, weights_only=True)["model"]
    own = segmenter._model.state_dict()
    run = [name for name in saved if name.startswith("detector.") and "boxes_pool_project" not in name]
    assert run
    for name in run:
        assert torch.equal(own[name.removeprefix("detector.")], saved[name]), name


def refused(file: Path, match: str, **options: Any) -> None:
    with pytest.raises(ModelFileError, match=match):
        made(file, **options)


def test_wrong_files_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    weights = torch.load(checkpoint, weights_only=True)["model"]
    some = [name for name in weights if name.endswith("weight")]
    lacking = {name: tensor for name, tensor in weights.items() if name not in some[:5]}
    refused(tiny_sam3.write_checkpoint(tmp_path / "lacking.pt", lacking), r"lacks 5 of \d+ tensors .* and 2 more")
    reshaped = weights | {some[0]: torch.zeros(2, 2)}
    refused(tiny_sam3.write_checkpoint(tmp_path / "reshaped.pt", reshaped), r"1 tensors of another shape .*\(2, 2\)")
    refused(tiny_sam3.write_checkpoint(tmp_path / "other.pt", {"encoder.weight": torch.zeros(3)}), "lacks")
    broken = weights | {some[0]: weights[some[0]] * float("nan")}
    refused(tiny_sam3.write_checkpoint(tmp_path / "broken.pt", broken), "1 of .* tensors hold NaN or infinity")
    (tmp_path / "text.pt").write_text("no checkpoint")
    refused(tmp_path / "text.pt", "no checkpoint that torch can read safely")
    half = tmp_path / "half.pt"
    half.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    refused(half, "no checkpoint that torch can read safely")
    for content in ([1, 2], {"model": [1]}):
        torch.save(content, tmp_path / "list.pt")
        refused(tmp_path / "list.pt", "lacks")
    refused(tmp_path / "gone.pt", "read", sha256="0" * 64)


class _Payload:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


def test_a_file_that_would_run_code_is_refused_and_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": _Payload()}, tmp_path / "payload.pt")
    refused(tmp_path / "payload.pt", "no checkpoint that torch can read safely")
    assert not (tmp_path / "ran").exists()


def test_an_altered_file_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    wanted = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert made(checkpoint, sha256=wanted).masks([], 1) == []
    altered = tmp_path / "sam3.pt"
    altered.write_bytes(checkpoint.read_bytes()[:-1] + b"!")
    refused(altered, f"sam3.sha256 wants {wanted}", sha256=wanted)


# -- the package ---------------------------------------------------------------------------------------------


def test_the_package_is_left_as_it_was() -> None:
    builder = native._package()
    before = builder.PositionEmbeddingSine, builder.TransformerDecoder
    network = tiny_sam3.network()
    assert isinstance(network, Network)
    assert (builder.PositionEmbeddingSine, builder.TransformerDecoder) == before
    assert float(torch.nn.Linear(8, 8).weight.detach().std()) > 0  # parameters of others are initialised again
    assert torch.Tensor.pin_memory.__qualname__.endswith("pin_memory")


WITHOUT_TRITON = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "triton" and "triton" not in sys.modules:
            raise ModuleNotFoundError("No module named 'triton'", name="triton")
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "triton" else found(name, package)
sys.meta_path.insert(0, Absent())
import relight_assets.models.segmenters.sam3.native as sam3
sam3.find_spec = importlib.util.find_spec
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3
print(type(tiny_sam3.network().model).__name__, "triton" in sys.modules)
"""


def test_a_torch_without_triton_will_do() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TRITON], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["Sam3Image", "False"], done.stderr[-2000:]


MEMORY = """
import sys
from pathlib import Path
import numpy as np
from relight_assets.engine.hardware.peak_memory import peak_mib
from relight_assets.models.segmenters.sam3.native import Sam3Segmenter
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3
segmenter = Sam3Segmenter(Path(sys.argv[1]), build=tiny_sam3.network, min_score=0.0, persons="union")
segmenter.masks([np.zeros((1024, 1024, 3), np.uint8)], 1)
image = np.full((8000, 8000, 3), 90, np.uint8)
before = peak_mib()
(mask,) = segmenter.masks([image], 1)
print(mask.probability.shape, peak_mib() - before)
"""


def test_64_megapixels_take_little_more_than_the_image_itself(checkpoint: Path) -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY, str(checkpoint)], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("(1024, 1024) "), done.stderr[-2000:]
    assert done.stderr == ""  # what the package warns of would come in the middle of progress bars
    assert int(done.stdout.split()[-1]) < 400  # MiB; twelve instances of that size as floats would be 3,000
