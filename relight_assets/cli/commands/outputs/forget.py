"""``relight forget``: removes all that is there of photos, and bars them from coming back."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import print_error, print_field, print_line, print_split_error
from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.core.messages.exit_codes import CRASHED, DONE, MISTAKE
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.tombstones import FORGOTTEN, MAX_REASON
from relight_assets.errors import CsvError, UserError
from relight_assets.forgetting.forget import Forgotten
from relight_assets.forgetting.forget import forget as forget_photos
from relight_assets.forgetting.request import Lookup, Request
from relight_assets.forgetting.snapshots import exports_below, snapshots_in

SHOWN = 20
"""Of each list that is printed."""
REQUESTED = "requested"
"""The reason where nobody gives one."""


@click.command()
@click.argument("photos", nargs=-1)
@click.option("--reason", default=REQUESTED, show_default=True, help="Why, in a few words; kept with the sha256.")
@click.option(
    "--out",
    "exports",
    multiple=True,
    type=LOCAL_PATH,
    help="One more export, or folder of them; repeatable.",
)
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), default=0, help="Seconds to wait for a run at work.")
@click.option("--dry-run", is_flag=True, help="Only list what would go.")
@click.pass_obj
def forget(
    source: ProjectSource, photos: tuple[str, ...], reason: str, exports: tuple[Path, ...], wait_s: float, dry_run: bool
) -> None:
    """Remove all that is there of PHOTOS (paths or sha256) and bar them; without PHOTOS, of those that reviews name.

    Each call also finishes those before it.
    """
    if not reason.isprintable() or len(reason) > MAX_REASON:
        raise UserError(f"--reason must be one line of at most {MAX_REASON} characters")
    for folder in exports:
        _refuse_without_exports(folder)
    settings = source.settings()
    request, lookup, bad = Request(), Lookup(settings), False
    for text in photos:
        lookup.add(request, text, reason)
    if not photos:
        bad = _add_reviewed(request, lookup, settings)
    done = forget_photos(
        settings, request, exports=[each.absolute() for each in exports], dry_run=dry_run, wait_s=wait_s
    )
    for sha256, how in request.found.items():
        print_field("photo", f"{sha256}: {how}")
    _report(done, settings, dry_run=dry_run)
    sys.exit(CRASHED if done.left else MISTAKE if bad else DONE)


def _refuse_without_exports(folder: Path) -> None:
    if not folder.is_dir():
        raise UserError(f"--out: there is no folder {folder}")
    try:
        found = [each for each in exports_below(folder) if each.is_dir() and any(True for _ in snapshots_in(each))]
    except OSError as error:
        raise UserError(f"--out: {folder} cannot be read: {error.strerror or error}") from None
    if not found:
        raise UserError(f"--out: there is no export in {folder}: give the folder of an export, or the one above it")


def _add_reviewed(request: Request, lookup: Lookup, settings: Settings) -> bool:
    """Add the photos of all reviews; whether one of them cannot be used, which is printed."""
    bad = False
    for path, csv in list_csvs(settings.csv_dir, settings.csv_glob).read_all():
        try:
            if isinstance(csv, CsvError):
                raise csv
            lookup.add_reviewed(request, csv)
        except CsvError as error:
            print_split_error(path, error)
            bad = True
    return bad


def _report(done: Forgotten, settings: Settings, *, dry_run: bool) -> None:
    if not done.photos:
        print_line("no photo was ever to be forgotten; name one by its path or its sha256")
        return
    print_line(
        f"{settings.output_root / FORGOTTEN}: {counted(done.photos, 'photo')} forgotten"
        f"{f', {done.new} of them now' if done.new else ''}{' (not written yet)' if dry_run and done.new else ''}"
    )
    for place, counts in sorted(done.went.items()):
        what = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print_line(f"{'would go' if dry_run else 'gone'} from {place}: {what}")
    if not done.went:
        print_line("nothing of them was found")
    if done.strangers:
        print_line(f"files of others in exports that had them; nobody can tell what they show: {len(done.strangers)}")
        _print_paths("look at", done.strangers)
    print_line("what cannot be reached, and is yours to remove:")
    for label, text in _out_of_reach(done, settings):
        print_field(label, text)
    if dry_run:
        print_line("nothing was removed; leave out --dry-run to remove it")
        return
    if not done.left:
        print_line(
            f"proof: in {counted(done.files, 'file')} below the outputs and the exports there is no sha256 that was "
            f"recorded of them, and no shard has their stems"
        )
        return
    for left in done.left[:SHOWN]:
        print_error(left.reason if str(left.path) in left.reason else f"{left.path}: {left.reason}")
    print_error(
        f"left of them, or not to be looked at: {counted(len(done.left), 'thing')}; they stay barred. Mend what is "
        f"named and call `relight forget` again"
    )


def _out_of_reach(done: Forgotten, settings: Settings) -> list[tuple[str, object]]:
    photos = [Path(place) for place in sorted(done.places) if os.path.lexists(place)]
    return [
        *(("the photo", path) for path in photos[:SHOWN]),
        ("the photo", f"{len(photos) - SHOWN} more") if len(photos) > SHOWN else ("the photos", "all other copies"),
        ("CSVs", f"rows of your own CSVs and reviews, in {settings.csv_dir} and elsewhere"),
        ("Dagster", f"its database and logs in {settings.dagster_home}, or its PostgreSQL: previews, names, sha256"),
        *(("exports", f"{folder}, which is not there now") for folder in done.away[:SHOWN]),
        *(("uploads", f"{each.dest}: `relight publish DEST --check` finds it") for each in settings.publish),
        ("exports", "copies that were uploaded, moved or made by others"),
        ("trainers", "caches outside of exports, and models that were trained on it"),
        ("backups", "all backups and snapshots of these disks"),
    ]


def _print_paths(label: str, paths: Sequence[Path]) -> None:
    for path in paths[:SHOWN]:
        print_field(label, path)
