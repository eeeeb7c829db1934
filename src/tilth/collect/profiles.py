"""Profiles of many people changed at once: by an API call, a file, another system's nightly list."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import msgspec

from tilth.collect.plan import why_not
from tilth.errors import InvalidInput
from tilth.people.directory import is_refused
from tilth.people.traits import STRENGTH, Change, TraitVerb, apply_changes, hold_traits

if TYPE_CHECKING:
    from tilth.collect.plan import Plans
    from tilth.people import Identity, People
    from tilth.state import Database

__all__ = ["MOST_ROWS", "ProfileRow", "Profiles", "RefusedRow", "Updated"]

MOST_ROWS = 10_000
# A person's traits are read with every page about them.
_MOST_BYTES = 32_768
TraitSource = Literal["self_declared", "imported", "observed", "computed"]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ProfileRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Changes of one person's traits. Each of the fields set … remove is name -> value; unset lists names.

    id: of `kind` (see `ID_KINDS`). at: when it was so, UTC µs; None: now. The newer counts between
    equally strong sources.
    """

    id: str
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "id"
    at: int | None = None
    set: dict[_Name, Any] = {}
    set_once: dict[_Name, Any] = {}
    increment: dict[_Name, Any] = {}
    append: dict[_Name, Any] = {}
    remove: dict[_Name, Any] = {}
    unset: list[_Name] = []


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row nothing was done with. row: its place, from 0."""

    row: int
    field: str
    reason: str


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """people: whose traits were looked at; written: traits that changed; unknown: rows whose id nobody has
    (with `create` there are none)."""

    people: int
    written: int
    unknown: int
    refused: list[RefusedRow]


class Profiles:
    """Applies rows in one transaction, so a call that dies has done all or nothing."""

    def __init__(self, database: Database, people: People, identity: Identity, plans: Plans) -> None:
        self._database = database
        self._people = people
        self._identity = identity
        self._plans = plans

    def update(
        self,
        rows: Sequence[ProfileRow],
        source: TraitSource = "imported",
        create: bool = False,
        confidence: float = 1.0,
    ) -> Updated:
        """Change traits; rows that are not as they should be are given back and the others applied.

        create: an id nobody has becomes a person. Raises `InvalidInput` for more than `MOST_ROWS` rows.
        """
        if len(rows) > MOST_ROWS:
            raise InvalidInput("rows", f"may be {MOST_ROWS:,} at most in one call and are {len(rows):,}")
        if source not in get_args(TraitSource):
            raise InvalidInput("source", f"{source!r} is not a source of traits", sorted(STRENGTH))
        if not 0 < confidence <= 1:
            raise InvalidInput("confidence", "must be above 0 and at most 1")
        now = time.time_ns() // 1000
        refused = [
            RefusedRow(row=n, field=wrong[0], reason=wrong[1])
            for n, row in enumerate(rows)
            if (wrong := self._wrong(row, now)) is not None
        ]
        bad = {one.row for one in refused}
        good = [row for n, row in enumerate(rows) if n not in bad]
        # Ids are made before the transaction, as where messages are applied.
        for kind in sorted({row.kind for row in good}) if create else []:
            ids = list(dict.fromkeys(row.id for row in good if row.kind == kind))
            self._people.resolve(kind, ids, source)
        owners: dict[tuple[str, str], int] = {}
        changes: list[Change] = []
        written = 0
        if good:
            with self._database.begin() as connection:
                # Values are read, changed and written: nobody else may be between, here or in another process, and
                # whom an id belongs to may not change meanwhile.
                hold_traits(connection)
                owners = self._identity.owners_of(connection, {(row.kind, row.id) for row in good})
                changes = [
                    Change(
                        owners[row.kind, row.id], now if row.at is None else row.at, verb, traits, source, confidence
                    )
                    for row in good
                    if (row.kind, row.id) in owners
                    for verb, traits in _verbs(row)
                ]
                written = apply_changes(connection, self._database, changes)
        return Updated(
            people=len({change.uid for change in changes}),
            written=written,
            unknown=sum(1 for row in good if (row.kind, row.id) not in owners),
            refused=refused,
        )

    def _wrong(self, row: ProfileRow, now: int) -> tuple[str, str] | None:
        if is_refused(row.id):
            return "id", f"{row.id[:50]!r} names nobody" if len(row.id) <= 255 else "is longer than 255 characters"
        verbs = _verbs(row)
        if not verbs:
            return "set", "there is nothing to change: give set, set_once, increment, append, remove or unset"
        if row.at is not None and not 0 < row.at <= now + 86_400_000_000:
            return "at", "must be UTC microseconds, not in the future"
        if len(msgspec.json.encode(row)) > _MOST_BYTES:
            return "set", f"takes more than {_MOST_BYTES:,} bytes"
        plan = self._plans.current().plan
        for verb, traits in verbs:
            for name, value in traits.items():
                if verb == "increment" and (isinstance(value, bool) or not isinstance(value, (int, float))):
                    return f"increment.{name}", "must be a number"
                planned = plan.traits.get(name)
                if planned is not None and plan.mode == "enforce" and verb in ("set", "set_once") and value is not None:
                    reason = why_not(planned, value)
                    if reason is not None:
                        return f"{verb}.{name}", f"tracking plan: {reason}"
        return None


def _verbs(row: ProfileRow) -> list[tuple[TraitVerb, dict[str, Any]]]:
    told: list[tuple[TraitVerb, dict[str, Any]]] = [
        ("set", row.set),
        ("set_once", row.set_once),
        ("increment", row.increment),
        ("append", row.append),
        ("remove", row.remove),
        ("unset", dict.fromkeys(row.unset)),
    ]
    return [(verb, traits) for verb, traits in told if traits]
