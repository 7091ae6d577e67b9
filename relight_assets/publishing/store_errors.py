"""What goes wrong in a store, in a sentence.

What obstore and a store say is never quoted but for its code: the body of an answer may hold a session token, and an
address a signature.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from relight_assets.config.publish import Destination
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
        for holds, answer in _ANSWERS:
            if holds(self):
                return answer(self, destination, doing, region)
        known = self.code or (str(self.status) if self.status is not None else self.kind)
        return PublishStoppedError(f"{destination}: the store refused to {doing} ({known}); {AGAIN}")

    def _of_a_folder(self, destination: Destination, doing: str) -> RelightError:
        said = _SYSTEM.search(self.text)
        reason = said[1] if said is not None else self.kind
        return DestinationError(f"{destination}: cannot {doing} there: {reason}; mend that, and {AGAIN}")


_Answer = Callable[[StoreFault, Destination, str, str | None], RelightError]


def _expired(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return PublishStoppedError(
        f"{destination}: the credentials have expired; renew them (`aws sso login`, or new variables), and {AGAIN}"
    )


def _no_bucket(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return DestinationError(
        f"there is no bucket `{destination.place}` at this store: create it, or correct DEST (and the endpoint, if the "
        f"store is not Amazon's)"
    )


def _other_region(_: StoreFault, destination: Destination, __: str, region: str | None) -> RelightError:
    asked = f"in `{region}`" if region is not None else "in the default region"
    return DestinationError(f"the bucket `{destination.place}` is not {asked}: give --region, or set AWS_REGION")


def _not_accepted(fault: StoreFault, destination: Destination, _: str, __: str | None) -> RelightError:
    return DestinationError(
        f"{destination}: the store does not accept the credentials ({fault.code or fault.status}); log in again, or "
        f"look at AWS_PROFILE and at the variables AWS_..."
    )


def _wrong_clock(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return DestinationError(f"{destination}: the clock of this machine is wrong by minutes; set it, and {AGAIN}")


def _no_permission(_: StoreFault, destination: Destination, doing: str, __: str | None) -> RelightError:
    return DestinationError(
        f"{destination}: the credentials give no permission to {doing} there; on S3 publishing needs s3:ListBucket, "
        f"s3:GetObject, s3:PutObject and s3:DeleteObject"
    )


def _throttled(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return PublishStoppedError(
        f"{destination}: the store asks for fewer requests, also after several pauses; later {AGAIN}"
    )


def _failing(fault: StoreFault, destination: Destination, _: str, __: str | None) -> RelightError:
    return PublishStoppedError(
        f"{destination}: the store answers with errors ({fault.status}), also after several tries; later {AGAIN}"
    )


def _not_https(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return DestinationError(
        f"{destination}: an endpoint with http:// must be given by --endpoint, not by a variable; or use https://"
    )


def _odd_key(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return DestinationError(
        f"{destination}: an object lies there whose key is no path, such as one with `//`: remove it, or choose "
        f"another PREFIX"
    )


def _unreachable(_: StoreFault, destination: Destination, __: str, ___: str | None) -> RelightError:
    return PublishStoppedError(
        f"{destination}: the store cannot be reached, or the connection broke several times; look at network and "
        f"endpoint, and {AGAIN}"
    )


_ANSWERS: tuple[tuple[Callable[[StoreFault], bool], _Answer], ...] = (
    (lambda fault: fault.code == "NoSuchBucket", _no_bucket),
    (lambda fault: fault.code in _OTHER_REGION or "Received redirect without LOCATION" in fault.text, _other_region),
    (lambda fault: fault.is_expired, _expired),
    (lambda fault: fault.code in _NOT_ACCEPTED or fault.status == 401, _not_accepted),
    (lambda fault: fault.code == "RequestTimeTooSkewed", _wrong_clock),
    (lambda fault: fault.status == 403 or fault.kind == "PermissionDeniedError", _no_permission),
    (lambda fault: fault.status in {429, 503} or fault.code in {"SlowDown", "Throttling"}, _throttled),
    (lambda fault: fault.status is not None and fault.status >= 500, _failing),
    (lambda fault: fault.kind == "InvalidPathError", _odd_key),
    (lambda fault: "builder error" in fault.text, _not_https),
    (lambda fault: "HTTP error" in fault.text, _unreachable),
)
