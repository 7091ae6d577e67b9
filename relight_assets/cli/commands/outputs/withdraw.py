"""``relight withdraw``: removes what is published, tree by tree, and lists what there is."""

import click

from relight_assets.cli.commands.outputs.publish import named_store, print_paths
from relight_assets.cli.terminal.messages import print_line, print_note
from relight_assets.config.datasets.publish import Destination
from relight_assets.core.messages.wording import counted
from relight_assets.publishing.stores import StoreOptions
from relight_assets.publishing.withdraw import Withdrawn, published_trees, withdraw_tree


@click.command()
@click.argument("dest")
@click.argument("names", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and change nothing.")
@click.option("--endpoint", metavar="URL", help="Of a store that speaks S3 and is not Amazon's.")
@click.option("--region", help="Of the bucket; default: as boto3 finds it.")
def withdraw(dest: str, names: tuple[str, ...], dry_run: bool, endpoint: str | None, region: str | None) -> None:
    """Remove from DEST what was published as NAMES, such as imagefolder/train; without NAMES, list what there is."""
    destination, store = named_store(dest, endpoint, region)
    if not names:
        _print_published(destination, store)
    for name in dict.fromkeys(each.strip("/") for each in names):
        _print_withdrawn(withdraw_tree(name, destination, store, dry_run=dry_run), destination, dry_run=dry_run)


def _print_published(destination: Destination, store: StoreOptions) -> None:
    found = published_trees(destination, store)
    for name in found:
        print_line(name)
    if not found:
        print_line(f"nothing is published in {destination}")


def _print_withdrawn(did: Withdrawn, destination: Destination, *, dry_run: bool) -> None:
    objects = counted(len(did.removed), "object")
    print_line(f"{destination}/{did.name}: {objects} {'to remove' if dry_run else 'removed'}")
    print_paths("left there", did.left)
    if did.left:
        print_note(f"{did.name}: what is left there was not published by relight")
