"""The Dagster instance of a project: its home and its settings."""

import os
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.config.settings import Settings
from relight_assets.defs.runs.instance import instance_of, opened_instance, prepare_home
from relight_assets.errors import ConfigError
from relight_assets_tests.conftest import make_project


def test_a_home_gets_our_instance_settings_once(tmp_path: Path) -> None:
    settings = Settings(dagster_home=tmp_path / "home")
    assert prepare_home(settings, tmp_path, {"PATH": ""}) == tmp_path / "home"
    assert "DAGSTER_HOME" not in os.environ
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.global_op_concurrency_default_limit == 1
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    prepare_home(settings, tmp_path, {})
    assert "run_monitoring" not in (tmp_path / "home" / "dagster.yaml").read_text()


def test_a_home_that_is_set_is_used_as_it_is(tmp_path: Path) -> None:
    own = {"DAGSTER_HOME": str(tmp_path)}
    assert prepare_home(Settings(dagster_home=tmp_path / "not"), tmp_path, own) == tmp_path
    assert not (tmp_path / "dagster.yaml").exists()


def test_a_home_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written: .*file is not a folder.*set dagster_home"):
        prepare_home(Settings(dagster_home=tmp_path / "file" / "home"), tmp_path, {})


def test_the_pool_is_limited_before_the_first_run_and_somebodys_own_limit_stays(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_project(tmp_path, photos).root)
    settings = Settings(csv_dir=tmp_path / "data", dagster_home=tmp_path / "home")
    with instance_of(settings, tmp_path) as instance:
        assert instance.event_log_storage.get_concurrency_info("gpu").slot_count == 1
        instance.event_log_storage.set_concurrency_slots("gpu", 3)
    with instance_of(settings, tmp_path) as instance:
        assert instance.event_log_storage.get_concurrency_info("gpu").slot_count == 3


def test_a_dagster_home_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    for wrong in ("relative", str(tmp_path / "none")):
        with pytest.raises(ConfigError, match="must be the full path of a folder"):
            prepare_home(Settings(dagster_home=tmp_path), tmp_path, {"DAGSTER_HOME": wrong})


@pytest.mark.parametrize(
    ("text", "message"), [("telemetry: [", "is not YAML: "), ("no_such_key: 1\n", "is not one that Dagster takes: ")]
)
def test_a_dagster_yaml_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught, opened_instance(Settings(dagster_home=home), tmp_path):
        pass
    assert str(caught.value).startswith(f"{home / 'dagster.yaml'} ")
    assert "\n" not in str(caught.value)
