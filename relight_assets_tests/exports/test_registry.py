"""Every layout: what lies beside the pictures, and that its own reader reads it whole."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml

from relight_assets.errors import UserError
from relight_assets.exports import registry
from relight_assets.exports.base import TREE
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout, layouts, need_packages
from relight_assets_tests.conftest import Bench
from relight_assets_tests.exports.conftest import Export

STEMS = [f"{number:06d}" for number in range(4)]


@pytest.mark.parametrize("name", layouts())
def test_it_is_read_back_whole(export: Export, name: str) -> None:
    _need(name)
    found = export(name)
    read = read_back(found.folder)
    assert (read.pairs, read.faults) == (4, [])
    assert export(name).changed is False


@pytest.mark.parametrize("name", layouts())
def test_the_same_pairs_are_the_same_bytes(export: Export, own: Bench, name: str) -> None:
    _need(name)
    first = export(name).folder
    files = (first / "files.csv").read_bytes()
    first.rename(own.folder / "moved")
    (own.folder / "exports" / name / "train").unlink()
    again = export(name).folder
    assert again == first
    assert (again / "files.csv").read_bytes() == files


def _need(name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")


def test_image_folder_by_datasets(export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = _datasets(monkeypatch, tmp_path)
    link = export().folder.parent / "train"
    rows = datasets.load_dataset("imagefolder", data_dir=str(link))["train"]
    assert rows.column_names == ["image", "conditioning_image", "mask", "text", "stem", "image_path"]
    assert rows["stem"][:] == STEMS
    for row in rows:
        assert row["image"].size == row["conditioning_image"].size == row["mask"].size
        assert (row["image"].mode, row["conditioning_image"].mode, row["mask"].mode) == ("RGB", "RGB", "L")
    pix2pix = export(columns="instruct-pix2pix").folder
    rows = datasets.load_dataset("imagefolder", data_dir=str(pix2pix))["train"]
    assert {"edited_image", "input_image", "edit_prompt"} <= set(rows.column_names)


def test_parquet_by_datasets(export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = _datasets(monkeypatch, tmp_path)
    folder = export("parquet", resolution="source").folder
    rows = datasets.load_dataset("parquet", data_dir=str(folder / "data"))["train"]
    assert rows["stem"][:] == STEMS
    assert rows.cast_column("image", datasets.Image(decode=False))[2]["image"] == {
        "bytes": (folder.parent.parent.parent / "out/data-train/00002_input.png").read_bytes(),
        "path": "000002.png",
    }
    assert rows[0]["mask"].mode == "L"


def test_webdataset_by_itself_and_by_datasets(export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = _datasets(monkeypatch, tmp_path)
    wds = pytest.importorskip("webdataset")
    from PIL import Image

    folder = export("webdataset").folder
    shards = sorted(map(str, folder.glob("*.tar")))
    gray = wds.handle_extension("mask.png", lambda data: Image.open(io.BytesIO(data)).convert("L"))
    rows = list(wds.WebDataset(shards, shardshuffle=False).decode(gray, "pil"))
    assert [row["__key__"].rpartition("/")[2] for row in rows] == STEMS
    for row in rows:
        assert row["image.png"].size == row["conditioning_image.png"].size == row["mask.png"].size
        assert row["txt"].strip() == row["json"]["text"]
    rows = datasets.load_dataset("webdataset", data_files={"train": shards})["train"]
    assert len(rows) == 4
    assert {"image.png", "conditioning_image.png", "mask.png", "txt", "json"} <= set(rows.column_names)


def _datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf" / "datasets")
    return datasets


CONFIGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ai-toolkit": ("ai-toolkit.yaml", yaml.safe_load),
    "musubi-tuner": ("musubi-tuner.toml", tomllib.loads),
    "sd-scripts": ("sd-scripts.toml", tomllib.loads),
    "simpletuner": ("multidatabackend.json", json.loads),
    "onetrainer": ("concepts.json", json.loads),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_configuration_names_folders_that_hold_the_pairs(export: Export, name: str) -> None:
    file, parse = CONFIGS[name]
    folder = export(name).folder
    text = (folder / file).read_text()
    places = {
        path for path in _texts(parse(text)) if path.startswith("/") and not path.startswith(str(folder / "cache"))
    }
    assert places
    for place in places:
        assert Path(place).is_dir(), place
        assert len(list(Path(place).glob("*.png"))) == (12 if name == "onetrainer" else 4)
    assert not re.search(r"(?i)\b\w*flip\w*\b['\"]?\s*[:=]\s*true", text), "a flipped pair makes a caption false"


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def test_diffsynth_rows(export: Export) -> None:
    folder = export("diffsynth", caption="none").folder
    with (folder / "metadata.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["image"] for row in rows] == [f"image/{stem}.png" for stem in STEMS]
    assert [row["edit_image"] for row in rows] == [f"conditioning_image/{stem}.png" for stem in STEMS]
    assert {row["prompt"] for row in rows} == {"Relight the person."}, "an empty prompt is read as NaN"


def test_simpletuner_cuts_target_and_condition_alike(export: Export) -> None:
    target, condition, texts = json.loads((export("simpletuner").folder / "multidatabackend.json").read_text())
    for backend in (target, condition):
        assert (backend["crop"], backend["crop_style"], backend["crop_aspect"]) == (True, "center", "preserve")
        # A square as large as 256 x 320 pixels.
        assert (backend["resolution_type"], backend["resolution"]) == ("pixel_area", 286)
    assert target["conditioning_data"] == condition["id"]
    assert condition["source_dataset_id"] == target["id"]
    assert (target["caption_strategy"], condition["caption_strategy"]) == ("textfile", None), "it has no texts"
    assert texts["default"] is True


def test_onetrainer_suffixes(export: Export) -> None:
    names = sorted(path.name for path in (export("onetrainer").folder / "pairs").iterdir())
    assert names[:4] == ["000000-condlabel.png", "000000-masklabel.png", "000000.png", "000000.txt"]


def test_every_tree_has_the_same_files() -> None:
    trees = [spec for spec in layouts().values() if spec.shards is None and spec.name != "onetrainer"]
    assert len(trees) == 7
    assert all(spec.files == TREE for spec in trees)


def test_shards_are_cut_by_size(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    spec = layout("webdataset")
    assert spec.shards is not None
    small = replace(spec, shards=replace(spec.shards, max_bytes=1))
    monkeypatch.setattr(registry, "layouts", lambda: {"webdataset": small})
    found = export("webdataset")
    assert sorted(path.name for path in found.folder.glob("*.tar")) == [f"train-00000{n}.tar" for n in range(4)]
    assert (found.folder / "train-000000.tar").stat().st_nlink == 1
    fewer = export("webdataset", max_rows=3)
    assert (fewer.linked, fewer.written) == (3, 0), "shards that hold what they held before are linked"


def test_unknown_layouts() -> None:
    with pytest.raises(UserError, match="no layout `imagefoldr`; did you mean `imagefolder`"):
        layout("imagefoldr")
    with pytest.raises(UserError, match="There are: imagefolder, ai-toolkit"):
        layout("xyz")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"`parquet` needs pyarrow: pip install 'relight_assets\[export\]'"):
        need_packages(layout("parquet"))
    need_packages(layout("webdataset"))
