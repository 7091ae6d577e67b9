"""The package as users have it: built into a wheel, and installed into an environment without the checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from relight_assets.models import store
from relight_assets_tests.faults.processes import clean_environment

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    *("relight_assets", "config", "pyproject.toml", "MANIFEST.in", "README.md", "workspace.yaml"),
    *("LICENSE", "THIRD_PARTY_NOTICES.md"),
)
NO_DEPENDENCIES = {"relight_assets", "pip", "uv"}
"""The checkout, and what could download."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel as `python -m build` does, from the source distribution; offline, and not in the checkout."""
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, source / name)
    _run([sys.executable, "-c", "from setuptools import build_meta; build_meta.build_sdist('../dist')"], source)
    (archive,) = (folder / "dist").glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    _run([*pip, "--wheel-dir", "dist", str(archive)], folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and, of the environment of the tests, what it depends on; it has no pip."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def relight(self) -> Path:
        return self.folder / "bin" / "relight"

    def environment(self, **more: str) -> dict[str, str]:
        """No setting of the tests but where the model files are, and no way to the checkout."""
        kept = {
            name: value for name, value in clean_environment().items() if not name.startswith(("PYTHON", "VIRTUAL"))
        }
        return {
            **kept,
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "RELIGHT_MODEL_DIR": str(store.model_dir()),
            **more,
        }

    def run(self, folder: Path, *command: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in a folder."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        print(done.stdout)
        return done


def install(wheel: Path, folder: Path) -> Installed:
    """Install a wheel into a new environment, without its dependencies, which it shares with the tests."""
    made = Installed(folder / "environment")
    _run([sys.executable, "-m", "venv", "--without-pip", str(made.folder)], folder)
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for entry in _installed_here():
        (dependencies / entry.name).symlink_to(entry)
    (packages,) = made.folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    pip = [sys.executable, "-m", "pip", "--python", str(made.python), "install", "--quiet"]
    _run([*pip, "--no-deps", "--no-index", str(wheel)], folder)
    # As some packages leave things beside their own folder, which is nobody's project.
    (packages / "config").mkdir()
    (packages / "config" / "platform.yaml").write_text("of_a_stranger: 1\n")
    (packages / "pyproject.toml").write_text('[project]\nname = "stranger"\n')
    # The command of a dependency, as pip would write it.
    dagster = made.folder / "bin" / "dagster"
    (command,) = entry_points(group="console_scripts", name="dagster")
    dagster.write_text(f"#!{made.python}\nfrom {command.module} import {command.attr}\n{command.attr}()\n")
    dagster.chmod(0o755)
    return made


def _installed_here() -> Iterator[Path]:
    seen = set()
    for folder in map(Path, sys.path):
        if folder.name in {"site-packages", "dist-packages"} and folder.is_dir():
            for entry in folder.iterdir():
                package = entry.name.partition("-")[0]
                if entry.name in seen or package in NO_DEPENDENCIES or package.startswith("__editable__"):
                    continue
                seen.add(entry.name)
                yield entry


def _run(command: list[str], folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n(make test installs what this needs)"
