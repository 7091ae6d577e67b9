"""The publications of the settings as assets: exports or finished images of a split, in a bucket or another folder."""

import difflib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from relight_assets.config.datasets.publish import Destination, Publish
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import canonical_digest
from relight_assets.dataset.tombstones import read_tombstones
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import published_partition
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.errors import ConfigError, UserError
from relight_assets.publishing.export_trees import exported_splits
from relight_assets.publishing.publish import Progress, Published, PublishOptions, publish_tree
from relight_assets.publishing.split_tree import FORMAT, split_tree
from relight_assets.publishing.stores import StoreOptions, need_packages
from relight_assets.publishing.trees import Tree

_LOG_EVERY_S = 10.0


def published_assets(settings: Settings, names: Names = OWN) -> list[dg.AssetsDefinition]:
    """An asset for each publication of the settings.  None is part of a job or a schedule.

    Raises:
        ConfigError: two have one name, an export is unknown, a package is missing, or a folder is one of outputs.
    """
    given = [each.name for each in settings.publish]
    twice = {name for name in given if given.count(name) > 1}
    if twice:
        raise ConfigError(f"publish: `{twice.pop()}` is there twice; give each a name of its own")
    made = []
    for each in settings.publish:
        try:
            each.destination.refuse_within(settings.output_root, settings.export_folder)
            need_packages(each.destination)
        except UserError as error:
            raise ConfigError(f"publish: `{each.name}`: {error}") from None
        made.append(_asset(each, _exports_of(each, settings), names))
    return made


def _exports_of(publish: Publish, settings: Settings) -> tuple[str, ...]:
    """The exports that a publication uploads."""
    if publish.what == "splits":
        return ()
    known = [each.name for each in settings.exports]
    for name in publish.exports:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise ConfigError(f"publish: `{publish.name}`: there is no `{name}` among the `exports` here{hint}")
    if not known:
        raise ConfigError(f"publish: `{publish.name}`: `exports` is empty here: add one, or set `what: splits`")
    return publish.exports or tuple(known)


def _asset(publish: Publish, exports: tuple[str, ...], names: Names) -> dg.AssetsDefinition:
    what = canonical_digest(publish.model_dump(mode="json"))[:12]

    @dg.asset(
        key=names.key("published", publish.name),
        deps=[names.key("exports", name) for name in exports] or [names.mapping],
        partitions_def=names.splits,
        group_name=names.of("published"),
        required_resource_keys={names.run_inputs},
        kinds={"s3"} if publish.destination.kind == "s3" else {"file"},
        code_version=f"{FORMAT}-{what}",
        description=(
            f"{'The newest exports' if exports else 'The finished images'} of a split in {publish.destination}; "
            f"only what changed is uploaded, the manifest last."
        ),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with as_dagster_failure():
            done = list(_publish(publish, exports, context, inputs_of(context, names)))
        return dg.MaterializeResult(metadata=_metadata(publish.destination, done))

    return asset


def _publish(
    publish: Publish, exports: tuple[str, ...], context: dg.AssetExecutionContext, run_inputs: RunInputs
) -> Iterator[Published]:
    options = PublishOptions(StoreOptions(publish.endpoint, publish.region), delete=publish.delete)
    if publish.what == "splits":
        with _split(publish, context.partition_key, run_inputs) as tree:
            yield publish_tree(tree, publish.destination, options, _logged(context, tree))
        return
    settings = run_inputs.project().settings
    tombstones = read_tombstones(settings.output_root)
    for each in exported_splits(settings.export_folder, exports, context.partition_key):
        tree = each.tree(tombstones)
        yield publish_tree(tree, publish.destination, options, _logged(context, tree))


@contextmanager
def _split(publish: Publish, partition: str, run_inputs: RunInputs) -> Iterator[Tree]:
    """The finished images of a split, whose published mapping is that of the images as they are."""
    project = run_inputs.project()
    split = run_inputs.split(partition)
    published_partition(run_inputs, partition)
    with split_tree(split, project.recipe, project.settings, partial=publish.partial) as tree:
        yield tree


def _logged(context: dg.AssetExecutionContext, tree: Tree) -> Callable[[Progress], None]:
    """Logs how far an upload is, every few seconds."""
    last = time.monotonic()

    def watch(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= _LOG_EVERY_S or now.files == now.all_files:
            last = time.monotonic()
            context.log.info(f"{tree.name}: {now.files}/{now.all_files} files, {now.size}/{now.all_size} bytes")

    return watch


def _metadata(destination: Destination, done: list[Published]) -> dict[str, Any]:
    return {
        "destination": [f"{destination}/{each.name}" for each in done],
        "objects": sum(each.objects for each in done),
        "bytes": sum(each.size for each in done),
        "uploaded": sum(len(each.uploaded) for each in done),
        "uploaded_bytes": sum(each.uploaded_size for each in done),
        "unchanged": sum(each.unchanged for each in done),
        "left_there": sum(len(each.left) for each in done),
        "removed": sum(len(each.removed) for each in done),
        "manifest_sha256": {each.name: each.manifest_sha256 for each in done},
        "changed": any(each.changed for each in done),
    }
