"""The metrics of a workspace, every version of them, and what uses each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.behavior import Behavior
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.measure.metric import Metric, check_metric
from tilth.measure.metric_values import MetricAnswer, MetricAsked, metric_values
from tilth.state import Database
from tilth.state.database import metadata

__all__ = ["KeptMetric", "MetricUse", "MetricVersion", "Metrics", "metric_table", "metric_version_table"]

metric_table = sa.Table(
    "metric",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
metric_version_table = sa.Table(
    "metric_version",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)


class KeptMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric as it is now. version: 1 when made, one more with every change. created_at, changed_at: UTC µs."""

    metric: Metric
    version: int
    by: str
    created_at: int
    changed_at: int


class MetricVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric was from `changed_at` (UTC µs) on."""

    metric: Metric
    version: int
    by: str
    changed_at: int


class MetricUse(msgspec.Struct, frozen=True, kw_only=True):
    """Where a metric is used. kind: board, alert or tree; id, name: of that."""

    kind: str
    id: str
    name: str


class Metrics:
    """By key. uses: what lists every use of metrics there is, as (key, use)."""

    def __init__(
        self,
        database: Database,
        behavior: Callable[[], Behavior],
        zone: Callable[[], str],
        uses: Callable[[], Iterable[tuple[str, MetricUse]]] = lambda: (),
    ) -> None:
        self._database = database
        self._behavior = behavior
        self._zone = zone
        self._uses = uses

    def all(self) -> list[KeptMetric]:
        """By key."""
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(sa.select(metric_table).order_by(metric_table.c.key))]

    def get(self, key: str) -> KeptMetric:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(metric_table).where(metric_table.c.key == key)).first()
        if row is None:
            raise NotFound("metric", key)
        return _kept(row)

    def versions(self, key: str) -> list[MetricVersion]:
        """The newest first. Raises `NotFound`."""
        self.get(key)
        table = metric_version_table
        query = sa.select(table).where(table.c.key == key).order_by(table.c.version.desc())
        with self._database.read() as connection:
            return [
                MetricVersion(
                    metric=msgspec.json.decode(row.definition, type=Metric),
                    version=row.version,
                    by=row.changed_by,
                    changed_at=row.changed_at,
                )
                for row in connection.execute(query)
            ]

    def make(self, metric: Metric, by: str) -> KeptMetric:
        """A new metric. Raises `InvalidInput`, and `Conflict` where the key is taken."""
        now = time.time_ns() // 1000
        text = _text(metric)
        with self._database.begin() as connection:
            made = connection.execute(
                self._database.insert_or_ignore(metric_table).values(
                    key=metric.key, version=1, definition=text, made_by=by, created_at=now, changed_at=now
                )
            )
            if made.rowcount == 0:
                raise Conflict(f"there is a metric {metric.key!r} already")
            connection.execute(
                sa.insert(metric_version_table).values(
                    key=metric.key, version=1, definition=text, changed_by=by, changed_at=now
                )
            )
        return self.get(metric.key)

    def change(self, key: str, metric: Metric, by: str, version: int | None = None) -> KeptMetric:
        """Put another definition in its place, as a new version; the same one again changes nothing.

        version: the one that was changed; raises `Conflict` when somebody was faster, besides `InvalidInput`
        and `NotFound`.
        """
        if metric.key != key:
            raise InvalidInput("key", "cannot be changed; others call the metric by it")
        text = _text(metric)
        held = self.get(key)
        if version is not None and held.version != version:
            raise Conflict(f"the metric was changed meanwhile (version {held.version}); load it again")
        if _text(held.metric) == text:
            return held
        now = time.time_ns() // 1000
        table = metric_table
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.key == key, table.c.version == held.version)
                .values(definition=text, version=held.version + 1, changed_at=now)
            )
            if done.rowcount == 0:
                raise Conflict("the metric was changed meanwhile; load it again")
            connection.execute(
                sa.insert(metric_version_table).values(
                    key=key, version=held.version + 1, definition=text, changed_by=by, changed_at=now
                )
            )
        return self.get(key)

    def save(self, metric: Metric, by: str) -> KeptMetric:
        """Make it, or change the one of that key."""
        try:
            return self.change(metric.key, metric, by)
        except NotFound:
            return self.make(metric, by)

    def delete(self, key: str) -> None:
        """Raises `NotFound`, and `Conflict` while something uses it."""
        self.get(key)
        used = self.uses(key)
        if used:
            raise Conflict("is used by " + ", ".join(f"{u.kind} {u.name}" for u in used[:5]))
        with self._database.begin() as connection:
            connection.execute(sa.delete(metric_table).where(metric_table.c.key == key))
            connection.execute(sa.delete(metric_version_table).where(metric_version_table.c.key == key))

    def uses(self, key: str) -> list[MetricUse]:
        """Where the metric is used."""
        return [use for used, use in self._uses() if used == key]

    def values(self, key: str, asked: MetricAsked | Mapping[str, Any] | None = None) -> MetricAnswer:
        """The metric's values (see `metric_values.py`). Raises `NotFound` and `InvalidInput`."""
        held = self.get(key)
        return self.values_of(held.metric, asked, held.version)

    def values_of(
        self, metric: Metric, asked: MetricAsked | Mapping[str, Any] | None = None, version: int = 0
    ) -> MetricAnswer:
        """The values of a definition, kept or not."""
        now = time.time_ns() // 1000
        return metric_values(self._behavior(), check_metric(metric), version, asked, now, self._zone())


def _text(metric: Metric) -> str:
    return msgspec.json.encode(check_metric(metric)).decode()


def _kept(row: sa.Row[Any]) -> KeptMetric:
    return KeptMetric(
        metric=msgspec.json.decode(row.definition, type=Metric),
        version=row.version,
        by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
