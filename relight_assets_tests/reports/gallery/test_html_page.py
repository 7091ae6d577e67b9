"""The page's frame: what others have written is data in it, whatever it holds."""

import json
import re

import pytest

from relight_assets.reports.gallery.html_page import json_text, page_blocks, sprite_file

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>&amp;\u2028'\""


@pytest.mark.parametrize("text", [HOSTILE, "<!--<script>", "]]>", "\x00\x1f"])
def test_data_cannot_end_its_element_and_comes_back_as_it_was(text: str) -> None:
    found = json_text({"path": text})
    assert not set("<>&") & set(found)
    assert json.loads(found) == {"path": text}


def test_the_page_has_its_parts_once_and_in_order() -> None:
    page = b"".join(page_blocks(HOSTILE, {"path": HOSTILE}, [[b"\xff\xd8", None]])).decode()
    assert "{{" not in page.replace("`${{", "")
    assert re.findall(r"<script[^>]*>", page) == [
        '<script type="application/json" id="data">',
        '<script type="application/json" id="sprite-0">',
        "<script>",
    ]
    assert "<title>&lt;/script&gt;" in page
    assert '["/9g=", null]' in page
    assert page.index('id="data"') < page.index('id="sprite-0"') < page.index("<script>")


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = b"".join(page_blocks("x", {})).decode()
    assert not re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]{2,}", page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1]


def test_a_sprite_is_a_call_with_its_number() -> None:
    assert sprite_file(3, [b"\xff\xd8", None]) == b'gallerySprite(3,["/9g=", null]);\n'
