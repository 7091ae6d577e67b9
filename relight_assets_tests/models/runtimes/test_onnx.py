"""Networks in ONNX files: real ones, small."""

import hashlib
import importlib.util
import resource
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.errors import ModelAnswerError, ModelFileError
from relight_assets.models.runtimes import onnx
from relight_assets.models.runtimes.onnx import Network
from relight_assets_tests.models.runtimes import tiny_onnx
from relight_assets_tests.models.runtimes.tiny_onnx import TinyNetwork, mixer, same, transformer, u_net

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def test_channels_come_in_and_go_out_in_order(tmp_path: Path) -> None:
    network = Network(mixer([[0, 1, 0], [0, 0, 2], [3, 0, 0], [0, 0, 0]], [0, 0, 0, 5]).write(tmp_path / "n.onnx"))
    image = noise(9, 14)
    found = network(image)
    assert found.shape == (4, 9, 14)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], image[..., 1], atol=1e-6)
    np.testing.assert_allclose(found[1], 2 * image[..., 2], atol=1e-6)
    np.testing.assert_allclose(found[2], 3 * image[..., 0], atol=1e-6)
    np.testing.assert_allclose(found[3], 5)


def test_a_convolutional_network_is_computed_as_it_is_written(tmp_path: Path) -> None:
    kernel = np.random.default_rng(3).standard_normal((2, 3, 3, 3)).astype(np.float32)
    made = TinyNetwork()
    made.conv("x", "y", kernel, [0.5, -0.5])
    image = noise(20, 31)
    found = Network(made.write(tmp_path / "n.onnx"))(image)
    for channel, bias in enumerate((0.5, -0.5)):
        parts = [cv2.filter2D(image[..., c], -1, kernel[channel, c], borderType=cv2.BORDER_CONSTANT) for c in range(3)]
        np.testing.assert_allclose(found[channel], sum(parts) + bias, atol=1e-5)


@pytest.mark.parametrize("make", [u_net, transformer])
def test_images_of_any_size_one_after_the_other(tmp_path: Path, make: type) -> None:
    path = make().write(tmp_path / "n.onnx")
    network = Network(path)
    for height, width in ((56, 84), (140, 56), (56, 84)):
        answer = network(noise(height, width))
        assert answer.shape == Network(path)(noise(height, width)).shape
        np.testing.assert_array_equal(answer, Network(path)(noise(height, width)))
    assert np.ptp(answer) > 1e-3


def test_the_bytes_do_not_depend_on_who_else_computes(tmp_path: Path) -> None:
    path = u_net().write(tmp_path / "n.onnx")
    alone = Network(path)(noise(64, 64)).tobytes()
    found: list[bytes] = []

    network = Network(path)

    def work(seed: int) -> None:
        network(noise(32, 96, seed))
        found.append(network(noise(64, 64)).tobytes())

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3


def test_a_file_that_is_not_the_wanted_one_is_refused(tmp_path: Path) -> None:
    path = same().write(tmp_path / "n.onnx")
    Network(path, hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ModelFileError, match=r"but 1111.* is wanted"):
        Network(path, "1" * 64)
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        Network(tmp_path / "none.onnx")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ModelFileError, match="ONNX Runtime cannot load this network"):
        Network(path)


def test_networks_of_another_kind_are_refused(tmp_path: Path) -> None:
    four = mixer(np.ones((3, 4)), [0, 0, 0], ("n", 4, "h", "w")).write(tmp_path / "four.onnx")
    with pytest.raises(ModelFileError, match=r"x height x width is needed.*x tensor\(float\) \['n', 4, 'h', 'w'\]"):
        Network(four)
    bytes_wanted = TinyNetwork(element=2)
    bytes_wanted.add("Cast", ["x"], "y", tiny_onnx.whole_number("to", tiny_onnx.FLOAT32))
    with pytest.raises(ModelFileError, match="one float32 input"):
        Network(bytes_wanted.write(tmp_path / "bytes.onnx"))
    prompted = same()
    prompted.inputs.append(tiny_onnx.value("prompt", (1, 77), tiny_onnx.INT64))
    with pytest.raises(ModelFileError, match=r"inputs are: x .*, prompt tensor\(int64\) \[1, 77\]"):
        Network(prompted.write(tmp_path / "two.onnx"))
    unknown = TinyNetwork()
    unknown.add("MakeCoffee", ["x"], "y")
    with pytest.raises(ModelFileError, match=r"unknown\.onnx: ONNX Runtime cannot load.*MakeCoffee"):
        Network(unknown.write(tmp_path / "unknown.onnx"))


def test_weights_in_another_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = same()
    where = tiny_onnx.message(13, tiny_onnx.message(1, "location"), tiny_onnx.message(2, "w.bin"))
    sides = b"".join(tiny_onnx.number(1, side) for side in (3, 3, 1, 1))
    network.weights[0] = sides + tiny_onnx.number(2, 1) + tiny_onnx.message(8, "y.w") + where + tiny_onnx.number(14, 1)
    (tmp_path / "w.bin").write_bytes(np.eye(3, dtype=np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match="all weights inside"):
        Network(network.write(tmp_path / "n.onnx"))


def test_a_network_of_one_size_says_how_to_give_it_that(tmp_path: Path) -> None:
    network = Network(same((1, 3, 64, 96)).write(tmp_path / "n.onnx"))
    assert network(noise(64, 96)).shape == (3, 64, 96)
    with pytest.raises(ModelFileError, match="height 64 alone, and the recipe gives it 96"):
        network(noise(96, 96))


def test_answers_that_are_no_map_of_numbers_are_refused(tmp_path: Path) -> None:
    flat = TinyNetwork()
    flat.add("ReduceMean", ["x"], "y", tiny_onnx.whole_numbers("axes", 2, 3), tiny_onnx.whole_number("keepdims", 0))
    with pytest.raises(ModelAnswerError, match=r"the shape \(1, 3\)"):
        Network(flat.write(tmp_path / "flat.onnx"))(noise(32, 32))
    broken = mixer(-np.eye(3), [-1, -1, -1])
    broken.nodes[0] = broken.nodes[0].replace(b"\x12\x01y", b"\x12\x01m")
    broken.add("Log", ["m"], "y")
    with pytest.raises(ModelAnswerError, match="NaN or infinity"):
        Network(broken.write(tmp_path / "nan.onnx"))(noise(32, 32))


def enlarger(times: float, channels: int = 3) -> TinyNetwork:
    """Answers in another size."""
    made = mixer(np.ones((channels, 3)), [0.0] * channels)
    made.nodes[0] = made.nodes[0].replace(b"\x12\x01y", b"\x12\x01m")
    scales = made.weight("scales", [1, 1, times, times])
    made.add("Resize", ["m", "", scales], "y", tiny_onnx.text("mode", "nearest"))
    return made


def test_answers_of_absurd_size_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelAnswerError, match=r"an image of 32x32 with the shape \(1, 3, 288, 288\); at most"):
        Network(enlarger(9).write(tmp_path / "large.onnx"))(noise(32, 32))
    with pytest.raises(ModelAnswerError, match=r"with the shape \(1, 65, 32, 32\); at most 64 channels"):
        Network(enlarger(1, 65).write(tmp_path / "deep.onnx"))(noise(32, 32))
    assert Network(enlarger(8).write(tmp_path / "fine.onnx"))(noise(32, 32)).shape == (3, 256, 256)


@pytest.mark.parametrize("times", [900, 1e5, 1e7])
def test_a_network_that_wants_all_memory_gets_none(tmp_path: Path, times: float) -> None:
    network = Network(enlarger(times).write(tmp_path / "n.onnx"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelAnswerError, match=r"n\.onnx") as reported:
        network(noise(64, 64))
    assert "\n" not in str(reported.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB


def test_a_loop_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "MAX_S", 0.5)
    with pytest.raises(ModelAnswerError, match=r"loop\.onnx has no answer for an image of 8x8 after 0\.5 s"):
        Network(endless().write(tmp_path / "loop.onnx"))(noise(8, 8))


def endless() -> TinyNetwork:
    """Adds the image to itself as many times as 64 bits can say."""
    made = TinyNetwork()
    body = tiny_onnx.message(1, tiny_onnx.node("Add", ["s", "x"], "t"))
    body += tiny_onnx.message(1, tiny_onnx.node("Identity", ["c"], "d")) + tiny_onnx.message(2, "body")
    logical = 9
    takes = (("i", (), tiny_onnx.INT64), ("c", (), logical), ("s", tiny_onnx.ANY, tiny_onnx.FLOAT32))
    gives = (("d", (), logical), ("t", tiny_onnx.ANY, tiny_onnx.FLOAT32))
    body += b"".join(tiny_onnx.message(11, tiny_onnx.value(*each)) for each in takes)
    body += b"".join(tiny_onnx.message(12, tiny_onnx.value(*each)) for each in gives)
    graph = tiny_onnx.message(1, "body") + tiny_onnx.message(6, body) + tiny_onnx.number(20, 5)
    made.add("Loop", [made.weight("count", 2**62, np.int64), "", "x"], "y", graph)
    return made


def test_the_runtime_that_is_not_there_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(ModelFileError, match="which is not installed: install relight_assets with its extra `onnx`"):
        Network(same().write(tmp_path / "n.onnx"))


IN_LITTLE_MEMORY = """
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from relight_assets.models.runtimes import onnx

onnx.MAX_MEMORY = 256 << 20
network = onnx.Network(__import__("pathlib").Path(sys.argv[1]))
for height in range(64, 257, 8):
    network(np.zeros((height, 256, 3), np.float32))
with ThreadPoolExecutor(12) as pool:
    answers = list(pool.map(network, [np.zeros((256, 256, 3), np.float32)] * 36))
print(len(answers))
"""


def test_what_fits_alone_fits_after_others_and_beside_them(tmp_path: Path) -> None:
    path = enlarger(8).write(tmp_path / "n.onnx")
    command = [sys.executable, "-c", IN_LITTLE_MEMORY, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "36\n"
