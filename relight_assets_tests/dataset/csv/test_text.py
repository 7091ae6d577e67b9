"""Cells of any size, in any thread."""

import csv
from concurrent.futures import ThreadPoolExecutor

import pytest

from relight_assets.dataset.csv.text import csv_reader


def test_threads_that_read_at_once_do_not_limit_each_other() -> None:
    text = "a," + "x" * 300_000 + "\n"
    with ThreadPoolExecutor(8) as threads:
        for rows in threads.map(lambda _: list(csv_reader(text)), range(64)):
            assert rows == [["a", "x" * 300_000]]


def test_a_lost_quote_is_an_error_however_much_it_swallows() -> None:
    for text in ('a,"' + "x\n" * 200_000, 'a,"b"c\n'):
        with pytest.raises(csv.Error):
            list(csv_reader(text))
