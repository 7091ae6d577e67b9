"""The URL of the webhook is a secret, whatever is wrong with the file or the variable that it stands in."""

import traceback
from pathlib import Path

import pytest
import yaml

from relight_assets.config.settings_loader import load_settings
from relight_assets.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


SECRET = "T0K3N"


@pytest.mark.parametrize(
    "url",
    [
        f"hooks.example.com/{SECRET}",
        f"ftp://hooks.example.com/{SECRET}",
        f"file:///{SECRET}",
        f"https:///{SECRET}",
        f"https://hooks.example.com:port/{SECRET}",
        f"https://[::1/{SECRET}",
        f"https://hooks.example.com/a {SECRET}",
        f"https://hooks.example.com/a\n{SECRET}",
    ],
)
def test_a_webhook_is_a_url_and_an_error_does_not_show_it(project: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"^RELIGHT_ALERT_WEBHOOK: `alert_webhook`: must be an http or") as caught:
        load_settings({"RELIGHT_ALERT_WEBHOOK": url})
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    (project / "config" / "platform.yaml").write_text(yaml.safe_dump({"alert_webhook": [url]}))
    with pytest.raises(ConfigError, match=r"platform.yaml: `alert_webhook`") as caught:
        load_settings({})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "alert_webhook: [URL]",
        "alert_webhook: ['URL']",
        "alert_webhook: {url: URL}",
        "alert_webhook:\n  URL:",
        "alert_webhook:\n  - URL",
        "alert_webhook:\n  url:\n    !!int URL",
        "alert_webhook: >\n  URL\n  and more",
        "alert_webhook: 'URL",
        'alert_webhook: "URL',
        'alert_webhook: "\\URL"',
        'alert_webhook: "URL\\0"',
        "alert_webhook: a: URL",
        "alert_webhook: !URL",
        "alert_webhook: !<URL> x",
        "alert_webhook: !!int URL",
        "alert_webhook: !!bool 'URL'",
        "alert_webhook: !!float S3CR3T",
        "alert_webhook: *S3CR3T",
        "alert_webhook: ftp:URL",
        "alert_webhook: hooks.example.com/S3CR3T",
        "alert_webhook: 'http:\\\\hooks.example.com\\S3CR3T'",
        "alert_webhook:URL",
        "alert_webhook:hooks.example.com/S3CR3T",
        "alert_webhook = URL",
        "URL",
        "URL: 1",
        "URL: 1\nURL: 2",
        "hooks.example.com/S3CR3T: 1",
        "? ['URL']\n: 1",
        "? {url: 'URL'}\n: 1",
        "alert_webook: URL",
        "alerts: {webhook: 'URL'}",
        "alert_webhook: null\nbatch: URL",
        "batch: hooks.example.com:8080/S3CR3T",
        "batch: user:S3CR3T@hooks.example.com",
        "batch: ['URL']",
        "engine: URL",
        "image_root: URL",
        "csv_glob: URL",
        "sweep_cron: URL",
        "quality: URL",
        "quality: {min_identity: 'URL'}",
        "sam3: {checkpoint: 'URL'}",
        "sam3: {sha256: 'URL'}",
        "alert_webhook: URL\nalert_webhook: URL",
        "alert_webhook: URL\nbatch: x",
        "\talert_webhook: URL",
    ],
)
def test_no_message_of_a_malformed_file_shows_the_webhook(project: Path, text: str) -> None:
    for url in (f"https://hooks.example.com/{SECRET}?key={SECRET}", f"https://{SECRET}", f"https:/{SECRET}"):
        secret = text.replace("URL", url).replace("S3CR3T", SECRET)
        (project / "config" / "platform.yaml").write_text(secret + "\n", encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_settings({})
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert "platform.yaml: " in str(caught.value)


@pytest.mark.parametrize("key", ["image_root", "csv_dir", "csv_glob", "sweep_cron", "batch", "engine"])
def test_a_url_at_another_variable_is_not_shown(project: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=f"^RELIGHT_{key.upper()}: ") as caught:
        load_settings({f"RELIGHT_{key.upper()}": f"https://hooks.example.com/{SECRET}"})
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_the_settings_do_not_show_the_webhook(project: Path) -> None:
    settings = load_settings({"RELIGHT_ALERT_WEBHOOK": f"https://hooks.example.com/{SECRET}"})
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert load_settings({"RELIGHT_ALERT_WEBHOOK": "null"}).alert_webhook is None
