"""Dagster's web server with a guard around it: ``python -m relight_assets.defs.server.webserver``, options as its own.

``relight dev`` starts it; a service manager can (docs/ui.md).
"""

import os
import sys
from collections.abc import Mapping

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from relight_assets.config.project import ProjectSource
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.defs.dagster_internals import run_web_server
from relight_assets.defs.server.gallery_files import GalleryFiles
from relight_assets.defs.server.request_guard import RequestGuard
from relight_assets.errors import RelightError


def main() -> None:
    """Run the server that ``sys.argv`` describes; the hosts besides loopback are ``ui_hosts`` of the settings file."""
    try:
        settings = ProjectSource(os.environ).settings()
    except RelightError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(exit_code([error]))

    def guarded(app: ASGIApp) -> RequestGuard:
        return RequestGuard(GalleryFiles(app, settings.output_root), settings.ui_hosts)

    os.environ["FORWARDED_ALLOW_IPS"] = ""  # uvicorn would believe X-Forwarded-* that comes from this machine
    run_web_server(guarded, _refuse_query)


def _refuse_query(headers: Mapping[str, str]) -> Response | None:
    """Have GraphQL give its page by GET and nothing else, under whatever path the guard has not known it."""
    return None if "text/html" in headers.get("accept", "") else PlainTextResponse("GraphQL is asked by POST\n", 405)


if __name__ == "__main__":
    main()
