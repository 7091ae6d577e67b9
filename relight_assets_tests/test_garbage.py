"""What was there before the first test is no more looked at."""

import gc

from relight_assets_tests.garbage import OBJECTS


def test_what_was_collected_is_left_alone() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
    assert gc.get_threshold()[0] == OBJECTS
