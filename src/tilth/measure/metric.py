"""A metric: one definition of a number, used by boards, alerts, KPI trees, experiments and impact alike."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

import msgspec

from tilth.errors import InvalidInput

__all__ = ["KINDS", "UNITS", "Metric", "Part", "check_metric"]

KINDS = ("count", "people", "sum", "mean", "ratio", "proportion", "retention", "quantile", "funnel")
UNITS = ("number", "people", "money", "share", "seconds")
AGGREGATES = ("count", "people", "sum")
_USUAL_UNIT = {"count": "number", "people": "people", "proportion": "share", "retention": "share", "funnel": "share"}
_LONGEST = 20_000


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side of a ratio: how many events (count), how many people (people), or a property added up (sum)."""

    event: Any = "*"
    aggregate: str = "count"
    value: str | None = None
    filters: Any = None


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """key: what others call it by. name: what people read.

    kind: count (events), people (distinct), sum (of value), mean (value, or events, per person who did the
    event), ratio (event part / denominator part), proportion (of the people who did `of`, those who also did the
    event in the same period), retention (of those who did the event in a period, who did `return` in the `after`-th
    interval later), quantile (of value), funnel (of those who did the first of `steps`, who did the last in `window`).

    event, filters: as in every question. value: a property (default: an event counts 1). aggregate: of a ratio's upper
    part. cap: larger values count as this one; cap_percentile: the same, as a percentile (50..100) of the
    values of the range. direction: whether more is good. unit: number, people, money, share or seconds.
    owner: who answers for it.
    """

    key: str
    name: Annotated[str, msgspec.Meta(max_length=120)]
    kind: str
    about: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    event: Any = "*"
    value: str | None = None
    filters: Any = None
    aggregate: str = "count"
    denominator: Part | None = None
    of: Any = "*"
    return_: Any = msgspec.field(default="*", name="return")
    interval: Literal["day", "week", "month"] = "day"
    after: int = 1
    quantile: float = 0.5
    steps: list[Any] = msgspec.field(default_factory=list)
    window: str | None = "14d"
    cap: float | None = None
    cap_percentile: float | None = None
    direction: Literal["up", "down"] = "up"
    unit: str = ""
    owner: Annotated[str, msgspec.Meta(max_length=120)] = ""

    @property
    def shown_unit(self) -> str:
        """The unit, or the usual one of its kind."""
        if self.unit:
            return self.unit
        if self.kind in _USUAL_UNIT:
            return _USUAL_UNIT[self.kind]
        return "money" if self.value == "amount" else "number"

    @property
    def is_share(self) -> bool:
        """True when its numerator are people among those of its denominator."""
        return self.kind in ("proportion", "retention", "funnel")

    @property
    def adds_up(self) -> bool:
        """True when the values of days add up to that of the month."""
        return self.kind in ("count", "sum")


def check_metric(metric: Metric) -> Metric:
    """The metric, sound in itself. Events and properties are looked for when it is asked, since they may come to be.

    Raises `InvalidInput` with the field.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", metric.key):
        raise InvalidInput("key", "must be 1 to 64 small letters, digits, - and _, beginning with a letter or digit")
    if not metric.name.strip():
        raise InvalidInput("name", "is missing")
    if metric.kind not in KINDS:
        raise InvalidInput("kind", f"{metric.kind[:40]!r} is not a kind of metric", list(KINDS))
    if metric.unit and metric.unit not in UNITS:
        raise InvalidInput("unit", f"{metric.unit[:40]!r} is not a unit", list(UNITS))
    if metric.kind in ("sum", "quantile") and not metric.value:
        raise InvalidInput("value", f"is missing: a {metric.kind} is of a property")
    if metric.kind in ("count", "people", "proportion", "retention", "funnel") and metric.value:
        raise InvalidInput("value", f"a {metric.kind} has none")
    if (metric.kind == "ratio") != (metric.denominator is not None):
        raise InvalidInput("denominator", "goes with a ratio, and a ratio has one")
    if metric.kind == "ratio":
        assert metric.denominator is not None
        _check_part(metric.aggregate, metric.value, "")
        _check_part(metric.denominator.aggregate, metric.denominator.value, "denominator.")
    elif metric.aggregate != "count":
        raise InvalidInput("aggregate", "goes with a ratio")
    if metric.kind == "funnel":
        if not 2 <= len(metric.steps) <= 32:
            raise InvalidInput("steps", "a funnel has 2 to 32 steps")
    elif metric.steps:
        raise InvalidInput("steps", "go with a funnel")
    if not 1 <= metric.after <= 365:
        raise InvalidInput("after", "must be 1 to 365")
    if not 0 < metric.quantile < 1:
        raise InvalidInput("quantile", "must be between 0 and 1, both excluded")
    _check_cap(metric)
    if len(msgspec.json.encode(metric)) > _LONGEST:
        raise InvalidInput("metric", f"is longer than {_LONGEST:,} characters")
    return metric


def _check_part(aggregate: str, value: str | None, path: str) -> None:
    if aggregate not in AGGREGATES:
        raise InvalidInput(f"{path}aggregate", f"{aggregate[:40]!r} is not one of them", list(AGGREGATES))
    if (aggregate == "sum") != bool(value):
        raise InvalidInput(f"{path}value", "a sum is of a property, and nothing else is")


def _check_cap(metric: Metric) -> None:
    if metric.cap is None and metric.cap_percentile is None:
        return
    field = "cap" if metric.cap is not None else "cap_percentile"
    if metric.cap is not None and metric.cap_percentile is not None:
        raise InvalidInput("cap_percentile", "there is a cap already; leave one of them out")
    if not metric.value or metric.kind not in ("sum", "mean", "ratio"):
        raise InvalidInput(field, "goes with a property that is added up")
    if metric.cap is not None and not math.isfinite(metric.cap):
        raise InvalidInput("cap", "must be a number")
    if metric.cap_percentile is not None and not 50 <= metric.cap_percentile < 100:
        raise InvalidInput("cap_percentile", "must be at least 50 and below 100")
