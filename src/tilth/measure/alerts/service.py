"""The alerts of a workspace: judged once a period, told once an incident, silenced and acknowledged by people."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.behavior.calendar import DAY, Zone, parse_duration, periods_of, zone_of
from tilth.errors import Conflict, InvalidInput, NotFound, TilthError
from tilth.measure.alerts.alert import Alert, check_alert
from tilth.measure.alerts.explain import Contribution, explain
from tilth.measure.alerts.judge import Seen, Verdict, judge
from tilth.measure.alerts.wording import opened, recovered
from tilth.measure.metric import Metric
from tilth.measure.metric_values import MetricPoint
from tilth.measure.metrics import Metrics, MetricUse
from tilth.notify import Destinations, Message, Outbox
from tilth.settings import Settings
from tilth.state import Database
from tilth.state.database import BigId, metadata

__all__ = ["Alerts", "Incident", "Judged", "KeptAlert", "alert_table", "incident_table"]

alert_table = sa.Table(
    "alert",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("silenced_until", sa.BigInteger),
    # The last period that was judged, when, and what was said of it: ok, firing or unknown.
    sa.Column("judged", sa.Text, nullable=False),
    sa.Column("judged_at", sa.BigInteger),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
incident_table = sa.Table(
    "incident",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("alert", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("first_period", sa.Text, nullable=False),
    sa.Column("last_period", sa.Text, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("expected", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("explained", sa.Text, nullable=False),
    sa.Column("silenced", sa.Boolean, nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("acknowledged_by", sa.Text, nullable=False),
    sa.Column("acknowledged_at", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False),
    sa.UniqueConstraint("alert", "first_period"),
    sqlite_autoincrement=True,
)
# How many days back are looked at, by interval.
_HISTORY = {"hour": 57, "day": 64, "week": 7 * 27, "month": 460}
_EXPLAIN_BY = ("channel", "category", "product", "store", "context.source")
_SECOND = 1_000_000


class KeptAlert(msgspec.Struct, frozen=True, kw_only=True):
    """state: ok, firing, unknown (reason says why) or new. judged: the last period judged. Instants in UTC µs."""

    alert: Alert
    version: int
    by: str
    created_at: int
    changed_at: int
    silenced_until: int | None
    judged: str
    judged_at: int | None
    state: str
    reason: str


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of periods that were not as they should be. low, high: what would have been usual in the first.

    closed_at: None while it lasts. silenced: nobody was told. Instants in UTC µs.
    """

    id: int
    alert: str
    name: str
    metric: str
    first_period: str
    last_period: str
    value: float
    expected: float | None
    low: float | None
    high: float | None
    unit: str
    text: str
    explained: list[Contribution]
    silenced: bool
    opened_at: int
    closed_at: int | None
    acknowledged_by: str
    acknowledged_at: int | None
    note: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A period as an alert sees it."""

    period: str
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    firing: bool | None
    reason: str


class Alerts:
    """By key."""

    def __init__(
        self,
        database: Database,
        metrics: Metrics,
        destinations: Destinations,
        outbox: Outbox,
        settings: Callable[[], Settings],
    ) -> None:
        self._database = database
        self._metrics = metrics
        self._destinations = destinations
        self._outbox = outbox
        self._settings = settings

    # -- definitions -----------------------------------------------------------------------------

    def all(self) -> list[KeptAlert]:
        """By key."""
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(sa.select(alert_table).order_by(alert_table.c.key))]

    def get(self, key: str) -> KeptAlert:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(alert_table).where(alert_table.c.key == key)).first()
        if row is None:
            raise NotFound("alert", key)
        return _kept(row)

    def make(self, alert: Alert, by: str) -> KeptAlert:
        """A new alert. Raises `InvalidInput`, and `Conflict` where the key is taken."""
        text = self._text(alert)
        now = time.time_ns() // 1000
        with self._database.begin() as connection:
            made = connection.execute(
                self._database.insert_or_ignore(alert_table).values(
                    key=alert.key, version=1, definition=text, made_by=by, created_at=now, changed_at=now,
                    judged="", state="new", reason="",
                )
            )  # fmt: skip
        if made.rowcount == 0:
            raise Conflict(f"there is an alert {alert.key!r} already")
        return self.get(alert.key)

    def change(self, key: str, alert: Alert, version: int | None = None) -> KeptAlert:
        """Put another in its place; the period judged last is judged anew. Raises `InvalidInput`, `NotFound`,
        and `Conflict` when `version` is not the one there is."""
        if alert.key != key:
            raise InvalidInput("key", "cannot be changed")
        text = self._text(alert)
        held = self.get(key)
        if version is not None and version != held.version:
            raise Conflict(f"the alert was changed meanwhile (version {held.version}); load it again")
        table = alert_table
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.key == key, table.c.version == held.version)
                .values(definition=text, version=held.version + 1, changed_at=time.time_ns() // 1000, judged="")
            )
        if done.rowcount == 0:
            raise Conflict("the alert was changed meanwhile; load it again")
        return self.get(key)

    def delete(self, key: str) -> None:
        """Raises `NotFound`. Its incidents stay; open ones are closed."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(alert_table).where(alert_table.c.key == key)).rowcount == 0:
                raise NotFound("alert", key)
            table = incident_table
            connection.execute(
                sa.update(table)
                .where(table.c.alert == key, table.c.closed_at.is_(None))
                .values(closed_at=time.time_ns() // 1000)
            )

    def silence(self, key: str, until: int | None) -> KeptAlert:
        """Tell nobody until then (UTC µs); None: speak again. It is still judged. Raises `NotFound`."""
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(alert_table).where(alert_table.c.key == key).values(silenced_until=until)
            )
        if done.rowcount == 0:
            raise NotFound("alert", key)
        return self.get(key)

    def uses(self) -> list[tuple[str, MetricUse]]:
        """Which metric each alert uses."""
        return [(a.alert.metric, MetricUse(kind="alert", id=a.alert.key, name=a.alert.name)) for a in self.all()]

    def _text(self, alert: Alert) -> str:
        check_alert(alert)
        try:
            self._metrics.get(alert.metric)
        except NotFound:
            known = [m.metric.key for m in self._metrics.all()]
            raise InvalidInput("metric", f"there is no metric {alert.metric[:60]!r}", known) from None
        self._destinations.check(alert.destinations, "destinations")
        return msgspec.json.encode(alert).decode()

    # -- incidents -------------------------------------------------------------------------------

    def incidents(self, alert: str | None = None, limit: int = 100) -> list[Incident]:
        """Open ones first, then the newest."""
        table = incident_table
        query = sa.select(table).order_by(table.c.closed_at.is_not(None), table.c.id.desc()).limit(limit)
        if alert is not None:
            query = query.where(table.c.alert == alert)
        with self._database.read() as connection:
            return [_incident(row) for row in connection.execute(query)]

    def acknowledge(self, id: int, by: str, note: str = "") -> Incident:
        """Somebody looks after it. Raises `NotFound`, and `Conflict` when somebody else does already."""
        if len(note) > 2_000:
            raise InvalidInput("note", "may be 2,000 characters at most")
        table = incident_table
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.id == id, sa.or_(table.c.acknowledged_by == "", table.c.acknowledged_by == by))
                .values(acknowledged_by=by, acknowledged_at=time.time_ns() // 1000, note=note.strip())
            )
            row = connection.execute(sa.select(table).where(table.c.id == id)).first()
        if row is None:
            raise NotFound("incident", str(id))
        if done.rowcount == 0:
            raise Conflict(f"{row.acknowledged_by} looks after it already")
        return _incident(row)

    # -- judging ---------------------------------------------------------------------------------

    def check_all(self, now: int | None = None) -> int:
        """Judge every alert whose next period is over; how many were."""
        judged = 0
        for held in self.all():
            if held.alert.enabled:
                judged += self._check(held, now or time.time_ns() // 1000)
        return judged

    def preview(self, alert: Alert, now: int | None = None) -> list[Judged]:
        """What the alert would have said of the last periods, the newest last: before it is switched on."""
        check_alert(alert)
        metric = self._metrics.get(alert.metric).metric
        moment = now or time.time_ns() // 1000
        points = self._points(alert, metric, moment, extra=30)
        shown = []
        for i in range(max(0, len(points) - 30), len(points)):
            verdict = self._judge(alert, metric, points[: i + 1])
            point = points[i][0]
            shown.append(
                Judged(
                    period=point.period,
                    value=None if point.value is None else float(point.value),
                    expected=verdict.expected,
                    low=verdict.low,
                    high=verdict.high,
                    firing=verdict.firing,
                    reason=verdict.reason,
                )
            )
        return shown

    def _check(self, held: KeptAlert, now: int) -> int:
        alert = held.alert
        zone = zone_of(self._settings().timezone)
        period = _last_over(alert, zone, now)
        if period is None or period == held.judged:
            return 0
        state, reason, told = "unknown", "", None
        try:
            metric = self._metrics.get(alert.metric).metric
            points = self._points(alert, metric, now)
            if not points or (points[-1][0].period != period and metric.kind != "retention"):
                reason = "the period has no value"
            else:
                verdict = self._judge(alert, metric, points)
                reason = verdict.reason
                if verdict.firing is not None:
                    state = "firing" if verdict.firing else "ok"
                told = (metric, points[-1][0], verdict)
        except TilthError as error:
            reason = error.message[:500]
        parts: list[Contribution] = []
        if state == "firing" and told is not None:
            parts = self._explained(alert, told[0], zone, now)
        table = alert_table
        with self._database.begin() as connection:
            # Of several processes the one that notes the period first speaks.
            done = connection.execute(
                sa.update(table)
                .where(table.c.key == alert.key, table.c.judged == held.judged, table.c.version == held.version)
                .values(judged=period, judged_at=now, state=state, reason=reason)
            )
            if done.rowcount == 0:
                return 0
            if told is not None and state != "unknown":
                quiet = held.silenced_until is not None and held.silenced_until > now
                self._note(connection, alert, told[0], told[1], told[2], parts, quiet=quiet, now=now)
        return 1

    def _note(
        self, connection: sa.Connection, alert: Alert, metric: Metric, point: MetricPoint, verdict: Verdict,
        parts: list[Contribution], *, quiet: bool, now: int,
    ) -> None:  # fmt: skip
        """Open, go on with or close the incident, and put what is to be told into the outbox."""
        table = incident_table
        settings = self._settings()
        row = connection.execute(
            sa.select(table).where(table.c.alert == alert.key, table.c.closed_at.is_(None)).order_by(table.c.id)
        ).first()
        value = float(point.value or 0)
        if verdict.firing:
            if row is not None:
                connection.execute(
                    sa.update(table).where(table.c.id == row.id).values(last_period=point.period, value=value)
                )
                return
            title, text = opened(
                alert, metric, point.period, value, verdict, parts, settings.currency, settings.language
            )
            connection.execute(
                self._database.insert_or_ignore(table).values(
                    alert=alert.key, name=alert.name, metric=metric.key, first_period=point.period,
                    last_period=point.period, value=value, expected=verdict.expected, low=verdict.low,
                    high=verdict.high, unit=metric.shown_unit, text=text,
                    explained=msgspec.json.encode(parts).decode(), silenced=quiet, opened_at=now,
                    acknowledged_by="", note="",
                )
            )  # fmt: skip
            what = "opened"
        else:
            if row is None:
                return
            connection.execute(sa.update(table).where(table.c.id == row.id).values(closed_at=now))
            title, text = recovered(alert, metric, point.period, value, settings.currency, settings.language)
            what = "closed"
            quiet = quiet or bool(row.silenced)
        if quiet:
            return
        link = f"{settings.public_url.rstrip('/')}/settings/alerts?alert={alert.key}" if settings.public_url else ""
        data: dict[str, Any] = {
            "alert": alert.key,
            "metric": metric.key,
            "period": point.period,
            "value": value,
            "expected": verdict.expected,
            "low": verdict.low,
            "high": verdict.high,
            "what": what,
        }
        for destination in alert.destinations:
            key = f"alert:{alert.key}:{what}:{point.period}:{destination}"
            self._outbox.put(connection, key, destination, Message(title=title, text=text, link=link, data=data))

    def _judge(self, alert: Alert, metric: Metric, points: list[tuple[MetricPoint, int]]) -> Verdict:
        counted = metric.kind in ("count", "people", "sum")
        seen = [
            Seen(
                None if p.value is None else float(p.value),
                slot,
                float(p.denominator) if metric.is_share and p.denominator else None,
            )
            for p, slot in points
        ]
        verdict = judge(alert.condition, seen[:-1], seen[-1], counted=counted)
        point = points[-1][0]
        size = point.denominator if point.denominator is not None else max(point.value or 0, verdict.expected or 0)
        if alert.at_least and float(size) < alert.at_least and verdict.firing is not None:
            return verdict._replace(firing=None, reason=f"fewer than {alert.at_least:g} are not judged")
        return verdict

    def _points(self, alert: Alert, metric: Metric, now: int, extra: int = 0) -> list[tuple[MetricPoint, int]]:
        """The periods that are over, oldest first, with what each is compared with."""
        zone = zone_of(self._settings().timezone)
        today = zone.date(now)
        first = today - dt.timedelta(days=_HISTORY[alert.interval] + (extra if alert.interval == "day" else 0))
        if alert.interval == "week":
            first -= dt.timedelta(days=first.weekday())
        elif alert.interval == "month":
            first = first.replace(day=1)
        answer = self._metrics.values_of(
            metric,
            {
                "range": {"from": first.isoformat(), "to": today.isoformat()},
                "interval": alert.interval,
                "filters": alert.filters,
                "segment": alert.segment,
                "allow_unknown": True,
            },
        )
        if answer.interval != alert.interval:
            raise InvalidInput("interval", f"this metric is of the interval {answer.interval}", [answer.interval])
        periods = periods_of(alert.interval, zone.start(first), zone.start(today + dt.timedelta(days=1)), zone)
        ends = dict(zip(periods.labels, periods.bounds[1:].tolist(), strict=True))
        begins = dict(zip(periods.labels, periods.bounds[:-1].tolist(), strict=True))
        over = now - _delay(alert)
        found = [
            (p, _slot(alert.interval, zone, begins[p.period]))
            for p in answer.series[0].points
            if p.period in ends and ends[p.period] <= over
        ]
        # Who came back is known when the period of coming back is over too.
        return found[: max(0, len(found) - metric.after)] if metric.kind == "retention" else found

    def _explained(self, alert: Alert, metric: Metric, zone: Zone, now: int) -> list[Contribution]:
        """By the period's days, beside those it is compared with."""
        day = zone.date(now - _delay(alert))
        length = {"hour": 1, "day": 1, "week": 7, "month": 30}[alert.interval]
        last = day if alert.interval == "hour" else day - dt.timedelta(days=1)
        week = alert.interval in ("hour", "day") and (
            alert.condition.kind == "seasonal" or alert.condition.versus == "week"
        )
        back = 7 if week else length

        def days(end: dt.date) -> dict[str, Any]:
            start = end - dt.timedelta(days=length - 1)
            return {
                "range": {"from": start.isoformat(), "to": end.isoformat()},
                "interval": "day",
                "filters": alert.filters,
                "segment": alert.segment,
            }

        names = alert.explain_by or list(_EXPLAIN_BY)
        try:
            return explain(self._metrics, metric, names, days(last), days(last - dt.timedelta(days=back)))
        except TilthError:
            # What happened is told even where it cannot be explained.
            return []


def _delay(alert: Alert) -> int:
    return parse_duration(alert.delay, "delay").us


def _last_over(alert: Alert, zone: Zone, now: int) -> str | None:
    """The label of the last period that is over."""
    over = now - _delay(alert)
    periods = periods_of(alert.interval, over - 70 * DAY, over + 1, zone)
    done = [label for label, end in zip(periods.labels, periods.bounds[1:].tolist(), strict=True) if end <= over]
    return done[-1] if done else None


def _slot(interval: str, zone: Zone, begins: int) -> int:
    local = zone.local(begins)
    if interval == "hour":
        return local.weekday() * 24 + local.hour
    return local.weekday() if interval == "day" else 0


def _kept(row: sa.Row[Any]) -> KeptAlert:
    return KeptAlert(
        alert=msgspec.json.decode(row.definition, type=Alert),
        version=row.version,
        by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        silenced_until=row.silenced_until,
        judged=row.judged,
        judged_at=row.judged_at,
        state=row.state,
        reason=row.reason,
    )


def _incident(row: sa.Row[Any]) -> Incident:
    return Incident(
        id=row.id, alert=row.alert, name=row.name, metric=row.metric, first_period=row.first_period,
        last_period=row.last_period, value=row.value, expected=row.expected, low=row.low, high=row.high, unit=row.unit,
        text=row.text, explained=msgspec.json.decode(row.explained, type=list[Contribution]),
        silenced=bool(row.silenced), opened_at=row.opened_at, closed_at=row.closed_at,
        acknowledged_by=row.acknowledged_by, acknowledged_at=row.acknowledged_at, note=row.note,
    )  # fmt: skip
