"""One destination, asked many things at a time; what goes wrong in it is an error of ours, with a sentence."""

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from relight_assets.config.publish import Destination
from relight_assets.errors import DestinationError
from relight_assets.publishing.store_errors import StoreFault
from relight_assets.publishing.stores import OpenStore, StoreOptions, open_store
from relight_assets.publishing.trees import PART, TreeFile, read_parts, read_whole

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_T = TypeVar("_T")
_Item = TypeVar("_Item")
AT_ONCE = 16
"""Requests under way: small pictures wait for the store, not for the line."""
_LARGE_AT_ONCE = 2
"""Files that are uploaded in parts: each has several parts in memory."""
_PARTS_AT_ONCE = 4
_MAX_PARTS = 10_000
"""Of one object, in S3."""
_ATTRIBUTE = "sha256"
_LISTED_AT_ONCE = 1000


class Present(NamedTuple):
    """An object as a listing shows it: size in bytes, and the tag of this upload, where the store gives tags."""

    size: int
    tag: str | None


class Recorded(NamedTuple):
    """What an object says of itself: size in bytes and the sha256 beside it; None where it has none."""

    size: int
    sha256: str | None


class Bucket:
    """A destination that is open.  Keys are relative to its prefix.

    Every method raises DestinationError or PublishStoppedError where the store fails.  When credentials have expired
    they are asked for once more.
    """

    def __init__(self, destination: Destination, options: StoreOptions, *, create: bool):
        self.destination = destination
        self._options, self._create = options, create
        self._open = open_store(destination, options, create=create)
        self._renewing = asyncio.Lock()
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    @property
    def keeps_sha256(self) -> bool:
        """Whether objects have a sha256 beside them; files of a folder are read instead."""
        return self.destination.kind != "folder"

    async def listing(self, name: str) -> dict[str, Present]:
        """Every object of a tree, by its path in it."""

        async def ask(store: "ObjectStore") -> dict[str, Present]:
            found: dict[str, Present] = {}
            async for some in store.list(name, chunk_size=_LISTED_AT_ONCE):
                for each in some:
                    if each["path"] != name:  # of an object that only stands for a folder, as consoles make
                        found[each["path"].removeprefix(f"{name}/")] = Present(each["size"], each["e_tag"])
            return found

        return await self._ask("list", ask)

    async def read(self, key: str) -> bytes | None:
        """An object that fits into memory; None where there is none."""

        async def ask(store: "ObjectStore") -> bytes | None:
            parts = [part async for part in _parts_of(store, key)]
            return b"".join(parts)

        return await self._ask("read", ask, missing=None)

    async def recorded(self, key: str) -> Recorded | None:
        """Size and recorded sha256 of an object; of a file in a folder what it holds.  None where there is none."""

        async def ask(store: "ObjectStore") -> Recorded:
            found = await store.get_async(key, options={"head": True})
            return Recorded(found.meta["size"], found.attributes.get(_ATTRIBUTE))

        if not self.keeps_sha256:
            return await self.hashed(key)
        return await self._ask("read", ask, missing=None)

    async def hashed(self, key: str) -> Recorded | None:
        """Size and sha256 of the bytes of an object, read now; None where there is none."""

        async def ask(store: "ObjectStore") -> Recorded:
            digest, size = hashlib.sha256(), 0
            async for part in _parts_of(store, key):
                await asyncio.to_thread(digest.update, part)
                size += len(part)
            return Recorded(size, digest.hexdigest())

        return await self._ask("read", ask, missing=None)

    async def upload(self, key: str, file: TreeFile) -> str | None:
        """Upload a file with its sha256 beside it, whole or not at all; the tag of the upload.

        Raises:
            ChangedOutputError, OutputFolderError: it is not what is recorded of it, or cannot be read.
        """
        if file.size <= PART:
            return await self.put(key, await asyncio.to_thread(read_whole, file), file.sha256)

        async def ask(store: "ObjectStore") -> str | None:
            put = await store.put_async(
                key,
                read_parts(file),
                attributes=self._attributes(key, file.sha256),
                chunk_size=max(PART, -(-file.size // _MAX_PARTS)),
                max_concurrency=_PARTS_AT_ONCE,
            )
            return put["e_tag"]

        async with self._large:
            return await self._ask("write", ask)

    async def put(self, key: str, data: bytes, sha256: str) -> str | None:
        """Write an object with its sha256 beside it; the tag of the upload."""

        async def ask(store: "ObjectStore") -> str | None:
            put = await store.put_async(
                key, data, attributes=self._attributes(key, sha256), use_multipart=len(data) > PART, chunk_size=PART
            )
            return put["e_tag"]

        return await self._ask("write", ask)

    async def remove(self, keys: list[str]) -> None:
        """Remove objects; it does not matter whether they are there."""

        async def ask(store: "ObjectStore") -> None:
            for first in range(0, len(keys), _LISTED_AT_ONCE):
                await store.delete_async(keys[first : first + _LISTED_AT_ONCE])

        await self._ask("remove", ask, missing=None)

    def _attributes(self, key: str, sha256: str) -> dict[Any, str] | None:
        if not self.keeps_sha256:
            return None
        kind = mimetypes.guess_type(key)[0]
        return {_ATTRIBUTE: sha256, **({"Content-Type": kind} if kind is not None else {})}

    async def _ask(self, doing: str, ask: Callable[["ObjectStore"], Awaitable[_T]], **missing: _T) -> _T:
        """What the store answers; ``missing`` where there is no such object."""
        from obstore.exceptions import BaseError  # of the extra alone

        known = (BaseError, OSError, NotImplementedError, ValueError)
        open_now = self._open
        try:
            return await ask(open_now.store)
        except known as error:
            fault = StoreFault.of(error)
            if "missing" in missing and isinstance(error, FileNotFoundError) and fault.code != "NoSuchBucket":
                return missing["missing"]
        if fault.is_expired and await self._renewed(open_now):
            try:
                return await ask(self._open.store)
            except known as error:
                fault = StoreFault.of(error)
        raise fault.sentence(self.destination, doing, self._options.region) from None

    async def _renewed(self, before: OpenStore) -> bool:
        """Whether there are other credentials than those of ``before`` now."""
        if before.access_key is None:
            return False
        async with self._renewing:
            if self._open is before:
                try:
                    again = open_store(self.destination, self._options, create=False)
                except DestinationError:
                    return False
                if again.access_key != before.access_key:
                    self._open = again
            return self._open is not before


async def _parts_of(store: "ObjectStore", key: str) -> AsyncIterator[bytes]:
    """The bytes of an object; of a large one in several requests, each of which has its own time and tries."""
    found = await store.get_async(key)
    size = found.meta["size"]
    if size <= PART:
        yield bytes(await found.bytes_async())
        return
    for start in range(0, size, PART):
        yield bytes(await store.get_range_async(key, start=start, end=min(start + PART, size)))


async def at_once(work: Callable[[_Item], Awaitable[None]], items: Iterable[_Item]) -> None:
    """Do the same with many items, several at a time; the first error ends all of it."""
    rest = iter(items)

    async def worker() -> None:
        for item in rest:
            await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
