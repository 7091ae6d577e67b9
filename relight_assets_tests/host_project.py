"""Somebody's own Dagster project, laid out as `create-dagster` does it, with our components in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import yaml

TYPE = "relight_assets.defs.project.component.RelightComponent"


@dataclass(frozen=True)
class HostProject:
    """A project of the Python package ``module``, in ``src``."""

    root: Path
    module: str = "host"

    @property
    def components(self) -> Path:
        return self.root / "src" / self.module / "defs"

    def write(self) -> None:
        """The files of a new project."""
        (self.components / "__init__.py").parent.mkdir(parents=True)
        (self.components / "__init__.py").touch()
        (self.components.parent / "__init__.py").touch()
        (self.components.parent / "definitions.py").write_text(
            "from pathlib import Path\n\nfrom dagster import definitions, load_from_defs_folder\n\n\n"
            "@definitions\ndef defs():\n    return load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
        )
        (self.root / "pyproject.toml").write_text(
            f'[project]\nname = "{self.module}"\nversion = "0.1.0"\ndependencies = ["dagster"]\n\n'
            f'[tool.dg]\ndirectory_type = "project"\n\n[tool.dg.project]\nroot_module = "{self.module}"\n'
        )

    def add(self, name: str, photos: Sequence[Path] = (), **attributes: object) -> Path:
        """A component with a split `train` of these photos; its folder."""
        folder = self.components / name
        (folder / "data").mkdir(parents=True)
        values = {"prefix": name, "data": "data", "outputs": "outputs"} | attributes
        (folder / "defs.yaml").write_text(yaml.safe_dump({"type": TYPE, "attributes": values}, sort_keys=False))
        self.write_csv(name, photos)
        return folder

    def write_csv(self, name: str, photos: Sequence[Path]) -> None:
        lines = ["image_path", *map(str, photos)]
        (self.components / name / "data" / "train_images.csv").write_text("\n".join(lines) + "\n")

    def load(self, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
        """What Dagster loads of it; the name of the package must be another for each project of a process."""
        monkeypatch.syspath_prepend(str(self.root / "src"))
        return dg.load_from_defs_folder(path_within_project=self.components.parent)


def images(prefix: str) -> list[dg.AssetKey]:
    """What a run of a split materializes."""
    names = ("masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters")
    return [dg.AssetKey([prefix, name]) for name in names]
