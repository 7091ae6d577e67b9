"""Dagster's web server with a guard around it: ``python -m relight_assets.defs.server.webserver``, options as its own.

``relight dev`` starts it; a service manager can (docs/ui.md).
"""

import os
import sys
from typing import Any

from dagster_webserver import cli
from dagster_webserver.graphql import GraphQLServer
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from relight_assets.config.project import ProjectSource
from relight_assets.core.exit_codes import exit_code
from relight_assets.defs.server.request_guard import RequestGuard
from relight_assets.errors import RelightError

_CREATE_APP = "create_app_from_workspace_process_context"


def main() -> None:
    """Run the server that ``sys.argv`` describes; the hosts besides loopback are ``ui_hosts`` of the platform file."""
    try:
        hosts = ProjectSource(os.environ).settings().ui_hosts
    except RelightError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(exit_code([error]))
    create_app = getattr(cli, _CREATE_APP)

    def create_guarded(*arguments: Any, **options: Any) -> RequestGuard:
        return RequestGuard(create_app(*arguments, **options), hosts)

    setattr(cli, _CREATE_APP, create_guarded)
    _run_no_query_of_a_url()
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # uvicorn would believe X-Forwarded-* that comes from this machine
    cli.main()  # type: ignore[no-untyped-call]


def _run_no_query_of_a_url() -> None:
    """Have GraphQL give its page by GET and nothing else, under whatever path the guard has not known it."""
    answer = GraphQLServer.graphql_http_endpoint

    async def answer_posts(server: Any, request: Request) -> Response:
        if request.method != "POST" and "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("GraphQL is asked by POST\n", 405)
        return await answer(server, request)

    GraphQLServer.graphql_http_endpoint = answer_posts  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main()
