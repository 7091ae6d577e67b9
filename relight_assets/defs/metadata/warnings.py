"""The warnings of a step: in the run's log, and in the metadata, from where the command line has them."""

import logging
from collections.abc import Callable
from typing import Any

import dagster as dg

from relight_assets.core.best_effort import WARNINGS, best_effort

_LOG = logging.getLogger(__name__)


class Warnings:
    """What a step is to warn of."""

    def __init__(self, log: Any):
        self._log = log
        self._messages: list[str] = []

    def __call__(self, text: str) -> None:
        """Warn of something, once."""
        if text not in self._messages:
            self._messages.append(text)
            with best_effort("the run's log", _LOG.warning):
                self._log.warning(text)

    def part(self, what: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Part of the metadata; where that cannot be made, nothing and a warning."""
        with best_effort(what, self):
            return make()
        return {}

    @property
    def metadata(self) -> dict[str, Any]:
        """The warnings so far; nothing where there are none."""
        return {WARNINGS: dg.MetadataValue.json(self._messages)} if self._messages else {}
