"""``relight withdraw`` as a user types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets_tests.publishing.s3 import export_of


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two exports."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "platform.yaml").write_text("export_root: exports\n")
    (tmp_path / "data").mkdir()
    for name in ("kept", "gone"):
        export_of(tmp_path / "exports" / name, {"a.png": b"a"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def relight(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--platform", "config/platform.yaml", *arguments], catch_exceptions=False)
    return result.exit_code, " ".join(result.output.split())


def test_what_is_no_longer_here_is_named_and_taken_away(project: Path) -> None:
    assert relight("withdraw", "shared") == (0, f"nothing is published in {project / 'shared'}")
    code, output = relight("publish", "shared")
    assert (code, "also there" in output) == (0, False), output
    (project / "exports" / "gone").rename(project / "away")
    code, output = relight("publish", "shared")
    assert code == 0
    assert "also there gone/train" in output
    assert f"`relight withdraw {project / 'shared'} gone/train` removes one" in output
    assert "also there" not in relight("publish", "shared", "--export", "kept")[1]
    assert relight("withdraw", "shared") == (0, "gone/train kept/train")
    assert "gone/train: 4 objects to remove" in relight("withdraw", "shared", "gone/train", "--dry-run")[1]
    (project / "shared" / "gone" / "train" / "mine.txt").write_text("mine")
    code, output = relight("withdraw", "shared", "gone/train/")
    assert code == 0
    assert "gone/train: 4 objects removed" in output
    assert "left there mine.txt" in output
    assert relight("withdraw", "shared") == (0, "kept/train")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shared", "none/train"], "has nothing that was published as none/train"),
        (["shared", "../exports"], "is no name of a published tree"),
        (["s3a://b/x"], "did you mean s3://?"),
        (["shared", "--endpoint", "https://x.example.com"], "--endpoint belongs to s3://"),
        (["shared", "--region", "eu-west-1"], "--region belongs to s3://"),
        ([], "Missing argument 'DEST'"),
    ],
)
def test_mistakes_are_sentences(arguments: list[str], message: str) -> None:
    code, output = relight("withdraw", *arguments)
    assert (code, message in output) == (2, True), output
