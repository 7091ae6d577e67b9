"""The error that a tick of a sensor or a schedule shows."""

from collections.abc import Iterable

import dagster as dg


class TickError(dg.DagsterError):
    """What is wrong with the CSVs of a tick; as one of Dagster's own errors it is shown with its sentence first."""


def sentences(faults: Iterable[Exception]) -> list[str]:
    """What faults say, each once, in their order."""
    return list(dict.fromkeys(map(str, faults)))
