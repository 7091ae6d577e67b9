"""What a run will find in its folders: CSVs, room for its images, Dagster's history.  Writes nothing."""

import shutil
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import list_csvs, no_rows, shown
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.tombstones import read_tombstones
from relight_assets.doctor.dagster_home import (
    LOST_WITH_IT,
    OPENED_BY_EVERY_RUN,
    check_home,
    damaged,
    databases,
    is_on_sqlite,
    not_writable,
    what_to_delete,
)
from relight_assets.doctor.finding import Finding
from relight_assets.doctor.ports import PORT, port_fault
from relight_assets.doctor.temporary_folder import check_sockets, temporary_folder
from relight_assets.engine.disk_space import BYTES_PER_PIXEL, Needed, mib, needed_for
from relight_assets.engine.publish import check_output_csvs
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ConfigError, CsvError, ModelFileError, RelightError
from relight_assets.storage.folders import nearest, write_fault

LITTLE_ROOM = 2000
"""Portraits for which there should be room."""
SOME = 2
"""Photos of each split that nodes are asked for."""
LITTLE_SPACE = 100 << 20
"""Bytes that should be free where no images go: CSVs and Dagster's history."""


class Folders:
    """The folders of a project, looked at one after the other: the CSVs decide how much room is needed."""

    def __init__(self, recipe: Recipe, settings: Settings, environ: Mapping[str, str]):
        self._recipe, self._settings, self._environ = recipe, settings, environ
        self._usable: dict[str, Path] = {}
        self._needed = Needed()
        self.photos: list[Path] = []
        """Some of the CSVs' photos that are there: filled by :meth:`csvs`."""

    def csvs(self) -> Iterator[Finding]:
        """Which CSVs there are, which of them can be used, and what is wrong with the others."""
        folder, glob = self._settings.csv_dir, self._settings.csv_glob
        try:
            listed = list_csvs(folder, glob)
        except CsvError as error:
            yield Finding("csv folder", str(error), "make it, or name a CSV with `relight run --csv`")
            return
        bad: list[Finding] = []
        rows: list[str] = []
        for path, csv in listed.read_all():
            try:
                count = self._rows(csv)
            except RelightError as error:
                bad.append(Finding("csv", f"{shown(path.name)} cannot be used", str(error)))
            else:
                rows += [f"{csv.split} with {count:,} rows"] if isinstance(csv, SplitCsv) and count else []
                bad += [] if count else [Finding("csv", no_rows(path))]
        text = f"{len(rows)} can be used: {', '.join(rows)}" if rows else f"no CSV matches {glob}"
        if bad and not rows:
            text = "no CSV can be used"
        advice = None if rows else "put the CSV of a split there, or name one with `relight run --csv`"
        yield Finding("csv folder", f"{shown(str(folder))}: {text}", advice)
        yield from bad

    def _rows(self, csv: SplitCsv | CsvError) -> int:
        """How many rows a CSV has; what its images need is noted."""
        if isinstance(csv, CsvError):
            raise csv
        if not csv.lines:
            return 0
        try:
            state = load_split_state(csv, self._recipe, self._settings)
        except ModelFileError:  # reported under `models`; nothing of the split can be current
            self._usable[csv.split] = csv.path
            return len(csv.lines)
        if reason := refusal(state):
            raise CsvError(reason)
        self._usable[csv.split] = csv.path
        self.photos += islice((image.file for image in state.images.values() if image.file is not None), SOME)
        recipe, root = self._recipe, self._settings.photo_root
        self._needed += needed_for(
            _undone(state), state.variants, recipe.image_size, root, keep_light=recipe.keep_light
        )
        return len(csv.lines)

    def output_csvs(self) -> Iterator[Finding]:
        """Where the CSVs with the images go.

        Raises:
            OutputFolderError: they cannot be written.
        """
        anywhere = self._settings.csv_dir / "any_images.csv"
        places = self._usable.values() or ([anywhere] if anywhere.parent.is_dir() else [])
        for csv in places:
            check_output_csvs(csv, self._settings)
        for folder in dict.fromkeys(self._settings.mapping_dir or csv.parent for csv in places):
            yield Finding("output CSVs", f"to {shown(str(folder))}, {mib(_free(folder))} free", _little(folder))

    def outputs(self) -> Iterator[Finding]:
        """Where the images go, and whether there is room for them.

        Raises:
            OutputFolderError: the list of the photos that were forgotten cannot be read.
        """
        root = self._settings.output_root
        read_tombstones(root)
        own = [SplitLayout(split_folder(root, split)).folder for split in self._usable]
        for folder in (root, *own):
            if (fault := write_fault(folder)) is not None:
                advice = "mend that, or set output_root in config/platform.yaml (RELIGHT_OUTPUT_ROOT) to another folder"
                yield Finding("disk", f"{shown(str(folder))} cannot be written: {fault}", advice, blocks=True)
                return
        there, free = nearest(root), _free(root)
        room = int(free / (BYTES_PER_PIXEL * 1024 * 1024))
        text = f"{mib(free)} free for {shown(str(root))}: {room:,} portraits of 1024x1024"
        if self._needed.images:
            text += (
                f"; about {mib(self._needed.size)} will be written for {self._needed.images:,} images that are not done"
            )
        shortage = self._needed.shortage(there)
        little = f"free some space, or set output_root to another disk than {there}'s" if room < LITTLE_ROOM else None
        yield Finding("disk", text, shortage or little)

    def database(self) -> Iterator[Finding]:
        """Dagster's history.

        Raises:
            ConfigError: it cannot be kept where it is to be.
        """
        home = check_home(self._settings, self._environ)
        files = databases(home)
        if closed := not_writable(home):
            text = f"{_names(closed)} may not be written by this user"
            advice = "run as the user who owns them, or set dagster_home to another folder"
            every_run = any(path.name in OPENED_BY_EVERY_RUN or path.is_dir() for path in closed)
            yield Finding("database", text, advice, blocks=every_run)
            return
        if bad := damaged(home):
            advice = f"with nothing running, delete {what_to_delete(home)}: {LOST_WITH_IT}"
            every_run = any(path.name in OPENED_BY_EVERY_RUN for path in bad)
            yield Finding("database", f"Dagster's history is damaged: {_names(bad)}", advice, blocks=every_run)
            return
        text = f"{len(files)} files of Dagster's history can be read and written" if files else "no history yet"
        if not is_on_sqlite(home):
            text = "Dagster's history lies where dagster.yaml says, which was not looked at"
        yield Finding("database", f"{shown(str(home))}: {text}, {mib(_free(home))} free", _little(home))


def temporary(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Where temporary files go.

    Raises:
        ConfigError: nowhere.
    """
    folder = temporary_folder(environ)
    advice = _little(folder)
    try:
        check_sockets(environ)
    except ConfigError as error:
        advice = f"`relight dev` cannot start: {error}"
    yield Finding("temporary", f"{shown(str(folder))}, {mib(_free(folder))} free", advice)


def port() -> Iterator[Finding]:
    """The port of the UI."""
    fault = port_fault(PORT)
    advice = f"if that is not `relight dev`, take another port for it: `relight dev --port {PORT + 1}`"
    yield Finding("port", f"{PORT} {fault or 'is free'} on 127.0.0.1", advice if fault else None)


def _undone(state: SplitState) -> list[Path]:
    """The photos of the images that the next run will make."""
    return [
        image.file
        for image in state.images.values()
        if image.file is not None and image.failure is None and not image.is_whole
    ]


def _free(folder: Path) -> int:
    return shutil.disk_usage(nearest(folder)).free


def _little(folder: Path) -> str | None:
    free = _free(folder)
    return f"free some space: only {mib(free)} are free" if free < LITTLE_SPACE else None


def _names(files: list[Path]) -> str:
    more = len(files) - 5
    return shown(", ".join(map(str, files[:5]))) + (f" and {more} more" if more > 0 else "")
