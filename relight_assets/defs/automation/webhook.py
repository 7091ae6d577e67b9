"""Post a JSON document to a webhook.  Its address is a secret, for who knows it may post: only its host is ever shown.

A document that cannot be delivered is tried again; one that the other side may have taken is not, so that nobody is
alerted to the same thing over and over.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relight_assets.errors import RelightError

if TYPE_CHECKING:
    from requests import PreparedRequest

CONNECT_S = 3.0
ANSWER_S = 5.0
PAUSES_S = (0.5, 1.0)
"""Between the attempts: three of them, which take 15 seconds at most."""
_BUSY = (408, 425, 429)


class WebhookError(RelightError):
    """A webhook did not take a document, and to post it again would not help."""

    code = "webhook"


class WebhookAwayError(WebhookError):
    """A webhook took nothing, and may later."""

    code = "webhook_away"
    retryable = True


def host_of(url: str) -> str:
    """What may be shown of a webhook's address."""
    return urlsplit(url).hostname or "?"


def post(url: str, document: Mapping[str, Any]) -> None:
    """Post a document; three attempts at most.

    Raises:
        WebhookAwayError: nobody was there, or the other side was busy or broken.
        WebhookError: it refused the document, or did not say whether it took it.
    """
    with _no_logs():
        for pause_s in PAUSES_S:
            try:
                return _post(url, document)
            except WebhookAwayError:
                time.sleep(pause_s)
        return _post(url, document)


_POSTING = ContextVar("posting", default=False)
_LOGGERS = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
"""They name the whole address: of every request, of answers with odd headers, of attempts that fail."""


def _may_be_logged(_: logging.LogRecord) -> bool:
    return not _POSTING.get()


@contextmanager
def _no_logs() -> Iterator[None]:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_may_be_logged)  # once, however often
    token = _POSTING.set(True)
    try:
        yield
    finally:
        _POSTING.reset(token)


def _no_auth(request: "PreparedRequest") -> "PreparedRequest":
    # No name and password.  Without any, requests would send those that a .netrc has for the host.
    return request


def _post(url: str, document: Mapping[str, Any]) -> None:
    # Not with the definitions, which all load and few post with.
    import requests  # noqa: PLC0415
    from requests.auth import HTTPBasicAuth  # noqa: PLC0415
    from requests.utils import get_auth_from_url  # noqa: PLC0415
    from urllib3.exceptions import MaxRetryError  # noqa: PLC0415

    where = f"the webhook at {host_of(url)}"
    try:
        name, password = get_auth_from_url(url)
        auth = HTTPBasicAuth(name, password) if name or password else _no_auth
        # A redirected POST would go on as a GET, and elsewhere.
        with requests.post(
            url, json=document, auth=auth, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except requests.ConnectionError as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, MaxRetryError):  # it came to no connection
            raise WebhookAwayError(f"{where} cannot be reached ({type(cause.reason).__name__})") from None
        raise WebhookError(f"{where} broke off instead of an answer; it may have taken the alert") from None
    except requests.Timeout:
        raise WebhookError(f"{where} did not answer within {ANSWER_S:g} s; it may have taken the alert") from None
    except (requests.RequestException, ValueError) as error:
        raise WebhookError(f"{where} cannot be posted to ({type(error).__name__})") from None
    if status >= 500 or status in _BUSY:
        raise WebhookAwayError(f"{where} answered {status}")
    if not 200 <= status < 300:
        raise WebhookError(f"{where} answered {status} and did not take the alert")
