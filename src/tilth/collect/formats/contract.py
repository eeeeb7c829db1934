"""What every wire format takes and gives.

A format is pure: it never touches a network, a disk or a clock. The server hands it the request as
it came and the time, and gets the messages, what could not be taken, and the HTTP answer its SDK
expects when the messages have been stored. Answers that only the server can know of (an unknown
key, a full queue, how many were duplicates) are asked for afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import msgspec

from tilth.collect.formats.limits import Limits
from tilth.collect.model import Message
from tilth.errors import InvalidInput

__all__ = ["Decoded", "Format", "Outcome", "Refusal", "Refused", "Trouble", "WireAnswer", "WireRequest"]


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came. Header names are lower case; query is the raw text behind the `?`."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""


class Refused(msgspec.Struct, frozen=True):
    """Something sent that goes to quarantine: which field, why, and what it was (text, usually JSON)."""

    field: str
    reason: str
    raw: str


class WireAnswer(msgspec.Struct, frozen=True):
    """An HTTP answer, complete but for Content-Length."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """A request, understood.

    key: the write key it came with; None where none was given, and then there is nothing to do but to
    send the answer (401, a CORS preflight, …). messages: to be stored; none unless the answer's status
    is below 300. refused: to be put in quarantine, whatever the answer, once the key is known to be
    good. answer: to be sent after the messages are durable.
    """

    key: str | None
    messages: list[Message]
    refused: list[Refused]
    answer: WireAnswer


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request's messages. as_of: the intake number that includes them.

    dropped: not kept because the person or the source's privacy settings do not want it.
    """

    accepted: int
    duplicate: int
    quarantined: int
    as_of: int
    dropped: int = 0


class Trouble(Enum):
    """Why the server cannot take a request that was understood."""

    UNKNOWN_KEY = 401
    OTHER_ORIGIN = 403
    TOO_MANY = 429
    UNAVAILABLE = 503

    @property
    def words(self) -> str:
        """What to tell whoever reads the answer."""
        if self is Trouble.OTHER_ORIGIN:
            return "this source takes no events from pages of this origin"
        return "too busy, please try again"


class Refusal(InvalidInput):
    """Raised inside a decoder: this part (`field`) cannot be taken. status: 400, 401, 404, 405 or 413."""

    def __init__(self, field: str, reason: str, status: int = 400) -> None:
        super().__init__(field, reason)
        self.status = status


@dataclass(frozen=True)
class Format:
    """One wire format.

    handles(path): the path is one of its endpoints. decode(request, limits, now): pure, and never
    raises, whatever the bytes; now is UTC µs. refuse(request, trouble, retry_after): the answer this
    SDK understands when the server cannot take it; retry_after in seconds. settle(request, decoded,
    outcome): the final answer once stored; most formats' answer says nothing of the outcome.
    """

    name: str
    limits: Limits
    handles: Callable[[str], bool]
    decode: Callable[[WireRequest, Limits, int], Decoded]
    refuse: Callable[[WireRequest, Trouble, int], WireAnswer]
    settle: Callable[[WireRequest, Decoded, Outcome], WireAnswer]
