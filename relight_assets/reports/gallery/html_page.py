"""The page itself: its parts put together, with everything that anybody else has written as data, never as HTML."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

_SCRIPTS = ("table.js", "review.js", "pictures.js", "filters.js", "cards.js", "viewer.js", "main.js")


def page_blocks(title: str, data: dict[str, Any], sprites: Iterable[list[bytes | None]] = ()) -> Iterator[bytes]:
    """The page, piece by piece.

    Args:
        title: of the window.
        data: what the scripts read.
        sprites: the thumbnails that the page itself holds; none where they lie in files beside it.
    """
    script = f"(() => {{\n{''.join(map(_part, _SCRIPTS))}}})();\n"
    style = _part("gallery.css")
    head, _, rest = _part("gallery.html").partition("<!-- data -->")
    filled = (
        head.replace("{{title}}", html.escape(title))
        .replace("{{script-sha256}}", _sha256(script))
        .replace("{{style-sha256}}", _sha256(style))
        .replace("{{style}}", style)
    )
    yield filled.encode()
    yield _data_block("data", json_text(data))
    for number, sprite in enumerate(sprites):
        yield _data_block(f"sprite-{number}", sprite_text(sprite))
    yield rest.replace("{{script}}", script).encode()


def json_text(data: Any) -> str:
    """JSON that cannot end the element that it stands in, whatever its texts hold."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def sprite_text(thumbnails: Iterable[bytes | None]) -> str:
    """Thumbnails as a JSON list: base64, null where there is none."""
    return json.dumps([base64.b64encode(data).decode("ascii") if data is not None else None for data in thumbnails])


def sprite_file(number: int, thumbnails: Iterable[bytes | None]) -> bytes:
    """A sprite as a script: a page that was opened as a file may load no other kind of file."""
    return f"gallerySprite({number},{sprite_text(thumbnails)});\n".encode()


def _data_block(name: str, text: str) -> bytes:
    return f'<script type="application/json" id="{name}">{text}</script>\n'.encode()


def _part(name: str) -> str:
    return (files("relight_assets.reports.gallery") / "page" / name).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    """As a Content-Security-Policy names what it lets run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
