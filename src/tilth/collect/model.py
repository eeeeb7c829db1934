"""The one internal message that every wire format becomes.

A wire format (collect/formats) turns what a client sent into these structs and nothing else; the
identity graph, the profiles, the tracking plan and the lake know only them. One thing sent is one
message, so counts of received, accepted, duplicate and quarantined add up: what a client says in
passing about the person (`$set` on a page view) travels in the same message as `operations`.

Instants are UTC microseconds, already corrected for the client's clock where the client said when
it sent (`formats/instants.py`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "Alias",
    "Batch",
    "Bind",
    "Group",
    "Id",
    "Identify",
    "Item",
    "Message",
    "Operation",
    "Profile",
    "Track",
    "Unbind",
    "Verb",
]

Verb = Literal["set", "set_once", "increment", "append", "remove", "unset", "delete"]


class Id(msgspec.Struct, frozen=True, gc=False):
    """An id a client knows somebody by.

    kind: `id` (the general one: customer numbers, user ids, ids made by a browser), `phone`,
    `email`, `device`, `wechat_openid`, … as in `tilth.people`. anonymous: the client made it up for
    somebody who has not signed in, so it is no evidence of a second person.
    """

    kind: str
    value: str
    anonymous: bool = False


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One change of traits. `unset` names traits (values are null); `delete` empties the profile.

    source: whose word it is, as in `people.traits.STRENGTH`; empty for observed. No wire format sets it: a
    client cannot make its word weigh more.
    """

    verb: Verb
    traits: dict[str, Any] = {}
    source: str = ""


class _Sent(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="type"):
    """What all messages have.

    ids: whom it is about; the first is the one the event is filed under, the others came with it and
    are the same person in the client's eyes. ts: UTC µs. event_id: the key of de-duplication within
    the source. context: how it came about (library, page, ip, …), JSON values. operations: changes
    of the person's traits (of the group's, in `Group`), to be applied in order.

    Numbers with a decimal point are `Decimal` with the digits they came with.
    """

    ids: tuple[Id, ...] = ()
    ts: int
    event_id: str
    context: dict[str, Any] = {}
    operations: tuple[Operation, ...] = ()


class Track(_Sent, frozen=True, kw_only=True, gc=False, tag="track"):
    """Something happened. event: its name."""

    event: str
    properties: dict[str, Any] = {}


class Identify(_Sent, frozen=True, kw_only=True, gc=False, tag="identify"):
    """The ids are one person, who signed in or made themselves known: `ids[0]` is the sign-in id."""

    properties: dict[str, Any] = {}


class Alias(_Sent, frozen=True, kw_only=True, gc=False, tag="alias"):
    """`previous` is another id of the person `ids`. forced: merge even two identified persons.

    Whether the sender may force is for the identity graph to decide, not for the wire format.
    """

    previous: Id
    forced: bool = False
    properties: dict[str, Any] = {}


class Bind(_Sent, frozen=True, kw_only=True, gc=False, tag="bind"):
    """The ids, each of its own kind, belong to one person from now on."""

    properties: dict[str, Any] = {}


class Unbind(_Sent, frozen=True, kw_only=True, gc=False, tag="unbind"):
    """The ids no longer belong to the person they belong to now."""

    properties: dict[str, Any] = {}


class Profile(_Sent, frozen=True, kw_only=True, gc=False, tag="profile"):
    """Nothing happened, but we know more (or less) of the person: `operations`."""


class Group(_Sent, frozen=True, kw_only=True, gc=False, tag="group"):
    """A company, household or team, by kind and id; the persons `ids` (perhaps none) belong to it."""

    group_kind: str
    group_id: str


class Item(_Sent, frozen=True, kw_only=True, gc=False, tag="item"):
    """A thing, not a person: a product, an article. `delete` in `operations` removes it."""

    item_kind: str
    item_id: str


Message = Track | Identify | Alias | Bind | Unbind | Profile | Group | Item


class Batch(msgspec.Struct, kw_only=True):
    """What one row of the intake log holds: the messages of one request. received_at: UTC µs."""

    source: str
    received_at: int
    messages: list[Message]
