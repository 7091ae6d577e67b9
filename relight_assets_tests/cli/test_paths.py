"""An address where a path is wanted is quoted as it was typed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main

ADDRESS = "https://example.com//a/../b.yaml"


@pytest.mark.parametrize(
    "command",
    [
        ("--platform", ADDRESS, "status"),
        ("run", "--config", ADDRESS, "--all-splits"),
        ("run", "--csv", ADDRESS),
        ("verify", "--csv", ADDRESS),
        ("export", "--csv", ADDRESS, "--layout", "imagefolder"),
        ("try", ADDRESS),
        ("replay", ADDRESS),
        ("init", ADDRESS),
    ],
)
def test_an_address_is_refused_as_it_was_typed(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, command, terminal_width=300)
    assert done.exit_code == 2
    assert f"{ADDRESS} is an address (URL); give a file or folder of this machine" in done.output
    assert not any(tmp_path.iterdir())
