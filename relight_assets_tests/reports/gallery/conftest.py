"""Reads a gallery as its page does."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.reports.gallery.gallery import Gallery, write_gallery
from relight_assets_tests.conftest import Bench

Write = Callable[..., Gallery]


@pytest.fixture
def write(own: Bench) -> Write:
    """Writes the gallery of the split: ``write(recipe=..., most_in_one_file=3)``."""

    def run(**given: Any) -> Gallery:
        state, quality = own.state(given.pop("recipe", None)), given.pop("quality", DEFAULT_QUALITY)
        return write_gallery(state, own.settings, quality, **given)

    return run


def data_of(page: Path) -> dict[str, Any]:
    """What the scripts of the page read."""
    found: dict[str, Any] = json.loads(block_of(page, "data"))
    return found


def block_of(page: Path, name: str) -> str:
    found = re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


def inner_thumbnails(page: Path, number: int = 0) -> list[bytes | None]:
    """Those of a sprite that the page itself holds."""
    return [
        base64.b64decode(each) if each is not None else None for each in json.loads(block_of(page, f"sprite-{number}"))
    ]


def column_of(data: dict[str, Any], name: str) -> list[Any]:
    """The values of a label, one for each pair."""
    (plain,) = [each for each in data["labels"] if each["name"] == name]
    if plain["kind"] == "text":
        return [plain["words"][code] if code >= 0 else None for code in plain["values"]]
    return list(plain["values"])
