"""What is said of a store's errors: one sentence with what to do, and nothing that may be a secret."""

import pytest

from relight_assets.config.datasets.publish import Destination
from relight_assets.errors import DestinationError, PublishStoppedError, RelightError
from relight_assets.publishing.store_errors import StoreFault

S3 = Destination.parse("s3://photos/sets")
SECRETS = ("FwoGZXIvYXdzEBY", "AKIA123", "sig=abc")


def answered(status: int, code: str | None = None, kind: str = "GenericError") -> StoreFault:
    """As obstore gives an answer of a store, whose body holds what nothing may show."""
    body = f"<Error><Code>{code}</Code><Token-0>FwoGZXIvYXdzEBY</Token-0><Key>AKIA123</Key></Error>" if code else ""
    head = "Generic S3 error: Error performing PUT http://127.0.0.1/b/k?sig=abc in 1ms - Server returned non-2xx status"
    return StoreFault(kind, f"{head} code: {status} Some Words: {body}\n\nDebug source:\nGeneric {{ {body} }}")


def spoken(text: str, kind: str = "GenericError") -> StoreFault:
    return StoreFault(kind, f"Generic S3 error: Error performing PUT http://127.0.0.1/b/k?sig=abc in 1ms - {text}")


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (answered(404, "NoSuchBucket"), DestinationError, "there is no bucket `photos`"),
        (answered(301, "PermanentRedirect"), DestinationError, "not in `eu-west-1`: give --region"),
        (answered(400, "AuthorizationHeaderMalformed"), DestinationError, "give --region"),
        (spoken("Received redirect without LOCATION, this normally ..."), DestinationError, "give --region"),
        (answered(400, "ExpiredToken"), PublishStoppedError, "credentials have expired"),
        (answered(400), PublishStoppedError, "credentials have expired"),
        (spoken("External AWS credential provider", "UnauthenticatedError"), PublishStoppedError, "have expired"),
        (answered(403, "SignatureDoesNotMatch"), DestinationError, "does not accept the credentials"),
        (answered(401), DestinationError, "does not accept the credentials"),
        (answered(403, "RequestTimeTooSkewed"), DestinationError, "the clock of this machine"),
        (answered(403, "AccessDenied", "PermissionDeniedError"), DestinationError, "no permission to write"),
        (answered(403), DestinationError, "no permission to write"),
        (answered(503, "SlowDown"), PublishStoppedError, "asks for fewer requests"),
        (answered(429), PublishStoppedError, "asks for fewer requests"),
        (answered(500, "InternalError"), PublishStoppedError, "answers with errors"),
        (spoken("HTTP error: error sending request"), PublishStoppedError, "cannot be reached"),
        (spoken("HTTP error: builder error"), DestinationError, "--endpoint"),
        (answered(409, "OperationAborted"), PublishStoppedError, "refused to write (OperationAborted)"),
        (answered(418), PublishStoppedError, "refused to write (418)"),
        (spoken("something new"), PublishStoppedError, "refused to write (GenericError)"),
    ],
)
def test_each_is_one_sentence_without_what_the_store_said(
    fault: StoreFault, kind: type[RelightError], message: str
) -> None:
    error = fault.sentence(S3, "write", "eu-west-1")
    assert type(error) is kind
    assert message in str(error)
    assert not any(secret in str(error) for secret in SECRETS)
    assert "\n" not in str(error)


def test_of_a_folder_the_system_s_words_are_said() -> None:
    folder = Destination.parse("/mnt/sets")
    fault = StoreFault("GenericError", 'Generic LocalFileSystem error: ... message: "No space left on device", ...')
    assert str(fault.sentence(folder, "write")) == (
        "/mnt/sets: cannot write there: No space left on device; mend that, and the same command goes on from there"
    )
    assert "cannot list there: SomeError;" in str(StoreFault("SomeError", "...").sentence(folder, "list"))


def test_other_credentials_may_help_only_where_these_have_expired() -> None:
    assert answered(400, "ExpiredToken").is_expired
    assert answered(400).is_expired
    assert not answered(403, "AccessDenied").is_expired
    assert not answered(400, "InvalidArgument").is_expired
    assert not spoken("HTTP error: error sending request").is_expired
