"""The review of a split as the page starts from it, so that what is downloaded holds what was decided before, too."""

from typing import Any

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import IMAGE_COLUMN
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import CsvError
from relight_assets.exports.rows.review import review_path, reviewed_photos
from relight_assets.reports.gallery.content import Photo

COLUMNS = (IMAGE_COLUMN, "decision", "reason", "forget")
"""Of the review that the page writes, before the columns of a person's own."""
OURS = (*COLUMNS, "sha256")
"""The columns that are not a person's own; a photo is named by its path alone."""


def review_of(photos: list[Photo], state: SplitState, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """The review as JSON has it (file name, columns, rows), and what a person should know of it.

    Every row names its photo by its path; one that named it by sha256 is changed to that.
    """
    name = review_path(state.split.path, state.split.split).name
    paths = {photo.key: photo.path for photo in photos} | {photo.sha256: photo.path for photo in photos}
    rows: list[dict[str, str]] = []
    unknown = 0
    try:
        for row in reviewed_photos(state.split, settings.photo_root):
            path = paths.get(row.key, "" if "sha256" in row.cells else row.photo)
            unknown += not path
            if path:
                rows.append({**row.cells, IMAGE_COLUMN: path})
    except CsvError as error:
        return {"file": name, "columns": [*COLUMNS], "rows": []}, [
            f"The decisions made before are not shown, and a download lacks them: {error}."
        ]
    columns = [*COLUMNS, *dict.fromkeys(column for row in rows for column in row if column not in OURS)]
    notes = []
    if unknown:
        notes.append(f"{unknown} rows of {name} name photos by sha256 that are not here; what you download lacks them.")
    return {
        "file": name,
        "columns": columns,
        "rows": [[row.get(column, "") for column in columns] for row in rows],
    }, notes
