"""``relight try`` as somebody types it who has a picture and nothing else."""

import shutil
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets.dataset.layout import SplitLayout


def relight(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def stem_of(path: Path) -> tuple[str, int]:
    return path.name, path.stat().st_mtime_ns


def test_one_photo_under_three_lights_and_nothing_is_done_twice(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = relight("try", photos / "collins_close.png", "--lights", "3")
    assert result.exit_code == 0, result.output
    assert "1 photo under 3 lights" in result.output
    out = tmp_path / "relight-try"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["relight-try"]  # no Dagster, no project
    sheet = cv2.imread(str(out / "sheet.jpg"))
    assert sheet is not None
    assert sheet.shape[1] == 6 * 244
    assert (out / "data-try" / "gallery" / "index.html").is_file()
    lights = sorted((out / "data-try").glob("00000_v*_output.png"))
    assert len(lights) == 3
    before = [stem_of(path) for path in lights]
    assert relight("try", photos / "collins_close.png", "--lights", "3").exit_code == 0
    assert [stem_of(path) for path in lights] == before


def test_a_folder_with_a_cat_says_what_failed_and_ends_with_3(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("hopper_tall.png", "cat.png", "broken.png"):
        shutil.copyfile(photos / name, folder / name)
    result = relight("try", folder, "--lights", "1", "--out", tmp_path / "out")
    assert result.exit_code == 3, result.output
    output = " ".join(result.output.split())
    assert "cat.png: no_person: no face was found" in output
    assert "broken.png: image_corrupt:" in output
    assert "1 photo under 1 light" in output
    assert SplitLayout(tmp_path / "out" / "data-try").numbers("metadata.json") == {2}


def test_mistakes_are_sentences_and_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = relight("try", "none.jpg")
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    assert "error: there is no file or folder none.jpg" in result.output
    assert relight("try").exit_code == 2
    assert relight("try", "none.jpg", "--lights", "0").exit_code == 2
    assert list(tmp_path.iterdir()) == []
    photo = tmp_path / "photo.jpg"
    photo.touch()
    mine = tmp_path / "mine" / "try_images.csv"
    mine.parent.mkdir()
    mine.write_text("image_path\n")
    (tmp_path / "platform.yaml").write_text("csv_dir: data\noutput_root: outputs\n")
    for out in ("data", "outputs", mine.parent):
        result = relight("--platform", tmp_path / "platform.yaml", "try", photo, "--out", out)
        assert (result.exit_code, "choose another folder" in " ".join(result.output.split())) == (2, True)
    assert mine.read_text() == "image_path\n"
