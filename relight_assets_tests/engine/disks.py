"""A disk with CSVs, photos and outputs, to be moved, copied and mixed up."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import read_record
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets_tests.conftest import PORTRAITS, sha256

ONE, TWO, THREE, FOUR = PORTRAITS


@dataclass(frozen=True)
class Disk:
    """A disk with CSVs, photos and one folder of outputs, whose name is the same in every copy."""

    root: Path
    image_root: Path | None = None

    @property
    def settings(self) -> Settings:
        return Settings(
            csv_dir=self.root / "a",
            image_root=self.image_root,
            output_root=self.root / "out",
            dagster_home=self.root / "home",
            cpu_workers=1,
            threads=1,
        )

    def layout(self, experiment: str | None = None) -> SplitLayout:
        return SplitLayout(split_folder(self.settings.output_root, "train", experiment))

    def csv(self, folder: str, rows: list[str]) -> Path:
        """Write ``folder``/train_images.csv."""
        path = self.root / folder / "train_images.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("image_path,note\n" + "".join(f"{row},{number}\n" for number, row in enumerate(rows)))
        return path

    def photo(self, place: str, source: Path) -> Path:
        """Put a photo at a place below the root."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        return path

    def run(self, folder: str = "a", recipe: Recipe | None = None, **options: Any) -> RunSummary:
        """Run, and publish the mapping, as a run of the split's assets does."""
        split = read_split_csv(self.root / folder / "train_images.csv")
        summary = run_split(split, recipe or Recipe(), self.settings, RunOptions(**options))
        write_split_mapping(summary.state, self.settings, options.get("experiment"))
        return summary

    def outputs(self, folder: str = "a") -> list[str]:
        """What the mapping beside a CSV names, by file name; empty where a cell is."""
        lines = (self.root / folder / "train_images_with_relighting_outputs.csv").read_text().splitlines()[1:]
        return [Path(line.rpartition(",")[2]).name for line in lines]

    def record(self, number: int, experiment: str | None = None) -> Record:
        record = read_record(self.layout(experiment).record(number))
        assert record is not None
        return record

    def png_hashes(self) -> dict[str, str]:
        return {path.name: sha256(path) for path in sorted(self.layout().folder.glob("*.png"))}

    def everything(self) -> dict[str, tuple[int, str]]:
        """Every file on the disk, by its inode and content; locks, counts and the record cache say nothing."""
        return {
            str(path.relative_to(self.root)): (path.stat().st_ino, sha256(path))
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.name.startswith((".lock", ".progress", ".records"))
        }


def nothing_computed(summary: RunSummary, rows: int = 3) -> None:
    assert summary.tally.computed_images == 0
    assert summary.state.row_counts() == {"done": rows}
