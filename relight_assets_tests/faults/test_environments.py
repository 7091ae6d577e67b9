"""Machines as they also are: no home, no name, another locale, strange folders.  Each works, or is one sentence.

Real processes, and several oddities in one of them where that hides nothing.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relight_assets.models import store
from relight_assets_tests.conftest import PORTRAITS, make_project

NAMELESS = 54321
_DROP, _OVERRIDE, _READ_SEARCH = 24, 1, 2
"""PR_CAPBSET_DROP, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


def bound_by_permissions() -> None:
    """Have permission bits bind the program that is begun next, although it is root's."""
    for capability in (_OVERRIDE, _READ_SEARCH) if os.geteuid() == 0 else ():
        ctypes.CDLL(None).prctl(_DROP, capability, 0, 0, 0)


def as_nobody_known() -> list[str]:
    """What begins a command as a user of whom no name is known, and who can read what this one can."""
    assert subprocess.run(["getent", "passwd", str(NAMELESS)], capture_output=True, check=False).returncode != 0
    able = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    begin = (
        ["setpriv", f"--reuid={NAMELESS}", f"--regid={NAMELESS}", "--clear-groups", *able]
        if os.geteuid() == 0
        else ["unshare", "--user", f"--map-user={NAMELESS}"]
    )
    if shutil.which(begin[0]) is None or subprocess.run([*begin, "true"], check=False).returncode != 0:
        pytest.skip(f"{begin[0]} cannot change the user here")
    return begin


@dataclass
class Machine:
    """A project with two photos, and the environment in which its commands are run."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def relight(
        self,
        *arguments: str,
        begin: Sequence[str] = (),
        flags: Sequence[str] = (),
        folder: Path | None = None,
        without: Sequence[str] = (),
        **more: str,
    ) -> "subprocess.CompletedProcess[str]":
        environ: Mapping[str, str] = {**os.environ, **self.environ, **more}
        done = subprocess.run(
            [*begin, sys.executable, *flags, "-m", "relight_assets", *arguments],
            cwd=folder or self.root,
            env={name: value for name, value in environ.items() if name not in without},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            preexec_fn=None if "setpriv" in begin else bound_by_permissions,
        )
        assert "Traceback" not in done.stdout + done.stderr
        assert "the traceback is in" not in done.stderr
        assert "atplotlib" not in done.stderr
        return done


def machine_at(root: Path, photos: Path, names: Sequence[str] = PORTRAITS[:2]) -> Machine:
    root.mkdir(parents=True)
    project = make_project(root, photos)
    for source, name in zip(PORTRAITS, names, strict=False):
        shutil.copy(photos / source, project.data / name)
    (project.data / "train_images.csv").write_text("\n".join(["image_path", *names, ""]), encoding="utf-8")
    settings = {"MODEL_DIR": str(store.model_dir()), "CPU_WORKERS": "1", "THREADS": "1"}
    return Machine(root, {f"RELIGHT_{name}": value for name, value in settings.items()})


@pytest.fixture
def machine(tmp_path: Path, photos: Path) -> Machine:
    return machine_at(tmp_path / "project", photos)


def images(output_root: Path) -> list[str]:
    return sorted(path.name for path in output_root.glob("data-train/*_output.png"))


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written."""
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


MADE = ["00000_output.png", "00001_output.png"]


def test_a_user_without_name_or_home(machine: Machine) -> None:
    begin = as_nobody_known()
    if os.geteuid() == 0:
        for path in (machine.root, *machine.root.rglob("*")):
            os.chown(path, NAMELESS, NAMELESS)
    homeless = ("HOME", "USER", "LOGNAME", "XDG_CACHE_HOME")
    done = machine.relight("run", "--split", "train", begin=begin, without=homeless)
    assert (done.returncode, images(machine.root / "data" / "outputs")) == (0, MADE), done.stderr
    without_models = (*homeless, "RELIGHT_MODEL_DIR")
    for command in (["doctor"], ["models", "fetch"], ["models", "list"]):
        done = machine.relight(*command, begin=begin, without=without_models)
        assert done.returncode == 2
        assert "set model_dir in config/platform.yaml (RELIGHT_MODEL_DIR)" in done.stdout + done.stderr
    assert not (machine.root / "~").exists()


def test_a_legacy_locale_and_a_home_that_is_read_only(tmp_path: Path, photos: Path) -> None:
    names = ("Zoë 顔.png", "second.png")
    machine = machine_at(tmp_path / "Zoë 顔", photos, names)
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    legacy = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": str(home)}
    done = machine.relight("run", "--split", "train", **legacy)
    assert (done.returncode, images(machine.root / "data" / "outputs")) == (0, MADE), done.stderr
    assert "Zo\\xeb \\u9854/data/outputs" in done.stdout.replace("\n", "")
    mapping = (machine.root / "data" / "train_images_with_relighting_outputs.csv").read_text(encoding="utf-8")
    assert f"{names[0]},{machine.root}/data/outputs/data-train/00000_output.png" in mapping
    assert machine.relight("status", **legacy).returncode == 0


def test_optimised_python_and_a_project_path_with_quotes(tmp_path: Path, photos: Path) -> None:
    machine = machine_at(tmp_path / 'it\'s "a"; #1 100% {x} $HOME\n&b', photos)
    gone = str(tmp_path / ("t" * 200))
    compiled = {"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}  # once, for the worker too
    done = machine.relight(
        "run", "--split", "train", flags=["-OO"], without=["PYTHONDONTWRITEBYTECODE"], TMPDIR=gone, **compiled
    )
    assert (done.returncode, images(machine.root / "data" / "outputs")) == (0, MADE), done.stderr


def test_a_project_path_in_which_dagster_keeps_no_history(tmp_path: Path, photos: Path) -> None:
    machine = machine_at(tmp_path / "a%20b [c]?d", photos)
    for command in (["doctor"], ["run", "--split", "train"]):
        done = machine.relight(*command)
        assert done.returncode == 2
        assert "set dagster_home in config/platform.yaml (RELIGHT_DAGSTER_HOME) to another folder" in (
            done.stdout + done.stderr
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a%20b [c]?d"]  # nothing was made beside it either
    done = machine.relight("run", "--split", "train", RELIGHT_DAGSTER_HOME=str(tmp_path / "home"))
    assert (done.returncode, images(machine.root / "data" / "outputs")) == (0, MADE), done.stderr


def test_a_csv_folder_that_is_read_only_is_reported_before_the_work(machine: Machine) -> None:
    data, elsewhere = machine.root / "data", machine.root / "elsewhere"
    where = {"RELIGHT_OUTPUT_ROOT": str(elsewhere / "outputs")}
    with closed(data):
        for command in (["doctor"], ["run", "--split", "train"]):
            done = machine.relight(*command, **where)
            assert done.returncode == 2
            assert "set mapping_dir in config/platform.yaml (RELIGHT_MAPPING_DIR)" in done.stdout + done.stderr
        assert not elsewhere.exists()
        where["RELIGHT_MAPPING_DIR"] = str(elsewhere / "mappings")
        well = machine.relight("doctor", **where)
        assert (well.returncode, elsewhere.exists()) == (0, False), well.stdout + well.stderr


def test_a_working_directory_that_is_gone_or_closed(machine: Machine, tmp_path: Path) -> None:
    leave = "import os, runpy, sys; os.rmdir(os.getcwd()); sys.argv[0] = 'relight'; "
    leave += "runpy.run_module('relight_assets', run_name='__main__')"
    for command in (["doctor"], ["run", "--split", "train"], ["status"]):
        (tmp_path / "gone").mkdir()
        done = subprocess.run(
            [sys.executable, "-c", leave, *command],
            cwd=tmp_path / "gone",
            env={**os.environ, **machine.environ, "RELIGHT_PLATFORM": str(machine.root / "config" / "platform.yaml")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.startswith("error: the working directory is gone")
        assert len(done.stderr.splitlines()) == 1
    shut = tmp_path / "shut"
    shut.mkdir()
    done = machine.relight("status", begin=["sh", "-c", f'chmod 0 {shut}; exec "$@"', "sh"], folder=shut)
    shut.chmod(0o755)
    assert done.returncode == 2
    assert "shut/config/platform.yaml: cannot be read: Permission denied" in done.stderr


def test_variables_of_kubernetes_are_reported_once(machine: Machine) -> None:
    service = {"RELIGHT_PORT": "tcp://10.0.0.1:3000", "RELIGHT_SERVICE_HOST": "10.0.0.1", "RELIGHT_OUTPUT_ROT": "x"}
    with closed(machine.root / "data"):  # the run ends as soon as it has loaded the definitions, which look there too
        for command in (["doctor"], ["run", "--split", "train"]):
            done = machine.relight(*command, **service)
            assert (done.stderr.count("RELIGHT_SERVICE_HOST"), done.stderr.count("RELIGHT_OUTPUT_ROT:")) == (1, 1)
            assert "did you mean RELIGHT_OUTPUT_ROOT?" in done.stderr
            assert "Kubernetes sets them" in done.stderr
            assert ("RELIGHT_SERVICE_HOST" in done.stdout) == (command == ["doctor"])
