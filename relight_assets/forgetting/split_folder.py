"""Removing photos from the folder of a split.

The order is what makes a kill at any moment harmless: the record goes last, so whoever comes next still knows whose the
rest is.  Before any picture goes, no mapping names it.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.derived.gallery_files import gallery_files
from relight_assets.dataset.layout import FAILURE_SUFFIX, RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.records import read_failure, write_failure
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.run import COMPARISON, CONTACT_SHEET
from relight_assets.engine.state.image_state import failed
from relight_assets.errors import ForgottenError
from relight_assets.forgetting.eraser import Eraser
from relight_assets.forgetting.output_csvs import OutputCsvs
from relight_assets.forgetting.survey import Folder, Trace
from relight_assets.forgetting.tables import Row, kept_csv, kept_parquet

_CLAIMS = frozenset({FAILURE_SUFFIX, RECORD_SUFFIX})


@dataclass(frozen=True)
class FolderEraser:
    """Removes photos from one folder, of which the caller is the only writer."""

    folder: Folder
    settings: Settings
    tombstones: Tombstones
    eraser: Eraser

    @property
    def _layout(self) -> SplitLayout:
        return self.folder.layout

    def clear(self, traces: Collection[Trace]) -> None:
        """Remove what lies under these numbers.

        A row that the CSV still has keeps its name and its number, and is rejected from now on; of one that is gone the
        name goes too.

        Raises:
            OSError: the CSV's place, the folder's index or its origin cannot be read.
        """
        rows = self.folder.rows(self.settings) if traces else None
        gone = [trace for trace in traces if rows is not None and trace.key not in rows]
        todo = [trace for trace in traces if trace in gone or not trace.is_rejection]
        if todo:
            numbers, keys = {trace.number for trace in todo}, {trace.key for trace in todo}
            OutputCsvs(self.folder, self.settings, numbers, keys).clear(self.eraser)
        with self.eraser.within(self._layout.folder):
            self._clear_tables()
            if traces:
                self._drop_cache()
            self._remove_previews(before=None if todo else self._last_rejection(traces))
            self._remove_thumbnails(traces)
            if todo:
                self._clear_numbers(todo, gone)

    def _clear_numbers(self, todo: Collection[Trace], gone: Collection[Trace]) -> None:
        """Remove the files of images, the names of those whose rows are gone, and last what claims the files."""
        self._show_changed()
        for trace in todo:
            for last in sorted(trace.files - _CLAIMS):
                self.eraser.remove(self._path(trace, last), "pictures")
        self._remove_names(gone)
        for trace in todo:
            self._remove_claims(trace, rejects=trace not in gone)

    def _show_changed(self) -> None:
        """Have whoever has scanned the folder before see that it is another now: ``scan.is_unchanged``."""
        with suppress(FileNotFoundError):
            data = self.eraser.storage.read(self._layout.recipe)
            if data is not None:
                self.eraser.put(self._layout.recipe, data, "", 0)

    def _clear_tables(self) -> None:
        """Take the photos' rows out of the label tables, which may be of an earlier run."""
        for path, kept_of in ((self._layout.samples, kept_csv), (self._layout.samples_parquet, kept_parquet)):
            if self.eraser.storage.kind(path) != "a file":
                continue
            with self.eraser.trying(path):
                try:
                    kept = kept_of(path, self._is_forgotten)
                except ValueError:
                    kept = None
                if kept is None:  # it can be written anew at any time
                    self.eraser.remove(path, "label tables")
                elif kept.dropped:
                    self.eraser.put(path, kept.data, "label rows", len(kept.dropped))

    def _drop_cache(self) -> None:
        """Remove the cache of the records, which may hold what one said long after it is gone."""
        cache, storage = self._layout.record_cache, self.eraser.storage
        if storage.kind(cache) == "a file":
            self.eraser.do(cache, "", partial(storage.remove, cache), 0)

    def _is_forgotten(self, row: Row) -> bool:
        return row.get("source_sha256") in self.tombstones

    def _remove_previews(self, *, before: int | None) -> None:
        """Remove what may show or name the photos, and is made anew by the next run.

        ``before``: only what was last written by then, mtime in ns; None: all.
        """
        layout = self._layout
        previews = {layout.folder / CONTACT_SHEET: "sheets", layout.folder / COMPARISON: "sheets"}
        previews |= dict.fromkeys(gallery_files(layout), "files of the gallery")
        for path, kind in (previews | {layout.progress: "progress files"}).items():
            with suppress(FileNotFoundError):
                written = path.stat().st_mtime_ns
                if before is None or written <= before:
                    self.eraser.remove(path, kind)

    def _remove_thumbnails(self, traces: Iterable[Trace]) -> None:
        """Remove the photos' own; before the records, by which the next call finds their numbers."""
        for number in self._layout.thumbnail_numbers() & {trace.number for trace in traces}:
            self.eraser.remove(self._layout.thumbnail(number), "thumbnails")

    def _last_rejection(self, traces: Iterable[Trace]) -> int:
        """When a photo was last rejected here, mtime in ns: a run may have removed it, and left what shows it."""
        last = 0
        for trace in traces:
            if trace.code == ForgottenError.code:
                with suppress(FileNotFoundError):
                    last = max(last, self._layout.failure(trace.number).stat().st_mtime_ns)
        return last

    def _remove_names(self, gone: Iterable[Trace]) -> None:
        """Take the names of rows that are gone out of the index; their numbers are not given again."""
        numbers = {trace.key: trace.number for trace in gone}
        index = lasting_index.load(self._layout)
        # No cell ends in a slash once it is tidied, so no row ever has such a name.
        renamed = {
            (f"forgotten/{number:05d}/" if numbers.get(key) == number else key): number for key, number in index.items()
        }
        if renamed != index:
            path, count = self._layout.index_csv, len(renamed.keys() - index.keys())
            self.eraser.do(path, "names in the index", partial(lasting_index.extend, self._layout, (), renamed), count)

    def _remove_claims(self, trace: Trace, *, rejects: bool) -> None:
        """Remove record and failure, unless some of the rest has stayed; leave a rejection where one is needed."""
        rest = (self._path(trace, last) for last in trace.files - _CLAIMS)
        if not self.eraser.dry_run and any(map(self.eraser.storage.kind, rest)):
            return
        if rejects and trace.code != ForgottenError.code:
            self._reject(trace)
        elif not rejects and FAILURE_SUFFIX in trace.files:
            self.eraser.remove(self._layout.failure(trace.number), "failures")
        if RECORD_SUFFIX in trace.files:
            self.eraser.remove(self._layout.record(trace.number), "records")

    def _reject(self, trace: Trace) -> None:
        """Put the rejection in the place of the failure, if any; by its seal a run need not read the photo."""
        seal = self.tombstones.seal(trace.source) if trace.source is not None else None
        failure = failed(trace.key, trace.number, ForgottenError(), "masks", previous=None, digest=seal)
        path = self._layout.failure(trace.number)
        replaced = FAILURE_SUFFIX in trace.files and read_failure(path, self.eraser.storage) is not None
        self.eraser.do(path, "failures", partial(write_failure, self._layout, failure), int(replaced))

    def _path(self, trace: Trace, last: str) -> Path:
        return self._layout.folder / f"{trace.number:05d}_{last}"
