"""The directory of people: ids to persons, traits, search."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from tilth.errors import InvalidInput, NotFound
from tilth.people.tables import person_counter, person_id, person_merge, trait
from tilth.people.traits import STRENGTH
from tilth.state import Database

if TYPE_CHECKING:
    from tilth.people.id_index import IdIndex

__all__ = ["ID_KINDS", "REFUSED_IDS", "DistinctId", "People", "PersonRecord", "Trait"]

# Kinds of id the product knows; a source may bring others.
ID_KINDS = (
    "id",
    "phone",
    "email",
    "device",
    "wechat_openid",
    "wechat_unionid",
    "wecom_external_userid",
    "store_card",
)

# Values that clients send when they have no id; taking them would join strangers (semantics.md, Identity).
REFUSED_IDS = frozenset(
    {
        *["", "null", "none", "nil", "undefined", "nan", "true", "false", "0", "guest", "anonymous", "anonymous_id"],
        *["distinct_id", "distinctid", "id", "user_id", "not_authenticated", "[object object]"],
    }
)

MAX_ID_LENGTH = 255
_LONGEST_REFUSED = max(map(len, REFUSED_IDS))


class DistinctId(msgspec.Struct, frozen=True, kw_only=True):
    """An id a source knows a person by. since: UTC µs when we first saw it."""

    kind: str
    id: str
    source: str
    since: int


class Trait(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about a person. at: UTC µs; confidence: 0..1."""

    name: str
    value: Any
    source: str
    at: int
    confidence: float


class PersonRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the directory holds of one person."""

    uid: int
    distinct_ids: list[DistinctId]
    traits: list[Trait]


def is_refused(value: str) -> bool:
    """True for ids that name nobody or are too long (see `REFUSED_IDS`)."""
    if len(value) <= _LONGEST_REFUSED:
        return value.lower() in REFUSED_IDS or value.strip().lower() in REFUSED_IDS
    return len(value) > MAX_ID_LENGTH or value.strip().lower() in REFUSED_IDS


class People:
    """Reads and writes the directory. Thread-safe; ids are indexed in memory per kind when first asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexes: dict[str, IdIndex] = {}
        self._lock = threading.RLock()

    def revision(self) -> int:
        """A number that changes whenever a person appears here or ids change hands (for caches over everyone)."""
        with self._database.read() as connection:
            return (
                connection.scalar(
                    sa.select(sa.func.sum(person_counter.c.next_uid)).where(
                        person_counter.c.name.in_(("uid", "identity"))
                    )
                )
                or 0
            )

    # -- ids -------------------------------------------------------------------------------------

    def resolve(
        self, kind: str, ids: Sequence[str] | pa.Array | pa.ChunkedArray, source: str, create: bool = True
    ) -> npt.NDArray[np.int64]:
        """uids of ids of one kind, in order; repeated ids are fine.

        Unknown ids become new persons, numbered in the order given, durably before this returns
        (create=True), or -1. Null and refused ids (`REFUSED_IDS`, over 255 characters) are -1.
        """
        column = _text(ids)
        with self._lock:
            index = self._index(kind)
            column = _without_refused(column)
            filled = pc.fill_null(column, "")
            uids = index.lookup(filled)
            if not create or not (uids < 0).any():
                return uids
            missing = pc.unique(filled.filter(pc.and_(pa.array(uids < 0), pc.not_equal(filled, ""))))
            if len(missing) == 0:
                return uids
            index.insert(missing, self._create(kind, missing, source))
            return index.lookup(filled)

    def join(self, uids: npt.NDArray[np.int64], kind: str, ids: Sequence[str], source: str) -> list[tuple[int, str]]:
        """Give persons a further id each; returns the (position, id) pairs that belong to someone else already."""
        now = _now()
        conflicts: list[tuple[int, str]] = []
        with self._lock, self._database.begin() as connection:
            for position, (uid, value) in enumerate(zip(uids.tolist(), ids, strict=True)):
                if is_refused(value):
                    continue
                row = {"value": value, "kind": kind, "uid": uid, "source": source, "since": now, "home": uid}
                done = connection.execute(self._database.insert_or_ignore(person_id).values(**row))
                if done.rowcount == 0:
                    owner = connection.scalar(
                        sa.select(person_id.c.uid).where(person_id.c.value == value, person_id.c.kind == kind)
                    )
                    if owner != uid:
                        conflicts.append((position, value))
            self._indexes.pop(kind, None)
        return conflicts

    def _index(self, kind: str) -> IdIndex:
        # The compiler behind the index takes 80 MB, which a server that only answers never needs.
        from tilth.people.id_index import IdIndex

        index = self._indexes.get(kind)
        if index is None:
            index = IdIndex()
            query = sa.select(person_id.c.value, person_id.c.uid).where(person_id.c.kind == kind)
            with self._database.read() as connection:
                for rows in connection.execution_options(yield_per=100_000).execute(query).partitions():
                    values, uids = zip(*rows, strict=True)
                    index.insert(pa.array(values, pa.string()), np.array(uids, np.int64))
            self._indexes[kind] = index
        return index

    def _create(self, kind: str, values: pa.Array, source: str) -> npt.NDArray[np.int64]:
        """New persons for ids nobody here knows; another process may have been first, and then its uid counts."""
        count = len(values)
        texts = values.to_pylist()
        now = _now()
        with self._database.begin() as connection:
            after = connection.scalar(
                sa.update(person_counter)
                .where(person_counter.c.name == "uid")
                .values(next_uid=person_counter.c.next_uid + count)
                .returning(person_counter.c.next_uid)
            )
            assert after is not None, "the uid counter row is made by the migration"
            uids = np.arange(after - count, after, dtype=np.int64)
            inserted = self._insert_ids(connection, texts, kind, uids, source, now)
            if inserted == count:
                return uids
            found = self._owners(connection, kind, texts)
            return np.array([found[t] for t in texts], np.int64)

    def _insert_ids(
        self, connection: sa.Connection, texts: list[str], kind: str, uids: npt.NDArray[np.int64], source: str, now: int
    ) -> int:
        if self._database.is_sqlite:
            # The driver's own executemany: a million rows in seconds, inside the same transaction.
            cursor = connection.connection.cursor()
            cursor.executemany(
                "INSERT INTO person_id (value, kind, uid, source, since, home) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                [(t, kind, u, source, now, u) for t, u in zip(texts, uids.tolist(), strict=True)],
            )
            return cursor.rowcount
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE new_person_id (value text, uid bigint) ON COMMIT DROP")
            with cursor.copy("COPY new_person_id (value, uid) FROM STDIN") as copy:
                for row in zip(texts, uids.tolist(), strict=True):
                    copy.write_row(row)
            cursor.execute(
                "INSERT INTO person_id (value, kind, uid, source, since, home) "
                "SELECT value, %s, uid, %s, %s, uid FROM new_person_id ON CONFLICT DO NOTHING",
                (kind, source, now),
            )
            inserted: int = cursor.rowcount
            cursor.execute("DROP TABLE new_person_id")
        return inserted

    def _owners(self, connection: sa.Connection, kind: str, texts: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(texts), 500):
            query = sa.select(person_id.c.value, person_id.c.uid).where(
                person_id.c.kind == kind, person_id.c.value.in_(texts[start : start + 500])
            )
            found.update((r.value, r.uid) for r in connection.execute(query))
        return found

    def find(self, any_id: str) -> int:
        """The uid that has this id of whatever kind (`uid:123` means the number itself). Raises `NotFound`."""
        with self._database.read() as connection:
            if any_id.startswith("uid:") and any_id[4:].isdigit():
                uid = int(any_id[4:])
                if connection.scalar(sa.select(person_id.c.uid).where(person_id.c.uid == uid).limit(1)) is not None:
                    return uid
                return self._merged_into(connection, uid, any_id)
            rows = connection.execute(
                sa.select(person_id.c.kind, person_id.c.uid).where(person_id.c.value == any_id)
            ).all()
        if not rows:
            raise NotFound("person", any_id)
        owners = {row.kind: row.uid for row in rows}
        return next((owners[k] for k in ID_KINDS if k in owners), rows[0].uid)

    def _merged_into(self, connection: sa.Connection, uid: int, any_id: str) -> int:
        """Whom a person that is no more became, so that an old link to its page still leads somewhere."""
        seen: set[int] = set()
        while uid not in seen:
            seen.add(uid)
            after = connection.scalar(
                sa.select(person_merge.c.into_uid)
                .where(person_merge.c.from_uid == uid, person_merge.c.split_at.is_(None))
                .order_by(person_merge.c.id.desc())
                .limit(1)
            )
            if after is None:
                break
            if connection.scalar(sa.select(person_id.c.uid).where(person_id.c.uid == after).limit(1)) is not None:
                return int(after)
            uid = after
        raise NotFound("person", any_id)

    def merged(self, uid: int) -> list[int]:
        """The numbers of all who are this person now: its own first, then those merged into it."""
        found = [uid]
        with self._database.read() as connection:
            for one in found:
                rows = connection.scalars(
                    sa.select(person_merge.c.from_uid).where(
                        person_merge.c.into_uid == one, person_merge.c.split_at.is_(None)
                    )
                )
                found += [before for before in rows if before not in found]
        return found

    def changed_hands(self, ids: Mapping[str, tuple[Sequence[str], Sequence[int]]]) -> None:
        """Tell the indexes in memory which ids (kind -> values, uids) belong to somebody else now."""
        with self._lock:
            for kind, (values, uids) in ids.items():
                index = self._indexes.get(kind)
                if index is not None:
                    index.update(pa.array(values, pa.string()), np.array(uids, np.int64))

    def search(self, text: str, limit: int = 50) -> list[int]:
        """uids whose id is or begins with `text`, or whose name does; exact ids first."""
        text = text.strip()
        if not text:
            return []
        upper = text + "\U0010ffff"
        with self._database.read() as connection:
            exact = sa.select(person_id.c.uid).where(person_id.c.value == text).limit(limit)
            prefix = (
                sa.select(person_id.c.uid)
                .where(person_id.c.value > text, person_id.c.value < upper)
                .order_by(person_id.c.value)
                .limit(limit)
            )
            named = (
                sa.select(trait.c.uid)
                .where(
                    trait.c.name == "name",
                    trait.c.value >= _json_prefix(text),
                    trait.c.value < _json_prefix(text) + "\U0010ffff",
                )
                .limit(limit)
            )
            uids = [uid for q in (exact, prefix, named) for uid in connection.scalars(q)]
        return list(dict.fromkeys(uids))[:limit]

    def count(self) -> int:
        """How many people there are."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count(person_id.c.uid.distinct()))) or 0

    def everyone(self) -> npt.NDArray[np.int64]:
        """All uids, ascending."""
        query = sa.select(person_id.c.uid).distinct().order_by(person_id.c.uid)
        with self._database.read() as connection:
            if self._database.is_sqlite:
                cursor = connection.connection.cursor()
                cursor.execute("SELECT DISTINCT uid FROM person_id ORDER BY uid")
                return np.array([row[0] for row in cursor.fetchall()], np.int64)
            return np.fromiter(connection.scalars(query), np.int64)

    def distinct_ids(self, uids: Sequence[int]) -> dict[int, list[DistinctId]]:
        """The ids of some people, strongest kinds as they came first."""
        found: dict[int, list[DistinctId]] = {uid: [] for uid in uids}
        with self._database.read() as connection:
            for start in range(0, len(uids), 500):
                query = (
                    sa.select(person_id)
                    .where(person_id.c.uid.in_(list(uids[start : start + 500])))
                    .order_by(person_id.c.uid, person_id.c.since, person_id.c.kind, person_id.c.value)
                )
                for row in connection.execute(query):
                    found[row.uid].append(DistinctId(kind=row.kind, id=row.value, source=row.source, since=row.since))
        return found

    def get(self, any_id: str) -> PersonRecord:
        """Everything the directory holds of the person with this id. Raises `NotFound`."""
        uid = self.find(any_id)
        return PersonRecord(uid=uid, distinct_ids=self.distinct_ids([uid])[uid], traits=self.traits([uid])[uid])

    # -- traits ----------------------------------------------------------------------------------

    def set_traits(
        self,
        uids: npt.NDArray[np.int64] | Sequence[int],
        traits: Mapping[str, Sequence[Any]],
        source: str = "imported",
        at: int | None = None,
        confidence: float = 1.0,
    ) -> int:
        """Set traits of many people: traits[name][i] is of uids[i]; None leaves it as it is.

        source: self_declared, imported, observed, computed or predicted. A weaker source never
        replaces a stronger one's value; between equals the newer wins. Returns values written.
        """
        if source not in STRENGTH:
            raise InvalidInput("source", f"{source!r} is not a source of traits", sorted(STRENGTH))
        people = [int(u) for u in uids]
        moment = _now() if at is None else at
        written = 0
        with self._database.begin() as connection:
            for name, values in traits.items():
                # The last value given for a person counts, as it would if they came one after another.
                latest = {u: v for u, v in zip(people, values, strict=True) if v is not None and u >= 0}
                rows = [
                    (uid, name, msgspec.json.encode(value).decode(), source, moment, confidence)
                    for uid, value in latest.items()
                ]
                written += self._upsert_traits(connection, rows, STRENGTH[source])
        return written

    def _upsert_traits(self, connection: sa.Connection, rows: list[tuple[Any, ...]], strength: int) -> int:
        """Write rows where what is held is not stronger, or as strong and newer; returns how many were written."""
        if not rows:
            return 0
        held = "CASE trait.source " + " ".join(f"WHEN '{s}' THEN {n}" for s, n in STRENGTH.items()) + " ELSE 0 END"
        mark = "?" if self._database.is_sqlite else "%s"
        statement = (
            f"INSERT INTO trait (uid, name, value, source, at, confidence) VALUES ({', '.join([mark] * 6)}) "
            "ON CONFLICT (uid, name) DO UPDATE SET value = excluded.value, source = excluded.source, "
            f"at = excluded.at, confidence = excluded.confidence WHERE {held} < {strength} "
            f"OR ({held} = {strength} AND trait.at <= excluded.at)"
        )
        # The driver's own executemany: a million traits in seconds.
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(statement, rows)
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def traits(self, uids: Sequence[int]) -> dict[int, list[Trait]]:
        """The traits of some people, by name."""
        found: dict[int, list[Trait]] = {uid: [] for uid in uids}
        with self._database.read() as connection:
            for start in range(0, len(uids), 500):
                query = (
                    sa.select(trait)
                    .where(trait.c.uid.in_(list(uids[start : start + 500])))
                    .order_by(trait.c.uid, trait.c.name)
                )
                for row in connection.execute(query):
                    found[row.uid].append(
                        Trait(
                            name=row.name,
                            value=msgspec.json.decode(row.value),
                            source=row.source,
                            at=row.at,
                            confidence=row.confidence,
                        )
                    )
        return found

    # -- erasure ---------------------------------------------------------------------------------

    def forget(self, uid: int) -> None:
        """Remove the person's ids and traits (the lake's rows are erased apart)."""
        with self._lock, self._database.begin() as connection:
            connection.execute(sa.delete(person_id).where(person_id.c.uid == uid))
            connection.execute(sa.delete(trait).where(trait.c.uid == uid))
            self._indexes.clear()


def _now() -> int:
    return time.time_ns() // 1000


def _json_prefix(text: str) -> str:
    return msgspec.json.encode(text).decode()[:-1]


def _text(ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    if isinstance(ids, pa.ChunkedArray):
        ids = pa.concat_arrays(ids.chunks) if ids.num_chunks else pa.array([], pa.string())
    if not isinstance(ids, pa.Array):
        return pa.array(list(ids), pa.string())
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    return ids.cast(pa.string())


def _without_refused(column: pa.Array) -> pa.Array:
    """Null where the id is refused."""
    short = pc.less_equal(pc.utf8_length(column), 16)
    bad = pc.or_(
        pc.greater(pc.utf8_length(column), MAX_ID_LENGTH),
        pc.and_(
            short,
            pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(column)), value_set=pa.array(sorted(REFUSED_IDS))),
        ),
    )
    if not pc.any(bad).as_py():
        return column
    return pc.if_else(pc.fill_null(bad, True), pa.scalar(None, pa.string()), column)
