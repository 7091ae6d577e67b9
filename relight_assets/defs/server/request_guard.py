"""Which requests Dagster's web server answers: an ASGI application around it, for HTTP and websockets.

Dagster's server has no login, and by itself takes mutations by GET, by ``text/plain`` and without a body, from pages of
any origin, under any host name: every page that is open in a browser on its machine could start and delete runs.  The
guard refuses what such pages can send.  It is no login: a program that can connect may do everything that the UI does.

Sources: the Fetch standard (Origin, CORS-safelisted content types), Fetch Metadata Request Headers (Sec-Fetch-*).
"""

import ipaddress
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relight_assets.core.hosts import host_name

JSON = "application/json"
NO_FRAMES = "frame-ancestors 'none'"
_NAME = r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^\s/?#@:,\[\]]+))"
_HOST = re.compile(rf"{_NAME}(?::[0-9]{{0,5}})?", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}", re.IGNORECASE)
_SHOWN = 100
_MOST_LOGGED = 100
_NO_PAGES = frozenset({"graphql", "notebook"})
"""What no link of another site opens: GraphQL, and what shows a file of this machine as a page."""
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_log = logging.getLogger("dagster-webserver")


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: the HTTP status, and a sentence that says what to do."""

    status: int
    reason: str


class RequestGuard:
    """Answers what may come from the UI itself, from its user, or from a program; refuses the rest.

    * ``Host`` (its port is ignored) and every ``Origin`` are loopback or one of ``hosts``.
    * No ``Origin: null``, and nothing that a browser calls cross-site, except that a link may open a page of the UI.
    * What may change something has the content type ``application/json``, which no other page can send unasked.
    * ``/graphql`` is asked by POST; by GET it gives its page and runs no query.
    * No path holds a control character: Dagster's routes match one before a last newline.

    ``X-Forwarded-*`` are never read: whoever sends a request can write them.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        """``hosts``: names besides loopback, as :func:`relight_assets.core.hosts.host_name` gives them."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A second header besides Dagster's: a browser holds a page to both.
                MutableHeaders(scope=message).append("Content-Security-Policy", NO_FRAMES)
            await send(message)

        refusal = find_refusal(scope, self._hosts)
        if refusal is not None:
            self._notify(refusal)
            await _refuse(refusal, scope, receive, send_unframed)
            return
        if _is_graphql(scope) and scope.get("method") == "GET":
            scope = {**scope, "query_string": b""}  # its page needs none, and a query there is never run
        await self._app(scope, receive, send_unframed)

    def _notify(self, refusal: Refusal) -> None:
        """Log a refusal, each sentence once."""
        if refusal.reason not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(refusal.reason)
            _log.warning(f"a request was refused: {refusal.reason}")


def find_refusal(scope: Scope, hosts: Collection[str]) -> Refusal | None:
    """Why a connection, an ASGI scope of HTTP or a websocket, is refused; None if it is not."""
    headers = Headers(scope=scope)
    return (
        _odd_path(scope)
        or _other_host(headers, hosts)
        or _other_origin(scope, headers, hosts)
        or _other_site(scope, headers)
        or (_wrong_form(scope, headers) if scope["type"] == "http" else None)
    )


def is_loopback(name: str) -> bool:
    """Whether a host, as :func:`host_name` gives it, is this machine under a name that nobody can rebind."""
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _odd_path(scope: Scope) -> Refusal | None:
    path: str = scope["path"]
    return None if path.isprintable() else Refusal(400, "its path holds characters that cannot be printed")


def _other_host(headers: Headers, hosts: Collection[str]) -> Refusal | None:
    given = headers.getlist("host")
    name = _name_in(_HOST, given[0]) if len(given) == 1 else None
    if name is not None and _is_known(name, hosts):
        return None
    said = f"the host {_shown(given[0])} is not known here" if len(given) == 1 else "it must name one host"
    return Refusal(403, f"{said}; open 127.0.0.1 or localhost, or add the name to `ui_hosts` in config/platform.yaml")


def _other_origin(scope: Scope, headers: Headers, hosts: Collection[str]) -> Refusal | None:
    for origin in headers.getlist("origin"):
        if origin.strip().lower() == "null":
            if _opens_a_page(scope, headers):
                continue
            return Refusal(403, "it comes from a page without an origin (`Origin: null`)")
        name = _name_in(_ORIGIN, origin)
        if name is None or not _is_known(name, hosts):
            return Refusal(
                403,
                f"it comes from a page of {_shown(origin)}; if that is this server behind a proxy, add its name to "
                f"`ui_hosts` in config/platform.yaml",
            )
    return None


def _other_site(scope: Scope, headers: Headers) -> Refusal | None:
    sites = {site.strip().lower() for site in headers.getlist("sec-fetch-site")}
    if "cross-site" in sites and not _opens_a_page(scope, headers):
        return Refusal(403, "it comes from a page of another site (`Sec-Fetch-Site: cross-site`)")
    return None


def _wrong_form(scope: Scope, headers: Headers) -> Refusal | None:
    method = scope["method"]
    if _is_graphql(scope):
        # The same look at Accept as Dagster's, which runs a query where it does not find this.
        if method not in {"GET", "POST"} or (method == "GET" and "text/html" not in headers.get("accept", "")):
            return Refusal(405, f"GraphQL is asked by POST of {JSON}")
    elif method in _READS:
        return None
    types = headers.getlist("content-type")
    if method == "GET" or (len(types) == 1 and types[0].partition(";")[0].strip().lower() == JSON):
        return None
    return Refusal(415, f"a request that may change something must be of the content type {JSON}")


def _opens_a_page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser is opening a page of the UI in a tab, as a click on a link does."""
    return (
        scope["type"] == "http"
        and scope["method"] in {"GET", "HEAD"}
        and _last_part(scope) not in _NO_PAGES
        and headers.getlist("sec-fetch-mode") == ["navigate"]
        and headers.getlist("sec-fetch-dest") == ["document"]
    )


def _is_graphql(scope: Scope) -> bool:
    return _last_part(scope) == "graphql"


def _last_part(scope: Scope) -> str:
    """The last part of a path, below whatever prefix."""
    path: str = scope["path"]
    return path.rstrip("/").rpartition("/")[2].lower()


def _name_in(pattern: "re.Pattern[str]", text: str) -> str | None:
    """The host's name as :func:`host_name` has it; None where there is none."""
    found = pattern.fullmatch(text.strip())
    return None if found is None else host_name(found["v6"] or found["name"])


def _is_known(name: str, hosts: Collection[str]) -> bool:
    return is_loopback(name) or name in hosts


def _shown(text: str) -> str:
    return ascii(text[:_SHOWN])


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":  # 403; a denial with a text has uvicorn log an error each time
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason[:_SHOWN]})
        return
    await PlainTextResponse(f"refused: {refusal.reason}\n", refusal.status)(scope, receive, send)
