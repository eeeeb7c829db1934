"""What messages say of people, written to the tables once: links between ids, traits, and feedback.

The number of the last intake row that was applied stands in the database and moves in the same
transaction, so a row is applied once, whichever process does it and wherever one dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tilth.collect.feedback.incoming import feedback_row
from tilth.collect.model import Alias, Batch, Bind, Group, Id, Identify, Item, Message, Track, Unbind
from tilth.collect.tables import feedback as feedback_table
from tilth.people import Identity, People
from tilth.people.graph import Link
from tilth.people.identity import Said
from tilth.people.tables import person_counter
from tilth.people.traits import Change, apply_changes, apply_to_things
from tilth.state import Database

__all__ = ["Applier", "links_of"]

# Only these kinds are proof that somebody signed in, and only where the client did not make the id up.
SIGN_IN_KINDS = frozenset({"id"})


def links_of(message: Message, source: str) -> list[Link]:
    """What a message says of ids: each further id is the same person as the first."""
    ids = message.ids
    if isinstance(message, Item) or not ids:
        return []
    if isinstance(message, Unbind):
        return [
            Link(message.ts, f"unbind:{source}:{message.event_id}:{n}", "unbind", (one.kind, one.value), None)
            for n, one in enumerate(ids)
        ]
    first = (ids[0].kind, ids[0].value)
    signs = _signs(ids[0])
    links: list[Link] = []
    if isinstance(message, Alias):
        other = (message.previous.kind, message.previous.value)
        # An alias says that the other id is somebody's old name: it is no sign-in of its own.
        if other != first:
            links.append(Link(message.ts, "", "alias", first, other, signs, False, message.forced))
    verb: Any = "identify" if isinstance(message, Identify) else "bind" if isinstance(message, Bind) else "seen"
    links += [
        Link(message.ts, "", verb, first, (one.kind, one.value), signs, verb == "bind" and _signs(one))
        for one in ids[1:]
        if (one.kind, one.value) != first
    ]
    return links


def _signs(one: Id) -> bool:
    return one.kind in SIGN_IN_KINDS and not one.anonymous


class Applier:
    """Applies intake rows in order, each once."""

    def __init__(self, database: Database, people: People, identity: Identity) -> None:
        self._database = database
        self._people = people
        self._identity = identity
        # Pairs seen together that are in the tables already: most messages of a signed-in visit.
        self._pairs: set[tuple[Any, Any]] = set()

    def apply(self, batches: Sequence[tuple[int, Batch]], last: int) -> None:
        """Take in what rows of the log up to `last` say, leaving out those that were applied before.

        batches: (seq, batch) of the rows with messages that say something of ids or traits; rows
        without any may be missing.
        """
        applied = self._applied()
        if last <= applied:
            return
        news = [(seq, batch) for seq, batch in batches if seq > applied]
        said: list[Said] = []
        ids: dict[str, dict[str, None]] = {}
        changing: list[Message] = []
        about_things: list[Group | Item] = []
        told: list[dict[str, Any]] = []
        for _, batch in news:
            for message in batch.messages:
                if message.operations and not isinstance(message, (Group, Item)) and message.ids:
                    changing.append(message)
                row = feedback_row(message, batch.source)
                if row is not None:
                    told.append(row)
                if isinstance(message, (Group, Item)) and message.operations:
                    about_things.append(message)
                if len(message.ids) < 2 and isinstance(message, Track):
                    continue
                for link in links_of(message, batch.source):
                    if link.verb == "seen" and (link.a, link.b) in self._pairs:
                        continue
                    said.append(Said(link=link, source=batch.source))
                    for node in (link.a, link.b):
                        if node is not None:
                            ids.setdefault(node[0], {})[node[1]] = None
        for message in changing:
            ids.setdefault(message.ids[0].kind, {})[message.ids[0].value] = None
        # Ids are made before the transaction: they are nobody's secret, and twice does no harm.
        for kind, values in ids.items():
            self._people.resolve(kind, list(values), "observed")
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(person_counter)
                .where(person_counter.c.name == "applied", person_counter.c.next_uid == applied)
                .values(next_uid=last)
            )
            if done.rowcount == 0:
                # Another process was faster; what it left over is applied with the next look.
                changed = False
                again = True
            else:
                again = False
                changed = bool(said) and self._identity.apply(connection, said)
                if changing:
                    apply_changes(connection, self._database, self._changes(connection, changing))
                if about_things:
                    self._change_things(connection, about_things)
                for row in told:
                    connection.execute(self._database.insert_or_ignore(feedback_table).values(**row))
        if again:
            self.apply(batches, last)
            return
        if len(self._pairs) > 200_000:
            self._pairs.clear()
        self._pairs.update((one.link.a, one.link.b) for one in said if one.link.verb == "seen")
        if changed:
            self._identity.refresh()

    def _change_things(self, connection: sa.Connection, messages: Sequence[Group | Item]) -> None:
        names = [
            (f"group:{m.group_kind}", m.group_id) if isinstance(m, Group) else (f"item:{m.item_kind}", m.item_id)
            for m in messages
        ]
        things = list(dict.fromkeys(names))
        position = {thing: number for number, thing in enumerate(things)}
        changes = [
            Change(position[name], m.ts, one.verb, one.traits)
            for name, m in zip(names, messages, strict=True)
            for one in m.operations
        ]
        apply_to_things(connection, self._database, things, changes)

    def _applied(self) -> int:
        with self._database.read() as connection:
            found = connection.scalar(sa.select(person_counter.c.next_uid).where(person_counter.c.name == "applied"))
        return int(found or 0)

    def _changes(self, connection: sa.Connection, messages: Sequence[Message]) -> list[Change]:
        nodes = {(m.ids[0].kind, m.ids[0].value) for m in messages}
        owners = self._identity.owners_of(connection, nodes)
        return [
            Change(owners[m.ids[0].kind, m.ids[0].value], m.ts, one.verb, one.traits, one.source or "observed")
            for m in messages
            for one in m.operations
            if (m.ids[0].kind, m.ids[0].value) in owners
        ]
