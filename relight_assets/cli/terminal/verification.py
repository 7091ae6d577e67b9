"""What `relight verify` shows: rows, faults, and what the images measure."""

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from relight_assets.cli.terminal.messages import out, print_line, print_message
from relight_assets.cli.terminal.tables import SLIM
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.quality.duplicates.pairs import Pair
from relight_assets.quality.fairness import rejected_of, terciles
from relight_assets.quality.measured import Measured
from relight_assets.quality.verify.split import Verification

FAULTS_SHOWN = 20
"""Of each split."""
_THIRDS = ("dark", "middle", "light")


def print_verifications(found: Sequence[Verification]) -> None:
    """Per split: rows by status, what was read, and the first faults."""
    table = Table("split", *ROW_STATUSES, "images", "files", "MiB", "stale", "faults", **SLIM)
    for each in found:
        counts = (str(each.rows[status]) for status in ROW_STATUSES)
        sizes = (str(each.images), str(each.files), f"{each.mib:,.0f}")
        table.add_row(each.split, *counts, *sizes, str(len(each.stale)), str(len(each.wrong)))
    out.print(table)
    for each in found:
        for fault in each.wrong[:FAULTS_SHOWN]:
            print_message(fault.code, "bold red", f"{fault.file} {fault.text}")
        if len(each.wrong) > FAULTS_SHOWN:
            print_line(f"{each.split}: and {len(each.wrong) - FAULTS_SHOWN} faults more")
    for each in found:
        if any(each.tags.values()):
            tagged = ", ".join(f"{count} {name}" for name, count in each.tags.items() if count)
            print_line(f"{each.split}: tagged photos: {tagged}")
        if each.duplicates:
            print_line(f"{each.split}: {_describe_duplicates(each.duplicates)}")
        if each.verdicts:
            out.print(f"\n[bold]{each.split}[/]: what {len(each.measured)} images measure")
            out.print(_verdict_table(each))
        if thirds := terciles(each.measured):
            out.print("by the lightness of the skin, medians")
            out.print(_thirds_table(thirds))
            print_line(_describe_rejections(thirds, each.rejected_skins))
    for each in found:
        print_line(f"{each.split}: {each.verdict}")


def _describe_duplicates(pairs: Sequence[Pair]) -> str:
    """Which images are of one photo, and which of nearly one."""
    shown = {
        "duplicates": [f"{p.other.index} = {p.own.index}" for p in pairs if p.bits is None],
        "near duplicates": [
            f"{p.other.index} ~ {p.own.index} ({p.bits} of 256 bits)" for p in pairs if p.bits is not None
        ],
    }
    return "; ".join(f"{what}: {_first(those)}" for what, those in shown.items() if those)


def _first(those: Sequence[str]) -> str:
    more = len(those) - FAULTS_SHOWN
    return ", ".join(those[:FAULTS_SHOWN]) + (f", and {more} more" if more > 0 else "")


def _describe_rejections(thirds: Sequence[Sequence[Measured]], rejected: Sequence[float]) -> str:
    counts = zip(rejected_of(thirds, rejected), _THIRDS, strict=True)
    return f"rejected by photo_qa: {', '.join(f'{count} {label}' for count, label in counts)}"


def _verdict_table(found: Verification) -> Table:
    table = Table("metric", "", "figure", "wanted", "worst images", **SLIM)
    for verdict in found.verdicts:
        mark = "[green]ok[/]" if verdict.passed else "[bold red]fails[/]"
        worst = ", ".join(map(str, verdict.worst))
        table.add_row(verdict.metric, mark, f"{verdict.value:.3f}", verdict.bound, worst)
    return table


def _thirds_table(thirds: Sequence[Sequence[Measured]]) -> Table:
    names = ("identity", "strength", "exposure", "clipping", "crushed", "chroma")
    table = Table("skin", "images", "L*", *names, **SLIM)
    for label, third in zip(_THIRDS, thirds, strict=True):
        lightness = median(each.skin_lightness or 0.0 for each in third)
        figures = (_middle([getattr(each.metrics, name) for each in third]) for name in names)
        table.add_row(label, str(len(third)), f"{lightness:.0f}", *figures)
    return table


def _middle(figures: Sequence[float | None]) -> str:
    known = [figure for figure in figures if figure is not None]
    return f"{median(known):.3f}" if known else ""
