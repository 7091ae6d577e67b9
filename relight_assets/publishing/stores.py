"""Opening a destination with obstore; credentials for S3 are those of boto3's session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError, UserError

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig, S3Credential

RETRY: "RetryConfig" = {"max_retries": 10, "retry_timeout": timedelta(minutes=3)}
"""Throttling, errors of the server and broken connections are tried again with growing pauses, up to 15 s each."""
TIMEOUT = timedelta(minutes=2)
"""Of a request with 8 MiB: some 70 kB/s."""
_ASK_AGAIN = timedelta(minutes=5)
"""boto3 renews credentials in good time, and costs nothing to ask."""


@dataclass(frozen=True)
class StoreOptions:
    """What an address does not say of a store that speaks S3."""

    endpoint: str | None = None
    region: str | None = None


AMAZON = StoreOptions()


@dataclass(frozen=True)
class OpenStore:
    """A destination that can be asked, and who it was opened as."""

    store: "ObjectStore"
    access_key: str | None = None
    """Tells one set of S3 credentials from the next; never shown."""


def need_packages(destination: Destination) -> None:
    """Make sure that what publishing needs is installed.

    Raises:
        UserError: it is not.
    """
    needed = ("obstore", "boto3") if destination.kind == "s3" else ("obstore",)
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise UserError(f"publishing needs {' and '.join(missing)}: pip install 'relight_assets[publish]'")


def open_store(destination: Destination, options: StoreOptions, *, create: bool) -> OpenStore:
    """Open a destination; no request is made of it.

    Args:
        destination: where.
        options: of a store that speaks S3.
        create: make a folder that is not there; else it is taken for an empty one.

    Raises:
        UserError: a package is missing.
        DestinationError: there are no credentials, or the folder cannot be made.
    """
    need_packages(destination)
    if destination.kind == "folder":
        return OpenStore(_folder(Path(destination.prefix), create=create))
    if destination.kind == "s3":
        return _s3(destination, options)
    return OpenStore(_of_another_cloud(destination))


def _folder(folder: Path, *, create: bool) -> "ObjectStore":
    from obstore.store import LocalStore, MemoryStore  # of the extra alone

    try:
        if folder.exists() and not folder.is_dir():
            raise DestinationError(f"{folder} is no folder: give one, or a place where nothing lies yet")
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        elif not folder.exists():
            return MemoryStore()  # nothing was published there
    except OSError as error:
        raise DestinationError(f"{folder} cannot be made: {error.strerror or error}") from None
    return LocalStore(folder, automatic_cleanup=True)  # no empty folder is left behind


def _of_another_cloud(destination: Destination) -> "ObjectStore":
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore

    client: Any = {"timeout": TIMEOUT}
    prefix = destination.prefix or None
    try:
        if destination.kind == "gs":
            return GCSStore(destination.place, prefix=prefix, client_options=client, retry_config=RETRY)
        account, container = destination.place.split("/")
        return AzureStore(container, account_name=account, prefix=prefix, client_options=client, retry_config=RETRY)
    except (BaseError, ValueError, OSError) as error:
        raise DestinationError(
            f"{destination} cannot be opened ({type(error).__name__}): see docs/publishing.md for its credentials"
        ) from None


def _s3(destination: Destination, options: StoreOptions) -> OpenStore:
    from obstore.store import S3Store

    provider, region, access_key = _credentials(options.region)
    config: Any = {"region": region} if region is not None else {}
    client: Any = {"timeout": TIMEOUT}
    if options.endpoint is not None:
        config["endpoint"] = options.endpoint
        client["allow_http"] = options.endpoint.startswith("http://")
    store = S3Store(
        destination.place,
        prefix=destination.prefix or None,
        config=config,
        client_options=client,
        retry_config=RETRY,
        credential_provider=provider,
    )
    return OpenStore(store, access_key)


def _credentials(region: str | None) -> tuple[Callable[[], "S3Credential"], str | None, str]:
    """What gives the credentials of a new session of boto3, its region, and the access key."""
    import boto3  # of the extra alone
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        session = boto3.Session(region_name=region)
        found = session.get_credentials()
        if found is None:
            raise DestinationError(
                "there are no credentials for S3: log in (`aws sso login`), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID "
                "and AWS_SECRET_ACCESS_KEY"
            )
        access_key = found.get_frozen_credentials().access_key
    except BotoCoreError as error:  # its message may quote what is in a file of credentials
        raise DestinationError(
            f"boto3 gives no credentials for S3 ({type(error).__name__}): log in again, or look at AWS_PROFILE and the "
            f"files in ~/.aws"
        ) from None

    def frozen() -> "S3Credential":
        now = found.get_frozen_credentials()
        return {
            "access_key_id": now.access_key,
            "secret_access_key": now.secret_key,
            "token": now.token,
            "expires_at": datetime.now(timezone.utc) + _ASK_AGAIN,
        }

    return frozen, session.region_name, access_key
