"""Images in metadata."""

import base64
from pathlib import Path

import dagster as dg

from relight_assets.defs.metadata.previews import inline
from relight_assets.reports.contact_sheets import contact_sheet
from relight_assets_tests.conftest import Bench


def test_the_inline_text_is_short_enough_to_be_shown_at_once(finished: Bench, tmp_path: Path) -> None:
    jpeg = contact_sheet(finished.layout, [0, 1, 2, 3])
    assert jpeg is not None
    assert len(jpeg) < 300_000
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        text = inline(jpeg, "jpg", instance, "run", "train").value
    assert text is not None
    assert len(text) < 1000
    assert "](/logs/relight_previews/run/train/jpg)" in text
    (stored,) = tmp_path.rglob("train.jpg")
    assert stored.read_bytes() == jpeg


def test_without_local_logs_the_image_is_in_the_text(finished: Bench) -> None:
    jpeg = contact_sheet(finished.layout, [0, 1, 2, 3])
    assert jpeg is not None
    with dg.DagsterInstance.ephemeral() as instance:
        text = inline(jpeg, "jpg", instance, "run", "train").value
    assert text is not None
    assert len(text) < 300_000
    assert base64.b64decode(text.split("base64,")[1].rstrip(")")) == jpeg
