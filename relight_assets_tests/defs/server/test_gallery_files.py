"""Which files of the outputs the web server gives, and that it gives no other."""

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from relight_assets.defs.server.gallery_files import GalleryFiles, gallery_address


async def _dagster(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"Dagster's"})


def asked(root: Path, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body of the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": method, "path": path, "headers": [], "asgi": {"spec_version": "2.4"}}
    asyncio.run(GalleryFiles(_dagster, root)(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("data-train", "experiments/x/data-train"):
        (tmp_path / name / "gallery" / "sprites").mkdir(parents=True)
        for file in (
            *("gallery/index.html", "gallery/sprites/0123456789ab-0000.js", "00000_v1_output.png"),
            *("00000_metadata.json", "index.csv", "gallery/notes.html"),
        ):
            (tmp_path / name / file).write_text(file)
    (tmp_path / "forgotten.csv").write_text("secret")
    return tmp_path


@pytest.mark.parametrize("split", ["data-train", "experiments/x/data-train"])
@pytest.mark.parametrize("name", ["gallery/index.html", "gallery/sprites/0123456789ab-0000.js", "00000_v1_output.png"])
def test_pages_sprites_and_pictures(root: Path, split: str, name: str) -> None:
    assert asked(root, f"/relight/{split}/{name}") == (200, name.encode())


@pytest.mark.parametrize(
    "path",
    [
        *("data-train/00000_metadata.json", "data-train/index.csv", "data-train/gallery/notes.html", "forgotten.csv"),
        *("data-train/../forgotten.csv", "data-train/gallery/../../forgotten.csv", "", "data-train/", "/etc/passwd"),
        *("data-train/gallery/index.html\n", "data-..%2f/gallery/index.html", "data-val/gallery/index.html"),
    ],
)
def test_nothing_else(root: Path, path: str) -> None:
    assert asked(root, f"/relight/{path}")[0] == 404


def test_everything_else_is_dagster_s(root: Path) -> None:
    assert asked(root, "/assets/gallery") == (299, b"Dagster's")
    assert asked(root, "/relight/data-train/gallery/index.html", "POST")[0] == 405


def test_the_address_of_a_page(root: Path) -> None:
    page = root / "experiments" / "x" / "data-train" / "gallery" / "index.html"
    address = gallery_address(page, root)
    assert address == "/relight/experiments/x/data-train/gallery/index.html"
    assert asked(root, address) == (200, b"gallery/index.html")
    assert gallery_address(page, root / "elsewhere") is None
