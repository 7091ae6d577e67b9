"""The platform's settings: the file, the environment over it, and where files are looked for."""

import os
from operator import attrgetter
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from relight_assets.config import variables
from relight_assets.config.project import ProjectSource
from relight_assets.config.project_folder import platform_file, project_folder, recipe_file
from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import load_settings
from relight_assets.config.variables import drop_unknown_variables
from relight_assets.core.regular_files import ImageRoot
from relight_assets.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "platform.yaml").write_text("output_root: made\nbatch: 7\n", encoding="utf-8")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    return tmp_path


def test_the_shipped_file_is_the_defaults() -> None:
    shipped = load_settings({"RELIGHT_PLATFORM": str(ROOT / "config" / "platform.yaml")})
    assert shipped.output_root == ROOT / "data" / "outputs"
    assert shipped.model_copy(update={"csv_dir": 0, "output_root": 0, "dagster_home": 0}) == Settings().model_copy(
        update={"csv_dir": 0, "output_root": 0, "dagster_home": 0}
    )


def test_the_project_is_found_from_below(project: Path) -> None:
    assert project_folder({}) == project
    assert platform_file({}) == project / "config" / "platform.yaml"
    settings = load_settings({})
    assert settings.output_root == project / "made"
    assert settings.csv_dir == project / "data"
    assert settings.batch == 7


@pytest.mark.parametrize(("name", "found"), [("stranger", False), ("relight_assets", True)])
def test_without_a_project_only_a_checkout_of_this_package_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, found: bool
) -> None:
    packages = tmp_path / "site-packages"
    (packages / "config").mkdir(parents=True)
    (packages / "config" / "platform.yaml").write_text("of_a_stranger: 1\n")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setattr(
        "relight_assets.config.project_folder.__file__",
        str(packages / "relight_assets" / "config" / "project_folder.py"),
    )
    assert project_folder({}) == tmp_path / "empty"
    (packages / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    assert project_folder({}) == (packages if found else tmp_path / "empty")


def test_paths_of_a_file_outside_config_are_relative_to_its_folder(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("csv_dir: csvs\nimage_root: /photos\n", encoding="utf-8")
    settings = load_settings({"RELIGHT_PLATFORM": str(tmp_path / "my.yaml")})
    assert settings.csv_dir == tmp_path / "csvs"
    assert settings.image_root == Path("/photos")


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("RELIGHT_BATCH", "2", "batch", 2),
        ("RELIGHT_NUM_GPUS", "auto", "num_gpus", "auto"),
        ("RELIGHT_NUM_GPUS", "8", "num_gpus", 8),
        ("RELIGHT_NUM_GPUS", "none", "num_gpus", "none"),
        ("RELIGHT_OUTPUT_ROOT", "/elsewhere", "output_root", Path("/elsewhere")),
        ("RELIGHT_IMAGE_ROOT", "null", "image_root", None),
        ("RELIGHT_CSV_GLOB", "*.csv", "csv_glob", "*.csv"),
        ("RELIGHT_HANG_S", "1.5", "hang_s", 1.5),
        ("RELIGHT_MAX_MEGAPIXELS", "12", "max_megapixels", 12.0),
        ("RELIGHT_BATCH", "", "batch", 7),
        (
            "RELIGHT_UI_HOSTS",
            "[Relight.example.com., 10.0.0.5, 'FD00:0::5', ui_1]",
            "ui_hosts",
            ("relight.example.com", "10.0.0.5", "fd00::5", "ui_1"),
        ),
    ],
)
def test_the_environment_overrides(project: Path, variable: str, text: str, key: str, value: object) -> None:
    assert getattr(load_settings({variable: text}), key) == value


def test_a_relative_path_in_the_environment_is_relative_to_the_working_directory(project: Path) -> None:
    assert load_settings({"RELIGHT_OUTPUT_ROOT": "here"}).output_root == project / "deep" / "er" / "here"


OTHER_THAN_DEFAULT = {
    "csv_dir": "/a",
    "csv_glob": "*.csv",
    "image_root": "/b",
    "hard_links": "True",
    "output_root": "/c",
    "mapping_dir": "/d",
    "export_root": "/m",
    "licence_column": "rights",
    "model_dir": "/e",
    "sam3.checkpoint": "/g/sam3.pt",
    "sam3.directory": "/h",
    "sam3.sha256": "0" * 64,
    "albedo_model.file": "/i/albedo.onnx",
    "albedo_model.sha256": "1" * 64,
    "geometry_model.file": "/i/depth.onnx",
    "geometry_model.sha256": "2" * 64,
    "dagster_home": "/f",
    "engine": "ray",
    "ray.address": "10.0.0.1:6379",
    "ray.slots": "3",
    "ray.cpus_per_worker": "4",
    "ray.start_s": "5",
    "num_gpus": "1",
    "cpu_workers": "1",
    "threads": "1",
    "memory_mib": "64",
    "batch": "1",
    "start_s": "1",
    "hang_s": "1",
    "max_failed_share": "0.5",
    "watch": "False",
    "sweep_cron": "* * * * *",
    "alert_webhook": "http://127.0.0.1/hook?key=1",
    "ui_hosts": "('relight.example.com',)",
    "max_megapixels": "1",
    "quality.min_identity": "0.1",
    "quality.min_identity_median": "0.2",
    "quality.strength_range": "(0.3, 0.4)",
    "quality.strength_median_range": "(0.5, 0.6)",
    "quality.max_exposure": "0.7",
    "quality.max_clipping": "0.8",
    "quality.max_clipping_mean": "0.9",
    "quality.max_crushed": "0.11",
    "quality.max_chroma": "0.12",
    "quality.rim_range": "(0.13, 0.14)",
    "quality.max_recomposition": "15",
    "quality.max_comb": "0.16",
    "quality.max_black_speckle": "0.165",
    "quality.min_person_evidence": "0.25",
    "quality.max_undecided": "0.26",
    "quality.max_cutout_stairs": "0.27",
    "quality.max_cutout_speckle": "1.28",
    "quality.max_cutout_see_through": "0.29",
    "quality.max_cutout_rim": "0.31",
    "quality.max_skin_against_rest": "0.32",
    "quality.max_skin_against_rest_worst": "0.33",
    "quality.min_mid_contrast": "0.34",
    "quality.min_mid_contrast_median": "0.35",
    "quality.max_own_light_left_median": "0.36",
    "quality.max_chroma_step": "0.37",
    "quality.max_highlight_left_median": "0.38",
    "quality.max_dark_lift": "0.39",
    "quality.max_newly_clipped": "0.41",
    "quality.max_face_chroma_off": "0.42",
    "quality.max_eye_overlap_median": "0.43",
    "quality.max_mask_rim": "0.17",
    "quality.max_mask_rim_median": "0.18",
    "quality.max_inconsistency": "0.19",
    "quality.max_lit_apart": "0.21",
    "quality.max_tercile_worse": "0.22",
    "quality.darker_range": "(0.43, 0.56)",
    "quality.max_exposure_median": "0.44",
    "quality.max_color_median": "0.46",
    "quality.max_contrast_median": "0.47",
    "quality.max_tone_cue": "0.48",
    "quality.min_variant_distance": "0.23",
    "quality.min_variants_apart": "0.24",
}


def test_every_key_has_a_variable(project: Path) -> None:
    assert {key.partition(".")[0] for key in OTHER_THAN_DEFAULT} | {"exports", "publish"} == set(Settings.model_fields)
    thresholds = {key.partition(".")[2] for key in OTHER_THAN_DEFAULT if key.startswith("quality.")}
    assert thresholds == set(Quality.model_fields)
    for key, text in OTHER_THAN_DEFAULT.items():
        given = text.replace("(", "[").replace(")", "]")
        settings = load_settings({f"RELIGHT_{key.replace('.', '_').upper()}": given})
        value = attrgetter(key)(settings)
        shown = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        assert shown.removesuffix(".0") == text
    (export,) = load_settings({"RELIGHT_EXPORTS": "[{name: a, layout: jsonl, options: {max_rows: 3}}]"}).exports
    assert (export.name, export.layout, export.options.max_rows) == ("a", "jsonl", 3)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (
            "[{name: a, layout: b, options: {captoin: none}}]",
            r"unknown key `exports\[0\]\.options\.captoin`; did you mean `exports\[\]\.options\.caption`",
        ),
        ("[{name: a b, layout: c}]", r"`exports\[0\]\.name`"),
        ("[{layout: c}]", "a value is missing here"),
        ("[{name: a, layout: c, options: {resolution: 12}}]", "must be `crop`, `source` or a whole number"),
    ],
)
def test_exports_that_cannot_be_used(project: Path, text: str, reported: str) -> None:
    with pytest.raises(ConfigError, match=reported):
        load_settings({"RELIGHT_EXPORTS": text})


@pytest.mark.parametrize(
    "hosts",
    [
        "relight.example.com",
        "[https://relight.example.com]",
        "['relight.example.com:80']",
        "[a b]",
        "[1]",
        "[.]",
        "[a..b]",
        "['fe80::1%eth0']",
        "['[::1]']",
    ],
)
def test_hosts_of_the_ui_are_names_without_scheme_or_port(project: Path, hosts: str) -> None:
    with pytest.raises(ConfigError, match=r"RELIGHT_UI_HOSTS: `ui_hosts`: found .*; must be a list of names of hosts"):
        load_settings({"RELIGHT_UI_HOSTS": hosts})


def test_the_root_of_the_photos() -> None:
    assert load_settings({"RELIGHT_HARD_LINKS": "true"}).photo_root is None
    assert load_settings({"RELIGHT_IMAGE_ROOT": "/b"}).photo_root == ImageRoot(Path("/b"))
    both = load_settings({"RELIGHT_IMAGE_ROOT": "/b", "RELIGHT_HARD_LINKS": "true"})
    assert both.photo_root == ImageRoot(Path("/b"), hard_links=True)


def test_a_key_of_a_section_overrides_only_itself(project: Path) -> None:
    file = project / "config" / "platform.yaml"
    file.write_text("sam3: {checkpoint: models/sam3.pt, directory: null}\n")
    assert load_settings({}).sam3.checkpoint == project / "models" / "sam3.pt"
    weights = load_settings({"RELIGHT_SAM3_SHA256": "1" * 64}).sam3
    assert (weights.checkpoint, weights.sha256) == (project / "models" / "sam3.pt", "1" * 64)


@pytest.mark.parametrize(
    ("environment", "reported"),
    [
        ({"RELIGHT_BATCH": "many"}, ["RELIGHT_BATCH", 'found "many"', "whole number"]),
        ({"RELIGHT_BATCH": "0"}, ["RELIGHT_BATCH", "found 0"]),
        ({"RELIGHT_NUM_GPUS": "0"}, ["RELIGHT_NUM_GPUS", "`auto` or a whole number"]),
        ({"RELIGHT_SAM3_SHA256": "abc"}, ["RELIGHT_SAM3_SHA256", "sam3.sha256"]),
        ({"RELIGHT_ENGINE": "spark"}, ["RELIGHT_ENGINE", "'local' or 'ray'"]),
        ({"RELIGHT_RAY_ADDRESS": "ray://h:10001"}, ["RELIGHT_RAY_ADDRESS", "not supported", "`ray job submit`"]),
        ({"RELIGHT_RAY_ADDRESS": "head"}, ["RELIGHT_RAY_ADDRESS", 'found "head"', "`auto` or HOST:PORT"]),
        ({"RELIGHT_RAY_SLOTS": "0"}, ["RELIGHT_RAY_SLOTS", "ray.slots", "`auto` or a whole number from 1"]),
        ({"RELIGHT_RAY_CPUS_PER_WORKER": "0"}, ["RELIGHT_RAY_CPUS_PER_WORKER", "greater than or equal to 1"]),
        ({"RELIGHT_BATCH": "&a [*a]"}, ["RELIGHT_BATCH", "not plain YAML"]),
        ({"RELIGHT_BATCH": "2001-99-99"}, ["RELIGHT_BATCH", "not plain YAML"]),
        ({"RELIGHT_IMAGE_ROOT": "~nobody-here/x"}, ["image_root", "home"]),
        ({"RELIGHT_PLATFORM": "/no/such.yaml"}, ["/no/such.yaml", "no such file"]),
        ({"RELIGHT_PLATFORM": "/no/\x1b[2J.yaml"}, ["RELIGHT_PLATFORM", "control character U+001B"]),
        ({"RELIGHT_PLATFORM": "x/" * 4000}, ["RELIGHT_PLATFORM", "longer than a path can be"]),
        ({"RELIGHT_BATCH": "!!python/name:os.system"}, ["RELIGHT_BATCH", "the tag !!python/name:os.system"]),
        ({"RELIGHT_BATCH": "!!binary aGk="}, ["RELIGHT_BATCH", "the tag !!binary"]),
        ({"RELIGHT_BATCH": "[" * 5000}, ["RELIGHT_BATCH", "more than 32 levels"]),
        ({"RELIGHT_BATCH": "9" * 5000}, ["RELIGHT_BATCH", "a number of more than 100 characters"]),
        ({"RELIGHT_BATCH": "[" + "1," * 50_000 + "1]"}, ["RELIGHT_BATCH", "more than 10,000 keys and values"]),
        ({"RELIGHT_BATCH": "3\x07"}, ["RELIGHT_BATCH", "control character U+0007"]),
        ({"RELIGHT_CSV_DIR": "/data/\udcff"}, ["RELIGHT_CSV_DIR", "bytes that are no UTF-8"]),
        ({"RELIGHT_CSV_DIR": "~a\0"}, ["RELIGHT_CSV_DIR", "control character U+0000"]),
        ({"RELIGHT_CSV_GLOB": "*\x7f"}, ["RELIGHT_CSV_GLOB", "control character U+007F"]),
        ({"RELIGHT_HANG_S": ".nan"}, ["RELIGHT_HANG_S", "hang_s"]),
        ({"RELIGHT_MAX_MEGAPIXELS": ".inf"}, ["RELIGHT_MAX_MEGAPIXELS", "max_megapixels"]),
    ],
)
def test_a_mistake_is_one_clear_error(environment: dict[str, str], reported: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environment)
    for part in reported:
        assert part in str(caught.value)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_the_shipped_file_names_every_threshold() -> None:
    shipped = yaml.safe_load((ROOT / "config" / "platform.yaml").read_text(encoding="utf-8"))
    assert set(shipped["quality"]) == set(Quality.model_fields)


def test_thresholds_are_the_platform_s_and_over_them_what_the_recipe_s_file_gives(project: Path) -> None:
    (project / "config" / "platform.yaml").write_text("quality: {max_comb: 0.2, max_chroma: 4}\n", encoding="utf-8")
    settings = load_settings({"RELIGHT_QUALITY_MAX_CHROMA": "5"})
    assert (settings.quality.max_comb, settings.quality.max_chroma) == (0.2, 5)
    assert settings.quality_of(ProjectSource({}).recipe()) == settings.quality
    (project / "config" / "mvp_config.yaml").write_text("quality: {max_comb: 0.05}\n", encoding="utf-8")
    found = settings.quality_of(ProjectSource({}).recipe())
    assert (found.max_comb, found.max_chroma) == (0.05, 5)


def test_an_unknown_threshold_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("quality: {min_identty: 0.5}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"unknown key `quality.min_identty`; did you mean `quality.min_identity`"):
        load_settings({"RELIGHT_PLATFORM": str(tmp_path / "p.yaml")})
    (reported,) = drop_unknown_variables({"RELIGHT_QUALITY_MIN_IDENTTY": "0.5"})
    assert reported.endswith("did you mean RELIGHT_QUALITY_MIN_IDENTITY?")


def test_an_unknown_key_in_the_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("ouput_root: x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean `output_root`"):
        load_settings({"RELIGHT_PLATFORM": str(tmp_path / "p.yaml")})


@pytest.mark.parametrize("name", ["platform.yaml", "mvp_config.yaml"])
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(project: Path, name: str) -> None:
    (project / "config" / name).unlink(missing_ok=True)
    os.mkfifo(project / "config" / name)
    with pytest.raises(ConfigError, match=f"{name}: cannot be read: '{name}' is a named pipe"):
        load_settings({}) if name == "platform.yaml" else ProjectSource({}).recipe()


@pytest.mark.parametrize("name", ["platform.yaml", "mvp_config.yaml"])
def test_a_link_to_nothing_in_the_place_of_a_file_is_no_leave_to_use_the_defaults(project: Path, name: str) -> None:
    (project / "config" / name).unlink(missing_ok=True)
    (project / "config" / name).symlink_to("/not/mounted.yaml")
    with pytest.raises(ConfigError, match=f"{name}: there is no such file"):
        load_settings({}) if name == "platform.yaml" else ProjectSource({}).recipe()


def test_the_recipe_file_is_the_projects_or_the_named_one(project: Path) -> None:
    assert recipe_file({}) == project / "config" / "mvp_config.yaml"
    assert ProjectSource({}).recipe().recipe == Recipe()
    (project / "other.yaml").write_text("seed: 4\n", encoding="utf-8")
    assert ProjectSource({"RELIGHT_CONFIG": str(project / "other.yaml")}).recipe().recipe.seed == 4
    with pytest.raises(ConfigError, match="no such file"):
        ProjectSource({"RELIGHT_CONFIG": str(project / "none.yaml")}).recipe()


KUBERNETES = {
    "RELIGHT_PORT": "tcp://10.0.0.1:3000",
    "RELIGHT_PORT_3000_TCP": "tcp://10.0.0.1:3000",
    "RELIGHT_PORT_3000_TCP_ADDR": "10.0.0.1",
    "RELIGHT_PORT_3000_TCP_PORT": "3000",
    "RELIGHT_PORT_3000_TCP_PROTO": "tcp",
    "RELIGHT_SERVICE_HOST": "10.0.0.1",
    "RELIGHT_SERVICE_PORT": "3000",
    "RELIGHT_SERVICE_PORT_HTTP": "3000",
    "RELIGHT_UI_SERVICE_HOST": "10.0.0.2",
    "RELIGHT_UI_PORT": "tcp://10.0.0.2:80",
}


def test_variables_that_are_no_settings_do_nothing_and_are_reported_once(project: Path) -> None:
    environ = {**KUBERNETES, "RELIGHT_OUTPUT_ROT": "x", "RELIGHT_X\x1b[2J": "", "RELIGHT_BATCH": "3", "HOME": "/h"}
    assert load_settings(environ).batch == 3
    rot, odd, of_services = drop_unknown_variables(environ)
    assert rot == "RELIGHT_OUTPUT_ROT: no such setting, so it does nothing; did you mean RELIGHT_OUTPUT_ROOT?"
    assert (odd.isprintable(), "\\x1b" in odd) == (True, True)
    assert all(name in of_services for name in KUBERNETES)
    assert "enableServiceLinks" in of_services
    assert environ == {"RELIGHT_BATCH": "3", "HOME": "/h"}
    assert drop_unknown_variables(environ) == []


def test_no_setting_has_the_name_of_a_variable_of_kubernetes() -> None:
    named = [*map(variables.variable_of, variables.setting_keys()), "RELIGHT_CONFIG", "RELIGHT_PLATFORM"]
    assert not [name for name in named if variables._OF_A_SERVICE.fullmatch(name)]
    assert all(variables._OF_A_SERVICE.fullmatch(name) for name in KUBERNETES)


def test_a_project_in_a_folder_whose_name_is_no_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "z\udcff" / "config").mkdir(parents=True)
    (tmp_path / "z\udcff" / "config" / "platform.yaml").write_text("batch: 2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "z\udcff")
    with pytest.raises(ConfigError, match=r"the folder .*z\\udcff has a name with bytes that are no UTF-8.*rename it"):
        load_settings({"RELIGHT_BATCH": "3"})


def test_a_working_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for environ in ({}, {"RELIGHT_PLATFORM": "p.yaml"}):
        with pytest.raises(ConfigError, match="the working directory is gone"):
            load_settings(environ)


def test_a_port_that_somebody_meant_for_a_setting_is_reported_with_the_nearest_key(project: Path) -> None:
    (reported,) = drop_unknown_variables({"RELIGHT_UI_HOST": "a"})
    assert "did you mean RELIGHT_UI_HOSTS?" in reported
    (reported,) = drop_unknown_variables({"RELIGHT_UI_PORT": "3001"})
    assert reported.startswith("RELIGHT_UI_PORT: no such setting, so it does nothing")
    assert "Kubernetes" not in reported
