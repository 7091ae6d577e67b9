"""Dagster's web server with a guard around it: ``python -m relight_assets.defs.webserver``, options as its own.

``relight dev`` starts it; a service manager can (docs/ui.md).
"""

import os
import sys
from typing import Any

from dagster_webserver import cli

from relight_assets.defs.request_guard import RequestGuard
from relight_assets.errors import RelightError
from relight_assets.exit_codes import exit_code
from relight_assets.settings import load_settings

_CREATE_APP = "create_app_from_workspace_process_context"


def main() -> None:
    """Run the server that ``sys.argv`` describes; the hosts besides loopback are ``ui_hosts`` of the platform file."""
    try:
        hosts = load_settings().ui_hosts
    except RelightError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(exit_code([error]))
    create_app = getattr(cli, _CREATE_APP)

    def create_guarded(*arguments: Any, **options: Any) -> RequestGuard:
        return RequestGuard(create_app(*arguments, **options), hosts)

    setattr(cli, _CREATE_APP, create_guarded)
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # uvicorn would believe X-Forwarded-* that comes from this machine
    cli.main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
