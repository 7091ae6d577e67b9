"""Checking what is published, from what lies there alone: the manifest, the list that it names, and each object."""

import asyncio
import csv
from collections.abc import Callable
from dataclasses import dataclass, field

from relight_assets.config.datasets.publish import Destination
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.dataset.tombstones import NO_TOMBSTONES, Tombstones
from relight_assets.errors import InterruptedRunError
from relight_assets.exports.snapshot import SAMPLES
from relight_assets.publishing.bucket import Bucket, Recorded, at_once
from relight_assets.publishing.publish import Progress
from relight_assets.publishing.stores import StoreOptions
from relight_assets.publishing.trees import FILES, MANIFEST, Listed, files_sha256, listed_files


@dataclass(frozen=True)
class PublishFault:
    """What is wrong with an object."""

    path: str
    what: str


@dataclass(frozen=True)
class Checked:
    """What a check found."""

    name: str
    files: int = 0
    """That were compared."""
    size: int = 0
    """Of them, in bytes."""
    manifest_sha256: str | None = None
    faults: list[PublishFault] = field(default_factory=list)


def check_tree(
    name: str,
    destination: Destination,
    store: StoreOptions,
    *,
    download: bool,
    tombstones: Tombstones = NO_TOMBSTONES,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Checked:
    """Compare each object of a published tree with the list that is published with it.

    Args:
        name: of the tree.
        destination: where it lies.
        store: of a store that speaks S3.
        download: read the bytes of each object, instead of asking for size and recorded sha256.
        tombstones: photos of which nothing may be published.
        watch: given how far it is.

    Raises:
        UserError: a package is missing.
        DestinationError, PublishStoppedError: the destination cannot be asked.
        InterruptedRunError: somebody pressed Ctrl-C.
    """

    async def check() -> Checked:
        with Bucket(destination, store, create=False) as bucket:
            checked = await _compared(name, bucket, download=download, watch=watch)
            checked.faults.extend(await _forgotten(name, bucket, tombstones))
            return checked

    try:
        return asyncio.run(check())
    except KeyboardInterrupt:
        raise InterruptedRunError("stopped; nothing was changed") from None


async def _compared(name: str, bucket: Bucket, *, download: bool, watch: Callable[[Progress], None]) -> Checked:
    manifest, listed = await bucket.read(f"{name}/{MANIFEST}"), await bucket.read(f"{name}/{FILES}")
    if manifest is None:
        return Checked(name, faults=[PublishFault(MANIFEST, "it is not there: nothing, or not all, is published")])
    checked = Checked(name, manifest_sha256=sha256_hex(manifest))
    if listed is None or sha256_hex(listed) != files_sha256(manifest):
        checked.faults.append(PublishFault(FILES, "it is not the list that the manifest names; publish again"))
        return checked
    rows = listed_files(listed)
    if rows is None:
        checked.faults.append(PublishFault(FILES, "it is no list of published files, although its sha256 is right"))
        return checked
    all_size, done, done_size = sum(row.size for row in rows), 0, 0

    async def compare(row: Listed) -> None:
        nonlocal done, done_size
        path, size, sha256 = row
        found = await (bucket.hashed if download else bucket.recorded)(f"{name}/{path}")
        if (what := _fault(found, size, sha256)) is not None:
            checked.faults.append(PublishFault(path, what))
        done, done_size = done + 1, done_size + size
        watch(Progress(done, len(rows), done_size, all_size))

    await at_once(compare, rows)
    checked.faults.sort(key=lambda fault: fault.path)
    return Checked(name, len(rows), all_size, checked.manifest_sha256, checked.faults)


async def _forgotten(name: str, bucket: Bucket, tombstones: Tombstones) -> list[PublishFault]:
    """That pairs of forgotten photos are published, if they are."""
    data = await bucket.read(f"{name}/{SAMPLES}") if tombstones.reasons else None
    if data is None:
        return []
    try:
        rows = csv_reader(data.decode())
        photo = next(rows, []).index("source_sha256")
        count = sum(row[photo] in tombstones for row in rows if row)
    except (ValueError, IndexError, csv.Error):
        return [PublishFault(SAMPLES, "nobody can tell whether it has forgotten photos: it cannot be read")]
    what = (
        f"{counted(count, 'pair')} of photos that are forgotten: run `relight forget`, export, and publish with "
        f"--delete, or take all of it away with `relight withdraw`"
    )
    return [PublishFault(SAMPLES, what)] if count else []


def _fault(found: Recorded | None, size: int, sha256: str) -> str | None:
    if found is None:
        return "it is not there"
    if found.size != size:
        return f"it has {found.size} bytes, not {size}"
    if found.sha256 is None:
        return "no sha256 is recorded beside it: something else wrote it; --download reads its bytes"
    return None if found.sha256 == sha256 else "it has other bytes than the list says"
