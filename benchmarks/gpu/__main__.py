"""``python -m benchmarks.gpu`` (``make gpu-check``); docs/gpu.md says what the figures mean."""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks.gpu import material, table
from benchmarks.gpu.checks import alone, compiled, devices, memory_limits, pipeline, sticky_error
from benchmarks.gpu.child import Check, Outcome, run_check
from benchmarks.gpu.projection import projected
from benchmarks.gpu.setting import Device, Network, Row, Setting
from relight_assets.cli.errors import SentenceErrors
from relight_assets.cli.terminal.messages import print_line
from relight_assets.engine.hardware.devices import cores
from relight_assets.engine.hardware.nvml import read_driver
from relight_assets.errors import GpuUnavailableError


@dataclass(frozen=True)
class _Planned:
    """A check, and its share of the time: so many seconds of nine minutes.

    It is not begun with less than a fifth of them.
    """

    name: str
    check: Check
    wanted_s: float


_CHECKS = (
    _Planned("material", material.prepare, 180),
    _Planned("devices", devices.check, 60),
    _Planned("alone", alone.check, 180),
    _Planned("pipeline", pipeline.check, 240),
    _Planned("memory-limits", memory_limits.check, 60),
    _Planned("sticky-error", sticky_error.check, 90),
    _Planned("compiled", compiled.check, 240),
)
_LEAST_SHARE = 0.2
_NINE = 9.0
"""Minutes for which the checks' seconds are meant; with more, each may take more."""


@click.command(cls=SentenceErrors)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="sam3.pt; default: random weights.",
)
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda", show_default=True, help="cpu: to try it.")
@click.option("--network", type=click.Choice(["full", "small"]), help="small: that of the tests; default on a CPU.")
@click.option("--batches", help="Default: 1,2,4,8,16,32; on a CPU 1,2.")
@click.option("--rounds", type=click.IntRange(min=1), help="Calls for each figure; default: 10, on a CPU 1.")
@click.option("--images", type=click.IntRange(min=2), help="Of the pipeline's longer run; default: 320, on a CPU 4.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=9.0, show_default=True, help="At most.")
@click.option(
    "--only", type=click.Choice([each.name for each in _CHECKS[1:]]), multiple=True, help="These checks alone."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here.")
def gpu(
    checkpoint: Path | None,
    device: Device,
    network: Network | None,
    batches: str | None,
    rounds: int | None,
    images: int | None,
    minutes: float,
    only: tuple[str, ...],
    json_file: Path | None,
) -> None:
    """SAM3 and the whole pipeline on this machine's GPUs: speed, memory, faults, and what bounds them."""
    until = time.monotonic() + 60 * minutes
    if device == "cuda" and not (driver := read_driver()).gpus:
        raise GpuUnavailableError(
            f"there is no GPU here: {driver.trouble or 'no NVIDIA driver'}; --device cpu tries the command"
        )
    on_gpu = device == "cuda"
    with tempfile.TemporaryDirectory(prefix="relight-gpu-") as scratch:
        setting = Setting(
            scratch=Path(scratch),
            device=device,
            network=network or ("full" if on_gpu or checkpoint else "small"),
            batches=_numbers(batches) or (Setting.batches if on_gpu else (1, 2)),
            rounds=rounds or (10 if on_gpu else 1),
            images=images or (320 if on_gpu else 4),
            side=1024 if on_gpu else 256,
            checkpoint=checkpoint,
        )
        machine = _machine(setting)
        print_line(", ".join(f"{name} {value}" for name, value in machine.items()))
        chosen = [each for each in _CHECKS if each.name in (_CHECKS[0].name, *only)] if only else _CHECKS
        outcomes = _outcomes(chosen, setting, until, minutes / _NINE)
    outcomes.append(projected(outcomes))
    print_line(f"\n{table.text(outcomes[-1:])}")
    if json_file is not None:
        table.write_json(json_file, machine, outcomes)


def _numbers(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in (text or "").split(",") if part)
    except ValueError:
        raise click.BadParameter(f"{text}: numbers with commas between them", param_hint="--batches") from None


def _machine(setting: Setting) -> Row:
    names = [gpu.name for gpu in read_driver().gpus] if setting.device == "cuda" else []
    return {
        "device": ", ".join(names) or "CPU",
        "cores": cores(),
        "torch": version("torch"),
        "network": setting.network,
        "weights": "trained" if setting.checkpoint else "random",
    }


def _outcomes(checks: Sequence[_Planned], setting: Setting, until: float, scale: float) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for planned in checks:
        left, wanted = until - time.monotonic(), scale * planned.wanted_s
        if outcomes and outcomes[0].state != "done":
            outcome = Outcome(planned.name, "left out", "there is no material to check with")
        elif left < _LEAST_SHARE * planned.wanted_s:
            why = f"{max(0.0, left):.0f} s were left, and it wants {planned.wanted_s:.0f}"
            outcome = Outcome(planned.name, "left out", why)
        else:
            outcome = run_check(planned.name, planned.check, setting, min(left, wanted))
        outcomes.append(outcome)
        print_line(f"\n{table.text([outcome])}")
    return outcomes


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    gpu(prog_name="python -m benchmarks.gpu")
