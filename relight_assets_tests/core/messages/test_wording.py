"""Counts in messages."""

from relight_assets.core.messages.wording import counted


def test_a_noun_follows_its_count() -> None:
    assert [counted(count, "pair") for count in (0, 1, 2, 12_000)] == ["0 pairs", "1 pair", "2 pairs", "12,000 pairs"]
