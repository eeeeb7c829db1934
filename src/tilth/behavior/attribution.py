"""Attribution: which touches brought the conversions, by eight models whose credits add up to them.

A touch is an event with a value of `group_by` (a channel, a scene), itself no conversion, that lies at
most `lookback` before a conversion, or at its instant. Models: first, last, last_non_direct, linear,
time_decay (a touch's weight halves every half_life), position (40 % first, 40 % last, the rest
between), markov (removal effect in a first-order chain of all paths, also those that never converted;
Anderl et al., IJRM 33, 2016), and, of values some people were held out from, incremental (see
`holdouts.py`). A conversion nothing touched is credited to null. Conversions are of the range; touches
may lie before it.
"""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import group_codes, people_groups
from tilth.behavior.calendar import Span, parse_duration
from tilth.behavior.feed import feed_of, over_buckets, parse_step
from tilth.behavior.holdouts import Holdout, Incremental, shown_by_holdouts
from tilth.behavior.kernels.credit import CONVERSION, RULES, TOUCH, walk_credit
from tilth.behavior.numbers import numbers_of, scale_of
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.errors import InvalidInput

__all__ = ["AttributionAnswer", "AttributionParameters", "attribution", "credited_people", "removal_effects"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
MODELS = (*RULES, "markov", "incremental")
_DIRECT = ("direct", "(direct)", "none", "直接访问")


class AttributionParameters(Asked, frozen=True, kw_only=True):
    """conversion, touch: events. group_by: the property whose values are credited. lookback, half_life: durations.

    models: of first, last, last_non_direct, linear, time_decay, position, markov, incremental (default: all
    that can be had). holdouts: by value, the segments of those it was meant for and of those held out from it.
    property: of the conversion, what it is worth. costs: by value, in the unit of `property`.
    direct: values that last_non_direct passes over. limit: how many values are shown apart.
    """

    conversion: Any
    touch: Any = "*"
    group_by: str = "channel"
    lookback: str = "30d"
    half_life: str = "7d"
    models: list[str] | None = None
    property: str = "amount"
    costs: dict[str, float] = msgspec.field(default_factory=dict)
    direct: list[str] = msgspec.field(default_factory=lambda: list(_DIRECT))
    holdouts: dict[str, Holdout] = msgspec.field(default_factory=dict)


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """One value. credit, revenue: by model; incremental only where there is a holdout, and for null what no
    holdout has shown to be caused. cost: as given. cac: cost per credited conversion, roi: (revenue - cost) / cost,
    both by model; None without a cost (cac: without credit)."""

    value: Any
    credit: dict[str, float]
    revenue: dict[str, float]
    cost: float | None
    cac: dict[str, float | None]
    roi: dict[str, float | None]


class AttributionAnswer(Answer, frozen=True, kw_only=True):
    """conversions and revenue: what the credits of each model add up to. incremental: what each holdout shows."""

    touches: list[Touch]
    conversions: int
    revenue: float
    incremental: list[Incremental] = msgspec.field(default_factory=list)


def attribution(question: Question, asked: AttributionParameters, threads: int) -> AttributionAnswer:
    """Answer a question of attribution."""
    return _credited(question, asked, threads, None, "")[0]


def credited_people(
    question: Question,
    asked: AttributionParameters,
    threads: int,
    *,
    value: str = "",
    model: str = "linear",
    untouched: bool = False,
) -> Int64:
    """uids, ascending, of those of whose conversions a value has a part by a model; untouched: of those with a
    conversion nothing touched. markov credits whomever linear does; what is incremental is of no known person."""
    if model not in MODELS or model == "incremental":
        raise InvalidInput("model", f"{model[:40]!r} names no people", [m for m in MODELS if m != "incremental"])
    return np.sort(_credited(question, asked, threads, None if untouched else value, model)[1])


def _credited(
    question: Question, asked: AttributionParameters, threads: int, pick: str | None, pick_model: str
) -> tuple[AttributionAnswer, Int64]:
    """(the answer, uids of those whom pick_model credits to the value pick, None being the untouched)."""
    models = _models(asked)
    conversion = parse_step(asked.conversion, "conversion", question).restricted(question.filters)
    touch = parse_step(asked.touch, "touch", question).restricted(question.filters)
    by = [question.property(asked.group_by, "group_by")]
    worth = question.property(asked.property, "property")
    scale = scale_of(question, worth)
    lookback = _fixed(asked.lookback, "lookback")
    half_life = _fixed(asked.half_life, "half_life")
    first = question.span.first
    span = Span(first if first == Span.OPEN_FIRST else first - lookback, question.span.end)
    everyone = _over(question, span)
    groups = people_groups(everyone, by, touch, threads)
    labels = [v for v in groups.labels if v is not None]
    codes = group_codes(everyone, by, groups)
    missing = groups.labels.index(None) if None in groups.labels else -2
    direct = np.array([str(v).casefold() in {d.casefold() for d in asked.direct} for v in labels], np.uint8)
    count = len(labels)
    picked, rule = -1, -1
    if pick_model:
        names = [str(v) for v in labels]
        if pick is not None and pick not in names:
            raise InvalidInput("value", f"{pick[:60]!r} has no touches in this answer", names[:10])
        picked = count if pick is None else names.index(pick)
        rule = RULES.index("linear" if pick_model == "markov" else pick_model)

    def known(strand: Any) -> npt.NDArray[np.int64]:
        # An event without a value is no touch.
        found = codes(strand) if codes is not None else np.full(len(strand), -1, np.int64)
        return np.where(found == missing, -1, found)

    def work(bucket: int) -> tuple[Any, int]:
        feed = feed_of(
            everyone, bucket, [(touch, TOUCH), (conversion, CONVERSION)], span=span, codes=known,
            values=lambda strand: numbers_of(question, strand, worth),
        )  # fmt: skip
        return walk_credit(feed.feed, count, direct, lookback, half_life, first, picked, rule), feed.rows

    parts = over_buckets(question, work, threads)
    credit = np.sum([p[0][0] for p in parts], axis=0)
    credit[1] /= scale
    conversions = sum(p[0][2] for p in parts)
    revenue = sum(p[0][3] for p in parts) / scale
    tables = {rule: credit[:, i] for i, rule in enumerate(RULES)}
    tables["markov"] = _markov(np.sum([p[0][1] for p in parts], axis=0), credit[:, RULES.index("linear")])
    shown = {m: tables[m] for m in models if m in tables}
    values = [*labels, None] if credit[0, 0, count] else labels
    touches = [_touch(value, i, shown, asked.costs) for i, value in enumerate(values)]
    incremental: list[Incremental] = []
    if "incremental" in models and not pick_model:
        incremental = shown_by_holdouts(question, asked.holdouts, conversion, worth, scale, threads, asked.costs)
        touches = _with_incremental(touches, incremental, conversions, revenue, asked.costs)
    answer = AttributionAnswer(
        scanned=sum(p[1] for p in parts),
        touches=touches,
        conversions=conversions,
        revenue=revenue,
        incremental=incremental,
    )
    return answer, np.concatenate([p[0][4] for p in parts])


def _models(asked: AttributionParameters) -> list[str]:
    """The models asked for, by default all that can be had. Raises `InvalidInput`."""
    if asked.models is None:
        return [m for m in MODELS if m != "incremental" or asked.holdouts]
    for i, model in enumerate(asked.models):
        if model not in MODELS:
            raise InvalidInput(f"models[{i}]", f"{model[:40]!r} is not a model", list(MODELS))
        if model == "incremental" and not asked.holdouts:
            raise InvalidInput(f"models[{i}]", "needs holdouts: who was held out from which value")
    return asked.models


def _with_incremental(
    touches: list[Touch], found: list[Incremental], conversions: int, revenue: float, costs: dict[str, float]
) -> list[Touch]:
    """The touches with what is incremental of each; what no holdout shows to be caused goes to null."""
    own = {one.value: one for one in found}
    missing = [v for v in own if v not in {str(t.value) for t in touches if t.value is not None}]
    empty = Touch(value=None, credit={}, revenue={}, cost=None, cac={}, roi={})
    rest = [t for t in touches if t.value is None] or [empty]
    zero = {m: 0.0 for t in touches[:1] for m in t.credit}
    rows = [t for t in touches if t.value is not None]
    # A value meant for people, none of whom it has reached, is a row too.
    rows += [msgspec.structs.replace(empty, value=v, credit=zero, revenue=zero, cost=costs.get(v)) for v in missing]
    out = []
    for touch in rows:
        one = own.get(str(touch.value))
        if one is not None:
            touch = _crediting(touch, one.conversions, one.revenue)
        out.append(touch)
    last = msgspec.structs.replace(rest[0], credit=rest[0].credit or zero, revenue=rest[0].revenue or zero)
    return [
        *out,
        _crediting(
            last, conversions - sum(one.conversions for one in found), revenue - sum(one.revenue for one in found)
        ),
    ]


def _crediting(touch: Touch, conversions: float, revenue: float) -> Touch:
    """A touch with its incremental credit."""
    cost = touch.cost
    return msgspec.structs.replace(
        touch,
        credit={**touch.credit, "incremental": conversions},
        revenue={**touch.revenue, "incremental": revenue},
        cac={**touch.cac, "incremental": cost / conversions if cost is not None and conversions > 0 else None},
        roi={**touch.roi, "incremental": (revenue - cost) / cost if cost else None},
    )


def _fixed(text: str, field: str) -> int:
    length = parse_duration(text, field)
    # A month of attribution is 30 days: which calendar month a touch lies in does not matter to it.
    return length.months * 30 * 86_400_000_000 if length.months else length.us


def _over(question: Question, span: Span) -> Question:
    """The question over other instants."""
    other = copy.copy(question)
    other.span = span
    return other


def _markov(moves: npt.NDArray[np.int64], linear: Float64) -> Float64:
    """Credit by removal effect: [conversions, revenue] by value, the untouched as they are."""
    count = moves.shape[0] - 3
    out = linear.copy()
    effects = removal_effects(moves)
    if effects.sum() > 0:
        share = effects / effects.sum()
        for row in (0, 1):
            out[row, :count] = share * linear[row, :count].sum()
    return out


def removal_effects(moves: npt.NDArray[np.int64]) -> Float64:
    """float64[values]: by how much (0..1) the chance to convert falls without each value.

    moves: counts as `walk_credit` gives them. Removing a value sends all who come to it to never.
    """
    count = moves.shape[0] - 3
    rows = moves[: count + 1].astype(np.float64)
    sums = rows.sum(axis=1, keepdims=True)
    chance = np.divide(rows, sums, out=np.zeros_like(rows), where=sums > 0)

    def converts(without: int) -> float:
        keep = [v for v in range(count + 1) if v != without]  # the start is one of them
        inner = chance[np.ix_(keep, keep)]
        reached = np.linalg.solve(np.eye(len(keep)) - inner, chance[keep, count + 1])
        return float(reached[-1])

    whole = converts(-1)
    if whole <= 0:
        return np.zeros(count)
    return np.array([max(0.0, 1 - converts(v) / whole) for v in range(count)])


def _touch(value: Any, i: int, tables: dict[str, Float64], costs: dict[str, float]) -> Touch:
    cost = costs.get(str(value)) if value is not None else None
    credit = {m: float(t[0, i]) for m, t in tables.items()}
    revenue = {m: float(t[1, i]) for m, t in tables.items()}
    return Touch(
        value=value,
        credit=credit,
        revenue=revenue,
        cost=cost,
        cac={m: cost / c if cost is not None and c > 0 else None for m, c in credit.items()},
        roi={m: (r - cost) / cost if cost else None for m, r in revenue.items()},
    )
