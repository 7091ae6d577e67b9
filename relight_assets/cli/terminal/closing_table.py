"""What a run leaves behind, split by split: the table at its end."""

from collections import Counter
from typing import Any

from rich.table import Table

from relight_assets.cli.terminal.messages import out, print_field, print_warning
from relight_assets.cli.terminal.tables import SLIM
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import WARNINGS, best_effort
from relight_assets.engine.publish import failures_path, mapping_path, variants_path
from relight_assets.engine.run import COMPARISON, CONTACT_SHEET
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.scan import SplitState
from relight_assets.stages.registry import all_stage_names


def print_closing_table(
    runs: list[tuple[SplitState, dict[str, Any]]], settings: Settings, experiment: str | None = None
) -> None:
    """Per split: rows by status, images computed and reused, the codes of failures, and what the run warned of."""
    for state, metadata in runs:
        for warning in dict.fromkeys(warning for part in metadata.values() for warning in part.get(WARNINGS, ())):
            print_warning(f"{state.split.split}: {warning}")
    with best_effort("the closing table", print_warning):
        _print_closing_table(runs, settings, experiment)


def _print_closing_table(
    runs: list[tuple[SplitState, dict[str, Any]]], settings: Settings, experiment: str | None
) -> None:
    if not runs:
        return
    table = Table("split", "rows", "done", "failed", "rejected", "pending", "computed", "reused", "images/s", **SLIM)
    for state, metadata in runs:
        counts = state.row_counts()
        stages = [metadata[stage] for stage in all_stage_names() if stage in metadata]
        rate = stages[0].get("images_per_s") if stages else None
        table.add_row(
            state.split.split,
            str(len(state.keys)),
            *(str(counts[name]) for name in ROW_STATUSES),
            str(max((m["computed"] for m in stages), default=0)),
            str(min((m["reused"] for m in stages), default=0)),
            f"{rate:.2f}" if any(m["computed"] for m in stages) and rate is not None else "",
        )
    if runs:
        out.print(table)
    for state, metadata in runs:
        _print_places(state, settings, experiment)
        _print_devices(next(iter(metadata.values())).get("devices"))


def _print_places(state: SplitState, settings: Settings, experiment: str | None) -> None:
    out.print(f"[bold]{state.split.split}[/]")
    done = sum(image.status == "done" for image in state.images.values())
    print_field("up to date", f"{done} of {len(state.images)} images")
    failures = [image.failure for image in state.images.values() if image.failure is not None]
    for label, rejected in (("failed", False), ("rejected", True)):
        codes = Counter(failure.code for failure in failures if failure.rejected is rejected)
        if codes:
            print_field(label, ", ".join(f"{count} {code}" for code, count in sorted(codes.items())))
    if failures:
        print_field("reasons", failures_path(state, settings, experiment))
    print_field("mapping", mapping_path(state, settings, experiment))
    if state.variants > 1:
        print_field("all variants", variants_path(state, settings, experiment))
    print_field("images", state.layout.folder)
    for label, name in (("contact sheet", CONTACT_SHEET), ("comparison", COMPARISON)):
        if state.layout.storage.kind(sheet := state.layout.folder / name) is not None:
            print_field(label, sheet)


def _print_devices(devices: Any) -> None:
    """What each device did; ``devices``: the lines of the metadata."""
    lines = devices.removeprefix("- ").split("\n- ") if devices is not None else []
    for label, line in zip(["devices", *[""] * len(lines)], lines, strict=False):
        print_field(label, line)
