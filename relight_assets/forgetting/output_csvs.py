"""Taking photos out of the CSVs that a split has written: the mapping, the variants CSV and the failures CSV."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.mapping import (
    escape_formula,
    failures_beside,
    is_mapping_name,
    output_csv_paths,
    replace_reasons,
    without_outputs,
)
from relight_assets.dataset.layout import experiment_folder
from relight_assets.dataset.paths import index_key
from relight_assets.errors import ForgottenError
from relight_assets.forgetting.eraser import Eraser
from relight_assets.forgetting.survey import Folder

REASON = {"code": ForgottenError.code, "stage": "masks", "message": str(ForgottenError())}
"""What a failures CSV says of a photo that was forgotten."""


@dataclass
class OutputCsvs:
    """The CSVs that a folder's run has written."""

    folder: Folder
    settings: Settings
    numbers: Collection[int]
    """Of the images that go."""
    keys: Collection[str]
    """Their names."""
    _ours: dict[Path, bool] = field(default_factory=dict)

    def paths(self) -> list[Path]:
        """Where CSVs are that name the folder's pictures: where they were written, and where they would be."""
        origin = self.folder.origin()
        found = []
        if origin is not None:
            root, experiment = self.settings.output_root, self.folder.experiment
            where = self.settings.mapping_dir if experiment is None else experiment_folder(root, experiment)
            mapping, _, variants = output_csv_paths(Path(origin.path), where)
            found = [*(each for each in map(Path, origin.mappings) if is_mapping_name(each)), mapping, variants]
        return [*dict.fromkeys(found), self.folder.layout.staged_mapping]

    def clear(self, eraser: Eraser) -> None:
        """Have them name none of the pictures, and say no more of the photos than that they are rejected."""
        for target in self.paths():
            with eraser.trying(target):
                self._withdraw(target, eraser)
            if (failures := failures_beside(target)) is not None:
                with eraser.trying(failures):
                    count, data = replace_reasons(failures, self._is_meant, REASON, eraser.storage)
                    if count:
                        eraser.put(failures, data, "reasons in a failures CSV", count)

    def _withdraw(self, target: Path, eraser: Eraser) -> None:
        gone: list[str] = []

        def stays(_: str, output: str) -> bool:
            if not self._names_one(Path(output)):
                return True
            gone.append(output)
            return False

        blocks = without_outputs(target, stays, eraser.storage)
        if blocks is not None:
            eraser.put(target, blocks, "rows in a mapping CSV", len(gone))

    def _names_one(self, output: Path) -> bool:
        digits = output.name.partition("_")[0]
        return digits.isascii() and digits.isdecimal() and int(digits) in self.numbers and self._is_ours(output.parent)

    def _is_ours(self, folder: Path) -> bool:
        if folder not in self._ours:
            try:
                self._ours[folder] = self.folder.layout.folder.samefile(folder)
            except (OSError, ValueError):  # gone, and its pictures with it
                self._ours[folder] = False
        return self._ours[folder]

    def _is_meant(self, cell: str) -> bool:
        return index_key(cell, Path(), self.settings.image_root) in {*self.keys, *map(escape_formula, self.keys)}
