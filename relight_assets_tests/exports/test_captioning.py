"""Captions of a user's program in an export."""

import csv
import json
import sys
from pathlib import Path

from relight_assets.exports.read_back import read_back
from relight_assets_tests.conftest import Bench
from relight_assets_tests.exports.conftest import Export


def command_of(folder: Path, body: str) -> str:
    path = folder / "captioner.py"
    path.write_text(f"import json, sys\nfor line in sys.stdin:\n    row = json.loads(line)\n    {body}\n")
    return f"{sys.executable} {path}"


def captions(folder: Path) -> list[str]:
    return [path.read_text().strip() for path in sorted((folder / "image").glob("*.txt"))]


def test_captions_of_a_program(export: Export, own: Bench) -> None:
    body = "print(json.dumps({'id': row['id'], 'text': row['path'].rpartition('/')[2]}), flush=True)"
    command = command_of(own.folder, body)
    found = export(caption_command=command, trigger="relit:")
    assert captions(found.folder) == [f"relit: {number:05d}_input.png" for number in range(4)]
    with (found.folder / "samples.csv").open(newline="") as stream:
        assert {row["caption_source"] for row in csv.DictReader(stream)} == {"command"}
    manifest = json.loads((found.folder / "manifest.json").read_bytes())
    assert (manifest["captions"], manifest["unanswered"]) == ({"command": 4}, [])
    assert read_back(found.folder).passed
    assert export(caption_command=command, trigger="relit:").changed is False
    shown = captions(export(caption_command=command, target="albedo").folder)
    assert shown == [f"{number:05d}_albedo.png" for number in range(4)]


def test_where_it_fails_the_caption_is_what_it_would_be(export: Export, own: Bench) -> None:
    plain = captions(export().folder)
    body = "print(json.dumps({'id': row['id'], **({'text': 'x'} if '00001_' in row['path'] else {'error': 'dark'})}))"
    found = export(caption_command=command_of(own.folder, body), caption="command")
    assert captions(found.folder) == [plain[0], "x", *plain[2:]]
    manifest = json.loads((found.folder / "manifest.json").read_bytes())
    assert manifest["unanswered"] == [{"stem": f"{number:06d}", "reason": "dark"} for number in (0, 2, 3)]


def test_the_column_is_trusted_more(export: Export, own: Bench) -> None:
    lines = own.csv_path.read_text().splitlines()
    lines = [f"{lines[0]},caption", f"{lines[1]},by night", *(f"{line}," for line in lines[2:])]
    own.csv_path.write_text("\n".join(lines) + "\n")
    body = "print(json.dumps({'id': row['id'], 'text': 'x'}))"
    command = command_of(own.folder, body)
    assert captions(export(caption_command=command).folder) == ["by night", "x", "x", "x"]
    assert captions(export(caption_command=command, caption="command").folder)[0] == "x"
    assert captions(export(caption_command=command, caption="fixed").folder)[0] == "Relight the person."
