"""``relight dev``: Dagster's UI and daemon for the project."""

import sys
from pathlib import Path

import click

from relight_assets.cli.dagster_runs import KNOWN_WARNINGS, known_warnings_off
from relight_assets.cli.terminal.messages import print_line, print_note, print_split_error
from relight_assets.config.project import ProjectSource
from relight_assets.config.variables import PLATFORM
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.dataset.csv.folder import no_csv, no_rows
from relight_assets.doctor.dagster_home import home_folder
from relight_assets.doctor.ports import PORT, port_fault
from relight_assets.doctor.temporary_folder import check_sockets
from relight_assets.errors import UserError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option("--read-only", is_flag=True, help="The UI changes nothing; sensors and schedules still start runs.")
@click.pass_obj
def dev(source: ProjectSource, port: int, read_only: bool) -> None:
    """The Dagster UI and daemon on 127.0.0.1, with a partition for every CSV that can be used.

    Ctrl-C or SIGTERM stops them: exit code 0, or 2 where a CSV cannot be used; 1 if a server ended by itself.
    """
    if taken := port_fault(port):
        raise UserError(f"port {port} of 127.0.0.1 {taken}; end what listens there, or choose another with --port")
    check_sockets(source.environ)
    settings, folder = source.settings(), source.folder()
    # A folder elsewhere may be on a disk that is away.
    if settings.csv_dir.absolute().parent == Path.cwd() and not settings.csv_dir.exists():
        settings.csv_dir.mkdir()
        print_line(f"made {settings.csv_dir}; put one CSV per split there")
    with known_warnings_off():
        from relight_assets.defs.assets.splits import checked_csvs  # noqa: PLC0415  (Dagster is slow)
        from relight_assets.defs.runs.instance import instance_of  # noqa: PLC0415
        from relight_assets.defs.server.dev import serve  # noqa: PLC0415
    with instance_of(settings, folder, print_line) as instance:
        names = instance.get_dynamic_partitions("splits")
        csvs = checked_csvs(instance, settings)
    for path, fault in csvs.faults.items():
        print_split_error(path, fault)
    for path in csvs.empty.values():
        print_note(no_rows(path))
    if not (csvs.usable or csvs.faults or csvs.empty):
        print_note(no_csv(settings.csv_dir, settings.csv_glob))
    print_line(f"splits: {', '.join(names) or 'none yet'} (from {settings.csv_dir})")
    if read_only:
        print_line("read-only: the UI changes nothing; sensors and schedules still start runs")
    print_line(f"UI: http://127.0.0.1:{port}, in a few seconds; Ctrl-C ends it. Here are warnings and errors alone.")
    workspace = folder / "workspace.yaml"
    what = ["-w", str(workspace)] if workspace.is_file() else ["-m", "relight_assets.definitions"]
    with known_warnings_off():
        serve(what, port, read_only=read_only, environment=_environment(source, home_folder(settings, source.environ)))
    sys.exit(exit_code(csvs.faults.values()))


def _environment(source: ProjectSource, home: object) -> dict[str, str]:
    """The variables by which servers, and the runs that they start, find this project and its history."""
    ignored = ",".join(f"ignore:{start}" for start in KNOWN_WARNINGS)
    platform = {PLATFORM: str(source.platform.absolute())} if source.platform is not None else {}
    return {"DAGSTER_HOME": str(home), "PYTHONWARNINGS": ignored, **platform}
