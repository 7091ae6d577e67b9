"""`relight dev` before anything starts; with real servers: faults/test_web_requests.py, faults/test_new_csvs.py."""

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main


def test_a_port_that_is_taken_ends_it_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["dev", "--port", str(port)])
    assert result.exit_code == 2
    assert f"port {port} of 127.0.0.1 is taken" in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x"])
def test_a_port_that_is_none_is_a_mistake(port: str) -> None:
    assert CliRunner().invoke(main, ["dev", "--port", port]).exit_code == 2


def test_a_folder_for_sockets_that_is_too_long_ends_it_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    long = tmp_path / ("long" * 30)
    long.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    result = CliRunner().invoke(main, ["dev", "--port", str(free)], env={"TMPDIR": str(long)})
    assert result.exit_code == 2
    assert "is too long for the sockets of Dagster's servers" in result.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == [long]


def test_the_servers_alone_are_given_the_variables_that_name_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text("csv_dir: csvs\ndagster_home: home\n", encoding="utf-8")
    given: dict[str, str] = {}
    monkeypatch.setattr("relight_assets.defs.server.dev.serve", lambda *_, environment, **__: given.update(environment))
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    before = dict(os.environ)
    result = CliRunner().invoke(main, ["--platform", "my.yaml", "dev", "--port", str(free)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "csvs").is_dir()  # a first start has none
    assert "no CSV matches *_images.csv" in result.output.replace("\n", " ")
    assert f"UI: http://127.0.0.1:{free}" in result.output
    assert given["RELIGHT_PLATFORM"] == str(tmp_path / "my.yaml")
    assert given["DAGSTER_HOME"] == str(tmp_path / "home")
    assert "ignore:" in given["PYTHONWARNINGS"]
    assert dict(os.environ) == before
