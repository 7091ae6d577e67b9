"""``RelightComponent``: the assets of a project, in somebody's own Dagster project, by a ``defs.yaml``."""

import os
import re
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import Self

from relight_assets.config.hosted_project import HostedProject
from relight_assets.config.parsing.validation import nearest_key
from relight_assets.config.parsing.yaml_reader import shown
from relight_assets.defs.names import Names
from relight_assets.defs.project.named_definitions import named_definitions
from relight_assets.errors import ConfigError

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


class RelightScaffolder(dg.Scaffolder[Any]):
    """What ``dg scaffold defs`` writes: a ``defs.yaml``, and an empty folder for CSVs."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write a component that loads as it is."""
        name = re.sub(r"[^A-Za-z0-9_]", "_", request.target_path.name)
        (request.target_path / "data").mkdir(parents=True, exist_ok=True)
        dg.scaffold_component(request, {"prefix": name, "data": "data", "outputs": "outputs"})


@dg.scaffold_with(RelightScaffolder)
class RelightComponent(dg.Component, dg.Model, dg.Resolvable):
    """Training pairs for lighting models from the CSVs of portrait photos in one folder.

    Several of these stand side by side in a project: each has its own folders and partitions, and its prefix begins the
    name of every asset, job, sensor, schedule and resource.  Paths are relative to the folder of ``defs.yaml``.
    """

    prefix: str = Field(description="Begins every asset key and name; letters, digits and `_`, at most 32.")
    data: str = Field(description="The folder with one CSV per split.")
    outputs: str = Field(description="The folder for the pictures and records; made at the first run.")
    recipe: str | None = Field(default=None, description="The recipe, such as mvp_config.yaml; left out: all defaults.")
    platform: str | None = Field(
        default=None,
        description="The settings, such as platform.yaml; left out: all defaults. Its output folders are not used.",
    )
    pool: str = Field(default="gpu", min_length=1, description="The concurrency pool of what uses the devices.")
    _folder: Path = PrivateAttr(default_factory=Path)

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """What Dagster checks ``attributes`` by: it lets unknown keys through, of which :meth:`load` says more."""
        config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False})
        return type("RelightAttributes", (cls.model(),), {"model_config": config, "__module__": __name__})

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component of a ``defs.yaml``.

        Raises:
            ConfigError: it has a key that there is not.
        """
        for key in (attributes.model_extra if attributes is not None else None) or {}:
            hint = nearest_key(key, [*cls.model().model_fields])
            raise ConfigError(f"{context.path / 'defs.yaml'}: `attributes`: unknown key `{shown(key)}`{hint}")
        made = super().load(attributes, context)
        return made.placed_in(context.path)

    @property
    def folder(self) -> Path:
        """That of its ``defs.yaml``, to which paths are relative."""
        return self._folder

    def placed_in(self, folder: Path) -> Self:
        """The same, of a ``defs.yaml`` in this folder."""
        self._folder = folder
        return self

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """All assets under the prefix.  They run under the executor of the project.

        Raises:
            ConfigError: the prefix is no name, prefix or outputs are another component's, a folder or file is missing,
                or settings or recipe cannot be used.
        """
        self.placed_in(context.path)
        if not _PREFIX.fullmatch(self.prefix):
            raise self._mistake(
                "prefix",
                f"found {self.prefix!r}; must be a letter and then letters, digits and `_`, at most 32 in all, such as "
                f"`portraits`",
            )
        for other in context.component_tree.get_all_components(RelightComponent):
            if other is not self:
                self._refuse_same_as(other)
        project = HostedProject(
            os.environ,
            here=context.path,
            data=self._existing("data", self.data),
            outputs=self.path_of(self.outputs),
            recipe_path=self._existing("recipe", self.recipe) if self.recipe is not None else None,
            settings_path=self._existing("platform", self.platform) if self.platform is not None else None,
        )
        return named_definitions(project, Names(self.prefix, self.pool))

    def _refuse_same_as(self, other: "RelightComponent") -> None:
        where = f"the component in {other.folder}"
        if other.prefix == self.prefix:
            raise self._mistake("prefix", f"`{self.prefix}` is that of {where} too; give each its own")
        if other.path_of(other.outputs) == (outputs := self.path_of(self.outputs)):
            raise self._mistake("outputs", f"{outputs} is that of {where} too; give each its own")

    def _existing(self, key: str, path: str) -> Path:
        found = self.path_of(path)
        if not found.exists():
            raise self._mistake(key, f"there is no {found}; make it, or name another")
        return found

    def path_of(self, path: str) -> Path:
        """A path of ``defs.yaml``, absolute."""
        return Path(os.path.normpath(self._folder / Path(path).expanduser()))

    def _mistake(self, key: str, text: str) -> ConfigError:
        return ConfigError(f"{self._folder / 'defs.yaml'}: `{key}`: {text}")
