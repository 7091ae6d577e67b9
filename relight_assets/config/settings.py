"""Where and how the work is done: the keys of ``config/platform.yaml``.  Nothing here changes a pixel."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from relight_assets.config.datasets.exports import Export, ExportOptions
from relight_assets.config.datasets.publish import Publish
from relight_assets.config.engines import EngineName
from relight_assets.config.parsing.validation import HIDDEN_FAULT
from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.core.hosts import host_names
from relight_assets.core.regular_files import ImageRoot

_RAY_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):[0-9]{1,5}")


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


def _ray_address(value: Any) -> Any:
    if isinstance(value, str) and (value == "auto" or _RAY_ADDRESS.fullmatch(value)):
        return value
    raise ValueError(
        "must be `auto` or HOST:PORT of the cluster's head, such as 10.0.0.1:6379; `ray://` (Ray's client) is not "
        "supported: start the run on a machine of the cluster, or with `ray job submit`"
    )


HostNames = Annotated[tuple[str, ...], BeforeValidator(host_names)]
AutoCount = Annotated[int | str, _auto_or_whole(1, 4096)]
AutoCountOrNone = Annotated[int | str, _auto_or_whole(1, 4096, "none")]
AutoMebibytes = Annotated[int | str, _auto_or_whole(64, 1 << 24)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
RayAddress = Annotated[str, BeforeValidator(_ray_address)]
Webhook = Annotated[SecretStr, BeforeValidator(_webhook)]
PATH_KEYS = (
    "csv_dir",
    "image_root",
    "output_root",
    "mapping_dir",
    "export_root",
    "model_dir",
    "dagster_home",
    "sam3.checkpoint",
    "sam3.directory",
    "albedo_model.file",
    "geometry_model.file",
)
SHA256_KEYS = ("sam3.sha256", "albedo_model.sha256", "geometry_model.sha256")
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Sam3Weights(BaseModel):
    """Where the weights of the SAM3 segmenters are; all None where nobody has any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Annotated[Path | None, Field(examples=["weights/sam3.pt"])] = None
    """The file ``sam3.pt``."""
    directory: Annotated[Path | None, Field(examples=["weights/sam3"])] = None
    """The repository for ``transformers``, with ``model.safetensors``."""
    sha256: Sha256 | None = None
    """If given, what the weights must be."""


class LocalModel(BaseModel):
    """A network that the user brings along; all None where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[Path | None, Field(examples=["weights/network.onnx"])] = None
    """An ONNX file."""
    sha256: Sha256 | None = None
    """If given, what the file must be."""


class RayCluster(BaseModel):
    """The cluster of ``engine: ray``, and what a worker takes of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: RayAddress = "auto"
    """Of the cluster's head, as ``ray start`` prints it; ``auto``: of the cluster that this machine is a node of."""
    slots: AutoCount = "auto"
    """Workers; ``auto``: as many as the cluster's nodes have room for when the run starts."""
    cpus_per_worker: Annotated[int, Field(ge=1, le=1024)] = 1
    """CPUs of Ray's accounts that each worker takes."""
    start_s: Seconds = 300.0
    """A worker that is not ready after so many seconds has failed: it waits for a place, too."""


LocalName = Literal["albedo_model", "geometry_model"]
LocalModels = Mapping[LocalName, LocalModel]

ANY_CLUSTER = RayCluster()
NO_WEIGHTS = Sam3Weights()
NO_MODEL = LocalModel()
NO_MODELS: LocalModels = MappingProxyType({"albedo_model": NO_MODEL, "geometry_model": NO_MODEL})


class Settings(BaseModel):
    """The platform's settings.  All paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    csv_dir: Path = Path("data")
    csv_glob: Annotated[str, Field(min_length=1)] = "*_images.csv"
    image_root: Annotated[Path | None, Field(examples=["photos"])] = None
    hard_links: bool = False
    output_root: Path = Path("data/outputs")
    mapping_dir: Annotated[Path | None, Field(examples=["data/mappings"])] = None
    model_dir: Annotated[Path | None, Field(examples=["models"])] = None
    sam3: Sam3Weights = NO_WEIGHTS
    albedo_model: LocalModel = NO_MODEL
    geometry_model: LocalModel = NO_MODEL
    dagster_home: Path = Path(".dagster_home")
    engine: EngineName = "local"
    ray: RayCluster = ANY_CLUSTER
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
    exports: Annotated[tuple[Export, ...], Field(examples=[[{"name": "pairs", "layout": "imagefolder"}]])] = ()
    export_root: Annotated[Path | None, Field(examples=["data/exports"])] = None
    licence_column: Annotated[Annotated[str, Field(pattern=r"\S")] | None, Field(examples=["licence"])] = None
    publish: Annotated[tuple[Publish, ...], Field(examples=[[{"name": "bucket", "dest": "s3://BUCKET/PREFIX"}]])] = ()
    quality: Quality = DEFAULT_QUALITY

    @property
    def export_folder(self) -> Path:
        """Where exports go."""
        return self.export_root if self.export_root is not None else self.output_root / "exports"

    def completed(self, options: ExportOptions) -> ExportOptions:
        """The options of an export, with the column of licences that the settings name where they name none."""
        if options.licence_column is not None or self.licence_column is None:
            return options
        return options.model_copy(update={"licence_column": self.licence_column})

    @property
    def max_pixels(self) -> int:
        """The largest image that is decoded, in pixels."""
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
        """The thresholds for a recipe's images: ``quality``, and over it what the recipe's file gives of it."""
        return self.quality.with_given(loaded.quality)
