"""``relight`` from its first moment."""

import subprocess
import sys

INTERRUPTED = """
import signal
import sys

MODULE = sys.argv.pop(1)


class Strikes:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            signal.raise_signal(signal.SIGINT)


sys.meta_path.insert(0, Strikes())
from relight_assets.__main__ import main

main()
"""


def test_ctrl_c_while_the_commands_are_imported_is_one_sentence() -> None:
    for module, *arguments in (
        ("relight_assets.cli.main",),
        ("cv2",),
        ("relight_assets.cli.commands.status", "status"),
        ("relight_assets.cli.commands.status", "--help"),
    ):
        command = [sys.executable, "-c", INTERRUPTED, module, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 130
        assert ran.stdout + ran.stderr == (
            "error: stopped; what is finished stays done, and the same command goes on from there\n"
        )


def test_it_is_a_module_too_and_workers_import_no_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "relight_assets", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("relight, version")
    code = "import sys, relight_assets.__main__; print('relight_assets.cli.main' in sys.modules)"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout == "False\n"
