"""Who watches is told of each item once it was used."""

from relight_assets.core.messages.steps import no_steps, watched


def test_each_item_is_told_once_it_was_used() -> None:
    told: list[tuple[int, int]] = []
    for item in watched("abc", 3, lambda *now: told.append(now)):
        assert len(told) == "abc".index(item)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_nobody_has_to_watch() -> None:
    assert [*watched([1, 2], 2, no_steps("rows"))] == [1, 2]
