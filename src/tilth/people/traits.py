"""Changes of traits: set, set_once, increment, append, remove, unset, delete.

A trait knows its source, time and confidence. A stronger source's value is not replaced by a weaker
one's; between equals the newer counts, by when it was said and not by when it arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from tilth.people.tables import person_counter, thing_trait, trait
from tilth.state import Database

__all__ = ["STRENGTH", "Change", "TraitVerb", "apply_changes", "apply_to_things", "hold_traits", "stronger"]

# Who is believed over whom, when the values differ.
STRENGTH = {"self_declared": 4, "imported": 3, "observed": 2, "computed": 1, "predicted": 0}

TraitVerb = Literal["set", "set_once", "increment", "append", "remove", "unset", "delete"]
_CHUNK = 400
# A set-valued trait does not grow without end; the oldest values go.
MOST_VALUES = 1_000
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Change(NamedTuple):
    """One change of one person's traits. at: UTC µs; traits: name -> value."""

    uid: int
    at: int
    verb: TraitVerb
    traits: dict[str, Any]
    source: str = "observed"
    confidence: float = 1.0


class _Held(NamedTuple):
    value: Any
    source: str
    at: int
    confidence: float


def stronger(source: str, other: str) -> bool:
    """True where `source` is believed over `other`."""
    return STRENGTH.get(source, 0) > STRENGTH.get(other, 0)


def hold_traits(connection: sa.Connection) -> None:
    """Until the transaction ends nobody else applies changes: take it before `apply_changes` where the row that
    whoever applies messages moves is not moved anyway."""
    connection.execute(
        sa.update(person_counter).where(person_counter.c.name == "applied").values(next_uid=person_counter.c.next_uid)
    )


def apply_changes(connection: sa.Connection, database: Database, changes: Sequence[Change]) -> int:
    """Apply the changes in the order given, in the caller's transaction; returns traits written or removed."""
    uids = sorted({change.uid for change in changes})
    held: dict[tuple[int, str], _Held] = {}
    for start in range(0, len(uids), _CHUNK):
        for row in connection.execute(sa.select(trait).where(trait.c.uid.in_(uids[start : start + _CHUNK]))):
            held[row.uid, row.name] = _Held(_decoder.decode(row.value), row.source, row.at, row.confidence)
    before = dict(held)
    _fold(held, changes)
    gone = [key for key in before if key not in held]
    written = [(key, one) for key, one in held.items() if before.get(key) != one]
    if gone:
        condition = (trait.c.uid == sa.bindparam("of"), trait.c.name == sa.bindparam("named"))
        connection.execute(sa.delete(trait).where(*condition), [{"of": uid, "named": name} for uid, name in gone])
    rows = [
        {"uid": uid, "name": name, "value": _encoder.encode(one.value).decode(), "source": one.source,
         "at": one.at, "confidence": one.confidence}
        for (uid, name), one in written
    ]  # fmt: skip
    database.upsert_all(connection, trait, ["uid", "name"], rows)
    return len(gone) + len(written)


def _fold(held: dict[tuple[int, str], _Held], changes: Sequence[Change]) -> None:
    for change in changes:
        if change.verb == "delete":
            for key in [k for k in held if k[0] == change.uid]:
                if not stronger(held[key].source, change.source):
                    del held[key]
            continue
        for name, value in change.traits.items():
            _change(held, (change.uid, name), value, change)


def apply_to_things(
    connection: sa.Connection, database: Database, things: Sequence[tuple[str, str]], changes: Sequence[Change]
) -> None:
    """As `apply_changes`, for groups and things: (kind, id) each; a change's `uid` is a position in `things`."""
    held: dict[tuple[int, str], _Held] = {}
    for number, (kind, thing) in enumerate(things):
        query = sa.select(thing_trait).where(thing_trait.c.kind == kind, thing_trait.c.id == thing)
        for row in connection.execute(query):
            held[number, row.name] = _Held(_decoder.decode(row.value), row.source, row.at, row.confidence)
    before = dict(held)
    _fold(held, changes)
    for number, name in before.keys() - held.keys():
        kind, thing = things[number]
        connection.execute(
            sa.delete(thing_trait).where(
                thing_trait.c.kind == kind, thing_trait.c.id == thing, thing_trait.c.name == name
            )
        )
    rows: list[dict[str, Any]] = []
    for (number, name), one in held.items():
        if before.get((number, name)) != one:
            kind, thing = things[number]
            rows.append(
                {"kind": kind, "id": thing, "name": name, "value": _encoder.encode(one.value).decode(),
                 "source": one.source, "at": one.at, "confidence": one.confidence}
            )  # fmt: skip
    database.upsert_all(connection, thing_trait, ["kind", "id", "name"], rows)


def _change(held: dict[tuple[int, str], _Held], key: tuple[int, str], value: Any, change: Change) -> None:
    one = held.get(key)
    if one is not None and stronger(one.source, change.source):
        return
    if change.verb == "unset":
        if one is not None and one.at <= change.at:
            del held[key]
        return
    if value is None:
        return
    at = change.at
    if change.verb == "set":
        # A stronger word counts also where a weaker one was written after it was said.
        if one is not None and one.at > change.at and not stronger(change.source, one.source):
            return
        new = value
    elif change.verb == "set_once":
        # The value that was said first counts, also where it arrives later.
        if one is not None and one.at <= change.at:
            return
        new = value
    elif change.verb == "increment":
        by, now = _number(value), _number(0 if one is None else one.value)
        if by is None:
            return
        new = by if now is None else now + by
        new = int(new) if new == new.to_integral_value() and abs(new) < 10**15 else new
    else:
        values = value if isinstance(value, list) else [value]
        now_values = [] if one is None else one.value if isinstance(one.value, list) else [one.value]
        if change.verb == "append":
            new = (now_values + [v for v in values if v not in now_values])[-MOST_VALUES:]
        else:
            new = [v for v in now_values if v not in values]
    if one is not None:
        at = max(at, one.at) if change.verb not in ("set", "set_once") else at
    held[key] = _Held(new, change.source, at, change.confidence)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None
