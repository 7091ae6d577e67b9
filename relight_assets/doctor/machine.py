"""What this machine has for a run, what is missing, and what to change."""

import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.doctor.cluster import examine_cluster
from relight_assets.doctor.finding import Finding
from relight_assets.doctor.folders import Folders, port, temporary
from relight_assets.engine.execution.environment import environment
from relight_assets.engine.hardware.cgroups import cpu_limit, memory_limit
from relight_assets.engine.hardware.cuda_devices import VISIBLE
from relight_assets.engine.hardware.devices import (
    DeviceSlot,
    available_memory,
    cores,
    memory_per_worker,
    threads_per_worker,
    worker_places,
)
from relight_assets.engine.hardware.nvml import Driver, read_driver
from relight_assets.errors import RelightError
from relight_assets.imaging.exr import require_exr
from relight_assets.models import loading
from relight_assets.models.files import ModelFiles
from relight_assets.models.registry import SEGMENTERS

CORES_PER_GPU = 8
"""What keeps a GPU fed: 33 portraits a second at 0.2 CPU-seconds each."""
LITTLE_MEMORY = 256 << 20
"""Of images in flight, bytes: four portraits of 1024x1024."""
OPEN_FILES = 1024


def examine(
    recipe: Recipe, settings: Settings, environ: Mapping[str, str], unknown_variables: Sequence[str] = ()
) -> list[Finding]:
    """Look at everything that a run with this recipe and these settings needs.  Raises nothing, writes nothing.

    Args:
        recipe: the project's.
        settings: the project's.
        environ: the environment, for DAGSTER_HOME and the folder of temporary files.
        unknown_variables: sentences about variables that look like settings and are none.
    """
    slots: list[DeviceSlot] = []
    folders = Folders(recipe, settings, environ)
    topics: dict[str, Callable[[], Iterator[Finding]]] = {
        "devices": lambda: _devices(recipe, settings, slots),
        "models": lambda: _models(recipe, settings, slots),
        "csv folder": folders.csvs,
        "cluster": lambda: examine_cluster(recipe, settings, folders.photos),
        "output CSVs": folders.output_csvs,
        "disk": folders.outputs,
        "database": folders.database,
        "temporary": lambda: temporary(environ),
        "port": port,
        "open files": _open_files,
    }
    for elsewhere in ("devices", "models") if settings.engine == "ray" else ("cluster",):
        del topics[elsewhere]
    findings = [Finding("settings", message) for message in unknown_variables]
    for topic, examine_topic in topics.items():
        try:
            findings += examine_topic()
        except (RelightError, OSError) as error:
            findings.append(Finding(topic, str(error), blocks=True))
    return findings


def _devices(recipe: Recipe, settings: Settings, slots: list[DeviceSlot]) -> Iterator[Finding]:
    """What there is to work on; ``slots`` is filled."""
    driver = read_driver()
    yield from _gpus(driver)
    places = worker_places(settings, driver=driver, segmenter=recipe.segmenter)
    yield from (Finding("devices", note) for note in places.notes)
    slots += places.slots
    on_cpu = slots[0].device is None
    slow = on_cpu and SEGMENTERS[recipe.segmenter].needs_gpu
    yield Finding(
        "workers",
        f"{len(slots)}: {', '.join(slot.name for slot in slots)}",
        f"without a GPU `segmenter: {recipe.segmenter}` takes a minute per image; set `batch: 1`" if slow else None,
    )
    each, limit = cores() / len(slots), cpu_limit()
    yield Finding(
        "cores",
        f"{cores()}{'' if limit is None else f' (a limit of {limit:.3g} holds here)'}, {each:.3g} per worker; "
        f"{threads_per_worker(settings, len(slots))} stage threads in each",
        f"below {CORES_PER_GPU} cores per GPU the stages and PNGs hold the GPU back"
        if not on_cpu and each < CORES_PER_GPU
        else None,
    )
    yield _memory(settings, len(slots))


def _gpus(driver: Driver) -> Iterator[Finding]:
    if driver.trouble:
        yield Finding("driver", driver.trouble)
    else:
        version = driver.version
        yield Finding("driver", f"NVIDIA {version}" if version else "no NVIDIA driver")
    for gpu in driver.gpus:
        if gpu.fault is not None:
            yield Finding("gpu", f"gpu {gpu.number} cannot be used", gpu.fault)
            continue
        memory = "" if gpu.memory_mib is None else f", {gpu.memory_mib:,} MiB, {gpu.free_mib:,} MiB free"
        parts = "" if gpu.instances is None else f", {len(gpu.instances)} MIG instances"
        yield Finding("gpu", f"{gpu.name}{memory}{parts} ({gpu.uuid})")


def _memory(settings: Settings, workers: int) -> Finding:
    limit, memory = memory_limit(), memory_per_worker(settings, workers)
    most = f", of at most {limit.limit >> 20:,} MiB ({limit.group})" if limit else ""
    return Finding(
        "memory",
        f"{available_memory() >> 20:,} MiB free{most}; {memory >> 20:,} MiB of images per worker",
        f"under {LITTLE_MEMORY >> 20} MiB per worker large images are worked on one at a time; fewer workers "
        f"(cpu_workers, num_gpus) or more memory help"
        if memory < LITTLE_MEMORY
        else None,
    )


def _models(recipe: Recipe, settings: Settings, slots: list[DeviceSlot]) -> Iterator[Finding]:
    on_gpu = bool(slots) and slots[0].device is not None
    files = ModelFiles.of(settings)
    loading.check_segmenter(recipe, files, on_gpu=on_gpu)
    with environment(dict(slots[0].environment) if slots else {VISIBLE: ""}):
        for message in loading.segmenter_details(recipe, files):
            yield Finding("segmenter", message)
        start = time.perf_counter()
        loading.make_segmenter(recipe, files)
        yield Finding("segmenter", f"loads, in {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    loading.check_networks(recipe, files)
    if recipe.keep_light:
        require_exr()
    for name in loading.networks_of(recipe):
        yield Finding(name, f"{files.path_of(name)} loads, in {time.perf_counter() - start:.1f} s")


def _open_files() -> Iterator[Finding]:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    low = limit != resource.RLIM_INFINITY and limit < OPEN_FILES
    text = "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit:,}"
    yield Finding("open files", text, f"`ulimit -n {4 * OPEN_FILES}` raises the limit" if low else None)
