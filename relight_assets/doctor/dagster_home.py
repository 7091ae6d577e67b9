"""Dagster's home: where it is, and whether its databases can be used, as far as their files tell."""

import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from relight_assets.config.parsing.yaml_reader import read_yaml_mapping
from relight_assets.config.settings import Settings
from relight_assets.errors import ConfigError
from relight_assets.storage.folders import write_fault

LOST_WITH_IT = "that costs the history of runs and the switches of sensors and schedules, no image and no record"
"""What it costs to delete the history."""
OPENED_BY_EVERY_RUN = ("runs.db", "index.db", "schedules.db")
"""The databases that are not one run's alone."""
_PATTERN = re.compile(r"[*?[]")
"""Dagster looks for its own settings by a pattern made of the path, and does not find them."""
_ADDRESS = re.compile(r"\?|%[0-9A-Fa-f]{2}")
"""Dagster puts the path into an address as it is, so that SQLite opens another file."""


def home_folder(settings: Settings, environ: Mapping[str, str]) -> Path:
    """DAGSTER_HOME, or else ``dagster_home`` of the settings."""
    return Path(environ.get("DAGSTER_HOME") or settings.dagster_home)


def check_home(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The home, in which Dagster can keep its history as far as can be seen before it is opened; nothing is made.

    Raises:
        ConfigError: it cannot be written, or its path is one that Dagster does not find again.
    """
    given, home = environ.get("DAGSTER_HOME"), home_folder(settings, environ)
    if given and not (home.is_absolute() and home.is_dir()):
        raise ConfigError(f"DAGSTER_HOME={given} must be the full path of a folder that exists")
    name = "DAGSTER_HOME" if given else "dagster_home"
    other = "set it" if given else "set dagster_home in config/platform.yaml (RELIGHT_DAGSTER_HOME)"
    if odd := _PATTERN.search(str(home)) or (_ADDRESS.search(str(home)) if is_on_sqlite(home) else None):
        raise ConfigError(
            f"{name} {home}: Dagster cannot keep its history in a folder whose path holds `{odd[0]}`; {other} to "
            "another folder"
        )
    if (fault := write_fault(home)) is not None:
        raise ConfigError(
            f"{name} {home} cannot be written: {fault}; mend that, or {other} to a folder that can be written"
        )
    return home


def is_on_sqlite(home: Path) -> bool:
    """Whether the history is in the home itself, as it is unless its ``dagster.yaml`` names another place."""
    try:
        return not {"storage", "run_storage"} & set(read_yaml_mapping(home / "dagster.yaml"))
    except ConfigError:  # there is none, or Dagster will say what is wrong with it
        return True


def what_to_delete(home: Path) -> str:
    """What of a home to delete to begin anew; a folder that somebody made has settings of theirs."""
    return str(home) if home.name == ".dagster_home" else f"all in {home} but dagster.yaml"


def damaged(home: Path) -> list[Path]:
    """The SQLite files below a folder that are damaged.  Nothing is written."""
    return [path for path in databases(home) if not _is_whole(path)]


def not_writable(home: Path) -> list[Path]:
    """The SQLite files below a folder that may not be written by this user, and folders in which none can be made."""
    folders = [folder for folder in (home / "history", home / "history" / "runs") if folder.is_dir()]
    closed = [folder for folder in folders if write_fault(folder) is not None]
    return closed + [path for path in databases(home) if not os.access(path, os.R_OK | os.W_OK)]


def databases(home: Path) -> list[Path]:
    """The SQLite files below a folder."""
    return sorted(home.rglob("*.db"))


def _is_whole(path: Path) -> bool:
    # A reader of a file in WAL mode would make the file that readers and writers share; without one nobody has it open.
    alone = "" if os.path.lexists(f"{path}-shm") else "&immutable=1"
    address = f"{path.absolute().as_uri()}?mode=ro{alone}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # locked, or not to be read: that is something else
        return True
    except sqlite3.DatabaseError:
        return False
