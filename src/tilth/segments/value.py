"""Value tiers: whales, high potential, long tail, by the money expected of each person.

The expected value over the coming horizon comes from a CLV model where there is enough data, else
from each person's own rhythm (`expected_value`). The tiers are cut in money: by default whales are
the few who hold half of the expected value, and whales and high potential together hold 80 % of it.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.layering import NO_PURCHASE, Assignment, Kind, LayerName
from tilth.segments.pareto import NOBODY, money_cuts
from tilth.segments.rhythm import Rhythm, rhythm_scores
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text, money_text
from tilth.settings import currency_digits

__all__ = ["KIND", "ValueModel", "ValueParameters", "assign", "expected_value"]

Float64 = npt.NDArray[np.float64]


class ValueParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """horizon_days: how far ahead value is expected. model: the buying model (`rhythm` needs no fit).

    whale_share, high_share: shares of all expected value that whales, and whales with high potential,
    hold (0..1). whale_from, high_from: cuts in the currency's main unit instead of the shares.
    """

    horizon_days: int = 365
    model: Literal["bgnbd", "pareto_nbd", "mbgnbd", "rhythm"] = "bgnbd"
    whale_share: float = 0.5
    high_share: float = 0.8
    whale_from: float | None = None
    high_from: float | None = None


class ValueModel(msgspec.Struct, frozen=True, kw_only=True):
    """whale_from, high_from: expected value in minor units from which one is in the tier."""

    whale_from: float
    high_from: float


def assign(standing: Standing, parameters: ValueParameters, model: ValueModel | None = None) -> Assignment:
    """Tiers by `standing.value`, which must be worked out for every buyer."""
    _check(parameters)
    bought = standing.buyers
    value = standing.value[bought]
    if np.isnan(value).any():
        raise ValueError("the standing has buyers without an expected value")
    if model is None:
        model = _fit(value, parameters, standing.currency)
    codes = np.full(len(standing), 3, np.int16)
    codes[bought] = np.where(value >= model.whale_from, 0, np.where(value >= model.high_from, 1, 2))
    notices = []
    if len(value) and not value.sum() > 0:
        text = Text(
            "预计没有任何未来收入，全部归入长尾。", "No future money is expected of anyone, so all are long tail."
        )
        notices.append(Notice(key="no_value", severity="warning", text=text))
    return Assignment(
        codes=codes, layers=_layers(parameters, model, standing.currency), model=model, dimensions=1, notices=notices
    )


def expected_value(standing: Standing, rhythm: Rhythm, horizon_days: float) -> Float64:
    """Money expected of each person in the next `horizon_days` (minor units, NaN without a purchase), from the rhythm.

    Purchases: the person's expected rate while staying, thinned by the chance to leave after each.
    Money an order: the person's average, weighed against everyone's as if two average orders came first.
    """
    scored = rhythm_scores(standing, rhythm)
    repeats = standing.repeats
    a = rhythm.r + rhythm.shape * repeats
    # Whoever stayed was silent until now too, which speaks for a slower rate.
    b = rhythm.alpha + standing.tenure
    leave = max(rhythm.leave_later, 1e-6)
    purchases = scored.p_alive * (1.0 - (b / (b + leave * horizon_days / rhythm.shape)) ** a) / leave
    overall = standing.revenue.sum() / max(int(standing.orders.sum()), 1)
    order = (standing.revenue + 2.0 * overall) / (standing.orders + 2.0)
    return np.where(standing.buyers, np.maximum(purchases * order, 0.0), np.nan)


def _check(parameters: ValueParameters) -> None:
    if not 0 < parameters.whale_share < parameters.high_share < 1:
        raise InvalidInput("parameters.whale_share", "must be above 0 and below high_share, and high_share below 1")
    if not 1 <= parameters.horizon_days <= 3660:
        raise InvalidInput("parameters.horizon_days", "must be between 1 and 3660")
    whale, high = parameters.whale_from, parameters.high_from
    if (whale is None) != (high is None) or (whale is not None and high is not None and not 0 < high < whale):
        raise InvalidInput("parameters.whale_from", "give both cuts, high_from above 0 and below whale_from")


def _fit(value: Float64, parameters: ValueParameters, currency: str) -> ValueModel:
    if parameters.whale_from is not None and parameters.high_from is not None:
        scale = 10 ** currency_digits(currency)
        return ValueModel(whale_from=parameters.whale_from * scale, high_from=parameters.high_from * scale)
    whale, high = money_cuts(value, (parameters.whale_share, parameters.high_share))
    return ValueModel(whale_from=whale, high_from=high)


def _layers(parameters: ValueParameters, model: ValueModel, currency: str) -> list[LayerName]:
    def money(minor: float) -> str:
        return money_text(minor, currency) if minor < NOBODY else "∞"

    days, whale, high = parameters.horizon_days, money(model.whale_from), money(model.high_from)
    return [
        LayerName(
            key="whale",
            name=Text("鲸鱼客户", "Whales"),
            rule=Text(
                f"未来 {days} 天预计消费 ≥ {whale}", f"expected to spend {whale} or more in the next {days} days"
            ),
        ),
        LayerName(
            key="high_potential",
            name=Text("高潜客户", "High potential"),
            rule=Text(
                f"未来 {days} 天预计消费 {high} 至 {whale}", f"expected to spend {high} up to {whale} in {days} days"
            ),
        ),
        LayerName(
            key="long_tail",
            name=Text("长尾客户", "Long tail"),
            rule=Text(f"未来 {days} 天预计消费不足 {high}", f"expected to spend less than {high} in {days} days"),
        ),
        NO_PURCHASE,
    ]


KIND = Kind(
    key="value",
    name=Text("价值分层", "Value tiers"),
    about=Text(
        "按预计未来价值（CLV）分为鲸鱼、高潜、长尾，界线是金额。",
        "By expected customer value (CLV): whales, high potential and long tail, cut in money.",
    ),
    parameters=ValueParameters,
    about_parameters={
        "horizon_days": Text("预计未来多少天的价值", "how many days ahead value is expected"),
        "model": Text("购买模型；rhythm 为个人节奏估计", "buying model; rhythm: from each person's own rhythm"),
        "whale_share": Text("鲸鱼客户占预计总价值的比例", "share of all expected value whales hold"),
        "high_share": Text("鲸鱼与高潜客户合计占比", "share whales and high potential hold together"),
        "whale_from": Text(
            "鲸鱼客户的金额界线（元），代替比例", "money cut of whales (main unit) instead of the share"
        ),
        "high_from": Text("高潜客户的金额界线（元）", "money cut of high potential (main unit)"),
    },
    assign=assign,
    needs=frozenset({"value"}),
    model=ValueModel,
)
