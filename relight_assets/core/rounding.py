"""Numbers as records hold them: rounded where they are made, so that equal images have equal records."""

from typing import Any

DECIMALS = 6
"""What lies beyond differs by processor and library, and says nothing."""


def rounded(value: Any) -> Any:
    """Round every float to 6 decimals, in lists, tuples and dicts too; everything else comes back as it is."""
    if isinstance(value, float):
        return round(float(value), DECIMALS) + 0.0  # never -0.0
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(rounded(each) for each in value)
    return value
