"""The stages there are, in their order."""

Stage = str
"""The name of a stage, which is that of its asset."""

_NAMES: tuple[Stage, ...] = ("masks", "albedo", "degraded", "composites")


def stage_names() -> tuple[Stage, ...]:
    """The names of all stages, in the order in which they run."""
    return _NAMES
