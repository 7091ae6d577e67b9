"""A program that writes captions: asked once, its failures are data, and one that hangs is ended."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.errors import UserError
from relight_assets.exports.rows.caption_command import MAX_LENGTH, CaptionCommand, Question

Program = Callable[..., CaptionCommand]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A captioner: ``program("text = row['image_path']")`` sets ``answer`` for each question."""

    def make(body: str, timeout_s: float = 20.0) -> CaptionCommand:
        path = tmp_path / "captioner.py"
        lines = [
            "import json, sys, time",
            f"log = open({str(tmp_path / 'asked')!r}, 'a')",
            "print('loading the model', flush=True)",
            "for line in sys.stdin:",
            "    row = json.loads(line)",
            "    log.write(row['id'] + '\\n'); log.flush()",
            "    answer = {'id': row['id']}",
            *(f"    {each}" for each in body.splitlines()),
            "    print(json.dumps(answer), flush=True)",
        ]
        path.write_text("\n".join(lines) + "\n")
        return CaptionCommand(f"{sys.executable} '{path}'", timeout_s, tmp_path / "export")

    return make


def questions(*names: str) -> list[Question]:
    return [Question(f"sha-{name}", Path(f"/photos/{name}.png"), f"{name}.png", "Relight.") for name in names]


def asked(tmp_path: Path) -> list[str]:
    return (tmp_path / "asked").read_text().split()


def test_each_picture_is_asked_for_once(program: Program, tmp_path: Path) -> None:
    command = program("answer['text'] = f\"  a face \\n of {row['path']}, {row['text']}\"")
    texts, failed = command.answers(questions("a", "b", "a"))
    assert texts == {f"sha-{x}": f"a face of /photos/{x}.png, Relight." for x in "ab"}
    assert failed == {}
    assert command.answers(questions("b", "c"))[0]["sha-b"] == "a face of /photos/b.png, Relight."
    assert asked(tmp_path) == ["sha-a", "sha-b", "sha-c"]
    (kept,) = (tmp_path / "export").glob(".captions-*.jsonl")
    kept.write_text(kept.read_text() + '{"sha256": "cut o')
    assert len(command.answers(questions("a", "b", "c"))[0]) == 3


def test_failures_are_data(program: Program, tmp_path: Path) -> None:
    body = "\n".join(
        [
            "if row['image_path'] == 'a.png': answer['text'] = 'a face'",
            "if row['image_path'] == 'b.png': answer['error'] = 'two\\nfaces'",
            "if row['image_path'] == 'c.png': answer['text'] = ' '",
            f"if row['image_path'] == 'd.png': answer['text'] = 'x' * {MAX_LENGTH + 1}",
            "if row['image_path'] == 'e.png': sys.exit(1)",
        ]
    )
    command = program(body)
    texts, failed = command.answers(questions("a", "b", "c", "d", "e", "f"))
    assert texts == {"sha-a": "a face"}
    assert failed == {
        "sha-b": "two faces",
        "sha-c": "an empty caption",
        "sha-d": f"a caption of {MAX_LENGTH + 1:,} characters; at most {MAX_LENGTH:,} are taken",
        "sha-e": "it ended without an answer",
        "sha-f": "it ended without an answer",
    }
    command.answers(questions("a", "b"))
    assert asked(tmp_path).count("sha-b") == 2, "what failed is asked for again"


def test_one_that_hangs_is_ended(program: Program) -> None:
    command = program("answer['text'] = 'x'\nif row['image_path'] == 'b.png': time.sleep(600)", timeout_s=3.0)
    texts, failed = command.answers(questions("a", "b", "c"))
    assert texts == {"sha-a": "x"}
    assert failed == dict.fromkeys(("sha-b", "sha-c"), "no answer in 3 s")


def test_one_that_answers_nothing_or_cannot_be_started(program: Program, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gave no caption: no face"):
        program("answer['error'] = 'no face'").answers(questions("a"))
    with pytest.raises(UserError, match="cannot be started: No such file"):
        CaptionCommand("no-such-program --fast", 1.0, tmp_path).answers(questions("a"))
    with pytest.raises(UserError, match="cannot be started: No closing quotation"):
        CaptionCommand("python 'x", 1.0, tmp_path).answers(questions("a"))
    assert CaptionCommand("no-such-program", 1.0, tmp_path).answers([]) == ({}, {})


def test_another_command_has_answers_of_its_own(program: Program, tmp_path: Path) -> None:
    first = program("answer['text'] = 'one'")
    first.answers(questions("a"))
    second = CaptionCommand(f"{first.command} --other", 20.0, first.folder)
    assert second.answers(questions("a"))[0] == {"sha-a": "one"}
    assert len(list((tmp_path / "export").glob(".captions-*.jsonl"))) == 2
    rows = [json.loads(line) for path in first.folder.glob(".captions-*") for line in path.read_text().splitlines()]
    assert rows == [{"sha256": "sha-a", "text": "one"}] * 2
