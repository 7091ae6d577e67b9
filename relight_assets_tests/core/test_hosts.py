"""Names of hosts have one spelling."""

import pytest

from relight_assets.core.hosts import host_name, host_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Relight.Example.com.", "relight.example.com"),
        ("relight_ui", "relight_ui"),
        ("FD00:0:0:0:0:0:0:1", "fd00::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", None),
        ("fe80::1%eth0", None),
        ("a..b", None),
        ("a:80", None),
        ("http://a", None),
        (".", None),
        ("", None),
        ("a b", None),
        ("a\n", None),
        ("\u00fc.de", None),
        ("a" * 64, None),
        (".".join(["a" * 63] * 4), None),
    ],
)
def test_one_spelling_or_none(text: str, name: str | None) -> None:
    assert host_name(text) == name


def test_a_list_of_hosts() -> None:
    assert host_names(["A", "::1"]) == ("a", "::1")
    for value in ("a", ["a", 1], ["a b"], None, {"a": 1}):
        with pytest.raises(ValueError, match="must be a list of names of hosts"):
            host_names(value)
