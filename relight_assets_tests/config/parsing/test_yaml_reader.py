"""Plain data is read as it is; whatever else YAML can do is refused in one sentence, before it costs anything."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from relight_assets.config.parsing import yaml_reader
from relight_assets.config.parsing.yaml_reader import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    parse_yaml,
    read_yaml_mapping,
    shown,
)
from relight_assets.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: [1.5, true, null, text]", {"a": 1, "b": [1.5, True, None, "text"]}),
        ("a: &x [1, 2]\nb: *x\nc: [*x, *x]", {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}),
        ("a: !!str 3\nb: !!int '3'\nc: !!float 3", {"a": "3", "b": 3, "c": 3.0}),
        ("a: !!seq [!!map {b: !!null x}]", {"a": [{"b": None}]}),
        ("a: 2001-01-01\nb: 2001-01-01 10:00:00", {"a": "2001-01-01", "b": "2001-01-01 10:00:00"}),
        ('a: "\\u00e9\\t\\n"', {"a": "é\t\n"}),
        ("a: 0x1F\nb: 1_000\nc: 010\nd: .inf", {"a": 31, "b": 1000, "c": 8, "d": float("inf")}),
        ("'<<': 1\n\"=\": 2", {"<<": 1, "=": 2}),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, eval("[" * MAX_DEPTH + "]" * MAX_DEPTH)),  # noqa: S307
        ("", None),
        ("# nothing", None),
    ],
)
def test_plain_data_is_what_it_says(text: str, value: object) -> None:
    assert parse_yaml(text, "x") == value


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (
            "a: 1\nb: !!python/object/apply:os.system ['x']",
            "line 2: the tag !!python/object/apply:os.system is no",
        ),
        ("a: !!python/name:os.system", "line 1: the tag !!python/name:os.system is no plain data"),
        ("a: !!binary aGk=", "line 1: the tag !!binary is no plain data; write the value without it"),
        ("a: !!set {x, y}", "the tag !!set"),
        ("a: !!omap [x: 1]", "the tag !!omap"),
        ("a: !!pairs [x: 1]", "the tag !!pairs"),
        ("a: !!timestamp 2001-01-01", "the tag !!timestamp"),
        ("a: !mine 3", "the tag !mine"),
        ("a: !<tag:example.com,2000:x> 3", "the tag tag:example.com,2000:x"),
        ("!!set {a: 1}", "the tag !!set"),
        ("? !mine x\n: 1", "the tag !mine"),
        ("a: &x !mine 3\nb: *x", "line 1: the tag !mine"),
        ("a: !!int x", "line 1: 'x' is no whole number"),
        ("a: !!int ''", "line 1: '' is no whole number"),
        ("a: !!float x", "line 1: 'x' is no number"),
        ("a: !!float ''", "line 1: '' is no number"),
        ("a: !!bool maybe", "line 1: 'maybe' is neither true nor false"),
        ("a: !!map 3", "line 1: expected a mapping node"),
        ("a: !!map [1]", "line 1: expected a mapping node"),
        ("a: !!seq {b: 1}", "line 1: expected a sequence node"),
        ("a: !!str [1]", "line 1: expected a scalar node"),
        ("a: !!bool {b: 1}", "line 1: expected a scalar node"),
        ("a: 2001-99-99", "line 1: '2001-99-99' is no date"),
        ("a: &x {b: 1}\nc: {<<: *x}", "line 2: `<<` does not merge sections here"),
        ("a: =", "line 1: quote `=`"),
        ("a: " + "9" * 101, "line 1: a number of more than 100 characters"),
        ("a: 0b" + "1" * 10_000, "line 1: a number of more than 100 characters"),
        ("a: " + "1:" * 5000 + "1", "line 1: a number of more than 100 characters"),
        ("a: &x [*x]", "line 1: `*x` holds itself"),
        ("a: &x {b: {c: *x}}", "line 1: `*x` holds itself"),
        ("a: *x", "line 1: found undefined alias 'x'"),
        ("\na: [1", "line 2: expected ',' or ']'"),
        ("a: 1\n\0", "line 2: the character U+0000 is not allowed"),
        ("a: \x07", "line 1: the character U+0007 is not allowed"),
        ("a: \ud800", "line 1: the character U+D800 is not allowed"),
        ('a: 1\nb: "\\0"', "line 2: a text holds the control character U+0000"),
        ('a: "\\e[31m"', "line 1: a text holds the control character U+001B"),
        ('a: "\\ud83d"', "line 1: a text holds half a character"),
        ('"\\udcff": 1', "line 1: a text holds bytes that are no UTF-8"),
        ("a: 1\n---\nb: 2", "line 2: but found another document"),
        ("{a: " * 10_000, f"line 1: more than {MAX_DEPTH} levels"),
        ("[" * 100_000, f"line 1: more than {MAX_DEPTH} levels"),
        ("".join(" " * level + "a:\n" for level in range(500)), f"line {MAX_DEPTH + 1}: more than {MAX_DEPTH} levels"),
        ("a: &a0 [x]\n" + "".join(f"k{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 99)), f"more than {MAX_DEPTH} levels"),
        ("[" + "1," * MAX_VALUES + "1]", f"line 1: more than {MAX_VALUES:,} keys and values"),
        ("a: &a [1,2,3,4,5,6,7,8,9]\nb: [" + "*a," * 2000 + "]", f"line 2: more than {MAX_VALUES:,} keys and values"),
        ("a" * (MAX_BYTES + 1), "it has more than 256 KiB"),
    ],
)
def test_all_else_is_one_sentence_with_its_line(text: str, reported: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "my.yaml")
    message = str(caught.value)
    assert message.startswith("my.yaml: is not plain YAML: ")
    assert reported in message
    assert message.isprintable()
    assert len(message) < 250


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a: 1\na: 2", "line 2: the key `a` is given twice"),
        ("b: {x: &k a, *k : 1, a: 2}", "line 1: the key `a` is given twice"),
        ("3: x", "line 1: the key 3 is not text"),
        ("? [a]\n: x", "line 1: the key ['a'] is not text"),
        ("? {a: b}\n: x", "line 1: the key {'a': 'b'} is not text"),
        ("? [" + "a," * 5000 + "]\n: x", "line 1: the key ['a', 'a', "),
        ('? "' + "\\n" * 5000 + '"\n: 1\n? "' + "\\n" * 5000 + '"\n: 1', "line 3: the key `\\n\\n"),
    ],
)
def test_keys_are_text_and_given_once(text: str, reported: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "my.yaml")
    assert str(caught.value).startswith(f"my.yaml: {reported}")
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


@pytest.mark.processes
def test_billions_of_laughs_cost_nothing() -> None:
    lines = ["k0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 25)]
    script = (
        "import sys; from relight_assets.config.parsing.yaml_reader import parse_yaml\n"
        "from relight_assets.engine.hardware.peak_memory import peak_mib\n"
        "from relight_assets.errors import ConfigError\n"
        "before = peak_mib()\n"
        "try: parse_yaml(sys.stdin.read(), 'x')\n"
        "except ConfigError as error: print(error)\n"
        "print(peak_mib() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    reported, grown_mib = done.stdout.splitlines()
    assert reported.startswith("x: is not plain YAML: line 5: more than 10,000 keys and values")
    assert int(grown_mib) < 20


@pytest.mark.parametrize(
    ("make", "reported"),
    [
        (Path.exists, "there is no such file"),
        (lambda path: path.mkdir(), "cannot be read: 'r.yaml' is a folder"),
        (os.mkfifo, "cannot be read: 'r.yaml' is a named pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "cannot be read: 'r.yaml' is a device"),
        (lambda path: path.symlink_to("r.yaml"), "cannot be read: Too many levels"),
        (lambda path: path.symlink_to("none.yaml"), "there is no such file"),
        (lambda path: path.write_bytes(b"a: \xe9\n"), "line 1: the byte 0xE9 is not UTF-8"),
        (lambda path: path.write_bytes("a: 1".encode("utf-16")), "is UTF-16 text; save it as UTF-8"),
        (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), "is larger than the 256 KiB that are taken"),
        (lambda path: path.write_text("- a"), "must hold `key: value` lines"),
        (lambda path: path.write_text("[" + "x," * 900 + "x]"), "must hold `key: value` lines"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(make: object, reported: str, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    assert callable(make)
    make(path)
    with pytest.raises(ConfigError) as caught:
        read_yaml_mapping(path)
    assert str(caught.value).startswith(f"{path}: {reported}")
    assert len(str(caught.value).removeprefix(str(path))) < 250


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConfigError, match="larger than"):
        read_yaml_mapping(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes(b"\xef\xbb\xbfseed: 3\n")
    assert read_yaml_mapping(tmp_path / "r.yaml") == {"seed": 3}


def test_the_shipped_files_are_far_from_the_limits() -> None:
    shipped = {path.name: path for path in (Path(__file__).resolve().parents[3] / "config").glob("*.yaml")}
    assert {"mvp_config.yaml", "platform.yaml"} <= shipped.keys()
    for path in shipped.values():
        text = path.read_text()
        assert len(text) * 10 < MAX_BYTES
        loader = yaml_reader._PlainLoader(text)
        loader.get_single_data()
        assert loader._values * 10 < MAX_VALUES
        assert max(depth for _, depth in loader._sizes.values()) * 4 < MAX_DEPTH


@pytest.mark.parametrize("piece", ["a:", "a.", "a@", "a:a@", "a:/", "a-"])
def test_a_long_value_is_searched_for_an_address_in_no_time(piece: str) -> None:
    reported = shown(piece * (MAX_BYTES // len(piece)))  # or this never ends
    assert len(reported) <= 60


@pytest.mark.parametrize("content", [None, b"[1]", b"a: [", b"\xff", b"\xff\xfea", b"a" * (MAX_BYTES + 1)])
def test_a_name_that_turns_text_around_is_escaped_in_every_message(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a\u202eb.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_yaml_mapping(path)
    assert str(caught.value).startswith(f"{tmp_path}/a\\u202eb.yaml: ")
    assert str(caught.value).isprintable()


def test_what_is_read_again_is_nobody_else_s_and_a_fault_is_one_again() -> None:
    first = parse_yaml("a: {b: [1, 2]}", "x.yaml")
    first["a"]["b"].append(3)
    first["c"] = 4
    assert parse_yaml("a: {b: [1, 2]}", "x.yaml") == {"a": {"b": [1, 2]}}
    for origin in ("x.yaml", "x.yaml", "y.yaml"):
        with pytest.raises(ConfigError, match=f"^{origin}: "):
            parse_yaml("a: [1", origin)
