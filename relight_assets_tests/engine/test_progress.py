"""The progress file: counts, rate, time to go, and what is read when it is not there."""

from pathlib import Path

import pytest

from relight_assets.engine import progress as module
from relight_assets.engine.progress import ProgressWriter, read_progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    return now


def test_rate_and_time_to_go_follow_the_results(tmp_path: Path, clock: list[float]) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 100)
    for number in range(20):
        clock[0] += 0.5
        writer.count(failed=number % 10 == 0)
    now = read_progress(tmp_path / "p.json")
    assert now is not None
    assert (now.split, now.total, now.done, now.failed, now.finished) == ("train", 100, 20, 2, False)
    assert now.images_per_s == pytest.approx(2.0, abs=0.05)
    assert now.eta_s == pytest.approx(40, abs=1)


def test_the_file_is_written_at_most_once_a_second(tmp_path: Path, clock: list[float]) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 100)
    written = []
    for _ in range(30):
        clock[0] += 0.1
        written.append(writer.count(failed=False))
    assert sum(written) in (2, 3)


def test_the_end_is_told(tmp_path: Path) -> None:
    writer = ProgressWriter(tmp_path / "p.json", "train", 0)
    writer.write(finished=True)
    now = read_progress(tmp_path / "p.json")
    assert now is not None
    assert now.finished


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"split": 1}'])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "p.json").write_bytes(content)
    assert read_progress(tmp_path / "p.json") is None
