"""What explains a change: how much each value of a property adds to it.

Of counts and sums a value's part is its own difference. Of a quotient it is how much the whole would have changed
had only this value changed its size and its own quotient: parts add up to the whole change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tilth.errors import InvalidInput, TilthError
from tilth.measure.metric import Metric
from tilth.measure.metric_values import MetricAnswer, MetricSeries
from tilth.measure.metrics import Metrics

__all__ = ["Contribution", "contributions", "explain"]

_SHOWN = 5


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a property. part: of the change; share: of the whole change (may be over 1 or negative)."""

    property: str
    value: Any
    before: float | None
    after: float | None
    part: float
    share: float | None


def explain(
    metrics: Metrics,
    metric: Metric,
    properties: Sequence[str],
    after: Mapping[str, Any],
    before: Mapping[str, Any],
) -> list[Contribution]:
    """The values that explain most of the change between two questions, the property that explains it best first."""
    found: list[list[Contribution]] = []
    for name in properties:
        try:
            asked = {"breakdown": name, "limit": 100}
            later = metrics.values_of(metric, {**after, **asked})
            earlier = metrics.values_of(metric, {**before, **asked})
        except InvalidInput as error:
            if error.field.startswith("breakdown"):
                continue  # nothing has this property
            raise
        except TilthError:
            # Too many values, say: an alert goes out without this explanation rather than not at all.
            continue
        parts = contributions(name, earlier, later)
        if len(parts) > 1:
            found.append(parts[:_SHOWN])
    found.sort(key=lambda parts: -abs(parts[0].part))
    return [part for parts in found for part in parts]


def contributions(name: str, before: MetricAnswer, after: MetricAnswer) -> list[Contribution]:
    """Each value's part of the change, the largest first."""
    old = {_key(s.breakdown): s for s in before.series}
    new = {_key(s.breakdown): s for s in after.series}
    values = {_key(s.breakdown): s.breakdown for s in [*before.series, *after.series]}
    quotient = any(s.total.denominator is not None for s in [*before.series, *after.series])
    parts = []
    if quotient:
        whole0, below0 = _whole(before)
        whole1, below1 = _whole(after)
        base = whole0 / below0 if below0 else 0.0
        change = (whole1 / below1 if below1 else 0.0) - base
        for key, value in values.items():
            part = _pull(new.get(key), base, below1) - _pull(old.get(key), base, below0)
            parts.append((value, old.get(key), new.get(key), part))
    else:
        for key, value in values.items():
            parts.append((value, old.get(key), new.get(key), _total(new.get(key)) - _total(old.get(key))))
        change = sum(p[3] for p in parts)
    made = [
        Contribution(
            property=name,
            value=value,
            before=_shown(earlier),
            after=_shown(later),
            part=part,
            share=part / change if change else None,
        )
        for value, earlier, later, part in parts
    ]
    return sorted(made, key=lambda c: -abs(c.part))


def _pull(series: MetricSeries | None, base: float, below: float) -> float:
    """How far a value pulls the whole away from `base`."""
    if series is None or not below:
        return 0.0
    return (float(series.total.numerator or 0) - base * float(series.total.denominator or 0)) / below


def _whole(answer: MetricAnswer) -> tuple[float, float]:
    totals = [s.total for s in answer.series]
    return sum(float(t.numerator or 0) for t in totals), sum(float(t.denominator or 0) for t in totals)


def _total(series: MetricSeries | None) -> float:
    return float(series.total.value or 0) if series is not None else 0.0


def _shown(series: MetricSeries | None) -> float | None:
    return None if series is None or series.total.value is None else float(series.total.value)


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
