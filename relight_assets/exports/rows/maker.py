"""What made a pair: recipe, versions and segmenter, as its record has them."""

import json
from dataclasses import dataclass
from typing import Any

from relight_assets.core.hashing import canonical_digest
from relight_assets.dataset.record_types import Record


@dataclass(frozen=True)
class Maker:
    """What made a pair, as its record has it."""

    package_version: str
    seed: int | None
    recipe: str
    """The values that differ from the defaults of that version, as JSON; ``null`` where the record does not say."""
    code_versions: tuple[tuple[str, str], ...]
    """Of each stage."""
    segmenter: str
    segmenter_sha256: str

    @classmethod
    def of(cls, record: Record) -> "Maker":
        """From a record."""
        masks = record.stages["masks"].numbers
        return cls(
            record.package_version,
            record.seed,
            json.dumps(record.recipe, sort_keys=True),
            tuple((stage, entry.code) for stage, entry in record.stages.items()),
            str(masks.get("segmenter") or ""),
            str(masks.get("segmenter_sha256") or ""),
        )

    @property
    def differences(self) -> dict[str, Any] | None:
        """The values of the recipe that differ from the defaults; None where the record does not say."""
        found: dict[str, Any] | None = json.loads(self.recipe)
        return found

    @property
    def recipe_digest(self) -> str:
        """sha256 of the version and of the values that differ from its defaults, seed included."""
        return canonical_digest([self.package_version, self.seed, self.differences])

    @property
    def digest(self) -> str:
        """sha256 of all of it."""
        codes = [list(version) for version in self.code_versions]
        return canonical_digest([self.recipe_digest, codes, self.segmenter, self.segmenter_sha256])
