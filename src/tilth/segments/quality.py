"""The quality report of a layering: is it worth acting on?

A layering is worth as much as it tells about what people do next (lift), as alike as it makes the
people inside a layer (homogeneity), as steady as it is when fitted again (stability), and as usable
as its sizes are (balance). The score adds those up with weights 50, 20, 20 and 10, but the last three
count in full only from a spread of 0.2 on: neat layers that say little of the future are worth
little, and without lift beyond chance the layering is worthless.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import msgspec
import numpy as np

from tilth.segments.homogeneity import Heterogeneity, Homogeneity, likeness
from tilth.segments.layering import NO_PURCHASE, Assignment
from tilth.segments.lift import Lift, lift
from tilth.segments.stability import Migration, Stability, migration, refit_agreement
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text, named, share_text

__all__ = ["Balance", "Earlier", "Following", "Parts", "Quality", "assess", "stale_notice"]

SMALLEST = 30  # people in a layer, under which its numbers are mostly chance
MOST_DIMENSIONS = 7
_TELLING = 0.2  # spread of the lift from which the layers plainly say something of the next period
_UNCERTAIN = 0.1  # spread that would matter if it were certain
_DRIFT = 0.1  # share of people in another layer by now, from which a layering is out of date


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """largest_share: of all people, 0..1. smallest_people: in the smallest layer that has anybody.
    entropy: 0 everyone in one layer, 1 all layers the same size."""

    largest_share: float
    smallest_people: int
    entropy: float


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the score is made of, each 0..1; None where it could not be measured."""

    lift: float | None
    homogeneity: float | None
    stability: float | None
    balance: float


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The report. score: 0..100; verdict: the score in words. staleness_days: days of data after the as-of day.

    lift, heterogeneity, migration are None where there is too little to measure; a warning says why.
    """

    score: int
    verdict: Text
    parts: Parts
    homogeneity: Homogeneity
    heterogeneity: Heterogeneity | None
    lift: Lift | None
    stability: Stability
    balance: Balance
    migration: Migration | None
    staleness_days: int
    warnings: list[Notice]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Following:
    """The layering as of an earlier day (`keys` of its `codes`) and the money its people spent afterwards."""

    assignment: Assignment
    money: np.ndarray[tuple[int], np.dtype[np.int64]]
    calibration_end: int
    until: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Earlier:
    """The layering by the same rule (frozen model) a month before."""

    standing: Standing
    assignment: Assignment


def assess(
    standing: Standing,
    assignment: Assignment,
    *,
    refit: Callable[[Standing], Assignment],
    following: Following | None,
    earlier: Earlier | None,
    last_day: int,
) -> Quality:
    """Measure a layering. refit: the same kind fitted to other people; last_day: the last day with data."""
    keys = [layer.key for layer in assignment.layers]
    homogeneity, heterogeneity = likeness(standing, assignment.codes, keys)
    measured = None
    if following is not None:
        later_keys = [layer.key for layer in following.assignment.layers]
        measured = lift(
            following.assignment.codes, later_keys, following.money, following.calibration_end, following.until
        )
    moves, month = None, None
    if earlier is not None:
        moves, month = migration(earlier.standing, earlier.assignment, standing, assignment)
    stability = Stability(
        adjusted_rand=refit_agreement(standing, assignment, refit),
        previous_as_of=moves.from_as_of if moves is not None else None,
        month_to_month=month,
    )
    balance = _balance(assignment)
    parts = Parts(
        lift=None if measured is None else _part(measured.spread.value, 0.8),
        homogeneity=None if homogeneity.r2 is None else _part(homogeneity.r2.value, 0.8),
        stability=None if stability.adjusted_rand is None else _part(stability.adjusted_rand.value, 1.0),
        balance=_part(balance.entropy, 1.0),
    )
    score, verdict, grade = _grade(parts, measured, len(standing))
    staleness = max(last_day - standing.as_of, 0)
    warnings = [*grade, *_warnings(assignment, balance, stability, homogeneity, measured, following)]
    stale = stale_notice(staleness, moves.moved_share if moves is not None else None)
    return Quality(
        score=score,
        verdict=verdict,
        parts=parts,
        homogeneity=homogeneity,
        heterogeneity=heterogeneity,
        lift=measured,
        stability=stability,
        balance=balance,
        migration=moves,
        staleness_days=staleness,
        warnings=[*warnings, *([stale] if stale is not None else []), *assignment.notices],
    )


def stale_notice(staleness_days: int, moved_share: float | None) -> Notice | None:
    """A warning when, at the pace people change layers in a month, a tenth of them have moved since the as-of day."""
    if moved_share is None or staleness_days <= 0:
        return None
    moved = 1 - (1 - min(moved_share, 0.999)) ** (staleness_days / 30)
    if moved < _DRIFT:
        return None
    text = Text(
        f"数据已比本分层新 {staleness_days} 天；按每月 {share_text(moved_share)} 的人换层估计，"
        f"约 {share_text(moved)} 的人已不在原来的层，请重新计算。",
        f"The data is {staleness_days} days newer than this layering; at {share_text(moved_share)} of people changing "
        f"layers a month, about {share_text(moved)} are in another layer by now. Compute it again.",
    )
    return Notice(key="stale", severity="warning", text=text)


def _balance(assignment: Assignment) -> Balance:
    people = np.bincount(assignment.codes, minlength=len(assignment.layers)).astype(float)
    people = people[people > 0]
    if len(people) == 0:
        return Balance(largest_share=0.0, smallest_people=0, entropy=0.0)
    shares = people / people.sum()
    entropy = float(-(shares * np.log(shares)).sum() / np.log(len(shares))) if len(shares) > 1 else 0.0
    return Balance(largest_share=float(shares.max()), smallest_people=int(people.min()), entropy=entropy)


def _part(value: float, full: float) -> float:
    """How much of a full mark: all of it from `full` on, nothing at zero."""
    return float(np.clip(value / full, 0.0, 1.0))


def _grade(parts: Parts, measured: Lift | None, people: int) -> tuple[int, Text, list[Notice]]:
    rest = [
        (weight, part)
        for weight, part in ((20, parts.homogeneity), (20, parts.stability), (10, parts.balance))
        if part is not None
    ]
    if people == 0:
        return 0, Text("还没有人，无从评价。", "There is nobody to judge it on."), []
    if measured is None or parts.lift is None:
        # Without the proof of the future even perfect layers are no more than plausible.
        score = round(50 * sum(w * p for w, p in rest) / max(sum(w for w, _ in rest), 1))
        verdict = Text(
            "未经证明：还没有足够的时间跨度检验它能否预示下一期的表现。",
            "Unproven: there is not enough data after a past day to test what it says about the next period.",
        )
        return score, verdict, []
    spread = measured.spread
    if spread.low <= 0 and spread.value >= _UNCERTAIN:
        low, high = share_text(max(spread.low, 0.0)), share_text(spread.high)
        text = Text(
            f"未经证明：各层随后 {measured.horizon_days} 天的消费看起来不同，"
            f"但少数大额消费者足以造成（离散度 {low} 至 {high}）。",
            f"Unproven: layers differ in what they spent in the following {measured.horizon_days} days, but a "
            f"few large spenders could account for it (spread {low} to {high}).",
        )
        return round(30 * _mean(rest)), text, [Notice(key="lift_uncertain", severity="warning", text=text)]
    if spread.low <= 0 or spread.value < 0.02:
        score = round(5 * _mean(rest))
        text = Text(
            f"没有价值：各层在随后 {measured.horizon_days} 天的消费并无可分辨的差别，和随机分层一样。",
            f"Worthless: what people spent in the following {measured.horizon_days} days does not differ between the "
            "layers beyond chance, as with a random layering.",
        )
        return score, text, [Notice(key="worthless", severity="critical", text=text)]
    gate = _part(spread.value, _TELLING)
    total = 50 + sum(w for w, _ in rest)
    score = round(100 * (50 * parts.lift + gate * sum(w * p for w, p in rest)) / total)
    top = measured.top_over_average
    evidence_zh = f"最好的一层在随后 {measured.horizon_days} 天人均消费是平均的 {top:.1f} 倍"
    evidence_en = f"the best layer spent {top:.1f} times the average in the following {measured.horizon_days} days"
    for limit, zh, en in ((75, "很好", "Strong"), (55, "良好", "Good"), (35, "一般", "Fair"), (0, "偏弱", "Weak")):
        if score >= limit:
            return score, Text(f"{zh}：{evidence_zh}。", f"{en}: {evidence_en}."), []
    raise AssertionError("the last limit is 0")


def _mean(parts: list[tuple[int, float]]) -> float:
    return sum(w * p for w, p in parts) / max(sum(w for w, _ in parts), 1)


def _warnings(
    assignment: Assignment,
    balance: Balance,
    stability: Stability,
    homogeneity: Homogeneity,
    measured: Lift | None,
    following: Following | None,
) -> list[Notice]:
    found: list[Notice] = []

    def warn(key: str, severity: str, zh: str, en: str) -> None:
        found.append(Notice(key=key, severity=severity, text=Text(zh, en)))

    people = np.bincount(assignment.codes, minlength=len(assignment.layers))
    small = [layer.name for layer, n in zip(assignment.layers, people, strict=True) if 0 < n < SMALLEST]
    if small:
        names = named(small)
        warn(
            "too_small",
            "warning",
            f"{names.zh} 不足 {SMALLEST} 人，太小而无法可靠衡量。",
            f"Too small to measure (under {SMALLEST} people): {names.en}.",
        )
    if assignment.dimensions > MOST_DIMENSIONS:
        warn(
            "too_many_dimensions",
            "warning",
            f"用了 {assignment.dimensions} 个维度；超过 {MOST_DIMENSIONS} 个就很难解释和行动。",
            f"It uses {assignment.dimensions} dimensions; beyond {MOST_DIMENSIONS} nobody can explain or act on it.",
        )
    dominant = int(people.argmax()) if len(people) else 0
    if balance.largest_share > 0.9 and (people > 0).sum() > 1 and assignment.layers[dominant].key != NO_PURCHASE.key:
        name = assignment.layers[dominant].name
        warn(
            "one_layer_dominates",
            "warning",
            f"{share_text(balance.largest_share)} 的人都在“{name.zh}”一层。",
            f"{share_text(balance.largest_share)} of people are in one layer, {name.en}.",
        )
    if stability.adjusted_rand is not None and stability.adjusted_rand.value < 0.6:
        warn(
            "unstable",
            "warning",
            f"换一批人重新拟合，分层变化很大（调整兰德指数 {stability.adjusted_rand.value:.2f}）。",
            f"Fitted on other people it comes out differently (adjusted Rand {stability.adjusted_rand.value:.2f}).",
        )
    if homogeneity.r2 is not None and homogeneity.r2.high < 0.1:
        warn(
            "mixed_layers",
            "warning",
            "层内的人彼此差别几乎和整体一样大。",
            "People inside a layer differ almost as much as people at large.",
        )
    if following is None:
        warn(
            "lift_not_measured",
            "info",
            "数据不足两个月，无法检验对下一期的预示作用。",
            "There are under two months of data, too little to test what it says about the next period.",
        )
    elif measured is None:
        warn(
            "lift_not_measured",
            "info",
            "检验期内没有消费或只有一层，无法检验对下一期的预示作用。",
            "Nobody spent in the test period or all were in one layer, so its lift is unknown.",
        )
    return found
