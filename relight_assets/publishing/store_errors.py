"""What goes wrong in a store, in a sentence.

What obstore and a store say is never quoted but for its code: the body of an answer may hold a session token, and an
address a signature.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError, PublishStoppedError, RelightError

_STATUS = re.compile(r"status code: ([1-5]\d\d)\b")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_SYSTEM = re.compile(r'message: "([A-Za-z -]{1,60})"')
"""What the system says of a file, such as "No space left on device"."""
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_NOT_ACCEPTED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity", "AuthFailure"}
_OTHER_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
AGAIN = "the same command goes on from there"


@dataclass(frozen=True)
class StoreFault:
    """What is known of an error of obstore."""

    kind: str
    """The name of its class."""
    text: str

    @classmethod
    def of(cls, error: BaseException) -> "StoreFault":
        """What is known of an error."""
        return cls(type(error).__name__, str(error))

    @property
    def status(self) -> int | None:
        """The status of the store's answer; None where there was none."""
        found = _STATUS.search(self.text)
        return int(found[1]) if found is not None else None

    @property
    def code(self) -> str | None:
        """The code that the store gives, in the words of S3."""
        found = _CODE.search(self.text)
        return found[1] if found is not None else None

    @property
    def is_expired(self) -> bool:
        """Whether other credentials may help: these have expired, or boto3 cannot renew them."""
        if self.code is not None:
            return self.code in _EXPIRED
        # A HEAD is refused without a body.  Another region would have shown at the listing.
        return self.status == 400 or (self.status is None and self.kind == "UnauthenticatedError")

    def sentence(self, destination: Destination, doing: str, region: str | None = None) -> RelightError:
        """The error to raise, which says what to do.

        Args:
            destination: where.
            doing: such as "list", "write".
            region: the one that was asked for.
        """
        if destination.kind == "folder":
            return self._of_a_folder(destination, doing)
        known = self.code or (str(self.status) if self.status is not None else self.kind)
        asked = f"in `{region}`" if region is not None else "in the default region"
        kind, text = next((kind, text) for holds, kind, text in _ANSWERS if holds(self))
        words = {"dest": destination, "bucket": destination.place, "region": asked, "doing": doing, "again": AGAIN}
        return kind(text.format(**words, known=known, status=self.status))

    def _of_a_folder(self, destination: Destination, doing: str) -> RelightError:
        said = _SYSTEM.search(self.text)
        reason = said[1] if said is not None else self.kind
        return DestinationError(f"{destination}: cannot {doing} there: {reason}; mend that, and {AGAIN}")


_Holds = Callable[[StoreFault], bool]
_ANSWERS: tuple[tuple[_Holds, type[RelightError], str], ...] = (
    (
        lambda fault: fault.code == "NoSuchBucket",
        DestinationError,
        (
            "there is no bucket `{bucket}` at this store: create it, or correct DEST (and the endpoint, if the store "
            "is not Amazon's)"
        ),
    ),
    (
        lambda fault: fault.code in _OTHER_REGION or "Received redirect without LOCATION" in fault.text,
        DestinationError,
        "the bucket `{bucket}` is not {region}: give --region, or set AWS_REGION",
    ),
    (
        lambda fault: fault.is_expired,
        PublishStoppedError,
        "{dest}: the credentials have expired; renew them (`aws sso login`, or new variables), and {again}",
    ),
    (
        lambda fault: fault.code in _NOT_ACCEPTED or fault.status == 401,
        DestinationError,
        (
            "{dest}: the store does not accept the credentials ({known}); log in again, or look at AWS_PROFILE and at "
            "the variables AWS_..."
        ),
    ),
    (
        lambda fault: fault.code == "RequestTimeTooSkewed",
        DestinationError,
        "{dest}: the clock of this machine is wrong by minutes; set it, and {again}",
    ),
    (
        lambda fault: fault.status == 403 or fault.kind == "PermissionDeniedError",
        DestinationError,
        (
            "{dest}: the credentials give no permission to {doing} there; on S3 publishing needs s3:ListBucket, "
            "s3:GetObject, s3:PutObject and s3:DeleteObject"
        ),
    ),
    (
        lambda fault: fault.status in {429, 503} or fault.code in {"SlowDown", "Throttling"},
        PublishStoppedError,
        "{dest}: the store asks for fewer requests, also after several pauses; later {again}",
    ),
    (
        lambda fault: fault.status is not None and fault.status >= 500,
        PublishStoppedError,
        "{dest}: the store answers with errors ({status}), also after several tries; later {again}",
    ),
    (
        lambda fault: fault.kind == "InvalidPathError",
        DestinationError,
        "{dest}: an object lies there whose key is no path, such as one with `//`: remove it, or choose another PREFIX",
    ),
    (
        lambda fault: "builder error" in fault.text,
        DestinationError,
        "{dest}: an endpoint with http:// must be given by --endpoint, not by a variable; or use https://",
    ),
    (
        lambda fault: "HTTP error" in fault.text,
        PublishStoppedError,
        (
            "{dest}: the store cannot be reached, or the connection broke several times; look at network and endpoint, "
            "and {again}"
        ),
    ),
    (lambda _: True, PublishStoppedError, "{dest}: the store refused to {doing} ({known}); {again}"),
)
"""What an error means, the first that holds, and the sentence that says what to do."""
