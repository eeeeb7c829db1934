"""A metric's value, period by period: one question of behaviour, its numerator beside its denominator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tilth.behavior import Behavior
from tilth.behavior.calendar import Range, Span, parse_range, zone_of
from tilth.behavior.parameters import Answer, Asked, converted
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput
from tilth.measure.metric import Metric, Part

__all__ = ["MetricAnswer", "MetricAsked", "MetricPoint", "MetricSeries", "metric_question", "metric_values"]

Number = float | int | None
_INTERVALS = ("hour", "day", "week", "month")


class MetricAsked(Asked, frozen=True, kw_only=True):
    """What a metric is asked of, besides what every question has. interval: hour, day, week or month.

    compare: also the days just before the range, as many.
    """

    interval: str = "day"
    week_starts: str = "monday"
    compare: bool = False


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True):
    """value: None where there is nothing to divide by, or the period has not come. numerator, denominator: what it is
    made of; denominator None for what is no quotient. low, high: 95 % Wilson bounds of a share."""

    period: str
    value: Number
    numerator: Number = None
    denominator: Number = None
    low: float | None = None
    high: float | None = None


class MetricSeries(msgspec.Struct, frozen=True, kw_only=True):
    """breakdown: the value of it, None without one or where it is missing. total: of the whole range. previous: of the
    range before, when compared; None otherwise."""

    breakdown: Any
    points: list[MetricPoint]
    total: MetricPoint
    previous: MetricPoint | None = None


class MetricAnswer(Answer, frozen=True, kw_only=True):
    """series: one, or one a value of the breakdown. kind, question: the question of behaviour it comes from.

    cap: the value that larger ones counted as, None without. partial: the period that was not over when it was asked.
    """

    key: str
    name: str
    version: int
    unit: str
    direction: str
    interval: str
    series: list[MetricSeries]
    kind: str
    question: dict[str, Any]
    cap: float | None = None
    partial: str | None = None


class MetricQuestion(NamedTuple):
    """The question of behaviour behind a metric."""

    kind: str
    body: dict[str, Any]


def metric_question(metric: Metric, asked: MetricAsked, cap: float | None = None) -> MetricQuestion:
    """What is asked of behaviour for a metric. cap: the value a percentile came to."""
    common = {
        name: value
        for name in ("range", "timezone", "segment", "breakdown", "limit", "allow_unknown", "filters")
        if (value := msgspec.to_builtins(getattr(asked, name))) is not None
    }
    times = {"interval": asked.interval, "week_starts": asked.week_starts}
    if metric.kind == "funnel":
        steps = [_restricted(step, metric.filters) if i == 0 else step for i, step in enumerate(metric.steps)]
        return MetricQuestion("funnel", {**common, **times, "steps": steps, "window": metric.window})
    if metric.kind == "retention":
        body = {"start": _restricted(metric.event, metric.filters), "return": metric.return_}
        # The cohorts' own interval: a share of days does not become one of weeks.
        return MetricQuestion(
            "retention",
            {**common, **body, "interval": metric.interval, "periods": metric.after, "week_starts": asked.week_starts},
        )
    series = _series(metric, cap)
    return MetricQuestion("trends", {**common, **times, "series": series})


def metric_values(
    behavior: Behavior, metric: Metric, version: int, asked: MetricAsked | Mapping[str, Any] | None, now: int, zone: str
) -> MetricAnswer:
    """Ask a metric. now: UTC µs, zone: the workspace's, for the range before. Raises `InvalidInput` with the field."""
    asked = converted(MetricAsked, asked, {})
    if asked.interval not in _INTERVALS:
        raise InvalidInput("interval", f"{asked.interval[:40]!r} is not an interval", list(_INTERVALS))
    cap = metric.cap
    if metric.cap_percentile is not None:
        cap = _percentile(behavior, metric, asked)
    question = metric_question(metric, asked, cap)
    answer, series = _asked(behavior, metric, question)
    if asked.compare:
        past = msgspec.structs.replace(asked, range=_before(asked, now, zone), compare=False)
        _, earlier = _asked(behavior, metric, metric_question(metric, past, cap))
        totals = {_hashable(s.breakdown): s.total for s in earlier}
        series = [msgspec.structs.replace(s, previous=totals.get(_hashable(s.breakdown))) for s in series]
    return MetricAnswer(
        as_of=answer.as_of,
        took_ms=answer.took_ms,
        scanned=answer.scanned,
        cached=answer.cached,
        key=metric.key,
        name=metric.name,
        version=version,
        unit=metric.shown_unit,
        direction=metric.direction,
        interval=metric.interval if metric.kind == "retention" else asked.interval,
        series=series,
        kind=question.kind,
        question=question.body,
        cap=cap,
        partial=getattr(answer, "partial", None),
    )


# -- what is asked -------------------------------------------------------------------------------


def _series(metric: Metric, cap: float | None) -> list[dict[str, Any]]:
    own: dict[str, Any] = {"event": metric.event, "filters": metric.filters}
    people = {**own, "metric": "people"}
    if metric.kind == "count":
        return [{**own, "metric": "count"}]
    if metric.kind == "people":
        return [people]
    if metric.kind == "proportion":
        # Everybody who did the event did some event, so only another population needs looking for both.
        both = people if metric.of == "*" else {**people, "also": metric.of}
        return [both, {"event": metric.of, "metric": "people"}]
    summed = {**own, "metric": "sum", "property": metric.value, **({} if cap is None else {"cap": cap})}
    if metric.kind == "sum":
        return [summed]
    if metric.kind == "mean":
        return [summed if metric.value else {**own, "metric": "count"}, people]
    if metric.kind == "quantile":
        return [{**own, "metric": "quantile", "property": metric.value, "quantile": metric.quantile}]
    assert metric.denominator is not None
    upper = summed if metric.aggregate == "sum" else {**own, "metric": metric.aggregate}
    return [upper, _part(metric.denominator)]


def _part(part: Part) -> dict[str, Any]:
    made = {"event": part.event, "filters": part.filters, "metric": part.aggregate}
    return made if part.value is None else {**made, "property": part.value}


def _restricted(event: Any, filters: Any) -> Any:
    """The event with further filters."""
    if filters is None:
        return event
    if isinstance(event, dict):
        held = event.get("filters")
        return {**event, "filters": filters if held is None else {"all": [held, filters]}}
    return {"any_of": event, "filters": filters} if isinstance(event, list) else {"event": event, "filters": filters}


def _percentile(behavior: Behavior, metric: Metric, asked: MetricAsked) -> float | None:
    """The value of the range's percentile that larger ones count as."""
    assert metric.cap_percentile is not None
    series = {
        "event": metric.event,
        "filters": metric.filters,
        "metric": "quantile",
        "property": metric.value,
        "quantile": metric.cap_percentile / 100,
    }
    plain = msgspec.structs.replace(asked, breakdown=None)
    body = metric_question(Metric(key="x", name="x", kind="count"), plain).body
    return behavior.trends({**body, "series": [series]}).series[0].total


def _before(asked: MetricAsked, now: int, workspace_zone: str) -> Range:
    """The days just before a range, as many."""
    zone = zone_of(asked.timezone or workspace_zone)
    span = parse_range(asked.range, zone, now)
    if span.first == Span.OPEN_FIRST or span.end == Span.OPEN_END:
        raise InvalidInput("compare", "needs a range with both ends")
    first, last = zone.date(span.first), zone.date(span.end - 1)
    days = (last - first).days + 1
    return Range(from_=(first - dt.timedelta(days=days)).isoformat(), to=(first - dt.timedelta(days=1)).isoformat())


# -- what comes back -----------------------------------------------------------------------------


def _asked(behavior: Behavior, metric: Metric, question: MetricQuestion) -> tuple[Answer, list[MetricSeries]]:
    try:
        if question.kind == "funnel":
            funnel = behavior.funnel(question.body)
            return funnel, _of_funnel(funnel)
        if question.kind == "retention":
            retention = behavior.retention(question.body)
            return retention, _of_retention(retention, metric.after)
        trends = behavior.trends(question.body)
    except InvalidInput as error:
        raise InvalidInput(_own_field(error.field, metric), error.reason, error.choices) from None
    return trends, _of_trends(trends, metric)


def _own_field(field: str, metric: Metric) -> str:
    """What a field of the question is called in the metric."""
    names = {
        "series[0].property": "value",
        "series[0].": "",
        "series[1].property": "denominator.value",
        "series[1].metric": "denominator.aggregate",
        "series[1].event": "of" if metric.kind == "proportion" else "denominator.event",
        "series[1].": "denominator.",
        "start.event": "event",
        "start": "event",
    }
    for old, new in names.items():
        if field.startswith(old):
            return new + field[len(old) :]
    return field


def _point(metric: Metric, period: str, upper: Number, lower: Number = None, *, quotient: bool) -> MetricPoint:
    if not quotient:
        return MetricPoint(period=period, value=upper, numerator=upper)
    if upper is None or not lower:
        return MetricPoint(period=period, value=None, numerator=upper, denominator=lower)
    bounds = wilson(int(upper), int(lower)) if metric.is_share else None
    low, high = bounds or (None, None)
    return MetricPoint(period=period, value=upper / lower, numerator=upper, denominator=lower, low=low, high=high)


def _of_trends(answer: Any, metric: Metric) -> list[MetricSeries]:
    quotient = metric.kind in ("mean", "ratio", "proportion")
    count = len(answer.series) // (2 if quotient else 1)
    found = []
    for i in range(count):
        upper = answer.series[i]
        lower = answer.series[count + i] if quotient else None
        below = [p.value for p in lower.points] if lower is not None else [None] * len(upper.points)
        points = [
            _point(metric, p.period, p.value, b, quotient=quotient) for p, b in zip(upper.points, below, strict=True)
        ]
        total = _point(metric, "", upper.total, lower.total if lower is not None else None, quotient=quotient)
        found.append(MetricSeries(breakdown=upper.breakdown, points=points, total=total))
    return found


_SHARE = Metric(key="share", name="share", kind="funnel")


def _of_funnel(answer: Any) -> list[MetricSeries]:
    def total(steps: Any) -> MetricPoint:
        return _point(_SHARE, "", steps[-1].people, steps[0].people, quotient=True)

    if answer.breakdown:
        return [MetricSeries(breakdown=v.value, points=[], total=total(v.steps)) for v in answer.breakdown]
    points = [_point(_SHARE, p.period, p.converted, p.entered, quotient=True) for p in answer.trend]
    return [MetricSeries(breakdown=None, points=points, total=total(answer.steps))]


def _of_retention(answer: Any, after: int) -> list[MetricSeries]:
    def series(breakdown: Any, rows: Any) -> MetricSeries:
        points = [_point(_SHARE, r.period, r.returned[after], r.people, quotient=True) for r in rows]
        come = [r for r in rows if r.returned[after] is not None]
        back, people = sum(r.returned[after] for r in come), sum(r.people for r in come)
        return MetricSeries(breakdown=breakdown, points=points, total=_point(_SHARE, "", back, people, quotient=True))

    if answer.breakdown:
        return [series(v.value, v.rows) for v in answer.breakdown]
    return [series(None, answer.rows)]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
