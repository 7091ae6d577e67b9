"""Where the model files are, as the settings say, and what tells one file from another."""

from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.config.settings import NO_MODELS, NO_WEIGHTS, LocalModel, LocalModels, Sam3Weights, Settings
from relight_assets.errors import ModelFileError
from relight_assets.models import registry, store
from relight_assets.models.registry import GivenModel
from relight_assets.models.remembered_hashes import check_sha256, remembered_sha256


@dataclass(frozen=True)
class ModelFiles:
    """The settings that name model files; they travel to the workers as one."""

    model_dir: Path | None = None
    """Of the files that ``relight models fetch`` gets; None: the user's cache."""
    sam3: Sam3Weights = NO_WEIGHTS
    user_models: LocalModels = field(default_factory=lambda: dict(NO_MODELS))

    @classmethod
    def of(cls, settings: Settings) -> "ModelFiles":
        """The model files of a platform."""
        return cls(settings.model_dir, settings.sam3, settings.local_models)

    def path_of(self, name: str) -> Path:
        """Where a model's file is; of one of ours the bytes were just checked.

        Raises:
            ModelFileError: there is no such file, or another; says how to get it.
        """
        model = _given(name)
        if model is None:
            return store.path_of(name, self.model_dir)
        file = self._placed(model)[0]
        if file is None:
            raise ModelFileError(f"{model.wanted_by} {model.lacks}: {model.how_to_get}.")
        if not file.is_file():
            raise ModelFileError(f"{model.wanted_by}: there is no file {file}: {model.how_to_get}.")
        return file

    def sha256_of(self, name: str) -> str:
        """The sha256 that identifies a model, or a segmenter by its name in the recipe, for digests and records.

        Of one of ours it stands in the registry; of another it is the one that the settings require, or else the
        file's, which is read once and remembered with size and token.

        Raises:
            ModelFileError: there is no such model or file, or it cannot be read.
        """
        name = registry.SEGMENTERS[name].model if name in registry.SEGMENTERS else name
        model = _given(name)
        if model is None:
            return store.shipped(name).sha256
        return self._placed(model)[1] or remembered_sha256(self.path_of(name))

    def wanted_sha256(self, name: str) -> str | None:
        """What the settings require of a file that the user brings along; None: nothing."""
        model = _given(name)
        return self._placed(model)[1] if model is not None else None

    def check(self, name: str) -> None:
        """See that a model's file is there and is the one that is wanted.

        Raises:
            ModelFileError: it is not.
        """
        file, model = self.path_of(name), _given(name)
        if model is not None:
            check_sha256(file, self._placed(model)[1], f"{model.setting.partition('.')[0]}.sha256")

    def listing(self) -> list[store.Listed]:
        """All models and the state of their files, in the registry's order."""
        return [*store.listing(self.model_dir), *map(self._listed, registry.GIVEN)]

    def _placed(self, model: GivenModel) -> tuple[Path | None, str | None]:
        section, _, key = model.setting.partition(".")
        given: Sam3Weights | LocalModel = self.sam3 if section == "sam3" else _of(self.user_models, section)
        place: Path | None = getattr(given, key)
        return place / model.file_name if place is not None and model.file_name else place, given.sha256

    def _listed(self, model: GivenModel) -> store.Listed:
        file, wanted = self._placed(model)
        there = file if file is not None and file.is_file() else None
        found = remembered_sha256(there) if there else ""
        return store.Listed(
            name=model.name,
            purpose=model.purpose,
            state="missing" if there is None else "altered" if wanted not in {None, found} else "ok",
            path=file,
            size=there.stat().st_size if there else 0,
            sha256=found or wanted or "not known before it is there",
            licence=model.licence,
            stated_in=model.stated_in,
            source=model.how_to_get,
        )


def _given(name: str) -> GivenModel | None:
    return next((model for model in registry.GIVEN if model.name == name), None)


def _of(models: LocalModels, section: str) -> LocalModel:
    return next(model for name, model in models.items() if name == section)
