"""Lifecycle stage by each person's own rhythm.

Thirty days of silence is nothing for a person who buys twice a year and alarming for one who buys
weekly. So a stage never comes from one number of days for all: silence is measured against the
person's own gaps, shrunk towards everybody's (see `rhythm`):

- on rhythm (silence within 80 % of the own gaps): *new* after one buying day, *loyal* from
  `loyal_from` buying days on, *active* between;
- *at risk*: silent for longer than 80 % of the own gaps; *lapsing*: longer than 95 %;
- *lost*: late, and with hardly any chance (under 15 %) to come back within a year.

A person who keeps silent goes down the stages and is back at the top with the next purchase.
"""

# ruff: noqa: E501 - sentences in two languages, a line each

from __future__ import annotations

import msgspec
import numpy as np

from tilth.errors import InvalidInput
from tilth.segments.layering import NO_PURCHASE, Assignment, Kind, LayerName
from tilth.segments.rhythm import Rhythm, fit_rhythm, rhythm_scores
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text, days_text, share_text

__all__ = ["KIND", "StageParameters", "assign"]


class StageParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """loyal_from: buying days from which a person on rhythm is loyal. late, very_late: shares of the person's
    own gaps that the silence has outlasted (0..1). hopeless: chance to come back within a year under which a
    late person is lost (0..1)."""

    loyal_from: int = 4
    late: float = 0.8
    very_late: float = 0.95
    hopeless: float = 0.15


def assign(standing: Standing, parameters: StageParameters, model: Rhythm | None = None) -> Assignment:
    """Everyone's stage; people without a purchase are a layer of their own."""
    if not 0 < parameters.late < parameters.very_late < 1:
        raise InvalidInput("parameters.late", "must be above 0 and below very_late, and very_late below 1")
    if parameters.loyal_from < 2:
        raise InvalidInput("parameters.loyal_from", "must be at least 2 buying days")
    if not 0 <= parameters.hopeless < 1:
        raise InvalidInput("parameters.hopeless", "must be at least 0 and below 1")
    rhythm = model if model is not None else fit_rhythm(standing)
    scored = rhythm_scores(standing, rhythm)
    codes = np.full(len(standing), 6, np.int16)
    bought = standing.buyers
    on_rhythm = np.where(standing.buying_days >= parameters.loyal_from, 2, np.where(standing.buying_days > 1, 1, 0))
    late = np.where(scored.returns < parameters.hopeless, 5, np.where(scored.outlasted <= parameters.very_late, 3, 4))
    codes[bought] = np.where(scored.outlasted <= parameters.late, on_rhythm, late)[bought]
    return Assignment(
        codes=codes,
        layers=_layers(parameters),
        model=rhythm,
        dimensions=3,
        notices=_notices(standing, rhythm, scored.usual_gap),
    )


def _layers(parameters: StageParameters) -> list[LayerName]:
    late, very = share_text(parameters.late), share_text(parameters.very_late)
    loyal, hopeless = parameters.loyal_from, share_text(parameters.hopeless)

    def layer(key: str, zh: str, en: str, rule_zh: str, rule_en: str) -> LayerName:
        return LayerName(key=key, name=Text(zh, en), rule=Text(rule_zh, rule_en))

    return [
        layer("new", "新客", "New", "只有一个购买日，还在正常间隔内", "one buying day, not overdue yet"),
        layer("active", "活跃", "Active", f"2 至 {loyal - 1} 个购买日，按自己的节奏在买" if loyal > 3 else "有复购，按自己的节奏在买", "bought again, on the own rhythm"),
        layer("loyal", "忠诚", "Loyal", f"{loyal} 个及以上购买日，按自己的节奏在买", f"{loyal} or more buying days, on the own rhythm"),
        layer("at_risk", "有风险", "At risk", f"沉默已超过自己 {late} 的购买间隔", f"silent for longer than {late} of the own gaps"),
        layer("lapsing", "流失中", "Lapsing", f"沉默已超过自己 {very} 的购买间隔", f"silent for longer than {very} of the own gaps"),
        layer("lost", "已流失", "Lost", f"已逾期，一年内回来的可能不到 {hopeless}", f"late, with under {hopeless} chance to come back within a year"),
        NO_PURCHASE,
    ]  # fmt: skip


def _notices(
    standing: Standing, rhythm: Rhythm, usual_gap: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[Notice]:
    if not standing.buyers.any():
        return []
    if not rhythm.fitted:
        gap = days_text(rhythm.shape * rhythm.alpha / rhythm.r)
        return [
            Notice(
                key="rhythm_guessed",
                severity="warning",
                text=Text(
                    f"复购太少，学不到购买节奏，暂按 {gap.zh} 一次估计。",
                    f"Too few people bought again to learn a rhythm; {gap.en} between purchases is assumed.",
                ),
            )
        ]
    low, middle, high = (days_text(float(d)) for d in np.nanquantile(usual_gap, (0.1, 0.5, 0.9)))
    return [
        Notice(
            key="rhythm",
            severity="info",
            text=Text(
                f"通常的购买间隔因人而异：居中 {middle.zh}，十分之一的人短于 {low.zh}，十分之一长于 {high.zh}。",
                f"People's usual gaps differ: {middle.en} in the middle, a tenth under {low.en}, a tenth over {high.en}.",
            ),
        )
    ]


KIND = Kind(
    key="stage",
    name=Text("生命周期分层", "Lifecycle stage"),
    about=Text(
        "新客、活跃、忠诚、有风险、流失中、已流失：以每个人自己的购买节奏判断，而不是同一个天数。",
        "New, active, loyal, at risk, lapsing, lost: judged by each person's own rhythm, not one number of days.",
    ),
    parameters=StageParameters,
    about_parameters={
        "loyal_from": Text("多少个购买日算忠诚", "buying days from which a person is loyal"),
        "late": Text("沉默超过自己多少比例的间隔算有风险", "share of own gaps outlasted to be at risk"),
        "very_late": Text("沉默超过自己多少比例的间隔算流失中", "share of own gaps outlasted to be lapsing"),
        "hopeless": Text(
            "一年内回来的概率低于多少算已流失", "chance to come back within a year under which a late person is lost"
        ),
    },
    assign=assign,
    refit=lambda standing, parameters, model: assign(standing, parameters, fit_rhythm(standing, model)),
    model=Rhythm,
)
