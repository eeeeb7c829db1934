"""Pulls as they are kept: made, changed, held by the one process that runs them, their runs and files."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.collect.connectors.mapping import MappingRule
from tilth.collect.pulls.databases import At, at_text, check_sql, split_password
from tilth.collect.pulls.folders import Allowed, Found, check_place
from tilth.collect.pulls.model import Connection, Pull, PullRun, S3Place, SqlPlace, Trigger, check_pull_rules
from tilth.collect.pulls.tables import pull as table
from tilth.collect.pulls.tables import pull_file, pull_run
from tilth.collect.sources import Source, Sources, SourceSettings
from tilth.errors import Busy, Conflict, InvalidInput, NotFound
from tilth.state import Database

__all__ = ["Held", "Mark", "Pulls", "mark_text"]

_MINUTE = 60 * 1_000_000
# A process that has not said for so long that it runs a pull is taken for dead.
LEASE = 30 * 1_000_000
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_MOST_RUNS = 200
# Minutes of waiting after failures, at most.
_MOST_WAIT = 360

# How far a pull came: a place between rows, or the last of the files taken.
Mark = At | Found
_marks: dict[str, Any] = {
    "sql": msgspec.json.Decoder(At),
    "folder": msgspec.json.Decoder(Found),
    "s3": msgspec.json.Decoder(Found),
}


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A pull that this process may run: what there is to know, and the token that says so."""

    pull: Pull
    secret: str
    mark: Mark | None
    token: str


class Pulls:
    """Reads and writes pulls. Thread-safe."""

    def __init__(self, database: Database, sources: Sources, allowed: Allowed) -> None:
        self._database = database
        self._sources = sources
        self.allowed = allowed

    # -- definitions -----------------------------------------------------------------------------

    def create(
        self,
        key: str,
        connection: Connection,
        rules: list[MappingRule],
        *,
        title: str = "",
        source: str = "",
        secret: str = "",
        every_minutes: int | None = None,
        enabled: bool = True,
    ) -> Pull:
        """A pull whose events come under `source` (by default its key; made where there is none). secret: password
        of the database, or secret key. Raises `Conflict` where the key is taken."""
        if _KEY.fullmatch(key) is None:
            raise InvalidInput("key", "must have 1 to 100 letters, digits, dots, hyphens and underscores")
        connection, secret = self.checked(connection, secret)
        check_pull_rules(rules)
        every = _minutes(every_minutes)
        source = source or key
        if not any(one.name == source and one.revoked_at is None for one in self._sources.all()):
            self._sources.create(source, SourceSettings())
        with self._database.begin() as at:
            done = at.execute(
                self._database.insert_or_ignore(table).values(
                    key=key, title=title or key, source=source, connection=_json(connection), secret=secret,
                    rules=_json(rules), every_minutes=every, enabled=enabled, created_at=_now(), failures=0,
                    next_at=_now() if every and enabled else None,
                )
            )  # fmt: skip
            if done.rowcount == 0:
                raise Conflict(f"there is a pull {key!r} already")
        return self.get(key)

    def checked(self, connection: Connection, secret: str) -> tuple[Connection, str]:
        """The connection without its password, and that. Raises `InvalidInput`."""
        if isinstance(connection, SqlPlace):
            url, inside = split_password(connection.url)
            connection = msgspec.structs.replace(connection, url=url)
            check_sql(connection, self.allowed)
            return connection, secret or inside
        check_place(connection, self.allowed)
        if isinstance(connection, S3Place) and bool(connection.access_key) != bool(secret):
            raise InvalidInput("secret", "belongs to an access key; give both or neither")
        return connection, secret

    @staticmethod
    def check_kept(before: Connection, after: Connection, secret: str) -> None:
        """A kept secret goes to no other address: whoever may change that could have it sent to himself."""
        if secret and _address(before) != _address(after):
            raise InvalidInput("secret", "must be given again: the one that is kept belongs to another address")

    def all(self) -> list[Pull]:
        with self._database.read() as at:
            return [_pull(row) for row in at.execute(sa.select(table).order_by(table.c.key))]

    def get(self, key: str) -> Pull:
        """Raises `NotFound`."""
        return _pull(self._row(key))

    def secret_of(self, key: str) -> str:
        """For connecting alone. Raises `NotFound`."""
        return str(self._row(key).secret)

    def change(
        self,
        key: str,
        *,
        title: str | None = None,
        source: str | None = None,
        connection: Connection | None = None,
        secret: str | None = None,
        rules: list[MappingRule] | None = None,
        every_minutes: int | None = None,
        enabled: bool | None = None,
    ) -> Pull:
        """Change what is given; every_minutes 0 is by hand alone. Where it reads and what of it cannot change while
        it runs (`Busy`). The mark stays unless another table, query, mark or place is read: then it begins anew."""
        row = self._row(key)
        held = _pull(row)
        values: dict[str, Any] = {}
        if title is not None:
            values["title"] = title or key
        if source is not None:
            self._existing(source)
            values["source"] = source
        if connection is not None or secret is not None:
            # An empty secret with a new connection is the one that is kept.
            if connection is not None and not secret:
                self.check_kept(held.connection, connection, row.secret)
            place, word = self.checked(connection or held.connection, secret or row.secret)
            values |= {"connection": _json(place), "secret": word}
            if _other(held.connection, place):
                values["mark"] = None
        if rules is not None:
            check_pull_rules(rules)
            values["rules"] = _json(rules)
        if every_minutes is not None:
            values["every_minutes"] = _minutes(every_minutes or None)
        if enabled is not None:
            values["enabled"] = enabled
        every = values.get("every_minutes", held.every_minutes)
        if "enabled" in values or "every_minutes" in values:
            on = values.get("enabled", held.enabled)
            values["next_at"] = _now() if every and on else None
        if not values:
            return held
        guard = sa.true() if values.keys() <= {"title", "enabled", "every_minutes", "next_at"} else _free()
        with self._database.begin() as at:
            done = at.execute(sa.update(table).where(table.c.key == key, guard).values(**values))
            if done.rowcount == 0:
                raise Busy(f"the pull {key!r} is running; change it when the run has ended")
            if values.get("mark", 0) is None:
                at.execute(sa.delete(pull_file).where(pull_file.c.pull == key))
        return self.get(key)

    def remove(self, key: str) -> None:
        """Forget a pull, its runs and its mark; a run ends at its next step. Its events and its source stay."""
        with self._database.begin() as at:
            if at.execute(sa.delete(table).where(table.c.key == key)).rowcount == 0:
                raise NotFound("pull", key)
            at.execute(sa.delete(pull_run).where(pull_run.c.pull == key))
            at.execute(sa.delete(pull_file).where(pull_file.c.pull == key))

    def reset(self, key: str) -> Pull:
        """Begin from the first row again with the next run; what came already counts once. Raises `Busy`."""
        self._row(key)
        with self._database.begin() as at:
            done = at.execute(
                sa.update(table).where(table.c.key == key, _free()).values(mark=None, failures=0, error=None)
            )
            if done.rowcount == 0:
                raise Busy(f"the pull {key!r} is running; reset it when the run has ended")
            at.execute(sa.delete(pull_file).where(pull_file.c.pull == key))
        return self.get(key)

    def runs(self, key: str, limit: int = 50) -> list[PullRun]:
        """The latest runs, newest first. Raises `NotFound`."""
        self._row(key)
        query = sa.select(pull_run).where(pull_run.c.pull == key).order_by(pull_run.c.id.desc()).limit(limit)
        with self._database.read() as at:
            return [_run(row) for row in at.execute(query)]

    def source_of(self, pull: Pull) -> Source:
        """Raises `NotFound` where it was revoked."""
        return self._existing(pull.source)

    def _existing(self, name: str) -> Source:
        found = next((one for one in self._sources.all() if one.name == name and one.revoked_at is None), None)
        if found is None:
            raise NotFound("source", name)
        return found

    def _row(self, key: str) -> Any:
        with self._database.read() as at:
            row = at.execute(sa.select(table).where(table.c.key == key)).one_or_none()
        if row is None:
            raise NotFound("pull", key)
        return row

    # -- running ---------------------------------------------------------------------------------

    def due(self) -> list[str]:
        """Pulls whose time has come and that nobody runs, the longest waiting first."""
        query = (
            sa.select(table.c.key)
            .where(table.c.enabled, table.c.next_at <= _now(), _free())
            .order_by(table.c.next_at, table.c.key)
        )
        with self._database.read() as at:
            return list(at.scalars(query))

    def hold(self, key: str, trigger: Trigger = "hand") -> Held:
        """Become the one process that runs it. Raises `Busy` where another does or, by schedule, did just now;
        `NotFound`."""
        due = sa.true() if trigger == "hand" else table.c.enabled & (table.c.next_at <= _now())
        token = secrets.token_hex(12)
        with self._database.begin() as at:
            done = at.execute(
                sa.update(table).where(table.c.key == key, _free(), due).values(holder=token, held_until=_now() + LEASE)
            )
            if done.rowcount == 1:
                # Whoever ran it before and did not say how it ended was killed.
                at.execute(
                    sa.update(pull_run)
                    .where(pull_run.c.pull == key, pull_run.c.status == "running")
                    .values(status="stopped", ended_at=_now(), error="the process that ran it ended")
                )
        row = self._row(key)
        if done.rowcount == 0:
            raise Busy(f"the pull {key!r} is running already")
        mark = None if row.mark is None else _marks[_kind(row.connection)].decode(row.mark)
        return Held(pull=_pull(row), secret=row.secret, mark=mark, token=token)

    def still(self, held: Held) -> bool:
        """Say that it still runs; False where it is another's by now, or gone."""
        return self._guarded(held, held_until=_now() + LEASE)

    def move(self, held: Held, mark: Mark) -> bool:
        """The events up to here are durable. False where the pull is another's by now, or gone."""
        return self._guarded(held, held_until=_now() + LEASE, mark=_json(mark))

    def took(self, held: Held, file: Found, rows: int, mark: Found) -> bool:
        """The events of a file are durable. As `move`."""
        taken = {"size": file.size, "modified": file.modified, "rows": rows, "taken_at": _now()}
        with self._database.begin() as at:
            if not _mine(at, held, held_until=_now() + LEASE, mark=_json(mark)):
                return False
            row = {"pull": held.pull.key, "name": file.name, **taken}
            self._database.upsert_all(at, pull_file, ["pull", "name"], [row])
        return True

    def taken(self, key: str) -> dict[str, tuple[int, int]]:
        """name -> (size, modified) of the files taken."""
        query = sa.select(pull_file.c.name, pull_file.c.size, pull_file.c.modified).where(pull_file.c.pull == key)
        with self._database.read() as at:
            return {row.name: (row.size, row.modified) for row in at.execute(query)}

    def begin_run(self, held: Held, trigger: Trigger) -> int:
        """The number of a new run; the oldest are forgotten."""
        with self._database.begin() as at:
            done = at.execute(
                sa.insert(pull_run).values(
                    pull=held.pull.key, trigger=trigger, status="running", started_at=_now(), rows=0, accepted=0,
                    duplicate=0, quarantined=0, dropped=0, skipped=0, files=0,
                    mark_before=None if held.mark is None else mark_text(held.mark),
                )
            )  # fmt: skip
            assert done.inserted_primary_key is not None, "the table has one"
            number = int(done.inserted_primary_key[0])
            kept = (
                sa.select(pull_run.c.id).where(pull_run.c.pull == held.pull.key)
                .order_by(pull_run.c.id.desc()).limit(1).offset(_MOST_RUNS)
            )  # fmt: skip
            oldest = at.scalar(kept)
            if oldest is not None:
                at.execute(sa.delete(pull_run).where(pull_run.c.pull == held.pull.key, pull_run.c.id <= oldest))
        return number

    def note_run(self, number: int, counts: dict[str, int], mark: Mark | None) -> None:
        """How far a run is."""
        shown = None if mark is None else mark_text(mark)
        with self._database.begin() as at:
            at.execute(sa.update(pull_run).where(pull_run.c.id == number).values(**counts, mark_after=shown))

    def end_run(self, held: Held, number: int, status: str, error: str | None) -> None:
        """Let go of the pull and say when it runs next: after failures ever later, else as scheduled."""
        now = _now()
        with self._database.begin() as at:
            at.execute(
                sa.update(pull_run).where(pull_run.c.id == number).values(status=status, ended_at=now, error=error)
            )
            row = at.execute(
                sa.select(table.c.failures, table.c.every_minutes, table.c.enabled).where(table.c.key == held.pull.key)
            ).one_or_none()
            if row is None:
                return
            failures = row.failures + 1 if status == "failed" else 0 if status == "done" else row.failures
            wait = min(2 ** min(failures - 1, 9), _MOST_WAIT) if status == "failed" else row.every_minutes or 0
            if status == "stopped":
                wait = 0
            _mine(
                at, held, holder=None, held_until=None, last_at=now, failures=failures,
                error=error if status == "failed" else None,
                next_at=now + wait * _MINUTE if row.every_minutes and row.enabled else None,
            )  # fmt: skip

    def _guarded(self, held: Held, **values: Any) -> bool:
        with self._database.begin() as at:
            return _mine(at, held, **values)


def mark_text(mark: Mark) -> str:
    """For people."""
    if isinstance(mark, At):
        return at_text(mark)
    seconds = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(mark.modified // 1_000_000))
    return f"{mark.name}, {seconds}"


def _mine(at: sa.Connection, held: Held, **values: Any) -> bool:
    where = (table.c.key == held.pull.key) & (table.c.holder == held.token)
    return at.execute(sa.update(table).where(where).values(**values)).rowcount == 1


def _free() -> sa.ColumnElement[bool]:
    return table.c.held_until.is_(None) | (table.c.held_until < _now())


def _other(before: Connection, after: Connection) -> bool:
    """True where the mark of one says nothing about the other."""
    if type(before) is not type(after):
        return True
    if isinstance(before, SqlPlace) and isinstance(after, SqlPlace):
        # Another password, host or address is mostly the same database elsewhere.
        return (before.table, before.query, before.mark, before.key) != (
            after.table, after.query, after.mark, after.key)  # fmt: skip
    same = ("path",) if hasattr(before, "path") else ("bucket", "prefix")
    return any(getattr(before, name) != getattr(after, name) for name in same)


def _address(place: Connection) -> tuple[str, ...]:
    if isinstance(place, SqlPlace):
        url, _ = split_password(place.url)
        return (url.partition("?")[0],)
    return (place.endpoint, place.access_key) if isinstance(place, S3Place) else ()


def _minutes(every: int | None) -> int | None:
    if every is not None and not 1 <= every <= 44_640:
        raise InvalidInput("every_minutes", "must be between 1 and 44,640 (31 days); leave it out to run by hand")
    return every


def _kind(connection: str) -> str:
    found: str = msgspec.json.decode(connection)["kind"]
    return found


def _pull(row: Any) -> Pull:
    connection: Connection = msgspec.json.decode(row.connection, type=Connection)
    mark = None if row.mark is None else mark_text(_marks[_kind(row.connection)].decode(row.mark))
    return Pull(
        key=row.key,
        title=row.title,
        source=row.source,
        connection=connection,
        has_secret=bool(row.secret),
        rules=msgspec.json.decode(row.rules, type=list[MappingRule]),
        every_minutes=row.every_minutes,
        enabled=row.enabled,
        running=row.held_until is not None and row.held_until >= _now(),
        created_at=row.created_at,
        mark=mark,
        next_at=row.next_at,
        failures=row.failures,
        error=row.error,
        last_at=row.last_at,
    )


def _run(row: Any) -> PullRun:
    return PullRun(**{name: getattr(row, name) for name in PullRun.__struct_fields__})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _now() -> int:
    return time.time_ns() // 1000
