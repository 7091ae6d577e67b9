"""Where finished data is published to: destinations, and the list ``publish`` of ``config/platform.yaml``."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from relight_assets.config.parsing.validation import HIDDEN_FAULT
from relight_assets.errors import DestinationError

Kind = Literal["s3", "gs", "az", "folder"]
_FORMS: dict[Kind, str] = {
    "s3": "s3://BUCKET/PREFIX",
    "gs": "gs://BUCKET/PREFIX",
    "az": "az://ACCOUNT/CONTAINER/PREFIX",
}
_ADDRESS = re.compile(r"([A-Za-z0-9+.-]*):/(/?)")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PREFIX = re.compile(r"[^\s\\?#%@:*\"<>|]*")
"""Neither credentials nor a query, which some tools take in an address, nor what another store may read otherwise."""


@dataclass(frozen=True)
class Destination:
    """A bucket and a prefix of its keys, or a folder."""

    kind: Kind
    place: str
    """The bucket; of Azure the account and the container, with a slash between; empty of a folder."""
    prefix: str
    """Of the keys, without slashes at its ends; of a folder its absolute path."""

    @classmethod
    def parse(cls, text: str) -> "Destination":
        """The destination that a text names: an address, or the path of a folder.

        Raises:
            DestinationError: it names none.  The text is not quoted: somebody may have put a key into it.
        """
        found = _ADDRESS.match(text)
        if found is None:
            if not text.strip() or "\0" in text:
                raise DestinationError(f"DEST is empty: give a folder, or {', '.join(_FORMS.values())}")
            return cls("folder", "", str(Path(text).absolute()))
        scheme = found[1].lower()
        if scheme not in _FORMS or not found[2]:
            near = difflib.get_close_matches(scheme, _FORMS, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}://?" if near else "."
            raise DestinationError(
                f"DEST is an address of a kind that is not known{hint} Give {', '.join(_FORMS.values())}, or a folder"
            )
        kind = next(kind for kind in _FORMS if kind == scheme)
        names = 2 if kind == "az" else 1
        parts = text[found.end() :].split("/")
        place, rest = parts[:names], [part for part in parts[names:] if part]
        if len(place) < names or not all(_PLACE.fullmatch(name) for name in place):
            raise DestinationError(f"DEST must be {_FORMS[kind]}, without credentials; what was found is not shown")
        if not all(_PREFIX.fullmatch(part) and part not in {".", ".."} for part in rest):
            raise DestinationError(
                f'DEST: the PREFIX of {_FORMS[kind]} must not hold blanks, `.`, `..` or any of \\ ? # % @ : * " < > |'
            )
        return cls(kind, "/".join(place), "/".join(rest))

    def refuse_within(self, *folders: Path) -> None:
        """Refuse a folder among outputs, in which something would be overwritten.

        Raises:
            DestinationError: the destination is one of these folders, or lies in one.
        """
        for folder in folders if self.kind == "folder" else ():
            if Path(self.prefix).resolve().is_relative_to(folder.resolve()):
                raise DestinationError(f"{self} lies in {folder}, where outputs are: publish to another folder")

    def refuse_link(self, name: str) -> None:
        """Refuse a place in a folder that is a link, as the newest snapshot of an export: what it shows would change.

        Raises:
            DestinationError: something on the way to ``name`` is a link.
        """
        place = Path(self.prefix) / name
        for path in (place, *place.parents)[: name.count("/") + 1] if self.kind == "folder" else ():
            if path.is_symlink():
                raise DestinationError(
                    f"{path} is a link to {path.resolve()}, as exports have one to their newest snapshot: publish to "
                    f"another folder"
                )

    def __str__(self) -> str:
        if self.kind == "folder":
            return self.prefix
        return "/".join(filter(None, (f"{self.kind}://{self.place}", self.prefix)))


def check_endpoint(url: str) -> str:
    """The address of a store that speaks S3.

    Raises:
        DestinationError: it is none, or holds credentials; it is not quoted.
    """
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or "@" in url or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise DestinationError(
            "the endpoint must be an address such as https://storage.example.com, without credentials and query; "
            "what was found is not shown"
        )
    return url.rstrip("/")


def _hidden(message: str) -> PydanticCustomError:
    # Braces would be taken for names of values.
    return PydanticCustomError(HIDDEN_FAULT, message.replace("{", "(").replace("}", ")"))


def _destination(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = Destination.parse(value)
    except DestinationError as error:
        raise _hidden(str(error)) from None
    if found.kind == "folder" and not Path(value).expanduser().is_absolute():
        raise _hidden("a folder must be given by its absolute path here")
    return str(Destination.parse(str(Path(value).expanduser()))) if found.kind == "folder" else value


def _endpoint(value: Any) -> Any:
    try:
        return check_endpoint(value) if isinstance(value, str) else value
    except DestinationError as error:
        raise _hidden(str(error)) from None


class Publish(BaseModel):
    """A publication that is an asset of the platform."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", examples=["bucket"])]
    """Of its asset."""
    what: Literal["exports", "splits"] = "exports"
    """The newest snapshots of exports, or the finished images of splits."""
    exports: tuple[str, ...] = ()
    """Which of the settings' ``exports``; none: all."""
    dest: Annotated[str, BeforeValidator(_destination), Field(examples=["s3://BUCKET/PREFIX"])]
    """Where to: an address, or the absolute path of a folder."""
    endpoint: Annotated[str, BeforeValidator(_endpoint)] | None = None
    """Of a store that speaks S3 and is not Amazon's."""
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    """Of the bucket; None: as boto3 finds it."""
    partial: bool = False
    """Publish a split although rows of it are pending."""
    delete: bool = False
    """Remove what earlier publications left and this one does not have."""

    @model_validator(mode="after")
    def _fits(self) -> "Publish":
        if self.what == "splits" and self.exports:
            raise ValueError("`exports` belongs to `what: exports`")
        if self.what == "exports" and self.partial:
            raise ValueError("`partial` belongs to `what: splits`")
        if self.endpoint is not None and not self.dest.lower().startswith("s3://"):
            raise ValueError("`endpoint` belongs to `dest: s3://...`")
        return self

    @property
    def destination(self) -> Destination:
        """Where to."""
        return Destination.parse(self.dest)
