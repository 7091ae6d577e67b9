"""The figures as a table: on the terminal, and as Markdown for the docs."""

from pathlib import Path

from rich.table import Table

from benchmarks.bench.figures import Figures, Goal
from relight_assets.core.atomic_io import write_atomic

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

Row = tuple[str, str, str, str]
_HEADER: Row = ("figure", "measured", "goal", "met")


def rows(figures: Figures) -> list[Row]:
    """What is shown, a row each: name, value with its unit, goal, and whether that is met."""
    goals = {goal.key: goal for goal in figures.goals}
    f, planned, sent = figures, f"{figures.sizes['planned']:,}", figures.sizes["dispatched"]
    shown = [
        ("cpu_s_per_image", "CPU per image, all in", f"{f.cpu_s_per_image:.3f} s"),
        *(("", f"  {name}", f"{spent:.1f} ms") for name, spent in f.stage_cpu_ms.items()),
        ("", "  everything else", f"{f.other_cpu_ms:.1f} ms"),
        ("", "plain peer, CPU per image, masks given", f"{f.plain_cpu_s_per_image:.2f} s"),
        *(("", f"  {name}", f"{spent:.0f} ms") for name, spent in f.plain_stage_cpu_ms.items()),
        ("cpu_ratio", "plain peer's CPU / this pipeline's", f"{f.cpu_ratio:.1f}"),
        ("", "plain peer blurring plane by plane / this pipeline's", f"{f.cpu_ratio_by_plane:.1f}"),
        ("", "rate, 1 worker on 1 core", f"{f.rate_1_worker:.2f} images/s"),
        ("", "rate, 2 workers on 2 cores", _or_none(f.rate_2_workers, "{:.2f} images/s")),
        ("speedup_2_workers", "2 workers / 1 worker", _or_none(f.speedup_2_workers, "{:.2f}")),
        ("", "peak memory of a worker", f"{f.peak_rss_mib:.0f} MiB"),
        ("", f"parent's memory after {sent // 10:,} items", f"{f.parent_rss_mib_1000:.1f} MiB"),
        ("parent_growth_mib", f"its growth until {sent:,} items", f"{f.parent_growth_mib:.2f} MiB"),
        ("dispatch_ms_per_item", "dispatch, parent's CPU per item", f"{f.dispatch_ms_per_item:.3f} ms"),
        ("", "  with batches of 16", f"{f.dispatch_ms_per_item_batch_16:.3f} ms"),
        ("plan_12000_s", f"planning {planned} finished images", f"{f.plan_12000_s:.2f} s"),
        ("", "  a whole run of them, nothing to do", f"{f.noop_run_12000_s:.2f} s"),
        ("", "start-up until a worker is ready", f"{f.startup_s:.2f} s"),
        ("", "written per image", f"{f.mib_per_image:.1f} MiB"),
    ]
    return [(name, value, *_goal(goals.get(key))) for key, name, value in shown]


def notes(figures: Figures) -> list[str]:
    """Sentences that belong to the table: the machine, warnings, the projection."""
    machine, p, sizes = figures.machine, figures.projection, figures.sizes
    measured = (
        f"{machine['cores']} cores of {machine['cpu']}, Python {machine['python']}; {sizes['side']}x{sizes['side']} "
        f"portraits, runs of {sizes['short']} and {sizes['long']}, medians of {sizes['rounds']} rounds."
    )
    said = [measured]
    if figures.quick:
        said.append("QUICK: a test that the bench works, at tiny sizes. No figure here means anything.")
    if figures.noisy:
        said.append(
            f"NOISY: the load average was {machine['load_at_start']:.2f} at the start; wall times and rates are not "
            f"to be quoted, and CPU times are too high."
        )
    if figures.rate_2_workers is None:
        said.append("There are no two cores here, so two workers were not measured.")
    a = p.assumptions
    said.append(
        f"{p.label}: on {a.gpus} GPUs with {a.cores_per_gpu} cores each, SAM3 taken to need {a.sam3_ms:g} ms of GPU "
        f"per image and our CPU per image without the embedded segmenter ({p.cpu_s_per_image:.3f} s): "
        f"{p.images_per_s:.0f} images/s, bound by the {p.bound_by} ({p.gpu_images_per_s:.0f} per GPU by its GPU, "
        f"{p.cpu_images_per_s:.0f} by its cores); {a.images:,} images in {p.total_s:.0f} s, of which "
        f"{a.model_load_s:g} s to load the model, if the disk takes {p.disk_mib_per_s:.0f} MiB/s."
    )
    return said


def terminal_table(figures: Figures) -> Table:
    """For the terminal."""
    table = Table(*_HEADER, box=None, pad_edge=False, header_style="bold")
    for name, value, goal, met in rows(figures):
        table.add_row(name, value, goal, {"yes": "[green]yes[/]", "no": "[red]no[/]"}.get(met, met))
    return table


def markdown(figures: Figures) -> str:
    """For the docs."""
    lines = [_line(_HEADER), "|---|---|---|---|", *(_line(row) for row in rows(figures))]
    return "\n".join([*lines, "", *(f"{note}\n" for note in notes(figures))])


def write_markdown(figures: Figures, target: Path) -> None:
    """Write the table to a file; in one that has the figures' marks, only what is between them is replaced."""
    text = target.read_text(encoding="utf-8") if target.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    made = markdown(figures)
    whole = f"{before}{BEGIN}\n{made}{END}{after}" if begin and end else made
    write_atomic(target, whole.encode())


def _goal(goal: Goal | None) -> tuple[str, str]:
    if goal is None:
        return "", ""
    limit = f"at most {goal.at_most:g}" if goal.at_most is not None else f"at least {goal.at_least:g}"
    return limit, "not measured" if goal.met is None else "yes" if goal.met else "no"


def _or_none(value: float | None, form: str) -> str:
    return "not measured" if value is None else form.format(value)


def _line(row: Row) -> str:
    name = row[0].replace("  ", "&nbsp;&nbsp;", 1) if row[0].startswith("  ") else row[0]
    return f"| {' | '.join((name, *row[1:]))} |"
