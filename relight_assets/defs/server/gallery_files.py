"""Galleries on Dagster's web server: their pages, sprites and the pictures that these show, below ``/relight/``."""

import re
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from relight_assets.dataset.derived.gallery_files import INDEX
from relight_assets.dataset.layout import GALLERY

PREFIX = "/relight/"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_SERVED = re.compile(
    rf"(?:experiments/{_NAME}/)?data-{_NAME}/"
    rf"(?:{GALLERY}/{re.escape(INDEX)}|{GALLERY}/sprites/[0-9a-f]{{12}}-[0-9]{{4,}}\.js|[0-9]{{5,9}}_[A-Za-z0-9_]+\.png)"
)
"""The files below the output root that are served: no other name can be asked for."""


def gallery_address(page: Path, output_root: Path) -> str | None:
    """The path of a gallery's page on the web server; None where it serves no such page."""
    try:
        place = page.absolute().relative_to(output_root.absolute()).as_posix()
    except ValueError:
        return None
    return f"{PREFIX}{place}" if _SERVED.fullmatch(place) else None


class GalleryFiles:
    """An ASGI application around another: it answers for galleries, and hands on everything else."""

    def __init__(self, app: ASGIApp, output_root: Path) -> None:
        """``output_root``: of the project."""
        self._app, self._root = app, output_root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        await self._answer(scope["method"], path.removeprefix(PREFIX))(scope, receive, send)

    def _answer(self, method: str, name: str) -> Response:
        if method not in {"GET", "HEAD"}:
            return PlainTextResponse("galleries are read by GET\n", 405)
        file = self._root / name
        if not _SERVED.fullmatch(name) or not file.is_file():
            return PlainTextResponse("there is no such file of a gallery: make it with `relight gallery`\n", 404)
        # A page is made anew under the same name.
        return FileResponse(file, headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"})
