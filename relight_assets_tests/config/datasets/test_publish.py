"""Where finished data goes: addresses, and the list ``publish`` of the settings."""

from pathlib import Path

import pytest

from relight_assets.config.datasets.publish import Destination, Publish, check_endpoint
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import load_settings
from relight_assets.errors import ConfigError, DestinationError


@pytest.mark.parametrize(
    ("text", "kind", "place", "prefix", "shown"),
    [
        ("s3://photos", "s3", "photos", "", "s3://photos"),
        ("S3://photos/sets/2026/", "s3", "photos", "sets/2026", "s3://photos/sets/2026"),
        ("gs://photos//sets", "gs", "photos", "sets", "gs://photos/sets"),
        ("az://account/container/sets", "az", "account/container", "sets", "az://account/container/sets"),
        ("/mnt/sets", "folder", "", "/mnt/sets", "/mnt/sets"),
    ],
)
def test_destinations(text: str, kind: str, place: str, prefix: str, shown: str) -> None:
    found = Destination.parse(text)
    assert (found.kind, found.place, found.prefix, str(found)) == (kind, place, prefix, shown)


def test_a_folder_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Destination.parse("sets").prefix == str(tmp_path / "sets")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s3a://photos/x", "did you mean s3://?"),
        ("gcs://photos/x", "did you mean gs://?"),
        ("https://photos.example.com/x", "an address of a kind that is not known"),
        ("s3:/photos", "an address of a kind that is not known"),
        ("s3://", "must be s3://BUCKET/PREFIX"),
        ("s3://AKIA:s3cr3t@photos/x", "without credentials; what was found is not shown"),
        ("s3://photos/x?sig=s3cr3t", "must not hold"),
        ("s3://photos/../s3cr3t", "must not hold"),
        ("az://account", "must be az://ACCOUNT/CONTAINER/PREFIX"),
        (" ", "DEST is empty"),
    ],
)
def test_others_are_refused_and_not_quoted(text: str, message: str) -> None:
    with pytest.raises(DestinationError) as raised:
        Destination.parse(text)
    assert message in str(raised.value)
    assert "s3cr3t" not in str(raised.value)


def test_outputs_are_no_destination(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for place in (tmp_path / "out", tmp_path / "out" / "data-train", tmp_path / "link" / "out" / "x"):
        with pytest.raises(DestinationError, match="where outputs are"):
            Destination.parse(str(place)).refuse_within(tmp_path / "out")
    Destination.parse(str(tmp_path)).refuse_within(tmp_path / "out")
    Destination.parse("s3://photos").refuse_within(tmp_path)


@pytest.mark.parametrize("url", ["https://storage.example.com", "http://127.0.0.1:9000/", "https://[::1]:9000"])
def test_endpoints(url: str) -> None:
    assert check_endpoint(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "storage.example.com",
        "ftp://x.example.com",
        "https://a:s3cr3t@x.example.com",
        "https://x/?k=s3cr3t",
        "http://x:y",
    ],
)
def test_others_are_no_endpoints_and_not_quoted(url: str) -> None:
    with pytest.raises(DestinationError, match="what was found is not shown") as raised:
        check_endpoint(url)
    assert "s3cr3t" not in str(raised.value)


def settings_of(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "my.yaml").write_text(text, encoding="utf-8")
    return load_settings({}, tmp_path / "my.yaml")


def test_the_settings_list_publications(tmp_path: Path) -> None:
    (made,) = settings_of(
        tmp_path,
        "exports: [{name: pairs, layout: jsonl}]\n"
        "publish: [{name: b, dest: 's3://photos/sets', exports: [pairs], endpoint: 'https://s.example.com', "
        "delete: true}]\n",
    ).publish
    assert made == Publish(
        name="b", dest="s3://photos/sets", exports=("pairs",), endpoint="https://s.example.com", delete=True
    )
    assert made.destination == Destination("s3", "photos", "sets")
    assert Settings().publish == ()


def test_the_environment_lists_them_too() -> None:
    (made,) = load_settings({"RELIGHT_PUBLISH": "[{name: b, what: splits, dest: /mnt/sets}]"}).publish
    assert (made.what, made.dest) == ("splits", "/mnt/sets")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{name: b, dest: 's3://k:s3cr3t@photos'}", "without credentials"),
        ("{name: b, dest: sets}", "by its absolute path"),
        ("{name: b, dest: 's4://photos'}", "did you mean s3"),
        ("{name: b}", "a value is missing here"),
        ("{name: b, dest: /mnt, exprts: []}", "did you mean `publish[].exports`|did you mean"),
        ("{name: b, dest: /mnt, endpoint: 'https://x.example.com'}", "`endpoint` belongs to"),
        ("{name: b, dest: 's3://x', endpoint: 'https://k:s3cr3t@x'}", "must be an address"),
        ("{name: b, dest: /mnt, what: splits, exports: [a]}", "`exports` belongs to"),
        ("{name: b, dest: /mnt, partial: true}", "`partial` belongs to"),
        ("{name: 'a b', dest: /mnt}", "pattern"),
        ("{name: b, dest: 5}", "must be text"),
    ],
)
def test_mistakes_in_the_list_are_named_and_no_secret_is_shown(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings_of(tmp_path, f"publish: [{entry}]\n")
    assert any(part in str(raised.value) for part in message.split("|")), str(raised.value)
    assert "s3cr3t" not in str(raised.value)


def test_a_link_to_a_snapshot_is_no_destination(tmp_path: Path) -> None:
    (tmp_path / "pairs" / "train-0123").mkdir(parents=True)
    (tmp_path / "pairs" / "train").symlink_to("train-0123")
    destination = Destination.parse(str(tmp_path))
    with pytest.raises(DestinationError, match=r"pairs/train is a link to .*train-0123"):
        destination.refuse_link("pairs/train")
    destination.refuse_link("pairs/val")
    Destination.parse("s3://bucket/x").refuse_link("pairs/train")
