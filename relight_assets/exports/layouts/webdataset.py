"""WebDataset: tar files, in which the files of a pair stand together under one stem."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from relight_assets.exports.base import ExportSpec, PairBytes, Role, Shards

NAMES: dict[Role, str] = {
    "target": "{stem}.image.png",
    "condition": "{stem}.conditioning_image.png",
    "mask": "{stem}.mask.png",
}
_BY_SUFFIX: dict[str, Role] = {name.removeprefix("{stem}."): role for role, name in NAMES.items()}
MAX_BYTES = 1_000_000_000
"""Of a shard, about: what WebDataset advises."""


def _write(path: Path, pairs: Iterable[PairBytes]) -> None:
    # USTAR without times and owners: the same pairs are the same bytes.
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for pair in pairs:
            for role, data in pair.images.items():
                _add(tar, NAMES[role].format(stem=pair.stem), data)
            row = {"image_path": pair.image_path, "text": pair.caption or None, "licence": pair.licence}
            _add(tar, f"{pair.stem}.json", json.dumps(row, ensure_ascii=False).encode())
            if pair.caption:
                _add(tar, f"{pair.stem}.txt", pair.caption.encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = len(data), 0, 0o644
    tar.addfile(member, io.BytesIO(data))


def _read(path: Path) -> Iterator[PairBytes]:
    members: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                stem, _, suffix = member.name.partition(".")
                if stem not in members:
                    yield from map(_pair, members.items())
                    members = {stem: {}}
                stream = tar.extractfile(member)
                data = stream.read() if stream is not None else b""
                if len(data) != member.size:
                    raise ValueError(f"it is cut off in {member.name}")
                members[stem][suffix] = data
    except tarfile.TarError as error:
        raise ValueError(f"it is damaged: {error}") from error
    yield from map(_pair, members.items())


def _pair(item: tuple[str, dict[str, bytes]]) -> PairBytes:
    stem, members = item
    images = {_BY_SUFFIX[suffix]: data for suffix, data in members.items() if suffix in _BY_SUFFIX}
    row = json.loads(members.get("json", b"{}"))
    return PairBytes(stem, row.get("image_path", ""), members.get("txt", b"").decode(), row.get("licence"), images)


EXPORT = ExportSpec(
    "webdataset",
    "webdataset, datasets",
    NAMES,
    start='webdataset.WebDataset("{folder}/*.tar"): image.png, conditioning_image.png, mask.png, txt, json',
    load="""import glob, webdataset
rows = webdataset.WebDataset(sorted(glob.glob("{folder}/*.tar")), shardshuffle=False).decode("pil")
target, condition, text = next(iter(rows.to_tuple("image.png", "conditioning_image.png", "json")))""",
    shards=Shards("{split}-{number:06d}.tar", MAX_BYTES, _write, _read),
)
