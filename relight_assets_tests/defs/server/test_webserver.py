"""The guarded web server as a command of its own; its answers: faults/test_web_requests.py."""

import subprocess
import sys
from pathlib import Path

from relight_assets_tests.faults.processes import clean_environment


def test_a_platform_file_that_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "platform.yaml").write_text("ui_hosts: [https://relight.example.com]\n")
    ended = subprocess.run(
        [sys.executable, "-m", "relight_assets.defs.server.webserver", "--empty-workspace"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    (said,) = ended.stderr.splitlines()
    assert said.startswith("error: ")
    assert "`ui_hosts" in said
    assert "without a scheme or a port" in said
