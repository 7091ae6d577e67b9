"""The card of an export for machines: croissant.json, in the Croissant format of MLCommons.

The library that defines the format writes and checks it.  No date, no URL and no citation is in it: those are the
publisher's, and the same pairs give the same bytes.
"""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from relight_assets.exports.base import IMAGES, IndexInputs, Role
from relight_assets.exports.cards.columns import meanings
from relight_assets.exports.cards.counts import Counts
from relight_assets.exports.cards.sides import MASK, condition_of, target_of
from relight_assets.exports.rows.labels import types
from relight_assets.exports.rows.licences import licences_in
from relight_assets.exports.snapshot import SAMPLES, WrittenFile

if TYPE_CHECKING:
    import mlcroissant as mlc

CROISSANT = "croissant.json"
NEEDS = "mlcroissant"
_FORMATS = {
    ".csv": "text/csv", ".jsonl": "application/jsonlines", ".json": "application/json", ".toml": "application/toml",
    ".yaml": "application/yaml", ".parquet": "application/x-parquet", ".tar": "application/x-tar", ".png": "image/png",
}  # fmt: skip
"""MIME types by suffix."""


def can_write() -> bool:
    """Whether the library is installed."""
    return find_spec(NEEDS) is not None


def library() -> Any:
    """The library.  It brings a handler of logs, which is kept from closing a stream that is not its own."""
    import mlcroissant
    from absl import logging as absl_logging  # noqa: PLC0415  (of the extra alone)

    # Whoever configures logging, as Dagster does, closes all handlers; this one would close what was the standard error
    # when it was imported, unless that is the standard error still.
    absl_logging.get_absl_handler().python_handler.setStream(sys.__stderr__)
    return mlcroissant


def write_croissant(folder: Path, inputs: IndexInputs, counts: Counts, files: Iterable[WrittenFile]) -> None:
    """Write croissant.json, and have the library read and check it.

    Args:
        folder: where the snapshot is being written.
        inputs: of the files beside the pairs.
        counts: over all pairs.
        files: shards and files beside the pairs, samples.csv among them.

    Raises:
        OSError: it cannot be written.
    """
    mlc = library()
    with _without_recommendations():
        content = _Card(mlc, inputs, counts).metadata(files).to_json()
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / CROISSANT).write_text(f"{text}\n", encoding="utf-8")
        mlc.Dataset(jsonld=folder / CROISSANT)


@contextmanager
def _without_recommendations() -> Iterator[None]:
    """The library warns of what is the publisher's to say; faults are raised all the same."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Card:
    """Makes the parts of the description."""

    def __init__(self, library: Any, inputs: IndexInputs, counts: Counts):
        self._mlc, self._inputs, self._counts = library, inputs, counts
        made = " or ".join(sorted(counts.backgrounds))
        self._shows: Mapping[Role, str] = {
            "target": target_of(inputs.options, made),
            "condition": condition_of(inputs.options, made),
            "mask": MASK,
        }

    def metadata(self, files: Iterable[WrittenFile]) -> "mlc.Metadata":
        split, pairs, photos = self._inputs.split, self._counts.pairs, self._counts.photos
        return self._mlc.Metadata(
            name=f"relighting-pairs-{split}",
            description=(
                f"{pairs} pairs of pictures of people for relighting, made of {photos} photos by relight_assets. "
                f"Target: {self._shows['target']}. Condition: {self._shows['condition']}."
            ),
            license=self._licences(),
            keywords=["relighting", "portraits", "image-to-image"],
            version="1.0.0",
            distribution=[*map(self._file, files), *self._sets()],
            record_sets=[self._labels(), *self._pictures()],
        )

    def _licences(self) -> list[str]:
        """Each licence as the CSV writes it; ``none given`` where a photo has none."""
        return sorted({part for licence in self._counts.licences for part in licences_in(licence)})

    def _file(self, file: WrittenFile) -> "mlc.FileObject":
        return self._mlc.FileObject(
            id=file.path,
            name=file.path,
            content_url=file.path,
            content_size=f"{file.size} B",
            encoding_formats=[_FORMATS.get(PurePosixPath(file.path).suffix, "application/octet-stream")],
            sha256=file.sha256,
        )

    def _sets(self) -> list["mlc.FileSet"]:
        """The pictures, where each is a file, or all shards that a reader of this format opens."""
        return [
            self._mlc.FileSet(id=name, name=name, includes=[pattern], encoding_formats=[_FORMATS[suffix]])
            for name, pattern, suffix in self._patterns()
        ]

    def _patterns(self) -> Iterator[tuple[str, str, str]]:
        spec = self._inputs.spec
        if spec.shards is None:
            # A stem begins and ends with a digit: names that a layout puts after it are other pictures.
            yield from ((f"{role}-files", spec.files[role].format(stem="[0-9]*[0-9]"), ".png") for role in IMAGES)
        elif spec.shards.path.endswith(".parquet"):
            yield "shards", f"{PurePosixPath(spec.shards.path).parent}/*.parquet", ".parquet"

    def _labels(self) -> "mlc.RecordSet":
        """The rows of samples.csv."""
        data_types = {
            str: self._mlc.DataType.TEXT,
            int: self._mlc.DataType.INTEGER,
            float: self._mlc.DataType.FLOAT,
            bool: self._mlc.DataType.BOOL,
        }
        fields = [
            self._field(
                f"pairs/{column}", text, data_types[types()[column]], {"file_object": SAMPLES}, {"column": column}
            )
            for column, text in meanings().items()
        ]
        return self._mlc.RecordSet(id="pairs", name="pairs", description="The labels of each pair.", fields=fields)

    def _pictures(self) -> Iterator["mlc.RecordSet"]:
        if self._inputs.spec.shards is None:
            yield from map(self._pictures_of, IMAGES)
        elif any(self._patterns()):
            yield self._rows_of_shards()

    def _pictures_of(self, role: Role) -> "mlc.RecordSet":
        """The files of a role; their paths are what ``pairs/<role>`` holds."""
        name = f"{role}s"
        path = f"Its path, as pairs/{role} has it"
        image, source = self._mlc.DataType.IMAGE_OBJECT, {"file_set": f"{role}-files"}
        fields = [
            self._field(f"{name}/path", path, self._mlc.DataType.TEXT, source, {"file_property": "fullpath"}),
            self._field(f"{name}/image", self._shows[role], image, source, {"file_property": "content"}),
        ]
        return self._mlc.RecordSet(id=name, name=name, description=f"The {role} of each pair.", fields=fields)

    def _rows_of_shards(self) -> "mlc.RecordSet":
        """The rows of Parquet files, pictures inside."""
        texts = {"text": "caption", "stem": "stem", "image_path": "image_path", "licence": "licence"}
        source = {"file_set": "shards"}
        pictures = [
            self._field(
                f"rows/{self._inputs.spec.files[role]}",
                self._shows[role],
                self._mlc.DataType.IMAGE_OBJECT,
                {**source, "transforms": [self._mlc.Transform(json_path="bytes")]},
                {"column": self._inputs.spec.files[role]},
            )
            for role in IMAGES
        ]
        labels = [
            self._field(f"rows/{column}", meanings()[label], self._mlc.DataType.TEXT, source, {"column": column})
            for column, label in texts.items()
        ]
        return self._mlc.RecordSet(
            id="rows", name="rows", description="The rows of the shards.", fields=[*pictures, *labels]
        )

    def _field(
        self, name: str, text: str, data_type: Any, source: Mapping[str, Any], extract: Mapping[str, Any]
    ) -> "mlc.Field":
        return self._mlc.Field(
            id=name,
            name=name.partition("/")[2],
            description=text,
            data_types=[data_type],
            source=self._mlc.Source(**source, extract=self._mlc.Extract(**extract)),
        )
