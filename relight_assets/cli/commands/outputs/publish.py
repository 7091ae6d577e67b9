"""``relight publish``: uploads exports or finished splits to a bucket, or copies them to a folder, and checks them."""

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import click

from relight_assets.cli.options import select_splits, usable_csvs
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import print_error, print_field, print_line, print_note
from relight_assets.cli.terminal.transfer_bar import bytes_text, transfer_bar
from relight_assets.config.datasets.publish import Destination, check_endpoint
from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import file_sha256
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.tombstones import Tombstones, read_tombstones
from relight_assets.errors import DestinationError, InterruptedRunError, PublishStoppedError, RelightError, UserError
from relight_assets.publishing.check import Checked, check_tree
from relight_assets.publishing.export_trees import ExportedSplit, exported_splits, exports_in
from relight_assets.publishing.publish import PublishOptions, publish_tree
from relight_assets.publishing.split_tree import split_tree, split_tree_name
from relight_assets.publishing.stores import StoreOptions, need_packages
from relight_assets.publishing.trees import MANIFEST, Tree
from relight_assets.publishing.withdraw import published_trees

SHOWN = 20
"""Paths and faults of a tree that are printed."""


@click.command()
@click.argument("dest")
@click.option("--export", "exports", multiple=True, metavar="NAME", help="This export; default: all.")
@click.option("--images", is_flag=True, help="The finished images of splits, instead of exports.")
@click.option("--split", help="One split; default: all.")
@click.option("--partial", is_flag=True, help="With --images: although rows are pending.")
@click.option("--dry-run", is_flag=True, help="Say what would be uploaded, and change nothing.")
@click.option("--delete", is_flag=True, help="Remove what earlier publications have left.")
@click.option("--check", is_flag=True, help="Compare what is published with its list instead: sizes and sha256.")
@click.option("--download", is_flag=True, help="With --check: read the bytes.")
@click.option("--out", type=LOCAL_PATH, help="The folder of exports; default: as for relight export.")
@click.option("--endpoint", metavar="URL", help="Of a store that speaks S3 and is not Amazon's.")
@click.option("--region", help="Of the bucket; default: as boto3 finds it.")
@click.pass_obj
def publish(
    source: ProjectSource,
    dest: str,
    exports: tuple[str, ...],
    images: bool,
    split: str | None,
    partial: bool,
    dry_run: bool,
    delete: bool,
    check: bool,
    download: bool,
    out: Path | None,
    endpoint: str | None,
    region: str | None,
) -> None:
    """Publish the newest exports, or the finished images of splits, to DEST.

    DEST is s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, or a folder.
    """
    _refuse_contradictions(
        ("--images", images, "--export", bool(exports)),
        ("--check", check, "--dry-run", dry_run),
        ("--check", check, "--delete", delete),
    )
    if partial and not images:
        raise UserError("--partial belongs to --images")
    if download and not check:
        raise UserError("--download belongs to --check")
    destination, store = named_store(dest, endpoint, region)
    settings = source.settings()
    root = out.absolute() if out is not None else settings.export_folder
    destination.refuse_within(settings.output_root, root)
    if check:
        names = _splits_to_check(settings, split) if images else _exports_to_check(root, exports, split)
        barred = read_tombstones(settings.output_root)
        faultless = [_check(name, newest, destination, store, barred, download=download) for name, newest in names]
        sys.exit(exit_code(done=all(faultless)))
    errors: list[RelightError] = []
    if images:
        trees = _split_trees(source, settings, split, errors, partial=partial)
    else:
        tombstones = read_tombstones(settings.output_root)
        found = exported_splits(root, exports, split)
        trees = iter([(each.name, functools.partial(_opened, each, tombstones)) for each in found])
    for name, open_tree in trees:
        try:
            with open_tree() as tree:
                _publish(tree, destination, PublishOptions(store, dry_run, delete))
        except (DestinationError, PublishStoppedError, InterruptedRunError):
            raise  # the next tree would meet it too
        except RelightError as error:
            print_error(f"{name}: {error}")
            errors.append(error)
    if not exports and split is None:
        _note_others(destination, store, settings, root)
    sys.exit(exit_code(errors))


def named_store(dest: str, endpoint: str | None, region: str | None) -> tuple[Destination, StoreOptions]:
    """The destination that a command is given, and what its options say of the store.

    Raises:
        UserError: an option belongs to another kind of destination, or a package is missing.
        DestinationError: ``dest`` or ``endpoint`` is no address.
    """
    destination = Destination.parse(dest)
    for option, value in (("--endpoint", endpoint), ("--region", region)):
        if value is not None and destination.kind != "s3":
            raise UserError(f"{option} belongs to s3://...")
    need_packages(destination)
    return destination, StoreOptions(check_endpoint(endpoint) if endpoint is not None else None, region)


def _note_others(destination: Destination, store: StoreOptions, settings: Settings, root: Path) -> None:
    """Name what is published there and of which nothing is here any more."""
    here = {split_tree_name(name) for name in list_csvs(settings.csv_dir, settings.csv_glob).found}
    with suppress(RelightError):  # all is published by now; whoever may not list more than that has no need to know
        others = sorted({*published_trees(destination, store)} - here - {each.name for each in exports_in(root)})
        if others:
            print_paths("also there", others)
            print_note(f"nothing of these is here any more; `relight withdraw {destination} {others[0]}` removes one")


def _refuse_contradictions(*pairs: tuple[str, bool, str, bool]) -> None:
    for one, is_given, other, other_is_given in pairs:
        if is_given and other_is_given:
            raise UserError(f"{one} and {other} do not go together")


_OpenTree = Callable[[], AbstractContextManager[Tree]]


def _split_trees(
    source: ProjectSource, settings: Settings, split: str | None, errors: list[RelightError], *, partial: bool
) -> Iterator[tuple[str, _OpenTree]]:
    """Name and files of each split; a CSV that cannot be used is reported, and added to ``errors``."""
    recipe = source.recipe().recipe
    _, folder = select_splits(settings, None, split, all_splits=split is None)
    for csv in usable_csvs(folder, errors):
        yield split_tree_name(csv.split), functools.partial(split_tree, csv, recipe, settings, partial=partial)


@contextmanager
def _opened(exported: ExportedSplit, tombstones: Tombstones) -> Iterator[Tree]:
    yield exported.tree(tombstones)


def _splits_to_check(settings: Settings, split: str | None) -> Iterator[tuple[str, None]]:
    _, folder = select_splits(settings, None, split, all_splits=split is None)
    return ((split_tree_name(name), None) for name in folder.found)


def _exports_to_check(root: Path, exports: Sequence[str], split: str | None) -> Iterator[tuple[str, Path]]:
    return ((each.name, each.link / MANIFEST) for each in exported_splits(root, exports, split))


def _publish(tree: Tree, destination: Destination, options: PublishOptions) -> None:
    with transfer_bar(tree.name) as watch:
        did = publish_tree(tree, destination, options, watch)
    would = "to upload" if options.dry_run else "uploaded"
    print_line(
        f"{did.name}: {counted(did.objects, 'object')} ({bytes_text(did.size)}): {len(did.uploaded)} {would} "
        f"({bytes_text(did.uploaded_size)}), {did.unchanged} unchanged"
    )
    print_field("where", f"{destination}/{did.name}")
    print_field("manifest", f"sha256 {did.manifest_sha256}")
    if options.dry_run:
        print_paths("to upload", did.uploaded)
        print_field("nothing", "was changed" if did.changed or did.removed else "is to be done")
    print_paths("to remove" if options.dry_run else "removed", did.removed)
    print_paths("left there", did.left)
    if did.left and not options.delete:
        print_note(f"{did.name}: what is left there is not part of it; --delete removes what publications left")
    if did.unlisted:
        unlisted = counted(did.unlisted, "file")
        print_note(f"{did.name}: {unlisted} not published, because no list names them (caches of trainers)")


def _check(
    name: str,
    newest: Path | None,
    destination: Destination,
    store: StoreOptions,
    tombstones: Tombstones,
    *,
    download: bool,
) -> bool:
    with transfer_bar(name) as watch:
        found: Checked = check_tree(name, destination, store, download=download, tombstones=tombstones, watch=watch)
    for fault in found.faults[:SHOWN]:
        print_error(f"{destination}/{name}/{fault.path}: {fault.what}")
    read = "read" if download or destination.kind == "folder" else "compared by size and recorded sha256"
    files, faults = counted(found.files, "file"), counted(len(found.faults), "fault")
    print_line(f"{name}: {files} ({bytes_text(found.size)}) {read}, {faults}")
    if newest is not None and found.manifest_sha256 is not None and file_sha256(newest) != found.manifest_sha256:
        print_note(f"{name}: the newest snapshot here is another; `relight publish` uploads it")
    return not found.faults


def print_paths(label: str, paths: Sequence[str]) -> None:
    """Print the first of some paths, and how many more there are."""
    for path in paths[:SHOWN]:
        print_field(label, path)
    if len(paths) > SHOWN:
        print_field(label, f"and {len(paths) - SHOWN} more")
