"""The style of all tables."""

from typing import Any

SLIM: dict[str, Any] = {"box": None, "pad_edge": False, "header_style": "bold"}
"""Keyword arguments of a table without lines."""
