"""The thumbnail of an image, written by the worker, which has its pixels."""

import logging

from relight_assets.core.best_effort import best_effort
from relight_assets.dataset.derived.thumbnails import of_photo, of_record, shown_files, write_thumbnail
from relight_assets.dataset.record_types import RecordStamps
from relight_assets.engine.worker.artifacts import ImageArtifacts, WorkerContext

_LOG = logging.getLogger(__name__)


def keep_thumbnail(context: WorkerContext, artifacts: ImageArtifacts, record: RecordStamps) -> None:
    """Write the thumbnail of a finished image.  One that cannot be written costs no image: a gallery makes it anew."""
    with best_effort("a thumbnail", _LOG.warning):
        files = dict(shown_files(record))
        pictures = [artifacts.read(name, files) for name in files]
        write_thumbnail(context.layout, record.index, pictures, of_record(record))


def keep_photo_thumbnail(context: WorkerContext, artifacts: ImageArtifacts, index: int) -> None:
    """Write the thumbnail of a photo of which nothing can be made, where it was decoded."""
    if artifacts.ahead is not None:
        with best_effort("a thumbnail", _LOG.warning):
            decoded = artifacts.ahead
            write_thumbnail(context.layout, index, [decoded.rgb], of_photo(decoded.source.sha256))
