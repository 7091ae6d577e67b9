"""The bar counts step by step on a terminal, is gone at the end, and is nowhere else."""

import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from relight_assets.cli.terminal import counting_bar
from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.messages.steps import Watch
from relight_assets.engine.dry_run import dry_run
from relight_assets.engine.run import RunOptions
from relight_assets.engine.state.load import load_split_state
from relight_assets.exports.base import ExportSpec
from relight_assets.exports.export import export_split
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout
from relight_assets.quality.verify.split import verify_split
from relight_assets_tests.conftest import Bench
from relight_assets_tests.faults.processes import relight_command
from relight_assets_tests.faults.terminal import Terminal


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    file = io.StringIO()
    monkeypatch.setattr(counting_bar, "err", Console(file=file, force_terminal=terminal, width=100))
    with counting_bar.counting_bar("train [1]") as steps:
        for counted, total in (("rows scanned", 3000), ("images read", 7)):
            watch = steps(counted)
            for done in range(1, total + 1):
                watch(done, total)
    return file.getvalue()


def test_each_step_is_counted_to_its_end_and_then_the_bar_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=True)
    assert re.search(r"train \[1\].*7/7.*images read", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))
    assert text.rstrip().endswith("\x1b[2K"), "the line is erased"


def test_nothing_is_shown_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, terminal=False) == ""


class Told:
    """What was told of each step: the last count."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[int, int]] = {}

    def __call__(self, counted: str) -> Watch:
        return lambda done, total: self.steps.__setitem__(counted, (done, total))


def test_what_takes_long_says_how_far_it_is(own: Bench) -> None:
    """All rows, images or pairs of a split with four finished images among others."""
    told = Told()
    state = load_split_state(own.split(), Recipe(), own.settings, watch=told("rows"))
    spec: ExportSpec = layout("imagefolder")
    exported = export_split(state, spec, ExportOptions(), own.folder / "pairs", watch=told("written"))
    read_back(exported.folder, told("read back"))
    images = len(state.images)
    assert told.steps == {"rows": (images, images), "written": (4, 4), "read back": (4, 4)}

    told = Told()
    verify_split(own.split(), Recipe(), own.settings, steps=told)
    assert told.steps == {
        "rows scanned": (images, images),
        "images read": (4, 4),
        "albedos tried": (4, 4),
        "images made again": (4, 4),
    }

    told = Told()
    own.layout.png(0, "output").unlink()
    dry_run(own.split(), Recipe(), own.settings, RunOptions(), told)
    assert told.steps == {"rows scanned": (images, images), "images explained": (1, 1)}


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_command_in_a_terminal_whose_stderr_is_a_file_writes_no_bar(own: Bench, tmp_path: Path) -> None:
    (own.folder / "config").mkdir(exist_ok=True)
    (own.folder / "config" / "platform.yaml").write_text("csv_dir: .\noutput_root: out\ncpu_workers: 1\n")
    command = Terminal([relight_command(), "status"], own.folder)
    command.process.wait(180)
    command.end()
    assert "train" in command.shown
    assert command.errors == ""
