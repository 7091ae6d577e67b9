"""Captions by a program of the user's own: JSON lines in, JSON lines out, failures as data.

For each picture the program reads ``{"id": ..., "path": ..., "image_path": ..., "text": ...}`` (the file, the photo's
name in the CSV, the caption it would have otherwise) and writes ``{"id": ..., "text": ...}`` or
``{"id": ..., "error": ...}``, in any order.  What it said is kept beside the export, so no picture is asked for twice.
"""

import json
import shlex
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from relight_assets.core.hashing import canonical_digest
from relight_assets.errors import OutputFolderError, UserError

MAX_LENGTH = 10_000
"""Characters of a caption; a longer one is a failure."""


@dataclass(frozen=True, slots=True)
class Question:
    """A picture that a caption is asked for."""

    sha256: str
    path: Path
    image_path: str
    text: str
    """The caption that it has otherwise."""


@dataclass(frozen=True)
class CaptionCommand:
    """A program that writes captions, and what it has said.

    Args:
        command: as in a shell, which is not used: a program and its arguments.
        timeout_s: seconds that it may take until the next answer.
        folder: where its answers are kept.
    """

    command: str
    timeout_s: float
    folder: Path

    @property
    def _kept(self) -> Path:
        return self.folder / f".captions-{canonical_digest(self.command)[:12]}.jsonl"

    def answers(self, questions: Sequence[Question]) -> tuple[dict[str, str], dict[str, str]]:
        """The captions by sha256 of the pictures, and for the others why they have none.

        Raises:
            UserError: the program cannot be started, or gave not one caption.
            OutputFolderError: its answers cannot be kept.
        """
        known = self._read()
        asked = {each.sha256: each for each in questions if each.sha256 not in known}
        failed: dict[str, str] = {}
        if asked:
            self._ask(asked, known, failed)
        wanted = {each.sha256 for each in questions}
        if wanted and not wanted & known.keys():
            reason = next(iter(failed.values()), "it ended without an answer")
            raise UserError(f"caption_command: `{self.command}` gave no caption: {reason}")
        return {sha256: known[sha256] for sha256 in wanted & known.keys()}, failed

    def _read(self) -> dict[str, str]:
        found: dict[str, str] = {}
        with suppress(FileNotFoundError), self._kept.open(encoding="utf-8") as stream:
            for line in stream:
                with suppress(ValueError, KeyError, TypeError):  # a line that a killed export has left cut off
                    row = json.loads(line)
                    found[str(row["sha256"])] = str(row["text"])
        return found

    def _ask(self, asked: Mapping[str, Question], known: dict[str, str], failed: dict[str, str]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Line by line: an export that is killed keeps what a slow program has said so far.
            with self._kept.open("a", encoding="utf-8", buffering=1) as stream:
                for sha256, text, reason in self._run(asked):
                    if reason:
                        failed[sha256] = reason
                        continue
                    known[sha256] = text
                    stream.write(f"{json.dumps({'sha256': sha256, 'text': text}, ensure_ascii=False)}\n")
        except OSError as error:
            raise OutputFolderError(f"{self._kept} cannot be written: {error.strerror or error}") from error

    def _run(self, asked: Mapping[str, Question]) -> Iterator[tuple[str, str, str]]:
        """Picture, caption and why there is none, for each picture once; the program ends with the last."""
        left = dict(asked)
        reason = "it ended without an answer"
        with self._started() as program:
            lines = _lines_of(program, asked)
            try:
                while left:
                    line = lines.get(timeout=self.timeout_s)
                    if line is None:
                        break
                    answer = _answer(line, left)
                    if answer is not None:
                        del left[answer[0]]
                        yield answer
            except Empty:
                reason = f"no answer in {self.timeout_s:g} s"
            finally:
                program.kill()
        yield from ((sha256, "", reason) for sha256 in left)

    def _started(self) -> "subprocess.Popen[str]":
        try:
            words = shlex.split(self.command)
            return subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
            )
        except (OSError, ValueError, IndexError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise UserError(f"caption_command: `{self.command}` cannot be started: {reason}") from error


def _lines_of(program: "subprocess.Popen[str]", asked: Mapping[str, Question]) -> "Queue[str | None]":
    """What a program writes, line by line, None at its end; it is given the questions meanwhile."""
    lines: Queue[str | None] = Queue()

    def write() -> None:
        assert program.stdin is not None  # noqa: S101
        with suppress(OSError, ValueError):  # it has ended
            for sha256, each in asked.items():
                row = {"id": sha256, "path": str(each.path), "image_path": each.image_path, "text": each.text}
                program.stdin.write(f"{json.dumps(row, ensure_ascii=False)}\n")
                program.stdin.flush()
            program.stdin.close()

    def read() -> None:
        assert program.stdout is not None  # noqa: S101
        with suppress(OSError, ValueError):
            for line in program.stdout:
                lines.put(line)
        lines.put(None)

    for work in (write, read):
        threading.Thread(target=work, daemon=True).start()
    return lines


def _answer(line: str, left: Mapping[str, Question]) -> tuple[str, str, str] | None:
    """Picture, caption and why there is none; None for a line that answers nothing, such as a message of a library."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or row.get("id") not in left:
        return None
    text = " ".join(str(row.get("text") or "").split())
    if row.get("error") or not text:
        return row["id"], "", " ".join(str(row.get("error") or "an empty caption").split())[:200]
    if len(text) > MAX_LENGTH:
        return row["id"], "", f"a caption of {len(text):,} characters; at most {MAX_LENGTH:,} are taken"
    return row["id"], text, ""
