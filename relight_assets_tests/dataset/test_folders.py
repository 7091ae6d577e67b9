"""Whether a folder can be written, without trying."""

from pathlib import Path

from relight_assets.dataset.folders import nearest, write_fault


def test_what_is_there_and_what_could_be_made(tmp_path: Path) -> None:
    assert write_fault(tmp_path) is None
    assert write_fault(tmp_path / "new" / "er") is None
    assert nearest(tmp_path / "new" / "er") == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_folder(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("")
    link.symlink_to("nowhere")
    assert write_fault(file / "below") == f"{file} is not a folder"
    assert write_fault(link / "below") == f"{link} is not a folder"


def test_file_systems_that_nobody_writes() -> None:
    assert write_fault(Path("/proc/1")) is not None
    assert nearest(Path("relative")) == Path("/")
