"""Only the edges touch the process's environment; what is below is handed settings, a recipe, or a mapping."""

import ast
from collections.abc import Iterator
from pathlib import Path

import relight_assets

PACKAGE = Path(relight_assets.__file__).parent
EDGES = {
    "__main__.py": "starts again in UTF-8 mode",
    "cli/main.py": "where a command begins",
    "defs/project/component.py": "where a host's Dagster begins",
    "definitions.py": "where Dagster's own processes begin",
    "defs/server/webserver.py": "where the web server begins",
    "defs/server/dev.py": "hands its variables to the servers that it starts",
    "defs/runs/instance.py": "DAGSTER_HOME, which is Dagster's",
}
BELOW = {
    "engine/execution/environment.py": "the environment of the worker processes that an engine starts",
    "engine/execution/ray/actor.py": "CUDA_VISIBLE_DEVICES: which GPU Ray gave to this worker",
    "engine/hardware/devices.py": "CUDA_VISIBLE_DEVICES: which devices this process has",
    "engine/hardware/gpu_locks.py": "HOME, in which the locks of devices lie",
    "models/segmenters/sam3/base.py": "keeps Hugging Face offline, and reads CUDA_VISIBLE_DEVICES",
    "models/store.py": "where model files are kept for callers without settings",
    "reports/charts.py": "an environment in which matplotlib finds its own settings alone",
}
CHANGES = {"update", "setdefault", "pop", "popitem", "clear"}


def is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "putenv", "unsetenv"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))


def test_only_the_edges_and_a_few_with_a_reason_touch_the_environment() -> None:
    touching = set()
    for name, module in modules():
        nodes = list(ast.walk(module))
        imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert not imported & {"environ", "getenv", "putenv"}, name  # they would be found no longer
        if any(isinstance(node, ast.Attribute) and is_environ(node) and is_os(node.value) for node in nodes):
            touching.add(name)
    assert touching == EDGES.keys() | BELOW.keys()


def is_os(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "os"


def test_no_command_changes_the_environment() -> None:
    for name, module in modules():
        if name.startswith("cli/"):
            assert [node.lineno for node in ast.walk(module) if changes_environment(node)] == [], name


def changes_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return is_environ(node.value) and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.AugAssign):
        return is_environ(node.target)
    called = node.func if isinstance(node, ast.Call) else None
    if not isinstance(called, ast.Attribute):
        return False
    return called.attr in {"putenv", "unsetenv"} or (called.attr in CHANGES and is_environ(called.value))


def test_the_search_sees_what_it_is_to_find() -> None:
    for code in (
        "os.environ['A'] = 'b'",
        "del os.environ['A']",
        "os.environ.update(a)",
        "os.environ.pop('A')",
        "os.environ |= a",
        "os.putenv('A', 'b')",
    ):
        assert any(map(changes_environment, ast.walk(ast.parse(code)))), code
    assert not any(map(changes_environment, ast.walk(ast.parse("os.environ['A']; os.environ.get('A')"))))
