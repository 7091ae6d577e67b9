"""Where and how the work is done: ``config/platform.yaml`` with the environment over it.

Nothing here changes a pixel.  Which files are read:

* the project is the nearest folder at or above the working directory that holds ``config/platform.yaml`` or
  ``config/mvp_config.yaml``; failing that, the checkout this package is imported from, if it is imported from one;
* ``RELIGHT_PLATFORM`` and ``RELIGHT_CONFIG`` name other files; ``RELIGHT_<KEY>`` overrides one key.
"""

import difflib
import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from relight_assets.config.engines import EngineName
from relight_assets.config.loader import HIDDEN_FAULT, LoadedRecipe, load_recipe, parse_recipe, validate
from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.config.yaml_reader import odd_character, parse_yaml, printable, read_yaml_mapping, shown
from relight_assets.core.hosts import host_names
from relight_assets.core.regular_files import ImageRoot
from relight_assets.errors import ConfigError

ENV_PREFIX = "RELIGHT_"
_MAX_PATH = 4096
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:/")
_OF_A_SERVICE = re.compile(
    rf"{ENV_PREFIX}(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)
"""Variables that Kubernetes sets in every pod for a service of the name ``relight`` or ``relight-...``."""


def _auto_or_whole(low: int, high: int, *words: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if value in ("auto", *words) or (
            isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        ):
            return value
        others = "".join(f"`{word}`, " for word in words)
        raise ValueError(f"must be {others}`auto` or a whole number from {low} to {high}")

    return BeforeValidator(check)


def _webhook(value: Any) -> Any:
    if value is None or (isinstance(value, str) and _is_webhook(value)):
        return value
    raise PydanticCustomError(
        HIDDEN_FAULT,
        "must be an http or https URL with a host, such as https://hooks.example.com/...; what was found is not shown, "
        "because it may be a secret",
    )


def _is_webhook(url: str) -> bool:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and url.isprintable() and " " not in url


HostNames = Annotated[tuple[str, ...], BeforeValidator(host_names)]
AutoCount = Annotated[int | str, _auto_or_whole(1, 4096)]
AutoCountOrNone = Annotated[int | str, _auto_or_whole(1, 4096, "none")]
AutoMebibytes = Annotated[int | str, _auto_or_whole(64, 1 << 24)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Webhook = Annotated[SecretStr, BeforeValidator(_webhook)]
PATH_KEYS = (
    "csv_dir",
    "image_root",
    "output_root",
    "mapping_dir",
    "model_dir",
    "dagster_home",
    "sam3.checkpoint",
    "sam3.directory",
    "albedo_model.file",
    "geometry_model.file",
)
_SUMS = ("sam3.sha256", "albedo_model.sha256", "geometry_model.sha256")
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Sam3Weights(BaseModel):
    """Where the weights of the SAM3 segmenters are; all None where nobody has any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path | None = None
    """The file ``sam3.pt``."""
    directory: Path | None = None
    """The repository for ``transformers``, with ``model.safetensors``."""
    sha256: Sha256 | None = None
    """If given, what the weights must be."""


class LocalModel(BaseModel):
    """A network that the user brings along; all None where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    """An ONNX file."""
    sha256: Sha256 | None = None
    """If given, what the file must be."""


LocalName = Literal["albedo_model", "geometry_model"]
LocalModels = Mapping[LocalName, LocalModel]

NO_WEIGHTS = Sam3Weights()
NO_MODEL = LocalModel()
NO_MODELS: LocalModels = MappingProxyType({"albedo_model": NO_MODEL, "geometry_model": NO_MODEL})


class Settings(BaseModel):
    """The platform's settings.  All paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    csv_dir: Path = Path("data")
    csv_glob: Annotated[str, Field(min_length=1)] = "*_images.csv"
    image_root: Path | None = None
    hard_links: bool = False
    output_root: Path = Path("data/outputs")
    mapping_dir: Path | None = None
    model_dir: Path | None = None
    sam3: Sam3Weights = NO_WEIGHTS
    albedo_model: LocalModel = NO_MODEL
    geometry_model: LocalModel = NO_MODEL
    dagster_home: Path = Path(".dagster_home")
    engine: EngineName = "local"
    num_gpus: AutoCountOrNone = "auto"
    cpu_workers: AutoCount = "auto"
    threads: AutoCount = "auto"
    memory_mib: AutoMebibytes = "auto"
    batch: Annotated[int, Field(ge=1, le=1024)] = 4
    start_s: Seconds = 120.0
    hang_s: Seconds = 300.0
    max_failed_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    watch: bool = True
    sweep_cron: Annotated[str, Field(min_length=9)] = "0 3 * * *"
    alert_webhook: Webhook | None = None
    ui_hosts: HostNames = ()
    max_megapixels: Annotated[float, Field(gt=0, le=1000)] = 64.0
    quality: Quality = DEFAULT_QUALITY

    @property
    def max_pixels(self) -> int:
        """The largest picture that is decoded, in pixels."""
        return int(self.max_megapixels * 1e6)

    @property
    def photo_root(self) -> ImageRoot | None:
        """What a row's file must lie in to be opened; None: anywhere."""
        return ImageRoot(self.image_root, hard_links=self.hard_links) if self.image_root is not None else None

    @property
    def local_models(self) -> LocalModels:
        """The networks that the user brings along, by their keys."""
        return {"albedo_model": self.albedo_model, "geometry_model": self.geometry_model}

    def quality_of(self, loaded: LoadedRecipe) -> Quality:
        """The thresholds for a recipe's pictures: ``quality``, and over it what the recipe's file gives of it."""
        return self.quality.with_given(loaded.quality)


def project_folder(start: Path | None = None) -> Path:
    """The project's folder, the one that holds ``config/``; the working directory when there is none."""
    here = (start or working_folder()).resolve()
    for folder in (here, *here.parents, *_checkout()):
        # Whatever is there: a pipe, a link to nothing or a closed folder is told, and not passed over for another one.
        if any(_is_there(folder / "config" / name) for name in ("platform.yaml", "mvp_config.yaml")):
            return folder
    return here


def _checkout() -> list[Path]:
    """The checkout that this package is imported from; none where it was installed from a wheel."""
    folder = Path(__file__).resolve().parents[2]  # of a wheel: site-packages, where a `config` is somebody else's
    try:
        project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [folder] if 'name = "relight_assets"' in project else []


def working_folder() -> Path:
    """The working directory.

    Raises:
        ConfigError: it is gone.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(
            "the working directory is gone, removed or unmounted: change to another, such as the project's"
        ) from None


def platform_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The platform file: RELIGHT_PLATFORM, or the project's.

    Raises:
        ConfigError: the variable holds no path.
    """
    return _named_file("platform", environ) or project_folder() / "config" / "platform.yaml"


def recipe_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The recipe file: RELIGHT_CONFIG, or the project's.

    Raises:
        ConfigError: the variable holds no path.
    """
    return _named_file("config", environ) or project_folder() / "config" / "mvp_config.yaml"


def _named_file(key: str, environ: Mapping[str, str]) -> Path | None:
    text = environ.get(_variable(key), "")
    if (odd := odd_character(text)) is not None:
        raise ConfigError(f"{_variable(key)}: holds {odd}")
    if len(os.fsencode(text)) >= _MAX_PATH:
        raise ConfigError(f"{_variable(key)}: is longer than a path can be ({_MAX_PATH - 1} bytes)")
    if not text or Path(text).is_absolute():
        return Path(text) if text else None
    return working_folder() / text


def load_project_recipe(environ: Mapping[str, str] = os.environ) -> LoadedRecipe:
    """The project's recipe; all defaults where it has no recipe file.

    Raises:
        ConfigError: see :func:`relight_assets.config.loader.load_recipe`.
    """
    file = recipe_file(environ)
    if not _is_there(file) and f"{ENV_PREFIX}CONFIG" not in environ:
        return parse_recipe({}, "defaults", file.parent)
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
    data = read_yaml_mapping(file) if named or _is_there(file) else {}
    base = file.parent.parent if file.parent.name == "config" else file.parent
    if (odd := odd_character(str(base))) is not None:
        raise ConfigError(
            f"the folder {ascii(str(base))[1:-1]} has a name with {odd}, in which no project can lie: rename it"
        )
    origin = printable(file)
    validate(Settings, data, origin)
    _refuse_addresses(data, origin)
    placed = _absolute(_merged(_defaults(), data), base)
    for key, value in _from_environment(environ).items():
        origin = _variable(key)
        placed = _merged(placed, _absolute(_nested(key, value), working_folder()))
        validate(Settings, _nested(key, value), origin)
        _refuse_addresses(_nested(key, value), origin)
    return validate(Settings, placed, origin)


def _refuse_addresses(data: Mapping[str, Any], origin: str) -> None:
    """Only the webhook is a URL.  One that stands at another key would be shown wherever that is used."""
    for key in _keys():
        section, _, below = key.partition(".")
        held = data.get(section)
        value = held.get(below) if below and isinstance(held, dict) else held
        if key != "alert_webhook" and isinstance(value, str) and _ADDRESS.match(value):
            raise ConfigError(f"{origin}: `{key}`: must be no address (URL); what was found is not shown")


def drop_unknown_variables(environ: MutableMapping[str, str] = os.environ) -> list[str]:
    """Remove the variables ``RELIGHT_...`` that are no settings, so that they are told of once.

    Returns:
        A sentence for each, and one for all that Kubernetes sets.
    """
    known = {_variable(key) for key in (*_keys(), "config", "platform")}
    others = [name for name in sorted(environ) if name.startswith(ENV_PREFIX) and name not in known]
    values = {name: environ.pop(name) for name in others}
    of_services = [name for name in others if _is_of_a_service(name, values[name])]
    told = [
        f"{shown(name)}: no such setting, so it does nothing" + (f"; did you mean {close[0]}?" if close else "")
        for name in others
        if name not in of_services
        for close in (difflib.get_close_matches(name, known, n=1),)
    ]
    if of_services:
        told.append(
            f"{', '.join(map(shown, of_services))}: no settings, so they do nothing; Kubernetes sets them for a "
            "service whose name begins with `relight`, unless the pod has `enableServiceLinks: false`"
        )
    return told


def _is_of_a_service(name: str, value: str) -> bool:
    plain = name.endswith("_PORT") and not name.endswith(("_SERVICE_PORT", "_TCP_PORT", "_UDP_PORT", "_SCTP_PORT"))
    return _OF_A_SERVICE.fullmatch(name) is not None and (not plain or "://" in value)


def _is_there(file: Path) -> bool:
    """Whether there is something in a file's place, which is then read, or told to be unreadable."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _defaults() -> dict[str, Any]:
    return Settings().model_dump(mode="json")


def _keys() -> list[str]:
    """All keys of a platform file, those of a section dotted."""
    sections = {
        key: kind
        for key, field in Settings.model_fields.items()
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
    }
    return [
        f"{key}.{below}" if section else key
        for key in Settings.model_fields
        for section in (sections.get(key),)
        for below in (section.model_fields if section else [""])
    ]


def _variable(key: str) -> str:
    return f"{ENV_PREFIX}{key.replace('.', '_').upper()}"


def _nested(key: str, value: Any) -> dict[str, Any]:
    section, _, below = key.partition(".")
    return {section: {below: value}} if below else {section: value}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {**base, **over}
    return both | {
        k: {**base[k], **over[k]} for k in over if isinstance(over[k], dict) and isinstance(base.get(k), dict)
    }


def _absolute(data: Mapping[str, Any], base: Path) -> dict[str, Any]:
    placed = dict(data)
    for key in PATH_KEYS:
        section, _, below = key.partition(".")
        holder = placed.get(section) if below else placed
        name = below or section
        if not isinstance(holder, dict) or holder.get(name) is None:
            continue
        try:
            path = str((base / Path(holder[name]).expanduser()).absolute())
        except RuntimeError:
            raise ConfigError(f"`{key}`: {holder[name]} names the home of a user that is not known here") from None
        placed = _merged(placed, _nested(key, path))
    return placed


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The keys that the environment overrides, those of a section dotted."""
    found: dict[str, Any] = {}
    for key in _keys():
        text = environ.get(_variable(key))
        if text is None or text == "":
            continue
        if key != "alert_webhook" and (odd := odd_character(text)) is not None:
            raise ConfigError(f"{_variable(key)}: holds {odd}")
        if key in {*PATH_KEYS, "csv_glob", *_SUMS, "sweep_cron", "alert_webhook"}:
            found[key] = None if text == "null" else text
            continue
        found[key] = parse_yaml(text, _variable(key))
    return found
