"""What a run can do without costs nothing when it breaks, and whoever stops the run still does."""

import logging

import pytest

from relight_assets.core.best_effort import LONGEST, best_effort, cause_of


def test_whatever_is_raised_is_one_sentence() -> None:
    reported: list[str] = []
    with best_effort("the charts", reported.append):
        raise KeyError("a\nb")
    with best_effort("the charts", reported.append):
        pass
    assert reported == ["without the charts: KeyError: 'a\\nb'"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_who_stops_the_run_stops_it(stop: type[BaseException]) -> None:
    reported: list[str] = []
    with pytest.raises(stop), best_effort("the charts", reported.append):
        raise stop
    assert reported == []


def test_a_warning_that_cannot_be_given_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def warn(_: str) -> None:
        raise OSError("nobody is there")

    with caplog.at_level(logging.WARNING), best_effort("the charts", warn):
        raise ValueError
    assert caplog.messages == ["without the charts: ValueError"]


def test_causes_are_short() -> None:
    assert len(cause_of(ValueError("x" * 10_000))) == LONGEST
