"""Answers as tables, for notebooks and data frames.

One row a number, with its denominator (`of`) and its 95 % interval (`low`, `high`) beside every share. Where a
breakdown was asked for, a column `breakdown` says whose row it is: "(all)" is everybody, null a missing value.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterable, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyarrow as pa

from tilth.behavior.attribution import AttributionAnswer
from tilth.behavior.distribution import Bin, DistributionAnswer
from tilth.behavior.funnel import FunnelAnswer, FunnelStep
from tilth.behavior.lifecycle import LifecycleAnswer, LifecycleValue
from tilth.behavior.ltv import LtvAnswer
from tilth.behavior.parameters import Answer, PeopleBehind
from tilth.behavior.paths import PathsAnswer
from tilth.behavior.retention import RetentionAnswer, RetentionRow
from tilth.behavior.sessions import SessionsAnswer
from tilth.behavior.stickiness import StickinessAnswer
from tilth.behavior.timeline import TimelineAnswer
from tilth.behavior.trends import Point, TrendsAnswer
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Table", "arrow", "html_table", "need", "table"]

ALL = "(all)"
SHOWN_ROWS = 200
# A column of the table of attribution, and where a holdout has it.
_BOUNDS = {"credit_low": "conversions_low", "credit_high": "conversions_high"} | {
    name: name for name in ("revenue_low", "revenue_high", "cac_low", "cac_high", "roi_low", "roi_high")
}
_SHARES = frozenset({"share", "low", "high", "from_previous", "bounced", "paying"})


class Table(NamedTuple):
    """Names of the columns, and the rows."""

    columns: list[str]
    rows: list[list[Any]]


@singledispatch
def table(answer: Answer) -> Table:
    """The answer as a table. Raises `TypeError` for an answer of a kind without one."""
    raise TypeError(f"{type(answer).__name__} has no table")


def arrow(answer: Answer) -> pa.Table:
    """The answer as an Arrow table; a column whose values are of several types becomes text."""
    made = table(answer)
    columns = list(zip(*made.rows, strict=True)) if made.rows else [()] * len(made.columns)
    return pa.table({name: _column(values) for name, values in zip(made.columns, columns, strict=True)})


def need(package: str, method: str) -> ModuleType:
    """Import a package that is no part of the install. Raises `InvalidInput` that names it when it is missing."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise InvalidInput(
            method, f"needs the package {package}, which is not installed here: pip install {package}"
        ) from None


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {float if type(v) is int else type(v) for v in values if v is not None}
    if len(kinds) > 1:
        return pa.array([None if v is None else str(v) for v in values], pa.string())
    if kinds == {float} and any(type(v) is float for v in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array(values)


# -- each kind -----------------------------------------------------------------------------------


def _share(people: int | None, of: int) -> list[Any]:
    """share, low, high of so many of so many; None where there is nobody or nothing is known."""
    if people is None:
        return [None, None, None]
    low, high = wilson(people, of) or (None, None)
    return [people / of if of else None, low, high]


def _split(columns: list[str], parts: Iterable[tuple[Any, list[list[Any]]]], broken: bool) -> Table:
    """One table of the rows of several values; the column that tells them apart only where there are several."""
    if not broken:
        return Table(columns, [row for _, rows in parts for row in rows])
    return Table(["breakdown", *columns], [[value, *row] for value, rows in parts for row in rows])


@table.register
def _funnel(answer: FunnelAnswer) -> Table:
    def rows(steps: list[FunnelStep]) -> list[list[Any]]:
        first = steps[0].people if steps else 0
        return [
            [k, s.label, s.people, first, *_share(s.people, first), s.from_previous, s.seconds_from_previous.median]
            for k, s in enumerate(steps)
        ]

    columns = ["step", "label", "people", "of", "share", "low", "high", "from_previous", "median_seconds"]
    parts = [(ALL, rows(answer.steps)), *((v.value, rows(v.steps)) for v in answer.breakdown)]
    return _split(columns, parts, bool(answer.breakdown))


@table.register
def _retention(answer: RetentionAnswer) -> Table:
    def row(c: RetentionRow, k: int, n: int | None) -> list[Any]:
        share = n / c.people if n is not None and c.people else None
        return [c.period, k, n, c.people, share, c.low[k], c.high[k], c.partial == k]

    def rows(cohorts: list[RetentionRow]) -> list[list[Any]]:
        return [row(c, k, n) for c in cohorts for k, n in enumerate(c.returned)]

    # running: that period is not over, and nothing is known yet of those after it.
    columns = ["period", "after", "people", "of", "share", "low", "high", "running"]
    parts = [(ALL, rows(answer.rows)), *((v.value, rows(v.rows)) for v in answer.breakdown)]
    return _split(columns, parts, bool(answer.breakdown))


@table.register
def _lifecycle(answer: LifecycleAnswer) -> Table:
    def rows(of: LifecycleAnswer | LifecycleValue) -> list[list[Any]]:
        counts = (answer.periods, of.new, of.returning, of.resurrecting, of.dormant)
        return [list(row) for row in zip(*counts, strict=True)]

    columns = ["period", "new", "returning", "resurrecting", "dormant"]
    return _split(
        columns, [(ALL, rows(answer)), *((v.value, rows(v)) for v in answer.breakdown)], bool(answer.breakdown)
    )


@table.register
def _stickiness(answer: StickinessAnswer) -> Table:
    def rows(people: list[int]) -> list[list[Any]]:
        return [[n, p] for n, p in zip(answer.active_periods, people, strict=True)]

    # No shares: cumulative counts do not add up to everybody, and the answer does not say which it has.
    columns = ["active_periods", "people"]
    parts = [(ALL, rows(answer.people)), *((v.value, rows(v.people)) for v in answer.breakdown)]
    return _split(columns, parts, bool(answer.breakdown))


@table.register
def _trends(answer: TrendsAnswer) -> Table:
    broken = len({s.label for s in answer.series}) < len(answer.series) or any(
        s.breakdown is not None for s in answer.series
    )
    compared = any(s.previous for s in answer.series)
    parts = []
    for series in answer.series:
        before: list[Point | None] = [*series.previous] or [None] * len(series.points)
        rows = []
        for point, earlier in zip(series.points, before, strict=False):
            rows.append([series.label, point.period, point.value, point.moving_average])
            if compared:
                rows[-1] += [earlier.period, earlier.value] if earlier is not None else [None, None]
        parts.append((series.breakdown, rows))
    columns = ["label", "period", "value", "moving_average"]
    return _split([*columns, *(["previous_period", "previous"] if compared else [])], parts, broken)


@table.register
def _paths(answer: PathsAnswer) -> Table:
    columns = ["source", "target", "sessions", "of", "share", "low", "high", "mean_seconds"]
    of = answer.sessions
    rows = [[e.source, e.target, e.sessions, of, *_share(e.sessions, of), e.mean_seconds] for e in answer.edges]
    return Table(columns, rows)


@table.register
def _distribution(answer: DistributionAnswer) -> Table:
    def rows(bins: list[Bin], of: int) -> list[list[Any]]:
        return [[b.from_, b.to, b.people, of, *_share(b.people, of)] for b in bins]

    columns = ["from", "to", "people", "of", "share", "low", "high"]
    parts = [(ALL, rows(answer.bins, answer.people)), *((v.value, rows(v.bins, v.people)) for v in answer.breakdown)]
    return _split(columns, parts, bool(answer.breakdown))


@table.register
def _attribution(answer: AttributionAnswer) -> Table:
    columns = ["value", "model", "credit", "of", "revenue", "cost", "cac", "roi"]
    rows = [
        [t.value, m, credit, answer.conversions, t.revenue.get(m), t.cost, t.cac.get(m), t.roi.get(m)]
        for t in answer.touches
        for m, credit in t.credit.items()
    ]
    if not answer.incremental:
        return Table(columns, rows)
    # Only what is incremental has an interval; the other models share out what has happened.
    own = {one.value: one for one in answer.incremental}
    for row in rows:
        one = own.get(str(row[0])) if row[1] == "incremental" and row[0] is not None else None
        row += [getattr(one, name) if one else None for name in _BOUNDS.values()]
    return Table([*columns, *_BOUNDS], rows)


@table.register
def _ltv(answer: LtvAnswer) -> Table:
    columns = ["period", "after", "people", "value", "paying"]
    rows = [[r.period, k, r.people, value, r.paying[k]] for r in answer.rows for k, value in enumerate(r.value)]
    return Table(columns, rows)


@table.register
def _sessions(answer: SessionsAnswer) -> Table:
    columns = ["sessions", "people", "mean_seconds", "mean_events", "per_person", "bounced"]

    def row(numbers: Any) -> list[Any]:
        return [getattr(numbers, name) for name in columns]

    parts = [(ALL, [[p.period, *row(p.numbers)] for p in answer.periods] + [[ALL, *row(answer.total)]])]
    parts += [(v.value, [[ALL, *row(v.numbers)]]) for v in answer.breakdown]
    return _split(["period", *columns], parts, bool(answer.breakdown))


@table.register
def _timeline(answer: TimelineAnswer) -> Table:
    columns = ["local", "event", "event_id", "source", "session", "properties"]
    rows = [
        [e.local, e.event, e.event_id, e.source, e.session, msgspec.json.encode(e.properties).decode()]
        for e in answer.events
    ]
    return Table(columns, rows)


@table.register
def _people(answer: PeopleBehind) -> Table:
    return Table(["uid", "distinct_ids"], [[p.uid, ", ".join(p.distinct_ids)] for p in answer.people])


# -- as HTML -------------------------------------------------------------------------------------


def html_table(answer: Answer) -> str:
    """The answer as a small HTML table; names and values are escaped. At most SHOWN_ROWS rows, saying so."""
    columns, rows = _triangle(answer) if isinstance(answer, RetentionAnswer) else table(answer)
    head = "".join(f'<th scope="col">{html.escape(c)}</th>' for c in columns)
    body = "".join(
        "<tr>" + "".join(_cell(c, v) for c, v in zip(columns, row, strict=True)) + "</tr>" for row in rows[:SHOWN_ROWS]
    )
    note = f"{answer.scanned:,} events looked at, {answer.took_ms:,.0f} ms"
    if isinstance(answer, PeopleBehind):
        note = f"{len(rows):,} of {answer.total:,} people"
    if len(rows) > SHOWN_ROWS:
        note += f"; {SHOWN_ROWS} of {len(rows):,} rows, all of them with .to_arrow()"
    if not rows:
        note += "; no rows"
    name = type(answer).__name__.removesuffix("Answer")
    return (
        f"<table><caption>{html.escape(name)}: {note}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _triangle(answer: RetentionAnswer) -> Table:
    """A cohort a row, a column for each period after; each cell a share with its people and interval."""
    after = max((len(r.returned) for r in answer.rows), default=0)

    def cell(r: RetentionRow, k: int, n: int | None) -> str:
        if n is None or not r.people:
            return ""
        words = f"{n / r.people:.1%} ({n:,}; {r.low[k]:.1%} to {r.high[k]:.1%})"
        return f"{words}, not over" if r.partial == k else words

    rows = [[r.period, r.people, *(cell(r, k, n) for k, n in enumerate(r.returned))] for r in answer.rows]
    return Table(["period", "people", *(f"+{k}" for k in range(after))], rows)


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"<td>{html.escape(str(value))}</td>"
    if column in _SHARES:
        return f'<td style="text-align:right">{value:.1%}</td>'
    text = f"{value:,}" if isinstance(value, int) or column in ("from", "to") else f"{value:,.2f}"
    return f'<td style="text-align:right">{text}</td>'
