"""The shape of the package: where its tests are, how large its modules and packages are, and that nothing re-exports.

An exception stands in a table with its reason, and one that is no longer needed fails as well.
"""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, BENCHMARKS, TESTS = ROOT / "relight_assets", ROOT / "benchmarks", ROOT / "relight_assets_tests"
LONGEST = 400
"""Lines of a module: what is read in one sitting."""
WIDEST = 12
"""Modules and packages side by side: what a reader takes in at once."""

TESTED_ELSEWHERE = {
    # Types, names and constants, which do nothing by themselves: where they are used.
    "errors.py": "core/messages/test_exit_codes.py",
    "doctor/finding.py": "doctor/test_machine.py",
    "engine/hardware/usage.py": "engine/hardware/test_nvml.py",
    "models/segmenters/base.py": "models/segmenters/test_selfie.py",
    "stages/base.py": "stages/test_registry.py",
    "stages/face_features.py": "stages/masks/test_photo_detail.py",
    # What holds for each of a kind is tested on all of them at once: stages, families of light, engines, numbers.
    "stages/*/stage.py": "stages/test_registry.py",
    "stages/*/metrics.py": "dataset/test_metrics.py",
    "stages/metric.py": "dataset/test_metrics.py",
    "stages/masks/person_mask.py": "stages/masks/test_mask.py",
    "stages/degraded/families/*.py": "stages/degraded/families/test_registry.py",
    "stages/degraded/light_family.py": "stages/degraded/families/test_registry.py",
    "config/engines.py": "engine/execution/test_registry.py",
    "engine/execution/*.py": "engine/execution/test_dispatch.py",
    # Parts of something that only shows as a whole: a recipe, the state of a split, a run, a command.
    "config/recipe/*.py": "config/recipe/test_recipe.py",
    "exports/base.py": "exports/test_export.py",
    "exports/snapshot.py": "exports/test_export.py",
    "exports/threads.py": "exports/test_export.py",
    "exports/rows/labels.py": "exports/test_export.py",
    "exports/rows/pairs.py": "exports/test_export.py",
    "exports/rows/maker.py": "exports/cards/test_counts.py",
    "exports/layouts/*.py": "exports/test_registry.py",
    "exports/cards/*.py": "exports/cards/test_readme.py",
    "forgetting/*.py": "forgetting/test_forget.py",
    "reports/gallery/*.py": "reports/gallery/test_gallery.py",
    "quality/measured.py": "quality/test_thresholds.py",
    "quality/feasibility.py": "config/test_loader.py",
    "config/*.py": "config/test_settings.py",
    "engine/experiments.py": "engine/test_base_results.py",
    "cli/*.py": "cli/test_main.py",
    "engine/state/*.py": "engine/state/test_plan.py",
    "engine/worker/*.py": "engine/worker/test_worker.py",
    "models/files.py": "models/test_loading.py",
    "models/runtimes/litert.py": "models/segmenters/test_selfie.py",
    "defs/assets/recipes.py": "defs/assets/test_observations.py",
    "defs/jobs/run_checks.py": "cli/commands/test_check.py",
    "defs/runs/pool.py": "defs/runs/test_launch.py",
    "defs/runs/unfinished.py": "defs/automation/test_up_to_date.py",
    "defs/runs/run_images.py": "defs/assets/test_images.py",
    "defs/automation/incidents.py": "defs/automation/test_alerts.py",
    "dataset/record_format.py": "dataset/test_records.py",
    "dataset/record_types.py": "dataset/test_records.py",
    "defs/automation/tick_error.py": "defs/automation/test_sensor_faults.py",
    "defs/checks/*.py": "defs/checks/test_mapping_checks.py",
    "defs/metadata/warnings.py": "defs/test_decorations.py",
}
"""Modules of the package without a test file of their own, and the file that tests them."""
WIDER = {
    "relight_assets": "the layers, of which the contract of the imports names each",
    "relight_assets/config": "one for each question: what is read, checked, named, kept and handed down",
    "relight_assets/config/recipe": "one for each section of a recipe, and what several of them have in common",
    "relight_assets/dataset": "one for each file of a split, and what their names and places are",
    "relight_assets/engine": "what a run is made of, from start to publishing",
    "relight_assets/quality": "one for each thing that finished images are judged by",
    "relight_assets/stages": "a package for each stage, and what several of them have in common",
    "relight_assets/stages/degraded": "one stage, whose packages of light, geometry, shading and more are taken out",
    "benchmarks/bench": "a module for each thing that is measured",
}
"""Packages with more modules side by side, and why."""


def modules(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_module_is_longer_than_can_be_read_in_one_sitting() -> None:
    lines = {name_of(path): path.read_text("utf-8").count("\n") for path in modules(PACKAGE, BENCHMARKS, TESTS)}
    assert not {name: count for name, count in lines.items() if count > LONGEST}, "split each by what it is about"


def test_every_module_has_its_test_file() -> None:
    without = [
        path.relative_to(PACKAGE).as_posix()
        for path in modules(PACKAGE)
        if path.name != "__init__.py" and not _test_of(path).is_file()
    ]
    needed = {pattern for pattern in TESTED_ELSEWHERE for name in without if fnmatch(name, pattern)}
    untested = [name for name in without if not any(fnmatch(name, pattern) for pattern in TESTED_ELSEWHERE)]
    assert not untested, "write the tests, each at the same place below relight_assets_tests"
    assert not TESTED_ELSEWHERE.keys() - needed, "these have tests of their own, or are gone: shorten the table"
    gone = [name for name in TESTED_ELSEWHERE.values() if not (TESTS / name).is_file()]
    assert not gone, "these were to test modules without a test file of their own"


def _test_of(path: Path) -> Path:
    return TESTS / path.relative_to(PACKAGE).with_name(f"test_{path.stem.strip('_')}.py")


@pytest.mark.parametrize("top", [PACKAGE, BENCHMARKS], ids=lambda top: top.name)
def test_no_package_is_wider_than_can_be_taken_in_at_once(top: Path) -> None:
    wide = set()
    for folder in (top, *(path for path in top.rglob("*") if (path / "__init__.py").is_file())):
        inside = [path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
        if len([path for path in inside if path.name != "__init__.py"]) > WIDEST:
            wide.add(name_of(folder))
    expected = {name for name in WIDER if name.startswith(top.name)}
    assert not wide - expected, "group the modules by what they are about"
    assert not expected - wide, "these are no longer wide: shorten the table"


def test_nothing_is_imported_in_a_package_s_init() -> None:
    """One import path for each name: no ``__init__`` has more than a docstring and the version."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules(PACKAGE, BENCHMARKS)
        if path.name == "__init__.py"
        for node in ast.parse(path.read_text("utf-8")).body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) and not _is_version(node)
    ]
    assert not found


def _is_version(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"


def test_every_folder_of_tests_is_of_a_package_or_of_a_kind() -> None:
    kinds = {"benchmarks", "browser", "faults", "fixtures", "fuzz", "trainers"}
    folders = [path.parent for path in TESTS.rglob("test_*.py")]
    gone = {
        name_of(folder)
        for folder in folders
        if folder.relative_to(TESTS).parts[:1] not in {(kind,) for kind in kinds}
        and not (PACKAGE / folder.relative_to(TESTS)).is_dir()
    }
    assert not gone, "the tests follow the modules that they test"


# -- the files of a split ------------------------------------------------------------------------------------------

BESIDE_THE_STORAGE = {
    "dataset/csv/contents.py:*": "the user's CSVs, and what is remembered of them in Dagster's home",
    "dataset/csv/folder.py:*": "the user's CSVs",
    "dataset/csv/read.py:*": "the user's CSVs",
    "dataset/csv/watch.py:*": "the user's CSVs",
    "dataset/csv/mapping.py:_write": "the user's CSV, which no output CSV may be",
    "dataset/csv/mapping.py:_same_file": "the user's CSV, which no output CSV may be",
    "engine/prune.py:csv_is_gone": "the user's CSV",
    "engine/publish.py:_is_other_folder": "folders that the user's CSVs name",
    "dataset/paths.py:*": "the user's photos",
    "dataset/spelling.py:*": "the user's photos",
    "dataset/geometry_files.py:*": "the user's depth and normals",
    "engine/worker/image_task.py:ImageTask._known_source": "the user's photo",
    "engine/state/scan.py:_is_unchanged": "the user's photo",
    "dataset/record_schema.py:*": "a page of the docs, which it writes",
    "reports/charts.py:_own_environment": "the working folder, in which matplotlib looks for its settings",
    "reports/gallery/html_page.py:_part": "the parts of the page, which come with the package",
    "engine/disk_space.py:*": "how full a disk is",
    "engine/execution/ray/actor.py:build": "the sources of the package",
    "engine/execution/ray/actor.py:_check_folder": "whether a node sees the split's folder at all",
    "engine/execution/ray/mounts.py:*": "how a node has mounted its disks",
    "engine/execution/ray/nodes.py:*": "what a node sees of the user's photos and folders",
    "engine/hardware/*": "what the machine says of itself, and the locks of its GPUs",
}
"""Functions that ask or change a disk themselves, and what lies there."""
_PATH_METHODS = {
    *("chmod", "exists", "glob", "hardlink_to", "is_dir", "is_file", "is_symlink", "iterdir", "lstat", "mkdir"),
    *("read_bytes", "read_text", "readlink", "rename", "resolve", "rglob", "rmdir", "samefile", "stat", "symlink_to"),
    *("touch", "unlink", "write_bytes", "write_text"),
}
_OS_WITHOUT_FILES = {
    *("_exit", "cpu_count", "dup", "dup2", "environ", "fsdecode", "fsencode", "fspath", "geteuid", "getpid", "getppid"),
    *("kill", "path", "sched_getaffinity", "stat_result", "strerror"),
}
_OS_PATH_OF_TEXT = {"abspath", "basename", "dirname", "join", "split", "splitext"}
_BELOW_A_STORAGE = {
    *("FileIO", "clean_temp_files", "file_sha256", "holds", "open", "open_regular", "read_regular", "write_atomic"),
}
_OF_A_STORAGE = {"SplitLayout", "metric_faults", "read_failure", "read_progress", "read_record", "read_stamps"}
"""They take the local storage where they are given none."""


def test_the_files_of_a_split_are_reached_through_its_storage_alone() -> None:
    folders = (PACKAGE / name for name in ("dataset", "stages", "engine", "quality", "reports"))
    found: dict[str, list[int]] = {}
    for path in modules(*folders):
        for name, line in _uses_of_files(ast.parse(path.read_text("utf-8"))):
            found.setdefault(f"{path.relative_to(PACKAGE).as_posix()}:{name}", []).append(line)
    needed = {pattern for pattern in BESIDE_THE_STORAGE for name in found if fnmatch(name, pattern)}
    others = {name: lines for name, lines in found.items() if not any(fnmatch(name, each) for each in needed)}
    assert not others, "ask the storage of the layout"
    assert not BESIDE_THE_STORAGE.keys() - needed, "these use no files any more: shorten the table"


@pytest.mark.parametrize(
    "code",
    [
        "open(path)",
        "path.open()",
        "path.read_bytes()",
        "path.replace(other)",
        "map(Path.exists, paths)",
        "os.stat(path)",
        "filter(os.path.lexists, paths)",
        "from os import scandir",
        "shutil.copy2(path, other)",
        "write_atomic(path, data)",
        "read_record(path)",
        "SplitLayout(folder)",
    ],
)
def test_a_use_of_files_is_found(code: str) -> None:
    assert list(_uses_of_files(ast.parse(f"def work():\n    {code}"))) == [("work", 2)]


@pytest.mark.parametrize(
    "code",
    [
        "storage.read(path)",
        "os.path.join(folder, name)",
        "text.replace('a', 'b')",
        "replace(image, index=1)",
        "engine.open(worker, settings, count)",
        "read_record(path, storage)",
        "SplitLayout(folder, storage)",
    ],
)
def test_what_asks_a_storage_or_makes_a_text_uses_no_files(code: str) -> None:
    assert list(_uses_of_files(ast.parse(code))) == []


def _uses_of_files(node: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Where a disk is asked or changed past any storage: the name of the function, and the line."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        inside = (*inside, node.name)
    if isinstance(node, ast.expr | ast.stmt) and _uses_files(node):
        yield ".".join(inside), node.lineno
    for below in ast.iter_child_nodes(node):
        yield from _uses_of_files(below, inside)


def _uses_files(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module="os" | "os.path" | "shutil" | "glob"):
            return True
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            return name in _BELOW_A_STORAGE or (name in _OF_A_STORAGE and len(args) + len(keywords) < 2)
        case ast.Call(func=ast.Attribute(attr="open" | "replace"), args=args, keywords=[]):
            return len(args) < 2
        case ast.Attribute(value=ast.Name(id="os"), attr=name):
            return name not in _OS_WITHOUT_FILES
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="os"), attr="path"), attr=name):
            return name not in _OS_PATH_OF_TEXT
        case ast.Attribute(value=ast.Name(id="shutil" | "glob")):
            return True
        case ast.Attribute(attr=name):
            return name in _PATH_METHODS
    return False


# -- the docs ------------------------------------------------------------------------------------------------------


def test_the_tests_that_the_docs_name_are_there() -> None:
    names = {
        name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    for page in (ROOT / "docs").glob("*.md"):
        text = page.read_text("utf-8")
        files = re.findall(r"`((?:\w+/)+test_\w+\.py)", text)
        assert [name for name in files if not (ROOT / name).is_file() and not (TESTS / name).is_file()] == [], page
        assert sorted(set(re.findall(r"\btest_[a-z]\w+\b(?!\.(?:py|csv))", text)) - names) == [], page
