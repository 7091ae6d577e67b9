"""Publishing one tree: what is missing, then what changed, and last the manifest, without which nothing is published.

New objects harm no reader, so they go first.  Before the first object is replaced the manifest is removed; it is
written again when a listing shows that all else is there.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from relight_assets.config.datasets.publish import Destination
from relight_assets.core.hashing import sha256_hex
from relight_assets.errors import InterruptedRunError, PublishStoppedError
from relight_assets.publishing.bucket import Bucket, Present, at_once
from relight_assets.publishing.plan import UPLOADS, Plan, Upload, make_plan, uploads_csv
from relight_assets.publishing.store_errors import AGAIN
from relight_assets.publishing.stores import AMAZON, StoreOptions
from relight_assets.publishing.trees import MANIFEST, Tree, TreeFile

_NOTED_FROM = 1000
"""Uploads after which the list of uploads is written for the first time, and again after each quarter more: of an
interrupted publication few objects must be asked for their sha256."""


@dataclass(frozen=True)
class Progress:
    """How far an upload is: files and bytes, of how many."""

    files: int
    all_files: int
    size: int
    all_size: int


@dataclass(frozen=True)
class Published:
    """What publishing a tree did, or would do."""

    name: str
    objects: int
    """With the manifest."""
    size: int
    """Of all of them, in bytes."""
    uploaded: Sequence[str]
    """Paths of the files that were uploaded, but for the manifest."""
    uploaded_size: int
    replaced: int
    """How many of them lay there with other bytes."""
    unchanged: int
    left: Sequence[str]
    """Objects that are there and not in the tree."""
    removed: Sequence[str]
    manifest_sha256: str
    changed: bool
    """False: all was there already."""
    unlisted: int = 0


@dataclass(frozen=True)
class PublishOptions:
    """What publishing is asked for."""

    store: StoreOptions = AMAZON
    dry_run: bool = False
    """Say what would be done, and change nothing."""
    delete: bool = False
    """Remove what earlier publications have left, after the manifest is written."""


def publish_tree(
    tree: Tree,
    destination: Destination,
    options: PublishOptions,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Published:
    """Publish a tree.

    Args:
        tree: the files.
        destination: where to.
        options: what is asked for.
        watch: given how far it is, after each file.

    Raises:
        UserError: a package is missing.
        DestinationError: the destination cannot be used.
        PublishStoppedError: it failed half way; the same call goes on from there.
        ChangedOutputError, OutputFolderError: a file is not what is recorded of it, or cannot be read.
        InterruptedRunError: somebody pressed Ctrl-C.
    """
    destination.refuse_link(tree.name)
    try:
        return asyncio.run(_publish(tree, destination, options, watch))
    except KeyboardInterrupt:
        raise InterruptedRunError(f"stopped; what is uploaded of {tree.name} stays there, and {AGAIN}") from None


async def _publish(
    tree: Tree, destination: Destination, options: PublishOptions, watch: Callable[[Progress], None]
) -> Published:
    with Bucket(destination, options.store, create=not options.dry_run) as bucket:
        plan = await make_plan(tree, bucket)
        publication = _Publication(tree, bucket, plan, watch)
        ours = await publication.ours() if options.delete else []
        if not options.dry_run:
            await publication.run()
            await bucket.remove([f"{tree.name}/{path}" for path in ours])
    return Published(
        tree.name,
        len(tree.files) + 1,
        tree.size,
        [file.path for file in plan.to_upload],
        sum(file.size for file in plan.to_upload),
        len(plan.changed),
        len(plan.unchanged),
        sorted({*plan.left} - {*ours}),
        ours,
        tree.manifest.sha256,
        changed=not plan.is_done,
        unlisted=tree.unlisted,
    )


@dataclass
class _Publication:
    """The steps of publishing one tree."""

    tree: Tree
    bucket: Bucket
    plan: Plan
    watch: Callable[[Progress], None]
    _done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._uploads = dict(self.plan.uploads)
        self._note_at = _NOTED_FROM
        self._all_files = len(self.plan.new) + len(self.plan.changed)
        self._all_size = sum(file.size for file in self.plan.to_upload)

    async def run(self) -> None:
        if self.plan.is_done:
            if self.plan.asked > 1:  # the list of uploads is gone: the next time one listing is to do
                await self._write_uploads()
            return
        await at_once(self._upload, self.plan.new)
        if self.plan.changed and MANIFEST in self.plan.present:
            await self.bucket.remove([self._key(MANIFEST)])
        await at_once(self._upload, self.plan.changed)
        await self._check_all()
        await self._write_uploads()
        await self.bucket.upload(self._key(MANIFEST), self.tree.manifest)

    async def ours(self) -> list[str]:
        """Of what the tree does not have: what publications have left there, as the list or the object itself says."""
        found = [path for path in self.plan.left if path in self._uploads]

        async def ask(path: str) -> None:
            recorded = await self.bucket.recorded(self._key(path))
            if recorded is not None and recorded.sha256 is not None:
                found.append(path)

        if self.bucket.keeps_sha256:
            await at_once(ask, [path for path in self.plan.left if path not in self._uploads])
        return sorted(found)

    def _key(self, path: str) -> str:
        return f"{self.tree.name}/{path}"

    async def _upload(self, file: TreeFile) -> None:
        tag = await self.bucket.upload(self._key(file.path), file)
        self._uploads[file.path] = Upload(file.size, file.sha256, tag)
        self._done.update(files=1, size=file.size)
        self.watch(Progress(self._done["files"], self._all_files, self._done["size"], self._all_size))
        if self._done["files"] >= self._note_at:
            self._note_at += max(_NOTED_FROM, len(self._uploads) // 4)
            await self._write_uploads()

    async def _check_all(self) -> None:
        """See that a listing shows every file of the tree as it was uploaded.

        Raises:
            PublishStoppedError: one is not.
        """
        now = await self.bucket.listing(self.tree.name)
        others = [file.path for file in self.tree.files if not self._is_as_uploaded(file, now.get(file.path))]
        if others:
            raise PublishStoppedError(
                f"{self.bucket.destination}: {len(others)} objects are not there as they were uploaded, such as "
                f"{self._key(others[0])}: something else writes there, or the store lost them; {AGAIN}"
            )

    def _is_as_uploaded(self, file: TreeFile, now: Present | None) -> bool:
        if now is None or now.size != file.size:
            return False
        tag = self._uploads[file.path].tag
        return tag is None or now.tag is None or tag == now.tag

    async def _write_uploads(self) -> None:
        """Write which upload of each object has which sha256, those of earlier publications too."""
        data = uploads_csv(sorted(self._uploads.items()))
        await self.bucket.put(self._key(UPLOADS), data, sha256_hex(data))
