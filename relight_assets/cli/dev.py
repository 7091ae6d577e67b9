"""``relight dev``."""

import os
import sys

import click

from relight_assets.cli.dagster_runs import KNOWN_WARNINGS, dagster_part, known_warnings_off
from relight_assets.cli.terminal import say, tell, tell_error
from relight_assets.config.settings import load_settings, project_folder
from relight_assets.core.exit_codes import exit_code
from relight_assets.dataset.csv.folder import no_rows
from relight_assets.doctor.ports import PORT, port_fault
from relight_assets.doctor.temporary_folder import check_sockets
from relight_assets.errors import UserError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option("--read-only", is_flag=True, help="The UI changes nothing; sensors and schedules still start runs.")
def dev(port: int, read_only: bool) -> None:
    """The Dagster UI and daemon on 127.0.0.1, with a partition for every CSV that can be used.

    Ctrl-C or SIGTERM stops them: exit code 0, or 2 where a CSV cannot be used; 1 if a server ended by itself.
    """
    if fault := port_fault(port):
        raise UserError(f"port {port} of 127.0.0.1 {fault}; end what listens there, or choose another with --port")
    check_sockets()
    settings = load_settings()
    with dagster_part("defs.runs.launch").instance_of(settings, say) as instance:
        names = instance.get_dynamic_partitions("splits")
        csvs = dagster_part("defs.assets.splits").checked_csvs(instance, settings)
    for path, fault in csvs.faults.items():
        tell_error(path, fault)
    for path in csvs.empty.values():
        tell("note", "yellow", no_rows(path))
    say(f"splits: {', '.join(names) or 'none yet'} (from {settings.csv_dir})")
    if read_only:
        say("read-only: the UI changes nothing; sensors and schedules still start runs")
    workspace = project_folder() / "workspace.yaml"
    what = ["-w", str(workspace)] if workspace.is_file() else ["-m", "relight_assets.definitions"]
    os.environ["PYTHONWARNINGS"] = ",".join(f"ignore:{start}" for start in KNOWN_WARNINGS)
    with known_warnings_off():
        dagster_part("defs.server.dev").serve(what, port, read_only=read_only)
    sys.exit(exit_code(csvs.faults.values()))
