"""Who is who, kept: what sources said of ids, the persons it makes, conflicts, undo.

The rules are in `graph.py`. Here they meet the tables: a link that happened after everything known of
the persons it touches is applied on top; one that happened before (an offline phone that comes back)
folds that part of the graph anew, so that arrival does not matter. A part of more than
`LARGEST_FOLD` links (a shared tablet, a storm) is not folded anew: late links then count from when they came.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.errors import InvalidInput, NotFound
from tilth.lake.overrides import NO_OVERRIDES, Overrides
from tilth.people.directory import People
from tilth.people.graph import DEFAULT_CAPS, Link, Node, Persons, fold
from tilth.people.tables import id_apart, id_link, person_counter, person_id, person_merge, trait, uid_override
from tilth.people.traits import stronger
from tilth.state import Database

__all__ = ["LARGEST_FOLD", "Conflict", "Conflicts", "Counts", "Identity", "LinkLine", "Merge", "PersonGraph", "Said"]

LARGEST_FOLD = 5_000
_CHUNK = 400


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a source said: `link` (its key is filled in here) and who said it."""

    link: Link
    source: str


class LinkLine(msgspec.Struct, frozen=True, kw_only=True):
    """A link between two ids as people see it. refused: "" where applied. Instants in UTC µs."""

    key: str
    verb: str
    a_kind: str
    a: str
    b_kind: str | None
    b: str | None
    source: str
    first_at: int
    last_at: int
    refused: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two persons became one. split_at: when they were taken apart again."""

    id: int
    at: int
    from_uid: int
    into_uid: int
    verb: str
    link: str
    split_at: int | None


class PersonGraph(msgspec.Struct, frozen=True, kw_only=True):
    """A person's ids, the links between them, those refused, and the merges that made the person.

    more: links beyond the first 1,000 that are not listed.
    """

    uid: int
    ids: list[tuple[str, str]]
    links: list[LinkLine]
    merges: list[Merge]
    more: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """several_kinds: people known by ids of two or more kinds. conflicts: refused links. merges: in force."""

    people: int
    ids: int
    several_kinds: int
    conflicts: int
    merges: int


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was refused, and the persons of its two ids now."""

    link: LinkLine
    a_uid: int | None
    b_uid: int | None


class Conflicts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of refused links, newest first, and how many there are of each reason."""

    conflicts: list[Conflict]
    reasons: dict[str, int]
    next: str | None


@dataclass
class _Id:
    uid: int
    home: int
    since: int
    signs: bool


class Identity:
    """The identity graph of a workspace. Thread-safe; several processes may share one database."""

    def __init__(self, database: Database, people: People, caps: Mapping[str, int] = DEFAULT_CAPS) -> None:
        self._database = database
        self._people = people
        self.caps = caps
        self._lock = threading.RLock()
        self._version = -1
        self._epoch = -1
        self._whole: dict[int, int] = {}
        self._split: dict[int, dict[str, int]] = {}
        self._overrides = NO_OVERRIDES

    # -- what the lake reads under -----------------------------------------------------------------

    def overrides(self) -> Overrides:
        """What identity lays over the lake, as of the last `refresh`."""
        return self._overrides

    def refresh(self) -> bool:
        """Take in what this or another process changed; True where something did."""
        with self._lock:
            with self._database.read() as connection:
                counters = {
                    row.name: row.next_uid
                    for row in connection.execute(sa.select(person_counter.c.name, person_counter.c.next_uid))
                }
                version, epoch = counters["identity"], counters["squash"]
                if version == self._version and epoch == self._epoch:
                    return False
                first = self._version < 0
                after = -1 if epoch != self._epoch else self._version
                rows = connection.execute(
                    sa.select(uid_override.c.old_uid, uid_override.c.distinct_id, uid_override.c.new_uid).where(
                        uid_override.c.version > after
                    )
                ).all()
                moved = (
                    []
                    if first
                    else connection.execute(
                        sa.select(person_id.c.kind, person_id.c.value, person_id.c.uid).where(
                            person_id.c.changed > self._version
                        )
                    ).all()
                )
            if after < 0:
                self._whole, self._split = {}, {}
            for old, text, new in rows:
                # A row that says the person itself takes an override back.
                if text:
                    self._split.setdefault(old, {})[text] = new
                elif new == old:
                    self._whole.pop(old, None)
                else:
                    self._whole[old] = new
            by_kind: dict[str, tuple[list[str], list[int]]] = {}
            for kind, value, uid in moved:
                values, uids = by_kind.setdefault(kind, ([], []))
                values.append(value)
                uids.append(uid)
            self._people.changed_hands(by_kind)
            self._version, self._epoch = version, epoch
            if rows or after < 0:
                held = Overrides(dict(self._whole), {old: dict(ids) for old, ids in self._split.items()})
                self._overrides = held if held else NO_OVERRIDES
            return True

    def squashed(self, upto: Overrides) -> None:
        """The lake's rows were written under their present uids: forget the overrides that said so."""
        with self._lock, self._database.begin() as connection:
            for old, new in upto.whole.items():
                connection.execute(
                    sa.delete(uid_override).where(
                        uid_override.c.old_uid == old, uid_override.c.distinct_id == "", uid_override.c.new_uid == new
                    )
                )
            for old, ids in upto.split.items():
                for text, new in ids.items():
                    connection.execute(
                        sa.delete(uid_override).where(
                            uid_override.c.old_uid == old,
                            uid_override.c.distinct_id == text,
                            uid_override.c.new_uid == new,
                        )
                    )
            connection.execute(
                sa.delete(uid_override).where(
                    uid_override.c.distinct_id == "", uid_override.c.new_uid == uid_override.c.old_uid
                )
            )
            self._count(connection, "squash")
        self.refresh()

    # -- what sources say --------------------------------------------------------------------------

    def apply(self, connection: sa.Connection, said: Sequence[Said]) -> bool:
        """Record what was said and make the persons of it, in the caller's transaction.

        Every id named must be known (`People.resolve`). Returns True where an id changed hands; the
        caller calls `refresh` once the transaction is committed.
        """
        news = self._record(connection, said)
        if not news:
            return False
        nodes = {n for link in news for n in (link.a, link.b) if n is not None}
        held = self._with_members(connection, nodes)
        if any(link.verb == "unbind" for link in news) or self._is_late(connection, news, held):
            closure = self._closure(connection, nodes)
            if closure is not None:
                return self._refold(connection, closure)
        persons = Persons(self.caps, self._apart(connection, nodes))
        by_uid: dict[int, list[Node]] = {}
        for node, one in held.items():
            by_uid.setdefault(one.uid, []).append(node)
        for members in by_uid.values():
            persons.seed(members, [n for n in members if held[n].signs])
        verdicts = [(persons.take(link), link) for link in sorted(news)]
        self._settle(connection, {link.key: reason for reason, link in verdicts})
        return self._store(connection, held, persons, news)

    def _record(self, connection: sa.Connection, said: Sequence[Said]) -> list[Link]:
        """Merge into `id_link`; returns the links that say something new."""
        merged: dict[str, tuple[Link, int, int, str]] = {}
        for one in said:
            link = one.link
            key = link.key if link.verb == "unbind" else _pair_key(link)
            first, last = link.at, link.at
            if key in merged:
                other, low, high, _ = merged[key]
                first, last = min(first, low), max(last, high)
                link = _joined(link, other)
            merged[key] = (link, first, last, one.source)
        known: dict[str, Any] = {}
        keys = list(merged)
        for start in range(0, len(keys), _CHUNK):
            query = sa.select(id_link).where(id_link.c.key.in_(keys[start : start + _CHUNK]))
            known.update((row.key, row) for row in connection.execute(query))
        news: list[Link] = []
        rows: list[dict[str, Any]] = []
        now = time.time_ns() // 1000
        for key, (link, first, last, source) in merged.items():
            row = known.get(key)
            a_signs, b_signs, forced = link.a_signs, link.b_signs, link.forced
            at = first
            if row is not None:
                a_signs, b_signs, forced = a_signs or row.a_signs, b_signs or row.b_signs, forced or row.forced
                at = first if first < row.first_at else last
                first, last = min(first, row.first_at), max(last, row.last_at)
            if link.verb == "seen":
                last = first
            if row is not None and (first, last, a_signs, b_signs, forced) == (
                row.first_at, row.last_at, row.a_signs, row.b_signs, row.forced,
            ):  # fmt: skip
                continue
            rows.append(
                {
                    "key": key, "verb": link.verb, "a_kind": link.a[0], "a_value": link.a[1],
                    "b_kind": link.b[0] if link.b else None, "b_value": link.b[1] if link.b else None,
                    "a_signs": a_signs, "b_signs": b_signs, "forced": forced, "first_at": first, "last_at": last,
                    "source": source if row is None else row.source, "refused": "" if row is None else row.refused,
                    "recorded_at": now if row is None else row.recorded_at,
                }
            )  # fmt: skip
            news.append(Link(at, key, link.verb, link.a, link.b, a_signs, b_signs, forced))
        self._database.upsert_all(connection, id_link, ["key"], rows)
        return news

    def _is_late(self, connection: sa.Connection, news: Sequence[Link], held: Mapping[Node, _Id]) -> bool:
        """Whether something known of these persons happened after the earliest of the news."""
        earliest = min(link.at for link in news)
        mine = {link.key for link in news}
        values = sorted({value for _, value in held})
        for start in range(0, len(values), _CHUNK):
            some = values[start : start + _CHUNK]
            for column in (id_link.c.a_value, id_link.c.b_value):
                query = (
                    sa.select(id_link.c.key).where(column.in_(some), id_link.c.last_at >= earliest).limit(len(mine) + 1)
                )
                if any(key not in mine for key in connection.scalars(query)):
                    return True
        return False

    def _rows_of(self, connection: sa.Connection, nodes: Iterable[Node]) -> dict[Node, _Id]:
        wanted = set(nodes)
        values = sorted({value for _, value in wanted})
        found: dict[Node, _Id] = {}
        for start in range(0, len(values), _CHUNK):
            query = sa.select(person_id).where(person_id.c.value.in_(values[start : start + _CHUNK]))
            for row in connection.execute(query):
                if (row.kind, row.value) in wanted:
                    found[row.kind, row.value] = _id_of(row)
        return found

    def owners_of(self, connection: sa.Connection, nodes: Iterable[Node]) -> dict[Node, int]:
        """The persons of known ids, as the caller's transaction sees them."""
        return {node: one.uid for node, one in self._rows_of(connection, nodes).items()}

    def _with_members(self, connection: sa.Connection, nodes: Iterable[Node]) -> dict[Node, _Id]:
        """These ids and all others of their persons."""
        found = self._rows_of(connection, nodes)
        uids = sorted({one.uid for one in found.values()})
        for start in range(0, len(uids), _CHUNK):
            query = sa.select(person_id).where(person_id.c.uid.in_(uids[start : start + _CHUNK]))
            found.update(((row.kind, row.value), _id_of(row)) for row in connection.execute(query))
        return found

    def _apart(self, connection: sa.Connection, nodes: Iterable[Node]) -> set[frozenset[Node]]:
        wanted = set(nodes)
        values = sorted({value for _, value in wanted})
        found: set[frozenset[Node]] = set()
        for start in range(0, len(values), _CHUNK):
            query = sa.select(id_apart).where(id_apart.c.a_value.in_(values[start : start + _CHUNK]))
            for row in connection.execute(query):
                found.add(frozenset(((row.a_kind, row.a_value), (row.b_kind, row.b_value))))
        return found

    # -- folding anew ------------------------------------------------------------------------------

    def _closure(self, connection: sa.Connection, nodes: Iterable[Node]) -> tuple[dict[Node, _Id], list[Any]] | None:
        """All ids and links connected with these, refused links included; None beyond `LARGEST_FOLD` links."""
        held: dict[Node, _Id] = {}
        links: dict[str, Any] = {}
        fresh = set(nodes)
        while fresh:
            members = self._with_members(connection, fresh)
            homes = sorted({one.home for one in members.values()} - {one.home for one in held.values()})
            for start in range(0, len(homes), _CHUNK):
                query = sa.select(person_id).where(person_id.c.home.in_(homes[start : start + _CHUNK]))
                if len(homes) <= LARGEST_FOLD:
                    members.update(((r.kind, r.value), _id_of(r)) for r in connection.execute(query))
            fresh = set(members) - set(held)
            held.update(members)
            values = sorted({value for _, value in fresh})
            reached: set[Node] = set()
            for start in range(0, len(values), _CHUNK):
                some = values[start : start + _CHUNK]
                query = sa.select(id_link).where(sa.or_(id_link.c.a_value.in_(some), id_link.c.b_value.in_(some)))
                for row in connection.execute(query.limit(LARGEST_FOLD + 1)):
                    links[row.key] = row
                    reached.add((row.a_kind, row.a_value))
                    if row.b_kind is not None:
                        reached.add((row.b_kind, row.b_value))
                if len(links) > LARGEST_FOLD:
                    return None
            fresh = reached - set(held)
        return held, list(links.values())

    def _refold(self, connection: sa.Connection, closure: tuple[dict[Node, _Id], list[Any]]) -> bool:
        held, rows = closure
        links: list[Link] = []
        for row in rows:
            b = None if row.b_kind is None else (row.b_kind, row.b_value)
            links += [
                Link(at, row.key, row.verb, (row.a_kind, row.a_value), b, row.a_signs, row.b_signs, row.forced)
                for at in sorted({row.first_at, row.last_at})
            ]
        homes: dict[int, list[Node]] = {}
        for node, one in held.items():
            homes.setdefault(one.home, []).append(node)
        persons = Persons(self.caps, self._apart(connection, held))
        # Ids that came as one person, in a file of members say, begin as one.
        for members in homes.values():
            persons.seed(members)
        refused = fold(links, into=persons)
        self._settle(connection, {row.key: refused.get(row.key, "") for row in rows})
        return self._store(connection, held, persons, links)

    def _settle(self, connection: sa.Connection, verdicts: Mapping[str, str]) -> None:
        for key, reason in verdicts.items():
            connection.execute(
                sa.update(id_link).where(id_link.c.key == key, id_link.c.refused != reason).values(refused=reason)
            )

    # -- persons to uids ---------------------------------------------------------------------------

    def _store(self, connection: sa.Connection, held: dict[Node, _Id], persons: Persons, links: Sequence[Link]) -> bool:
        """Give the ids to the persons of the fold: the earliest person's uid survives."""
        signs = persons.signs()
        newly_signed = [node for node in signs if node in held and not held[node].signs]
        here = (person_id.c.kind == sa.bindparam("of"), person_id.c.value == sa.bindparam("named"))
        if newly_signed:
            rows = [{"of": kind, "named": value} for kind, value in newly_signed]
            connection.execute(sa.update(person_id).where(*here).values(signs=True), rows)
        owner = self._owners(connection, held, persons)
        moved = [node for node, uid in owner.items() if held[node].uid != uid]
        if not moved:
            return False
        version = self._count(connection, "identity")
        connection.execute(
            sa.update(person_id).where(*here).values(uid=sa.bindparam("owner"), changed=version),
            [{"of": kind, "named": value, "owner": owner[kind, value]} for kind, value in moved],
        )
        becomes: dict[int, set[int]] = {}
        for node, uid in owner.items():
            becomes.setdefault(held[node].uid, set()).add(uid)
        if all(len(after) == 1 for after in becomes.values()):
            mergers = {old: next(iter(after)) for old, after in becomes.items() if after != {old}}
            self._log_merges(connection, mergers, owner, links)
            self._override_whole(connection, mergers, version)
        else:
            self._log_splits(connection, held, owner)
            self._override_split(connection, held, owner, version)
        return True

    def _owners(self, connection: sa.Connection, held: dict[Node, _Id], persons: Persons) -> dict[Node, int]:
        groups = [sorted(ids, key=lambda n: (held[n].since, held[n].home, n)) for ids in persons.groups()]
        groups.sort(key=lambda ids: (held[ids[0]].since, held[ids[0]].home, ids[0]))
        taken: set[int] = set()
        owner: dict[Node, int] = {}
        # Whoever keeps an id that was made for a uid may have that uid; the earliest first.
        for ids in groups:
            uid = next((held[n].home for n in ids if held[n].home not in taken), None)
            if uid is None:
                uid = self._count(connection, "uid") - 1
            taken.add(uid)
            owner.update(dict.fromkeys(ids, uid))
        return owner

    def _log_merges(
        self, connection: sa.Connection, mergers: Mapping[int, int], owner: Mapping[Node, int], links: Sequence[Link]
    ) -> None:
        now = time.time_ns() // 1000
        why: dict[int, Link] = {}
        for link in sorted(links):
            if link.b is not None and link.a in owner:
                why.setdefault(owner[link.a], link)
        reasons = {old: why.get(new) for old, new in mergers.items()}
        rows = [
            {"at": now, "from_uid": old, "into_uid": new, "verb": reason.verb if reason else "identify",
             "link": reason.key if reason else ""}
            for old, new in sorted(mergers.items())
            for reason in [reasons[old]]
        ]  # fmt: skip
        connection.execute(sa.insert(person_merge), rows)
        self._merge_traits(connection, mergers)

    def _merge_traits(self, connection: sa.Connection, mergers: Mapping[int, int]) -> None:
        """The survivor's value stays unless the other is newer and of a stronger source. The others' rows
        stay under their uids, for the day the merge is undone."""
        concerned = sorted({*mergers, *mergers.values()})
        held: dict[int, dict[str, Any]] = {}
        for start in range(0, len(concerned), _CHUNK):
            query = sa.select(trait).where(trait.c.uid.in_(concerned[start : start + _CHUNK]))
            for row in connection.execute(query):
                held.setdefault(row.uid, {})[row.name] = row
        taken: dict[tuple[int, str], dict[str, Any]] = {}
        for old, new in sorted(mergers.items()):
            mine = held.setdefault(new, {})
            for name, row in held.get(old, {}).items():
                now = mine.get(name)
                if now is None or (row.at > now.at and stronger(row.source, now.source)):
                    mine[name] = row
                    taken[new, name] = {**row._mapping, "uid": new}
        self._database.upsert_all(connection, trait, ["uid", "name"], list(taken.values()))

    def _log_splits(self, connection: sa.Connection, held: Mapping[Node, _Id], owner: Mapping[Node, int]) -> None:
        now = time.time_ns() // 1000
        live = set(owner.values())
        for uid in sorted(live):
            connection.execute(
                sa.update(person_merge)
                .where(person_merge.c.from_uid == uid, person_merge.c.split_at.is_(None))
                .values(split_at=now)
            )
        for old in sorted({one.uid for one in held.values()} - live):
            news = [owner[node] for node, one in held.items() if one.uid == old]
            connection.execute(
                sa.insert(person_merge).values(at=now, from_uid=old, into_uid=news[0], verb="refold", link="")
            )

    def _override_whole(self, connection: sa.Connection, mergers: Mapping[int, int], version: int) -> None:
        connection.execute(
            sa.update(uid_override)
            .where(uid_override.c.new_uid == sa.bindparam("gone"))
            .values(new_uid=sa.bindparam("now"), version=version),
            [{"gone": old, "now": new} for old, new in mergers.items()],
        )
        pairs = dict.fromkeys(pair for old, new in mergers.items() for pair in ((old, new), (new, new)))
        rows = [{"old_uid": old, "distinct_id": "", "new_uid": new, "version": version} for old, new in pairs]
        self._database.upsert_all(connection, uid_override, ["old_uid", "distinct_id"], rows)

    def _override_split(
        self, connection: sa.Connection, held: Mapping[Node, _Id], owner: Mapping[Node, int], version: int
    ) -> None:
        """Rows of everybody concerned go by the id they came with."""
        lake = {one.uid for one in held.values()} | {one.home for one in held.values()}
        known = sorted(lake)
        for start in range(0, len(known), _CHUNK):
            query = sa.select(uid_override.c.old_uid).where(
                uid_override.c.new_uid.in_(known[start : start + _CHUNK]), uid_override.c.distinct_id == ""
            )
            lake |= set(connection.scalars(query))
        live = set(owner.values())
        # Rows name an id without its kind; where one text is an id of two kinds, the general kind counts.
        by_value = sorted(held, key=lambda node: (node[0] == "id", node))
        at_home: dict[int, int] = {}
        for node, one in sorted(held.items(), key=lambda item: (item[1].since, item[0])):
            at_home.setdefault(one.home, owner[node])
        told: list[dict[str, Any]] = []
        for uid in sorted(lake):
            rest = uid if uid in live else at_home.get(uid, min(live))
            rows = {"": rest} | {value: owner[kind, value] for kind, value in by_value}
            told += [
                {"old_uid": uid, "distinct_id": text, "new_uid": new, "version": version} for text, new in rows.items()
            ]
        self._database.upsert_all(connection, uid_override, ["old_uid", "distinct_id"], told)

    def _count(self, connection: sa.Connection, name: str) -> int:
        after = connection.scalar(
            sa.update(person_counter)
            .where(person_counter.c.name == name)
            .values(next_uid=person_counter.c.next_uid + 1)
            .returning(person_counter.c.next_uid)
        )
        assert after is not None
        return int(after)

    # -- by hand -----------------------------------------------------------------------------------

    def undo(self, key: str, by: str) -> bool:
        """Take back a link: its two ids are kept apart and the persons made anew. Returns True where somebody was
        split; False where other links still hold them together. Raises `NotFound`."""
        with self._lock:
            with self._database.begin() as connection:
                self._hold(connection)
                row = connection.execute(sa.select(id_link).where(id_link.c.key == key)).one_or_none()
                if row is None or row.b_kind is None:
                    raise NotFound("link", key)
                a, b = (row.a_kind, row.a_value), (row.b_kind, row.b_value)
                for one, other in ((a, b), (b, a)):
                    connection.execute(
                        self._database.insert_or_ignore(id_apart).values(
                            a_kind=one[0], a_value=one[1], b_kind=other[0], b_value=other[1], by=by,
                            at=time.time_ns() // 1000,
                        )
                    )  # fmt: skip
                connection.execute(sa.update(id_link).where(id_link.c.key == key).values(forced=False))
                closure = self._closure(connection, (a, b))
                if closure is None:
                    # Too many links to fold: the one id leaves on its own.
                    closure = (self._with_members(connection, (a, b)), [])
                    changed = self._leave(connection, closure[0], b)
                else:
                    changed = self._refold(connection, closure)
            self.refresh()
            return changed

    def _leave(self, connection: sa.Connection, held: dict[Node, _Id], node: Node) -> bool:
        persons = Persons(self.caps)
        by_uid: dict[int, list[Node]] = {}
        for one, row in held.items():
            by_uid.setdefault(row.uid, []).append(one)
        for members in by_uid.values():
            persons.seed(members, [n for n in members if held[n].signs])
        persons.take(Link(0, "", "unbind", node, None))
        return self._store(connection, held, persons, [])

    def _hold(self, connection: sa.Connection) -> None:
        """Let only one transaction at a time change identity (on SQLite the database does that)."""
        if not self._database.is_sqlite:
            connection.execute(
                sa.select(person_counter.c.next_uid).where(person_counter.c.name == "applied").with_for_update()
            )

    def graph(self, uid: int) -> PersonGraph:
        """The ids of a person, the links that name them and the merges that made it."""
        with self._database.read() as connection:
            ids = [
                (row.kind, row.value)
                for row in connection.execute(
                    sa.select(person_id.c.kind, person_id.c.value)
                    .where(person_id.c.uid == uid)
                    .order_by(person_id.c.since, person_id.c.kind, person_id.c.value)
                )
            ]
            mine = set(ids)
            links: dict[str, LinkLine] = {}
            more = 0
            values = [value for _, value in ids]
            for start in range(0, len(values), _CHUNK):
                some = values[start : start + _CHUNK]
                where = sa.or_(id_link.c.a_value.in_(some), id_link.c.b_value.in_(some))
                query = sa.select(id_link).where(where).order_by(id_link.c.first_at, id_link.c.key).limit(1_001)
                for row in connection.execute(query):
                    if (row.a_kind, row.a_value) in mine or (row.b_kind, row.b_value) in mine:
                        links[row.key] = _line(row)
                more += connection.scalar(sa.select(sa.func.count()).select_from(id_link).where(where)) or 0
            merges = [
                Merge(**row._mapping)
                for row in connection.execute(
                    sa.select(person_merge)
                    .where(sa.or_(person_merge.c.into_uid == uid, person_merge.c.from_uid == uid))
                    .order_by(person_merge.c.id.desc())
                    .limit(200)
                )
            ]
        shown = list(links.values())[:1_000]
        return PersonGraph(uid=uid, ids=ids, links=shown, merges=merges, more=max(0, more - len(shown)))

    def counts(self) -> Counts:
        """What there is, counted over everyone."""
        kinds = (
            sa.select(
                person_id.c.uid, sa.func.count(person_id.c.kind.distinct()).label("kinds"), sa.func.count().label("ids")
            )
            .group_by(person_id.c.uid)
            .subquery()
        )
        with self._database.read() as connection:
            people, ids, several = connection.execute(
                sa.select(
                    sa.func.count(),
                    sa.func.coalesce(sa.func.sum(kinds.c.ids), 0),
                    sa.func.coalesce(sa.func.sum(sa.case((kinds.c.kinds >= 2, 1), else_=0)), 0),
                ).select_from(kinds)
            ).one()
            conflicts = connection.scalar(
                sa.select(sa.func.count()).select_from(id_link).where(id_link.c.refused != "")
            )
            merges = connection.scalar(
                sa.select(sa.func.count()).select_from(person_merge).where(person_merge.c.split_at.is_(None))
            )
        return Counts(
            people=people, ids=int(ids), several_kinds=int(several), conflicts=conflicts or 0, merges=merges or 0
        )

    def conflicts(self, reason: str = "", cursor: str = "", limit: int = 50) -> Conflicts:
        """Links that were refused, newest first. reason: only those that begin with it (`cap`, `both_identified`)."""
        query = sa.select(id_link).where(id_link.c.refused != "")
        if reason:
            query = query.where(id_link.c.refused.startswith(reason, autoescape=True))
        if cursor:
            at, _, key = cursor.partition("-")
            if not at.isdecimal():
                raise InvalidInput("cursor", "is not the next of a page before")
            query = query.where(
                sa.tuple_(id_link.c.recorded_at, id_link.c.key) < sa.tuple_(sa.literal(int(at)), sa.literal(key))
            )
        with self._database.read() as connection:
            rows = connection.execute(
                query.order_by(id_link.c.recorded_at.desc(), id_link.c.key.desc()).limit(limit + 1)
            ).all()
            reasons = connection.execute(
                sa.select(id_link.c.refused, sa.func.count().label("times"))
                .where(id_link.c.refused != "")
                .group_by(id_link.c.refused)
                .order_by(sa.func.count().desc())
            ).all()
            nodes = [(r.a_kind, r.a_value) for r in rows] + [(r.b_kind, r.b_value) for r in rows if r.b_kind]
            held = self._rows_of(connection, nodes)
        page = rows[:limit]

        def uid_of(kind: str | None, value: str | None) -> int | None:
            one = held.get((kind or "", value or ""))
            return None if one is None else one.uid

        return Conflicts(
            conflicts=[
                Conflict(link=_line(r), a_uid=uid_of(r.a_kind, r.a_value), b_uid=uid_of(r.b_kind, r.b_value))
                for r in page
            ],
            reasons={row.refused: row.times for row in reasons},
            next=f"{page[-1].recorded_at}-{page[-1].key}" if len(rows) > limit else None,
        )

    def forget(self, uid: int, ids: Sequence[Node]) -> None:
        """Remove what the graph holds of an erased person: its links, its merges and the traits of those who
        became it (its own ids and traits go with the directory)."""
        with self._lock, self._database.begin() as connection:
            for kind, value in ids:
                for table in (id_link, id_apart):
                    for end in "ab":
                        connection.execute(
                            sa.delete(table).where(table.c[f"{end}_kind"] == kind, table.c[f"{end}_value"] == value)
                        )
            became = sa.select(person_merge.c.from_uid).where(
                person_merge.c.into_uid == uid, person_merge.c.split_at.is_(None)
            )
            connection.execute(sa.delete(trait).where(trait.c.uid.in_(became)))
            connection.execute(
                sa.delete(person_merge).where(sa.or_(person_merge.c.from_uid == uid, person_merge.c.into_uid == uid))
            )


def _id_of(row: Any) -> _Id:
    return _Id(row.uid, row.uid if row.home is None else row.home, row.since, bool(row.signs))


def _joined(link: Link, other: Link) -> Link:
    return Link(
        link.at, link.key, link.verb, link.a, link.b,
        link.a_signs or other.a_signs, link.b_signs or other.b_signs, link.forced or other.forced,
    )  # fmt: skip


def _pair_key(link: Link) -> str:
    assert link.b is not None
    # The order of the two matters: the first may sign in.
    text = msgspec.json.encode((link.verb, link.a, link.b))
    return hashlib.sha256(text).hexdigest()[:32]


def _line(row: Any) -> LinkLine:
    return LinkLine(
        key=row.key, verb=row.verb, a_kind=row.a_kind, a=row.a_value, b_kind=row.b_kind, b=row.b_value,
        source=row.source, first_at=row.first_at, last_at=row.last_at, refused=row.refused,
    )  # fmt: skip
