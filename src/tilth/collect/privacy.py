"""What may be kept of what came, decided at the door: consent, do-not-track, minors, personal data.

Everything here runs before anything is stored, also before the quarantine and the debugger see it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.collect.model import Alias, Group, Id, Item, Message, Profile, Track
from tilth.collect.sources import Privacy, Treatment
from tilth.collect.tables import secret as secret_table
from tilth.state import Database

__all__ = ["Guard", "denied_purpose", "workspace_secret"]

# Where clients put the address of whoever used them.
_IP_NAMES = ("ip", "$ip")
_KEPT_CHARACTERS = 3
_NOT_KEPT = "(not kept, by the privacy settings of its source)"


def workspace_secret(database: Database, name: str) -> bytes:
    """The workspace's random secret of this name, made once."""
    with database.begin() as connection:
        connection.execute(database.insert_or_ignore(secret_table).values(name=name, value=secrets.token_hex(32)))
        found = connection.scalar(sa.select(secret_table.c.value).where(secret_table.c.name == name))
    return bytes.fromhex(str(found))


def denied_purpose(privacy: Privacy, message: Message) -> str | None:
    """The purpose that this message's person denied, or None.

    Read from `context.consent.categoryPreferences` (Segment), `context.consentManagement` (RudderStack)
    and `context.consent` or the property `$consent`, purpose -> true or false.
    """
    granted: set[str] = set()
    denied: set[str] = set()
    for told in (message.context.get("consent"), getattr(message, "properties", {}).get("$consent")):
        if isinstance(told, dict):
            preferences = told.get("categoryPreferences", told)
            for purpose, answer in preferences.items() if isinstance(preferences, dict) else ():
                if isinstance(answer, bool):
                    (granted if answer else denied).add(str(purpose).lower())
    managed = message.context.get("consentManagement")
    if isinstance(managed, dict):
        granted.update(str(one).lower() for one in _list(managed.get("allowedConsentIds")))
        denied.update(str(one).lower() for one in _list(managed.get("deniedConsentIds")))
    for purpose in privacy.purposes:
        wanted = purpose.lower()
        if wanted in denied or (wanted not in granted and privacy.unknown_consent == "denied"):
            return purpose
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class Guard:
    """Applies one source's privacy settings. classes: PII class of properties and traits, from the tracking plan."""

    def __init__(self, privacy: Privacy, secret: bytes, classes: Mapping[str, Treatment]) -> None:
        self._privacy = privacy
        self._secret = secret
        self._treatments: dict[str, Treatment] = {k: v for k, v in classes.items() if v != "keep"}
        self._treatments |= privacy.fields
        if privacy.ip != "keep":
            self._treatments |= {name: privacy.ip for name in _IP_NAMES if name not in privacy.fields}
        self._treatments = {k: v for k, v in self._treatments.items() if v != "keep"}
        self._hashed_ids = frozenset(privacy.hashed_ids)
        self.changes = bool(self._treatments or self._hashed_ids)

    def refuses_all(self, headers: Mapping[str, str]) -> str | None:
        """Why nothing of a request may be kept: `minors` or `do_not_track`; None where it may."""
        if self._privacy.minors and not self._privacy.minors_basis.strip():
            return "minors"
        if self._privacy.do_not_track == "refuse" and (headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"):
            return "do_not_track"
        return None

    def admit(self, messages: Sequence[Message]) -> tuple[list[Message], int]:
        """(what may be kept, as it may be kept; how many may not)."""
        kept = [m for m in messages if denied_purpose(self._privacy, m) is None]
        dropped = len(messages) - len(kept)
        return ([self._clean(m) for m in kept] if self.changes else kept), dropped

    def refused(self, text: str) -> str | None:
        """A refused event's text as it may be kept; None where its person denied that, or may have."""
        try:
            found = msgspec.json.decode(text)
            if isinstance(found, dict):
                context, properties = found.get("context"), found.get("properties")
                told = Track(
                    ts=0,
                    event_id="",
                    event="",
                    context=context if isinstance(context, dict) else {},
                    properties=properties if isinstance(properties, dict) else {},
                )
                if denied_purpose(self._privacy, told) is not None:
                    return None
                return msgspec.json.encode(self._walk(found)).decode() if self.changes else text
        except (msgspec.DecodeError, RecursionError):
            pass
        # What cannot be looked into can neither be cleaned nor asked for consent.
        if self._privacy.unknown_consent == "denied":
            return None
        return _NOT_KEPT if self.changes else text

    def _walk(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._walk(one) for one in value]
        if not isinstance(value, dict):
            return value
        cleaned: dict[str, Any] = {}
        for name, one in value.items():
            treatment = self._treatments.get(name, "hash" if name in self._hashed_ids else "keep")
            if treatment == "keep":
                cleaned[name] = self._walk(one)
            elif treatment != "drop":
                cleaned[name] = self._treated(name, one, treatment)
        return cleaned

    def _clean(self, message: Message) -> Message:
        changed: dict[str, Any] = {"context": self._walk(message.context)}
        if not isinstance(message, (Profile, Group, Item)):
            changed["properties"] = self._walk(message.properties)
        if message.operations:
            changed["operations"] = tuple(
                msgspec.structs.replace(one, traits=self._walk(one.traits)) if one.verb != "unset" else one
                for one in message.operations
            )
        if self._hashed_ids:
            changed["ids"] = tuple(self._id(one) for one in message.ids)
            if isinstance(message, Alias):
                changed["previous"] = self._id(message.previous)
        return msgspec.structs.replace(message, **changed)

    def _id(self, one: Id) -> Id:
        return Id(one.kind, self._hash(one.value), one.anonymous) if one.kind in self._hashed_ids else one

    def _treated(self, name: str, value: Any, treatment: Treatment) -> Any:
        if value is None:
            return None
        text = value if isinstance(value, str) else str(value)
        if treatment == "hash":
            return self._hash(text)
        return _network(text) if name in _IP_NAMES else text[:_KEPT_CHARACTERS]

    def _hash(self, text: str) -> str:
        # The same text is the same hash, whatever case or space it was typed with.
        return hmac.new(self._secret, text.strip().lower().encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def _network(text: str) -> str:
    """An address without its host part; nothing where it is none."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False).network_address)
