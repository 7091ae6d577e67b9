"""CI fails on a skip that nobody listed, wherever in a test it comes from and however many processes run the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets_tests.listed_skips import LISTED

ROOT = Path(__file__).resolve().parents[1]
SAM3 = "the SAM3 environment (make test-sam3) is not installed"
MODULES = {
    "test_call.py": "import pytest\ndef test_it(): pytest.skip('no browser')",
    "test_mark.py": "import pytest\n@pytest.mark.skipif(True, reason='no compiler')\ndef test_it(): ...",
    "test_fixture.py": "import pytest\n@pytest.fixture\ndef it(): pytest.skip('no model')\ndef test_it(it): ...",
    "test_module.py": "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): ...",
    "test_sam3.py": f"import pytest\npytest.importorskip('no_such_module', reason='{SAM3}')",
    "test_fine.py": "import pytest\ndef test_it(): ...\n@pytest.mark.xfail\ndef test_known(): assert False",
    "test_failing.py": "def test_it(): assert False",
}
UNLISTED = ("test_call.py", "test_mark.py", "test_fixture.py", "test_module.py")
NAMED = [
    "test_call.py::test_it: no browser",
    "test_fixture.py::test_it: no model",
    "test_mark.py::test_it: no compiler",
    "test_module.py: could not import 'no_such_module': No module named 'no_such_module'",
]
both_ways = pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two workers"])


def run_tests(folder: Path, modules: tuple[str, ...], *options: str) -> "subprocess.CompletedProcess[str]":
    """Run some of the modules, in a process of its own."""
    for name in modules:
        (folder / name).write_text(MODULES[name])
    plugins = ["-p", "xdist", "-p", "relight_assets_tests.listed_skips", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", str(folder), *plugins, *options, *modules],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout, done.stderr)
    return done


def reported(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """The lines that name skips which are not listed, and the one that counts them."""
    lines = done.stdout.splitlines()
    (start,) = [number for number, line in enumerate(lines) if "skipped for a reason that is not listed" in line]
    (end,) = [number for number, line in enumerate(lines) if "skips are not listed for" in line]
    return [line for line in lines[start + 1 : end + 1] if line]


@both_ways
def test_skips_that_are_not_listed_fail_and_are_named(tmp_path: Path, processes: tuple[str, ...]) -> None:
    modules = (*UNLISTED, "test_sam3.py", "test_fine.py")
    done = run_tests(tmp_path, modules, "--only-listed-skips", "light", *processes)
    assert done.returncode == 1
    assert reported(done) == [*NAMED, "4 skips are not listed for `light`"]
    assert "1 passed, 5 skipped, 1 xfailed" in done.stdout


@both_ways
def test_a_skip_that_is_listed_is_no_fault_in_its_environment(tmp_path: Path, processes: tuple[str, ...]) -> None:
    done = run_tests(tmp_path, ("test_sam3.py", "test_fine.py"), "--only-listed-skips", "light", *processes)
    assert done.returncode == 0
    assert "1 passed, 1 skipped, 1 xfailed" in done.stdout


def test_in_another_environment_it_is_a_fault(tmp_path: Path) -> None:
    done = run_tests(tmp_path, ("test_sam3.py", "test_fine.py"), "--only-listed-skips", "sam3")
    assert done.returncode == 1
    assert reported(done) == [f"test_sam3.py: {SAM3}", "1 skips are not listed for `sam3`"]


def test_nobody_else_is_kept_from_skipping(tmp_path: Path) -> None:
    assert run_tests(tmp_path, (*UNLISTED, "test_fine.py")).returncode == 0


def test_a_failure_stays_a_failure(tmp_path: Path) -> None:
    done = run_tests(tmp_path, ("test_failing.py", "test_call.py"), "--only-listed-skips", "light")
    assert done.returncode == 1
    assert "1 failed, 1 skipped" in done.stdout
    assert reported(done) == ["test_call.py::test_it: no browser", "1 skips are not listed for `light`"]


def test_the_list_is_short_and_gives_a_reason_for_each() -> None:
    reasons = [why for listed in LISTED.values() for why in listed.values()]
    assert len(reasons) <= 5
    assert all(len(why) > 20 for why in reasons)


def test_ci_asks_for_it_in_both_environments() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"make test CHECK_SKIPS=1", "make test-sam3 CHECK_SKIPS=1"} <= set(ci)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for environment in LISTED:
        assert f"--only-listed-skips={environment}" in makefile
