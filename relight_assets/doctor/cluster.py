"""What the nodes of a Ray cluster have for a run: each says so itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.wording import counted
from relight_assets.doctor.finding import Finding
from relight_assets.engine.disk_space import mib
from relight_assets.engine.execution.ray.cluster import alive_nodes, connected, require_ray
from relight_assets.engine.execution.ray.engine import plan_of
from relight_assets.engine.execution.ray.nodes import ask, question

LITTLE_SPACE = 1 << 30
"""Bytes that should be free for the outputs, as seen from a node."""


def examine_cluster(recipe: Recipe, settings: Settings, photos: Sequence[Path]) -> Iterator[Finding]:
    """What nodes have room for, and what is wrong with each; ``photos`` are some that they must see.

    Raises:
        UserError: there is no such cluster, or no run could start on it.
        OSError: a photo or folder cannot be looked at here.
    """
    require_ray()
    with connected(settings):
        nodes = alive_nodes()
        plan = plan_of(nodes, settings, recipe)
        of_use = [node for node in nodes if plan.room(node)]
        answers = ask(of_use, question(recipe, settings, photos, on_gpu=plan.on_gpu))
    room = sum(map(plan.room, of_use))
    kind = "a GPU each" if plan.on_gpu else f"{counted(plan.cpus, 'CPU')} each"
    text = f"{counted(len(nodes), 'node')} with room for {counted(room, 'worker')}, {kind}"
    yield Finding("cluster", f"{text}; a run takes {plan.slots}", None if room else "add nodes that have CPUs")
    is_whole = any(not answer.faults for answer in answers.values())
    for node, answer in answers.items():
        for fault in answer.faults:
            yield Finding("node", f"{node.name}: {fault}", blocks=not is_whole)
        if answer.faults:
            continue
        little = answer.free is not None and answer.free < LITTLE_SPACE
        free = f", {mib(answer.free)} free" if answer.free is not None else ""
        yield Finding(
            "node",
            f"{node.name}: room for {counted(plan.room(node), 'worker')}; package, models, photos and output_root are "
            f"as here{free}",
            f"free some space for {settings.output_root}" if little else None,
        )
