"""A finding of `relight doctor`: its topic, sentence and advice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.  ``blocks``: no run can do anything before that is mended."""

    topic: str
    text: str
    advice: str | None = None
    blocks: bool = False
