"""Parsing the names of hosts in addresses and headers."""

import ipaddress
import re
from contextlib import suppress
from typing import Any


def host_name(text: str) -> str | None:
    """The one spelling of a host's name, or of its address without brackets, for comparing; None if it is none."""
    if "%" not in text:  # an address with a scope is this machine's alone
        with suppress(ValueError):
            return str(ipaddress.ip_address(text))
    name = text.lower().removesuffix(".")
    parts = name.split(".")
    return name if len(name) <= 253 and all(re.fullmatch(r"[a-z0-9_-]{1,63}", part) for part in parts) else None


def host_names(value: Any) -> tuple[str, ...]:
    """Check a list of hosts, as pydantic wants it.

    Raises:
        ValueError: it is no list of hosts.
    """
    if isinstance(value, list | tuple):
        names = [host_name(name) for name in value if isinstance(name, str)]
        known = tuple(name for name in names if name is not None)
        if len(known) == len(value):
            return known
    raise ValueError("must be a list of names of hosts, such as [relight.example.com], each without a scheme or a port")
