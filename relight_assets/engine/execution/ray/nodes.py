"""What each node of a Ray cluster has for a run, as the node itself sees it: one answer of each, asked all at once."""

import pickle
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.ray.actor import build
from relight_assets.engine.execution.ray.cluster import Node
from relight_assets.engine.execution.ray.mounts import locks_fault
from relight_assets.engine.worker.requirements import check_requirements
from relight_assets.errors import ModelFileError, RelightError
from relight_assets.models.files import ModelFiles
from relight_assets.models.registry import GIVEN
from relight_assets.storage.folders import nearest, write_fault

ANSWER_S = 120.0
"""Seconds that nodes have for their answers: a process starts, and the model files are read."""


@dataclass(frozen=True)
class Question:
    """What must be on every node as it is where it is asked."""

    recipe: Recipe
    settings: Settings
    on_gpu: bool
    build: str
    models: Mapping[str, str]
    """The sha256 of the networks that the user brings along, by name."""
    inode: int
    """Of ``output_root``, or of the nearest folder above it that is there."""
    photos: Mapping[str, int]
    """The sizes of some photos, by path."""


@dataclass(frozen=True)
class Answer:
    """What a node says."""

    faults: tuple[str, ...] = ()
    """Sentences."""
    free: int | None = None
    """Bytes that are free for outputs; None: it did not say."""


def question(recipe: Recipe, settings: Settings, photos: Sequence[Path], *, on_gpu: bool) -> Question:
    """What the nodes are asked, by what is here.

    Raises:
        OSError: a photo or the folder of the outputs cannot be looked at here.
    """
    return Question(
        recipe,
        settings.model_copy(update={"alert_webhook": None}),  # what is secret stays here
        on_gpu,
        build(),
        _own_models(settings),
        nearest(settings.output_root).stat().st_ino,
        {str(photo): photo.stat().st_size for photo in photos},
    )


def ask(nodes: Sequence[Node], asked: Question) -> dict[Node, Answer]:
    """The answers of the nodes of the cluster that this process is connected to."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def start(node: Node) -> Any:
        only_there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        return ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=only_there)(look).remote(pickle.dumps(asked))

    answers = {node: start(node) for node in nodes}
    ray.wait([*answers.values()], num_returns=len(answers), timeout=ANSWER_S)
    return {node: _answer(reference) for node, reference in answers.items()}


def _answer(reference: Any) -> Answer:
    import ray

    try:
        answer: Answer = ray.get(reference, timeout=0)
    except ray.exceptions.GetTimeoutError:
        return Answer((f"it did not answer within {ANSWER_S:g} s",))
    except Exception as error:  # noqa: BLE001  (another version of the package may say anything)
        last = [line.strip() for line in str(error).splitlines() if line.strip()][-1:]
        return Answer(
            (f"it cannot be asked, as where another version of relight_assets is installed: {''.join(last)}",)
        )
    return answer


def look(asked: bytes) -> Answer:
    """Answer on a node.  Nothing is written."""
    what: Question = pickle.loads(asked)  # noqa: S301  (from the one who asks)
    folder = nearest(what.settings.output_root)
    return Answer(tuple(_faults(what, folder)), shutil.disk_usage(folder).free)


def _faults(what: Question, folder: Path) -> Iterator[str]:
    if what.build != build():
        yield f"relight_assets {build()} is installed there, and {what.build} here: all nodes need the same"
    try:
        check_requirements(what.recipe, what.settings, on_gpu=what.on_gpu)
    except RelightError as error:
        yield str(error)
    for name, sha256 in _own_models(what.settings).items():
        if sha256 != what.models.get(name, sha256):
            yield f"the model `{name}` is another file there: sha256 {sha256}, and {what.models[name]} here"
    root = what.settings.output_root
    if folder.stat().st_ino != what.inode:
        yield f"output_root {root} is not the folder there that it is here: mount one shared folder at that path"
    elif (fault := write_fault(root)) is not None:
        yield f"output_root {root} cannot be written: {fault}"
    elif (fault := locks_fault(folder)) is not None:
        yield f"output_root {root}: {fault}"
    for photo, size in what.photos.items():
        try:
            found = len(Path(photo).read_bytes())
        except OSError as error:
            yield f"the photo {photo} cannot be read: {error.strerror}"
        else:
            if found != size:
                yield f"the photo {photo} is another file there: {found:,} bytes, and {size:,} here"


def _own_models(settings: Settings) -> dict[str, str]:
    """The sha256 of each network that the user brings along and that is there."""
    files, found = ModelFiles.of(settings), {}
    for model in GIVEN:
        try:
            found[model.name] = files.sha256_of(model.name)
        except ModelFileError:
            continue  # the recipe needs none, or `check_requirements` says so
    return found
