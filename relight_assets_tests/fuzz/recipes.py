"""Recipes, platform files and variables, damaged in every way; a process of its own, so that its peak is theirs.

``python -m relight_assets_tests.fuzz.recipes SEED TRIES FOLDER`` prints what came of them, as JSON.
"""

import json
import os
import re
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from relight_assets.config.loader import load_recipe
from relight_assets.config.parsing.validation import MAX_FAULTS
from relight_assets.config.settings import Settings
from relight_assets.config.settings_loader import load_settings
from relight_assets.engine.hardware.peak_memory import peak_mib
from relight_assets.engine.worker.gobo_files import load_gobos
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible
from relight_assets_tests.fuzz.generator import BYTES

CONFIG = Path(__file__).resolve().parents[2] / "config"
_LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_0-9]+): *(?P<value>[^#\n]*?) *(?P<rest>#.*)?$")
VALUES = (
    *("", "null", "true", "no", "0", "-1", "1", "0.5", "3.0", "1e400", "1.0e+400", ".inf", "-.inf", ".nan", "1e-320"),
    *("9" * 30, "9" * 5000, "0x" + "f" * 900, "0b" + "1" * 20_000, "1:" * 900 + "1", "1:2:3", "010", "1_0", "~", "="),
    *(
        "[]",
        "{}",
        "[1, 2]",
        "[2, 1]",
        "[.nan, 1]",
        "[1, 2, 3, 4, 5, 6, 7]",
        "{a: 1}",
        "[[1], [2]]",
        "'",
        '"',
        "[1",
        "{a",
    ),
    *(
        '"\\0"',
        '"\\ud800"',
        '"\\e[2J"',
        "é",
        "e\u0301",
        "😀",
        "\u202e",
        "\ufeff",
        "\u2028",
        "\x85",
        "\x07",
        "\x7f",
        "\0",
    ),
    *("2001-01-01", "2001-99-99", "2001-01-01 00:00:00 +99:99", "<<", "*a", "&a", "&a 1", "&a [*a]", "- 1", "? 1", "%"),
    *("x" * 300, "y" * 5000, "z " * 50_000, "[" * 5000, "{a: " * 2000, "[" + "1," * 3000 + "1]", "|\n  x", ">\n\n\n"),
    *(
        "shadows",
        "../shadows",
        "~",
        "~nobody-here/x",
        "/dev/zero",
        "pipes",
        "a\\b",
        "x" * 255 + "/y",
        "file:///etc",
        "$HOME",
    ),
    *("face_mesh", "depth_file", "sam3", "retinex", "auto", "largest", "gaussian", "linear", "reject"),
)
"""What may stand in any value's place, YAML or nearly."""
TAGS = (
    *("!!python/object/apply:os.system", "!!python/name:os.system", "!!python/tuple", "!!binary", "!!set", "!!omap"),
    *(
        "!!pairs",
        "!!timestamp",
        "!!int",
        "!!float",
        "!!bool",
        "!!null",
        "!!str",
        "!!map",
        "!!seq",
        "!!merge",
        "!!value",
    ),
    *("!mine", "!", "!<x>", "!<tag:yaml.org,2002:int>", "!!", "!e!x", "&a !!int", "!!int &a", "!" + "x" * 3000),
)
LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
)
CHAIN = "\n".join(["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 400)])

Mutation = Callable[[Random, list[str]], None]


def _keys(lines: list[str]) -> list[int]:
    """The lines that hold a key."""
    return [number for number, line in enumerate(lines) if _LINE.match(line)]


def _changed(rng: Random, lines: list[str], change: Callable[[str, str], str]) -> None:
    """Change one line, given its indent and key, and its value."""
    if found := _keys(lines):
        number = rng.choice(found)
        match = _LINE.match(lines[number])
        assert match is not None
        lines[number] = change(f"{match['indent']}{match['key']}:", match["value"])


def _indent(key: str) -> str:
    return key[: len(key) - len(key.lstrip())]


def _value(rng: Random, lines: list[str]) -> None:
    _changed(rng, lines, lambda key, _: f"{key} {rng.choice(VALUES)}")


def _number(rng: Random, lines: list[str]) -> None:
    """Another number in a number's place: most of these are recipes still."""

    def other(match: re.Match[str]) -> str:
        if rng.random() < 0.5:
            return match[0]
        return rng.choice(("0", "1", "-1", "0.5", "90", "1e6", str(rng.uniform(0, 2)), str(rng.randrange(1000))))

    _changed(rng, lines, lambda key, value: f"{key} {re.sub(r'[0-9.]+', other, value)}")


def _tag(rng: Random, lines: list[str]) -> None:
    _changed(rng, lines, lambda key, value: f"{key} {rng.choice(TAGS)} {value}")


def _tagged_key(rng: Random, lines: list[str]) -> None:
    _changed(rng, lines, lambda key, value: f"{_indent(key)}{rng.choice(TAGS)} {key.lstrip()} {value}")


def _renamed(rng: Random, lines: list[str]) -> None:
    name = rng.choice(
        ("x", "", "3", "seed", "quality", "weight", "<<", "null", "é", "[a]", "{a: b}", "k" * 3000, '"\\n"')
    )
    _changed(rng, lines, lambda key, value: f"{rng.choice((_indent(key) + name, key[:-1], key[:-2]))}: {value}")


def _doubled(rng: Random, lines: list[str]) -> None:
    if found := _keys(lines):
        number = rng.choice(found)
        lines.insert(rng.choice((number, rng.randrange(len(lines)))), lines[number])


def _removed(rng: Random, lines: list[str]) -> None:
    del lines[rng.randrange(len(lines))]


def _swapped(rng: Random, lines: list[str]) -> None:
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]


def _indented(rng: Random, lines: list[str]) -> None:
    number = rng.randrange(len(lines))
    lines[number] = rng.choice(
        (f" {lines[number]}", f"  {lines[number]}", lines[number].lstrip(), f"\t{lines[number]}")
    )


def _nested(rng: Random, lines: list[str]) -> None:
    depth = rng.choice((3, 20, 40, 3000))
    deep = rng.choice(("[" * depth + "]" * depth, "{a: " * depth + "1" + "}" * depth, "- " * depth + "1"))
    _changed(rng, lines, lambda key, _: f"{key} {deep}")


def _repeated(rng: Random, lines: list[str]) -> None:
    lines.insert(0, rng.choice((LAUGHS, CHAIN, "a: &a {b: *a}", "a: &a [1]\nb: [*a, *a]", "%TAG ! tag:x,2000:\n---")))
    if rng.random() < 0.3:
        _changed(rng, lines, lambda key, _: f"{key} *a{rng.randrange(12)}")


def _many(rng: Random, lines: list[str]) -> None:
    count = rng.choice((30, 3000, 12_000))
    lines += [f"{rng.choice(('key', 'sed'))}{number}: {number}" for number in range(count)]


def _odd(rng: Random, lines: list[str]) -> None:
    number = rng.randrange(len(lines))
    place = rng.randrange(len(lines[number]) + 1)
    odd = rng.choice(
        ("\0", "\x07", "\x85", "\u2028", "\ufeff", "é", "e\u0301", "\ud7ff", "😀", "\t", "'", '"', "*", "&", "!", "%")
    )
    lines[number] = lines[number][:place] + odd + lines[number][place:]


TEXTS: dict[str, Mutation] = {
    "value replaced": _value,
    "numbers replaced": _number,
    "tag before a value": _tag,
    "tag before a key": _tagged_key,
    "key renamed": _renamed,
    "key doubled": _doubled,
    "line removed": _removed,
    "lines swapped": _swapped,
    "line indented": _indented,
    "nested": _nested,
    "repeated by anchors": _repeated,
    "many keys": _many,
    "odd characters": _odd,
}


def mutation(rng: Random, data: bytes) -> tuple[str, bytes]:
    """A shipped file, damaged in one way, or in two or three."""
    name = rng.choice((*BYTES, *TEXTS, "numbers replaced", "value replaced", "other encoding"))
    if name in BYTES:
        return name, BYTES[name](rng, data)
    if name == "other encoding":
        return name, data.decode().encode(rng.choice(("utf-16", "utf-32", "utf-8-sig"))) + rng.choice((b"", b"\xff"))
    lines = data.decode().splitlines()
    for each in (name, *rng.choices(list(TEXTS), k=rng.choice((0, 0, 1, 2)))):
        TEXTS[each](rng, lines)
    return name, "\n".join(lines).encode("utf-8", "surrogatepass")


def _recipe(rng: Random, folder: Path) -> str:
    path = folder / "config" / "recipe.yaml"
    kind, data = mutation(rng, (CONFIG / "mvp_config.yaml").read_bytes())
    path.write_bytes(data)
    kind = f"recipe, {kind}"
    return _tried(kind, path, lambda: _used(path))


def _used(path: Path) -> None:
    recipe = load_recipe(path).recipe
    check_feasible(recipe)
    load_gobos(recipe)


def _platform(rng: Random, folder: Path) -> str:
    path = folder / "config" / "platform.yaml"
    kind, data = mutation(rng, (CONFIG / "platform.yaml").read_bytes())
    path.write_bytes(data)
    return _tried(f"platform, {kind}", path, lambda: load_settings({"RELIGHT_PLATFORM": str(path)}))


def _variable(rng: Random, folder: Path) -> str:
    sections = ("sam3_sha256", "albedo_model_file", "quality_rim_range", "quality_max_comb", "config", "platform", "x")
    names = rng.sample((*Settings.model_fields, *sections), k=rng.choice((1, 1, 3)))
    environment = {f"RELIGHT_{name.upper()}": rng.choice((*VALUES, *TAGS, LAUGHS, "\udcff", "a\x01")) for name in names}
    environment = {"RELIGHT_PLATFORM": str(folder / "none.yaml")} | environment if rng.random() < 0.2 else environment
    return _tried(
        "variable", None, lambda: load_settings({key: text for key, text in environment.items() if "\0" not in text})
    )


def _tried(kind: str, path: Path | None, load: Callable[[], object]) -> str:
    reported = ""
    try:
        load()
    except ConfigError as error:
        reported = str(error)
    for line in reported.splitlines():
        assert line.isprintable(), (kind, line[:500])
        assert len(line) < 5000, (kind, line)
        assert path is None or str(path) in line or line.startswith("degradation."), (kind, line)
    assert len(reported.splitlines()) <= MAX_FAULTS + 1, kind
    return f"{kind}: {'refused' if reported else 'loaded'}"


def main(seed: str, tries: int, folder: Path) -> None:
    """Try so many, and print the outcomes, what should not have been, and the peak of this process in MiB."""
    (folder / "config").mkdir()
    (folder / "shadows").mkdir()
    (folder / "shadows" / "none.png").write_bytes(b"GIF")
    (folder / "config" / "pipes").mkdir()
    os.mkfifo(folder / "config" / "pipes" / "x.png")
    os.chdir(folder)
    outcomes: Counter[str] = Counter()
    found: list[str] = []
    for number in range(tries):
        rng = Random(f"{seed} {number}")
        kind = rng.choice((_recipe, _recipe, _recipe, _platform, _variable))
        try:
            outcomes[kind(rng, folder)] += 1
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            place = traceback.extract_tb(error.__traceback__)[-1]
            found.append(f"try {number}: {type(error).__name__}: {str(error)[:500]} ({place.filename}:{place.lineno})")
    peak = peak_mib()
    print(json.dumps({"outcomes": outcomes, "found": found, "peak_mib": peak}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
