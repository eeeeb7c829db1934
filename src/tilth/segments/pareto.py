"""Pareto: who makes 80 % of the money.

Buyers are ranked by revenue and cut where the running total passes a share. People with the same
revenue stay together, so the cuts are amounts of money ("from ¥1,200"), not positions in a list.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.layering import NO_PURCHASE, Assignment, Kind, LayerName
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text, money_text, share_text

__all__ = ["KIND", "NOBODY", "ParetoModel", "ParetoParameters", "assign", "money_cuts"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
NOBODY = 2.0**62  # a cut that no amount reaches, and that JSON can hold


class ParetoParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """head: the share of revenue the head makes; middle: the share head and middle make together (0..1)."""

    head: float = 0.8
    middle: float = 0.95


class ParetoModel(msgspec.Struct, frozen=True, kw_only=True):
    """head_from, middle_from: minor units from which one belongs to the head and to the middle."""

    head_from: float
    middle_from: float


def assign(standing: Standing, parameters: ParetoParameters, model: ParetoModel | None = None) -> Assignment:
    """The head, the middle and the tail of revenue, and people without a purchase."""
    if not 0 < parameters.head < parameters.middle < 1:
        raise InvalidInput("parameters.head", "must be above 0 and below middle, and middle below 1")
    bought = standing.buyers
    money = standing.revenue[bought]
    total = int(money.sum())
    notices = []
    if model is None:
        head, middle = money_cuts(money.astype(np.float64), (parameters.head, parameters.middle))
        model = ParetoModel(head_from=head, middle_from=middle)
    codes = np.full(len(standing), 3, np.int16)
    codes[bought] = np.where(money >= model.head_from, 0, np.where(money >= model.middle_from, 1, 2))
    if total <= 0 and len(money):
        notices.append(
            Notice(
                key="no_revenue",
                severity="warning",
                text=Text("没有任何收入，帕累托分层没有意义。", "There is no revenue, so nobody makes 80 % of it."),
            )
        )
    elif total > 0:
        head_people = int((money >= model.head_from).sum())
        made = share_text(float(money[money >= model.head_from].sum()) / total)
        share = share_text(head_people / len(money))
        notices.append(
            Notice(
                key="pareto",
                severity="info",
                text=Text(
                    f"{head_people:,} 人（购买者的 {share}）贡献了 {made} 的收入。",
                    f"{head_people:,} people ({share} of buyers) make {made} of the revenue.",
                ),
            )
        )
    return Assignment(
        codes=codes, layers=_layers(parameters, model, standing.currency), model=model, dimensions=1, notices=notices
    )


def money_cuts(values: Float64, shares: tuple[float, ...]) -> tuple[float, ...]:
    """For each share the amount such that those at or above it hold at least that share of the sum, and no higher
    amount would do. `NOBODY` where there is nothing to share."""
    ranked = np.sort(values[values > 0])[::-1]
    if len(ranked) == 0:
        return tuple(NOBODY for _ in shares)
    running = np.cumsum(ranked)
    # A share that equals a running total to the last bit must not slip to the next person by rounding.
    places = np.searchsorted(running, [running[-1] * s * (1 - 1e-12) for s in shares])
    return tuple(float(ranked[min(int(p), len(ranked) - 1)]) for p in places)


def _layers(parameters: ParetoParameters, model: ParetoModel, currency: str) -> list[LayerName]:
    def money(minor: float) -> str:
        return money_text(minor, currency) if minor < NOBODY else "∞"

    head, middle = money(model.head_from), money(model.middle_from)
    first, second = share_text(parameters.head), share_text(parameters.middle)
    return [
        LayerName(
            key="head",
            name=Text(f"头部（贡献前 {first}）", f"Head (make the first {first})"),
            rule=Text(f"累计消费 ≥ {head}", f"spent {head} or more"),
        ),
        LayerName(
            key="middle",
            name=Text(f"腰部（到 {second}）", f"Middle (up to {second})"),
            rule=Text(f"累计消费 {middle} 至 {head}", f"spent {middle} up to {head}"),
        ),
        LayerName(
            key="tail",
            name=Text("尾部", "Tail"),
            rule=Text(f"累计消费不足 {middle}", f"spent less than {middle}"),
        ),
        NO_PURCHASE,
    ]


KIND = Kind(
    key="pareto",
    name=Text("帕累托分层", "Pareto"),
    about=Text(
        "谁贡献了 80% 的收入：按累计消费分头部、腰部、尾部。", "Who makes 80 % of the revenue: head, middle and tail."
    ),
    parameters=ParetoParameters,
    about_parameters={
        "head": Text("头部贡献的收入占比", "share of revenue the head makes"),
        "middle": Text("头部加腰部贡献的收入占比", "share of revenue head and middle make together"),
    },
    assign=assign,
    model=ParetoModel,
)
