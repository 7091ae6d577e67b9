"""Records and failures of schema 1, which had neither a sha256 of themselves nor places, and mtimes for tokens."""

from typing import Any


def from_schema_1(found: Any) -> Any:
    """The content of a record or a failure of schema 1 under today's names; what does not fit is left as it is."""
    if not isinstance(found, dict):
        return found
    if "source_sha256" in found and all(found.get(f"source_{part}") is not None for part in ("sha256", "size")):
        stamp = {part: found.get(f"source_{part}") for part in ("sha256", "size", "mtime_ns")}
        found["source"] = stamp
    stages = found.get("stages")
    for entry in [found, *(stages.values() if isinstance(stages, dict) else ())]:
        for key in ("files", "reads"):
            stamps = entry.get(key) if isinstance(entry, dict) else None
            for stamp in stamps.values() if isinstance(stamps, dict) else ():
                _name_token(stamp)
    _name_token(found.get("source"))
    return found


def _name_token(stamp: Any) -> None:
    mtime_ns = stamp.pop("mtime_ns", None) if isinstance(stamp, dict) else None
    if isinstance(mtime_ns, int) and not isinstance(mtime_ns, bool):
        stamp["token"] = str(mtime_ns)
