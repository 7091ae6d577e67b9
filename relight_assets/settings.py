"""Where and how the work is done: ``config/platform.yaml`` with the environment over it.

Nothing here changes a pixel.  Which files are read:

* the project is the nearest folder at or above the working directory that holds ``config/platform.yaml`` or
  ``config/mvp_config.yaml``; failing that, the checkout this package is installed from;
* ``RELIGHT_PLATFORM`` and ``RELIGHT_CONFIG`` name other files; ``RELIGHT_<KEY>`` overrides one key.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from relight_assets.errors import ConfigError
from relight_assets.recipe_yaml import LoadedRecipe, load_recipe, parse_recipe, parse_yaml, read_yaml_mapping, validate

ENV_PREFIX = "RELIGHT_"


def _auto_or_whole(low: int, high: int) -> BeforeValidator:
    def check(value: Any) -> Any:
        if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and low <= value <= high):
            return value
        raise ValueError(f"must be `auto` or a whole number from {low} to {high}")

    return BeforeValidator(check)


AutoCount = Annotated[int | str, _auto_or_whole(1, 4096)]
AutoMebibytes = Annotated[int | str, _auto_or_whole(64, 1 << 24)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
PATH_KEYS = ("csv_dir", "image_root", "output_root", "mapping_dir", "model_dir", "dagster_home")


class Settings(BaseModel):
    """The platform's settings.  All paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    csv_dir: Path = Path("data")
    csv_glob: Annotated[str, Field(min_length=1)] = "*_images.csv"
    image_root: Path | None = None
    output_root: Path = Path("data/outputs")
    mapping_dir: Path | None = None
    model_dir: Path | None = None
    dagster_home: Path = Path(".dagster_home")
    engine: Literal["local"] = "local"
    num_gpus: AutoCount = "auto"
    cpu_workers: AutoCount = "auto"
    threads: AutoCount = "auto"
    memory_mib: AutoMebibytes = "auto"
    batch: Annotated[int, Field(ge=1, le=1024)] = 4
    start_s: Seconds = 120.0
    hang_s: Seconds = 300.0
    max_megapixels: Annotated[float, Field(gt=0, le=1000)] = 64.0

    @property
    def max_pixels(self) -> int:
        """The largest picture that is decoded, in pixels."""
        return int(self.max_megapixels * 1e6)


def project_folder(start: Path | None = None) -> Path:
    """The project's folder, the one that holds ``config/``; the working directory when there is none."""
    here = (start or Path.cwd()).resolve()
    checkout = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, checkout):
        if any((folder / "config" / name).is_file() for name in ("platform.yaml", "mvp_config.yaml")):
            return folder
    return here


def platform_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The platform file: RELIGHT_PLATFORM, or the project's."""
    named = environ.get(f"{ENV_PREFIX}PLATFORM")
    return Path(named).absolute() if named else project_folder() / "config" / "platform.yaml"


def recipe_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The recipe file: RELIGHT_CONFIG, or the project's."""
    named = environ.get(f"{ENV_PREFIX}CONFIG")
    return Path(named).absolute() if named else project_folder() / "config" / "mvp_config.yaml"


def load_project_recipe(environ: Mapping[str, str] = os.environ) -> LoadedRecipe:
    """The project's recipe; all defaults where it has no recipe file.

    Raises:
        ConfigError: see :func:`relight_assets.recipe_yaml.load_recipe`.
    """
    file = recipe_file(environ)
    if not file.exists() and f"{ENV_PREFIX}CONFIG" not in environ:
        return parse_recipe({}, "defaults")
    return load_recipe(file)


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the platform file, if there is one, and the environment over it.

    Relative paths in the file are relative to its folder, or to that folder's parent where it is called
    ``config``; in the environment, to the working directory.

    Raises:
        ConfigError: names the file or variable, the key, what was found and what is allowed.
    """
    file = platform_file(environ)
    named = f"{ENV_PREFIX}PLATFORM" in environ
    data = read_yaml_mapping(file) if named or file.exists() else {}
    base = file.parent.parent if file.parent.name == "config" else file.parent
    validate(Settings, data, str(file))
    origin = str(file)
    placed = _absolute({**_defaults(), **data}, base)
    for key, value in _from_environment(environ).items():
        origin = f"{ENV_PREFIX}{key.upper()}"
        placed.update(_absolute({key: value}, Path.cwd()))
        validate(Settings, {key: value}, origin)
    return validate(Settings, placed, origin)


def _defaults() -> dict[str, Any]:
    return Settings().model_dump(mode="json")


def _absolute(data: Mapping[str, Any], base: Path) -> dict[str, Any]:
    placed = dict(data)
    for key in PATH_KEYS:
        if placed.get(key) is not None:
            try:
                placed[key] = str((base / Path(placed[key]).expanduser()).absolute())
            except RuntimeError:
                raise ConfigError(f"`{key}`: {placed[key]} names the home of a user that is not known here") from None
    return placed


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = {f"{ENV_PREFIX}{key.upper()}" for key in (*Settings.model_fields, "config", "platform")}
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else ""))
    for key in Settings.model_fields:
        name = f"{ENV_PREFIX}{key.upper()}"
        text = environ.get(name)
        if text is None or text == "":
            continue
        if key in PATH_KEYS or key == "csv_glob":
            found[key] = None if text == "null" else text
            continue
        found[key] = parse_yaml(text, name)
    return found
