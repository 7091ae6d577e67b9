"""Wording of messages."""


def counted(count: int, noun: str) -> str:
    """A count and its noun: ``1 pair``, ``12,000 pairs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
