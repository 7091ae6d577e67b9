"""What a node answers: each difference from the machine that asks is one sentence."""

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import LocalModel, Settings
from relight_assets.engine.execution.ray import nodes
from relight_assets.engine.execution.ray.nodes import Question, look, question


@pytest.fixture
def asked(tmp_path: Path, photos: Path, model_files: None) -> Question:
    (tmp_path / "out").mkdir()
    settings = Settings(engine="ray", output_root=tmp_path / "out" / "deep")
    return question(Recipe(), settings, [photos / "cat.png"], on_gpu=False)


def faults(asked: Question) -> tuple[str, ...]:
    return look(pickle.dumps(asked)).faults


def test_a_node_that_sees_the_same_has_nothing_to_say(asked: Question) -> None:
    answer = look(pickle.dumps(asked))
    assert answer.faults == ()
    assert answer.free is not None
    assert answer.free > 0


def without_models(asked: Question) -> Question:
    return replace(asked, settings=asked.settings.model_copy(update={"model_dir": asked.settings.output_root}))


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (lambda asked: replace(asked, build="0.1.9 (0)"), "is installed there, and 0.1.9 (0) here: all nodes need"),
        (without_models, "relight models fetch"),
        (lambda asked: replace(asked, inode=asked.inode + 1), "is not the folder there that it is here"),
        (lambda asked: replace(asked, photos={"/gone.png": 7}), "photo /gone.png cannot be read: No such file"),
        (lambda asked: replace(asked, photos=dict.fromkeys(asked.photos, 7)), "bytes, and 7 here"),
    ],
)
def test_what_differs_is_one_sentence(asked: Question, change: Callable[[Question], Question], reported: str) -> None:
    (fault,) = faults(change(asked))
    assert reported in fault


def test_a_folder_that_cannot_be_written(asked: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "write_fault", lambda folder: f"{folder} is on a read-only file system")
    (fault,) = faults(asked)
    assert fault.endswith("is on a read-only file system")
    monkeypatch.undo()
    monkeypatch.setattr(nodes, "locks_fault", lambda _: "locks do not hold")
    (fault,) = faults(asked)
    assert fault.endswith("locks do not hold")


def test_a_network_of_the_user_s_is_compared_byte_for_byte(asked: Question, tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(b"here")
    settings = asked.settings.model_copy(update={"albedo_model": LocalModel(file=tmp_path / "own.onnx")})
    own = question(asked.recipe, settings, (), on_gpu=False)
    assert own.models.keys() == {"albedo_model"}
    assert faults(own) == ()
    (tmp_path / "own.onnx").write_bytes(b"there")
    os.utime(tmp_path / "own.onnx", ns=(1, 1))
    (fault,) = faults(own)
    assert "the model `albedo_model` is another file there" in fault
