"""``relight publish`` as a user types it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets_tests.conftest import PORTRAITS, Project, make_project
from relight_assets_tests.publishing.buckets import TestBucket
from relight_assets_tests.publishing.fault_proxy import FaultProxy, Refusal
from relight_assets_tests.publishing.s3 import assert_manifest_fits, export_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    """Two finished splits with two exports, and a third split of which a row is pending."""
    made = make_project(tmp_path_factory.mktemp("project"), photos)
    made.write_csv("train", [*PORTRAITS[:2], "cat.png"])
    made.write_csv("test", PORTRAITS[2:3])
    assert relight(made, "run", "--all-splits")[0] == 3
    for layout in ("imagefolder", "jsonl"):
        assert relight(made, "export", "--layout", layout, "--all-splits")[0] == 0
    made.write_csv("late", PORTRAITS[3:4])
    return made


def relight(project: Project, *arguments: str) -> tuple[int, str]:
    platform = ["--platform", str(project.root / "config/platform.yaml")]
    result = CliRunner().invoke(main, [*platform, *arguments], catch_exceptions=False)
    return result.exit_code, " ".join(result.output.split())


def publish(project: Project, bucket: TestBucket, proxy: FaultProxy, *arguments: str) -> tuple[int, str]:
    return relight(project, "publish", f"s3://{bucket.name}/sets", "--endpoint", proxy.url, *arguments)


def test_all_exports_of_all_splits(project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy) -> None:
    code, output = publish(project, s3_bucket, s3_proxy)
    assert code == 0, output
    trees = ["imagefolder/test", "imagefolder/train", "jsonl/test", "jsonl/train"]
    for tree in trees:
        assert f"{tree}: " in output
        assert_manifest_fits(s3_bucket, f"sets/{tree}/")
    assert f"s3://{s3_bucket.name}/sets/jsonl/train" in output
    assert len([key for key in s3_bucket.names() if key.endswith("manifest.json")]) == 4
    code, output = publish(project, s3_bucket, s3_proxy, "--export", "jsonl", "--split", "train")
    assert code == 0
    assert ": 0 uploaded (0 bytes), " in output
    assert "imagefolder" not in output
    code, output = publish(project, s3_bucket, s3_proxy, "--check", "--download")
    assert code == 0, output
    assert output.count("0 faults") == 4


def test_a_dry_run_says_what_would_be_done(project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy) -> None:
    code, output = publish(project, s3_bucket, s3_proxy, "--export", "jsonl", "--dry-run")
    assert code == 0
    assert "to upload image/000000.png" in output
    assert "nothing was changed" in output
    assert s3_bucket.names() == []


def test_finished_images(project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy) -> None:
    code, output = publish(project, s3_bucket, s3_proxy, "--images")
    assert code == 2  # of the third split; the others are published
    assert "data-late: the split `late` has 1 pending row: run it first" in output
    for split in ("train", "test"):
        assert_manifest_fits(s3_bucket, f"sets/data-{split}/")
    manifest = json.loads(s3_bucket.read("sets/data-train/manifest.json"))
    assert manifest["rows"] == {"done": 2, "failed": 1}
    code, output = publish(project, s3_bucket, s3_proxy, "--images", "--split", "late", "--partial")
    assert (code, "no row of the split `late` is done" in output) == (2, True)
    code, output = publish(project, s3_bucket, s3_proxy, "--images", "--check")
    assert code == 3
    assert "data-late/manifest.json: it is not there: nothing, or not all, is published" in output
    assert "data-train: " in output


def test_a_check_names_faults_and_another_snapshot(
    project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy, tmp_path: Path
) -> None:
    export_of(tmp_path / "pairs", {"a.png": b"a", "b.png": b"b"})
    only = ["--out", str(tmp_path)]
    assert publish(project, s3_bucket, s3_proxy, *only)[0] == 0
    s3_bucket.put("sets/pairs/train/a.png", b"x")
    code, output = publish(project, s3_bucket, s3_proxy, *only, "--check")
    assert code == 3
    assert "sets/pairs/train/a.png: no sha256 is recorded beside it" in output
    export_of(tmp_path / "pairs", {"a.png": b"newer"})
    code, output = publish(project, s3_bucket, s3_proxy, *only, "--check")
    assert "pairs/train: the newest snapshot here is another" in output
    code, output = publish(project, s3_bucket, s3_proxy, *only)
    assert "left there b.png" in output
    assert "--delete removes what publications left" in output
    code, output = publish(project, s3_bucket, s3_proxy, *only, "--delete")
    assert (code, "removed b.png" in output) == (0, True)


def test_one_bad_export_does_not_stop_the_others(
    project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        export_of(tmp_path / name, {"a.png": b"a"})
    (tmp_path / "b" / "train" / "a.png").unlink()
    (tmp_path / "c" / "train" / "cache.npz").write_bytes(b"of a trainer")
    code, output = publish(project, s3_bucket, s3_proxy, "--out", str(tmp_path))
    assert code == 2
    assert "b/train: " in output
    assert "lacks files of its list" in output
    assert "c/train: 1 file not published, because no list names them (caches of trainers)" in output
    assert {key.split("/")[1] for key in s3_bucket.names()} == {"a", "c"}


def test_a_store_that_fails_stops_all_with_one_sentence(
    project: Project, s3_bucket: TestBucket, s3_proxy: FaultProxy
) -> None:
    s3_proxy.choose = lambda *_: Refusal(403, "AccessDenied")
    code, output = publish(project, s3_bucket, s3_proxy)
    assert code == 2
    assert output.count("error:") == 1
    assert "no permission to list there" in output
    assert s3_proxy.methods == {"GET": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["s3a://b/x"], "did you mean s3://?"),
        (["s3://b/x", "--partial"], "--partial belongs to --images"),
        (["s3://b/x", "--download"], "--download belongs to --check"),
        (["s3://b/x", "--images", "--export", "a"], "--images and --export do not go together"),
        (["s3://b/x", "--check", "--dry-run"], "--check and --dry-run do not go together"),
        (["s3://b/x", "--check", "--delete"], "--check and --delete do not go together"),
        (["gs://b/x", "--endpoint", "https://x.example.com"], "--endpoint belongs to s3://"),
        (["s3://b/x", "--endpoint", "x.example.com"], "the endpoint must be an address"),
        (["s3://b/x", "--export", "imagefoldr"], "did you mean `imagefolder`?"),
        (["s3://b/x", "--split", "none"], "no export in"),
        (["s3://b/x", "--images", "--split", "none"], "no split `none`"),
        (["s3://b/x", "--dryrun"], "Did you mean --dry-run?|No such option"),
        ([], "Missing argument 'DEST'"),
    ],
)
def test_mistakes_are_sentences(project: Project, s3_credentials: None, arguments: list[str], message: str) -> None:
    code, output = relight(project, "publish", *arguments)
    assert code == 2, output
    assert any(part in output for part in message.split("|")), output
    assert "Traceback" not in output


def test_outputs_are_no_destination(project: Project) -> None:
    for folder in ("outputs", "outputs/exports/x"):
        code, output = relight(project, "publish", str(project.data / folder))
        assert (code, "where outputs are" in output) == (2, True)


def test_without_the_extra_it_says_what_to_install(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight_assets.publishing.stores.find_spec", lambda _: None)
    code, output = relight(project, "publish", "s3://b/x")
    assert code == 2
    assert "pip install 'relight_assets[publish]'" in output
