"""``relight gallery`` as a user types it."""

import webbrowser

import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets_tests.conftest import Bench


@pytest.fixture
def platform(own: Bench) -> str:
    path = own.folder / "platform.yaml"
    path.write_text("csv_dir: .\noutput_root: out\ndagster_home: home\ncpu_workers: 1\nthreads: 1\n", encoding="utf-8")
    return str(path)


def relight(platform: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--platform", platform, *arguments], catch_exceptions=False)
    return result.exit_code, " ".join(result.output.split())


def test_a_split_by_name_and_by_its_csv(own: Bench, platform: str) -> None:
    page = own.layout.folder / "gallery" / "index.html"
    for which in (["--split", "train"], ["--csv", str(own.csv_path)], ["--all-splits"]):
        code, output = relight(platform, "gallery", *which)
        assert (code, page.is_file()) == (0, True), output
        assert "train: 4 pairs, 3 failed or rejected (0." in output
        assert f"gallery {page}" in output
        page.unlink()


def test_it_is_opened_where_there_is_a_browser(own: Bench, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or len(opened) == 1)
    assert "no browser" not in relight(platform, "gallery", "--split", "train", "--open")[1]
    assert opened == [(own.layout.folder / "gallery" / "index.html").as_uri()]
    assert "no browser could be opened here" in relight(platform, "gallery", "--split", "train", "--open")[1]


def test_what_cannot_be_done_is_a_sentence(own: Bench, platform: str) -> None:
    assert relight(platform, "gallery")[0] == 2
    assert relight(platform, "gallery", "--split", "val")[0] == 2
    with locked_folder(own.layout):
        code, output = relight(platform, "gallery", "--split", "train")
    assert (code, "is being written by" in output) == (2, True)
    code, output = relight(platform, "gallery", "--split", "train", "--experiment", "none")
    assert (code, "experiment" in output) == (2, True)
