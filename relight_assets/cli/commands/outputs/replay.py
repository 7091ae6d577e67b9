"""``relight replay``: makes images again from their records and compares the bytes."""

import sys
from pathlib import Path

import click

from relight_assets.cli.files import write_file
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import out
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.errors import UserError
from relight_assets.stages.base import artifact_file


@click.command()
@click.argument("records", nargs=-1, required=True, type=LOCAL_PATH, metavar="RECORD...")
@click.option("--foreground", type=LOCAL_PATH, help="The foreground, if it is not beside the record.")
@click.option("--write", "folder", type=LOCAL_PATH, help="Write what was made into this folder.")
@click.option("--gobos", type=LOCAL_PATH, help="Your own shadow patterns, if they were moved.")
@click.option("--environments", type=LOCAL_PATH, help="Your own panoramas, if they were moved.")
def replay(
    records: tuple[Path, ...],
    foreground: Path | None,
    folder: Path | None,
    gobos: Path | None,
    environments: Path | None,
) -> None:
    """Recompute images from their record (NNNNN_metadata.json) and foreground alone, and compare the bytes."""
    from relight_assets.engine.replay import OwnFolders  # noqa: PLC0415  (only this command needs it)
    from relight_assets.engine.replay import replay as made_again  # noqa: PLC0415  (likewise)

    if foreground is not None and len(records) > 1:
        raise UserError("--foreground is that of one record; give one")
    same = True
    for record in records:
        number = record.name.partition("_")[0]
        if folder is not None and folder.resolve() == record.parent.resolve():
            raise UserError(f"--write: {folder} is the record's own folder; its images are never replaced this way")
        for made in made_again(record, foreground, OwnFolders(gobos, environments)):
            same = same and made.same
            result = "[green]the same bytes[/]" if made.same else f"[bold red]other bytes[/]: {made.found}"
            out.print(f"{number}_{artifact_file(made.name)}  {result}", soft_wrap=True)
            if folder is not None:
                write_file(folder / f"{number}_{artifact_file(made.name)}", made.data)
    sys.exit(exit_code(done=same))
