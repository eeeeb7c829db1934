"""Personal links: who may answer which survey until when, in the link itself, signed.

A token is base64url(survey, person, expiry) and a truncated HMAC-SHA256 (128 bits) over it, made with a
secret of the workspace: nothing has to be looked up to know that it is ours.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Literal, NamedTuple

from tilth.errors import TilthError

__all__ = ["Claim", "LinkRefused", "Refusal", "read_token", "sign_token"]

_TAG_BYTES = 16
_LONGEST = 400
Refusal = Literal["forged", "expired", "closed", "answered", "missing", "gone"]


class LinkRefused(TilthError):
    """A survey cannot be answered with this link. reason: forged, expired, closed, answered, missing or gone."""

    kind = "link_refused"
    status = 403

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"this survey link does not work: {reason}")
        self.reason: Refusal = reason


class Claim(NamedTuple):
    """What a token says. expires: UTC seconds."""

    survey: str
    uid: int
    expires: int


def sign_token(secret: bytes, claim: Claim) -> str:
    """The token of a claim, fit for an address."""
    body = f"{claim.survey},{claim.uid},{claim.expires}".encode()
    return f"{_text(body)}.{_text(_tag(secret, body))}"


def read_token(secret: bytes, token: str, survey: str, now: int) -> Claim:
    """What a token of this survey says; raises `LinkRefused`. now: UTC seconds."""
    if len(token) > _LONGEST or not token.isascii():
        raise LinkRefused("forged")
    try:
        body, tag = (_bytes(part) for part in token.split("."))
    except (ValueError, Error):
        raise LinkRefused("forged") from None
    # base64 has spellings that mean the same; only ours is one.
    if not hmac.compare_digest(tag, _tag(secret, body)) or token != f"{_text(body)}.{_text(tag)}":
        raise LinkRefused("forged")
    name, uid, expires = body.decode().split(",")
    if name != survey:
        raise LinkRefused("forged")
    if int(expires) <= now:
        raise LinkRefused("expired")
    return Claim(name, int(uid), int(expires))


def _tag(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, b"survey-link:" + body, hashlib.sha256).digest()[:_TAG_BYTES]


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
