"""One destination, asked many things at a time; what goes wrong in it is an error of ours, with a sentence."""

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from typing_extensions import Self

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError
from relight_assets.publishing.request_threads import RequestThreads
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
    """A destination that is open, for as long as a block runs.  Keys are relative to its prefix.

    Every method raises DestinationError or PublishStoppedError where the store fails.  When credentials have expired
    they are asked for once more.
    """

    def __init__(self, destination: Destination, options: StoreOptions, *, create: bool):
        self.destination = destination
        self._options, self._create = options, create
        self._open = open_store(destination, options, create=create)
        self._threads = RequestThreads()
        self._renewing = asyncio.Lock()
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.close()

    @property
    def keeps_sha256(self) -> bool:
        """Whether objects have a sha256 beside them; files of a folder are read instead."""
        return self.destination.kind != "folder"

    async def listing(self, name: str) -> dict[str, Present]:
        """Every object of a tree, by its path in it."""

        async def ask(store: "ObjectStore") -> dict[str, Present]:
            found: dict[str, Present] = {}
            pages = iter(store.list(name, chunk_size=_LISTED_AT_ONCE))
            while page := await self._threads.run(lambda: next(pages, None)):
                for each in page:
                    if each["path"] != name:  # of an object that only stands for a folder, as consoles make
                        found[each["path"].removeprefix(f"{name}/")] = Present(each["size"], each["e_tag"])
            return found

        return await self._ask("list", ask)

    async def folders(self, name: str) -> list[str]:
        """What lies directly below a key and has more below it; of the destination where the key is empty."""

        async def ask(store: "ObjectStore") -> list[str]:
            found = await self._threads.run(lambda: store.list_with_delimiter(name or None))
            return sorted(found["common_prefixes"])

        return await self._ask("list", ask, missing=[])

    async def read(self, key: str) -> bytes | None:
        """An object that fits into memory; None where there is none."""

        async def ask(store: "ObjectStore") -> bytes | None:
            parts = [part async for part in self._parts_of(store, key)]
            return b"".join(parts)

        return await self._ask("read", ask, missing=None)

    async def recorded(self, key: str) -> Recorded | None:
        """Size and recorded sha256 of an object; of a file in a folder what it holds.  None where there is none."""

        async def ask(store: "ObjectStore") -> Recorded:
            found = await self._threads.run(lambda: store.get(key, options={"head": True}))
            return Recorded(found.meta["size"], found.attributes.get(_ATTRIBUTE))

        if not self.keeps_sha256:
            return await self.hashed(key)
        return await self._ask("read", ask, missing=None)

    async def hashed(self, key: str) -> Recorded | None:
        """Size and sha256 of the bytes of an object, read now; None where there is none."""

        async def ask(store: "ObjectStore") -> Recorded:
            digest, size = hashlib.sha256(), 0
            async for part in self._parts_of(store, key):
                digest.update(part)
                size += len(part)
            return Recorded(size, digest.hexdigest())

        return await self._ask("read", ask, missing=None)

    async def _parts_of(self, store: "ObjectStore", key: str) -> AsyncIterator[bytes]:
        """The bytes of an object; of a large one in several requests, each of which has its own time and tries."""
        found, data = await self._threads.run(lambda: _whole_if_small(store, key))
        if data is not None:
            yield data
            return
        for start in range(0, found, PART):
            end = min(start + PART, found)
            yield bytes(await self._threads.run(partial(store.get_range, key, start=start, end=end)))

    async def upload(self, key: str, file: TreeFile) -> str | None:
        """Upload a file with its sha256 beside it, whole or not at all; the tag of the upload.

        Raises:
            ChangedOutputError, OutputFolderError: it is not what is recorded of it, or cannot be read.
        """
        if file.size <= PART:
            return await self.put(key, await self._threads.run(lambda: read_whole(file)), file.sha256)

        def put(store: "ObjectStore") -> str | None:
            return store.put(
                key,
                self._until_closed(read_parts(file)),
                attributes=self._attributes(key, file.sha256),
                chunk_size=max(PART, -(-file.size // _MAX_PARTS)),
                max_concurrency=_PARTS_AT_ONCE,
            )["e_tag"]

        async with self._large:
            return await self._ask("write", lambda store: self._threads.run(lambda: put(store)))

    async def put(self, key: str, data: bytes, sha256: str) -> str | None:
        """Write an object with its sha256 beside it; the tag of the upload."""

        def put(store: "ObjectStore") -> str | None:
            return store.put(
                key, data, attributes=self._attributes(key, sha256), use_multipart=len(data) > PART, chunk_size=PART
            )["e_tag"]

        return await self._ask("write", lambda store: self._threads.run(lambda: put(store)))

    async def remove(self, keys: list[str]) -> None:
        """Remove objects; it does not matter whether they are there."""

        async def ask(store: "ObjectStore") -> None:
            for first in range(0, len(keys), _LISTED_AT_ONCE):
                await self._threads.run(partial(store.delete, keys[first : first + _LISTED_AT_ONCE]))

        await self._ask("remove", ask, missing=None)

    def _until_closed(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """Parts of a file, until nobody waits for its upload any more: then that fails, and leaves no object."""
        for part in parts:
            if self._threads.closed:
                raise InterruptedError
            yield part

    def _attributes(self, key: str, sha256: str) -> dict[Any, str] | None:
        if not self.keeps_sha256:
            return None
        kind = mimetypes.guess_type(key)[0]
        return {_ATTRIBUTE: sha256, **({"Content-Type": kind} if kind is not None else {})}

    async def _ask(self, doing: str, ask: Callable[["ObjectStore"], Awaitable[_T]], **missing: _T) -> _T:
        """What the store answers; ``missing`` where there is no such object."""
        from obstore.exceptions import BaseError  # of the extra alone

        # For a missing object, a key that is no path, and what a store cannot do, obstore raises Python's own errors.
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


def _whole_if_small(store: "ObjectStore", key: str) -> tuple[int, bytes | None]:
    """The size of an object, and its bytes unless it is large."""
    found = store.get(key)
    size = found.meta["size"]
    return size, bytes(found.bytes()) if size <= PART else None


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
