"""What the reader of a CLV answer should know before relying on it, in words."""

from __future__ import annotations

import numpy as np

from tilth.segments.clv.base import Estimate
from tilth.segments.clv.holdout import Holdout
from tilth.segments.clv.summary import Buyers
from tilth.segments.words import Notice, Text

__all__ = ["buying_notices", "holdout_notices", "spend_notices"]

# Fewer repeat buyers than this do not pin four parameters down.
FEW = 100
# How often and how much may be this related before the assumption that they are not is worth a word.
RELATED = 0.3


def buying_notices(estimate: Estimate, buyers: Buyers) -> list[Notice]:
    """About the purchase model's fit."""
    notices = []
    repeaters = int(np.count_nonzero(buyers.x))
    if repeaters < FEW:
        text = Text(
            f"只有 {repeaters} 人复购，参数估计不可靠，预测仅供参考。",
            f"Only {repeaters} people bought again; the estimates are rough and so are the forecasts.",
        )
        notices.append(Notice(key="few_repeat_buyers", severity="warning", text=text))
    if estimate.at_limit:
        names = ", ".join(estimate.at_limit)
        text = Text(
            f"参数 {names} 停在允许范围的边界：数据偏向模型的极端情形，没有内部最大值。",
            f"{names} ran to the edge of the permitted range: the data favours an extreme case of the model.",
        )
        notices.append(Notice(key="parameter_at_limit", severity="warning", text=text))
    elif not estimate.converged:
        text = Text(
            "似然函数没有收敛到确定的最大值，请换一个模型或更长的校准期。",
            "The likelihood has no clear maximum here; try another model or a longer calibration period.",
        )
        severity = "warning" if estimate.weak else "critical"
        notices.append(Notice(key="not_converged", severity=severity, text=text))
    if estimate.weak:
        names = ", ".join(estimate.weak)
        text = Text(
            f"数据几乎不能确定参数 {names}，但预测对它们也不敏感。",
            f"The data says very little about {names}; the forecasts depend little on them too.",
        )
        notices.append(Notice(key="weak_parameters", severity="info", text=text))
    return notices


def spend_notices(estimate: Estimate | None, reason: str, left_out: int, correlation: float | None) -> list[Notice]:
    """About the spend model: `reason` says why there is none; left_out: repeat buyers who paid nothing."""
    notices = []
    if estimate is None:
        text = Text(
            "无法学习消费金额模型，改用每个人自己的平均金额。",
            f"What people spend could not be learned ({reason}); each person's own mean is used.",
        )
        notices.append(Notice(key="no_spend_model", severity="warning", text=text))
    elif estimate.values["q"] <= 1:
        text = Text(
            "消费金额的尾部太重（q ≤ 1），模型均值不存在，改用每个人自己的平均金额。",
            "Spends vary so much that the model has no mean (q is at most 1); each person's own mean is used.",
        )
        notices.append(Notice(key="spend_without_mean", severity="warning", text=text))
    elif not estimate.converged:
        text = Text(
            "消费金额模型没有收敛到内部最大值，金额预测仅供参考。",
            "The spend model found no interior maximum; take the values as rough.",
        )
        notices.append(Notice(key="spend_not_converged", severity="warning", text=text))
    if left_out:
        text = Text(
            f"{left_out} 位复购者的复购金额合计不为正，学习消费金额时未计入。",
            f"{left_out} repeat buyers paid nothing for their repeat purchases and were left out of the spend model.",
        )
        notices.append(Notice(key="unpaid_repeat_buyers", severity="info", text=text))
    if correlation is not None and abs(correlation) > RELATED:
        text = Text(
            f"购买次数与金额相关（r = {correlation:.2f}），而模型假设二者无关，价值预测会有偏差。",
            f"How often and how much are related (r = {correlation:.2f}) though the model takes them as unrelated: "
            f"expected values are biased.",
        )
        notices.append(Notice(key="spend_related_to_frequency", severity="warning", text=text))
    return notices


def holdout_notices(holdout: Holdout) -> list[Notice]:
    """About how the forecasts did."""
    notices = []
    if holdout.mae > holdout.naive_mae:
        text = Text(
            f"在留出期，模型误差（{holdout.mae:.3f}）大于简单重复上期（{holdout.naive_mae:.3f}）。",
            f"In the holdout period the model's error ({holdout.mae:.3f}) is above that of repeating the last "
            f"period ({holdout.naive_mae:.3f}).",
        )
        notices.append(Notice(key="no_better_than_naive", severity="warning", text=text))
    if holdout.actual_total and abs(holdout.expected_total / holdout.actual_total - 1) > 0.25:
        text = Text(
            f"留出期预测总数 {holdout.expected_total:,.0f}，实际 {holdout.actual_total:,}，相差超过四分之一。",
            f"{holdout.expected_total:,.0f} purchases were expected in the holdout period and {holdout.actual_total:,} "
            f"came: more than a quarter off.",
        )
        notices.append(Notice(key="total_off", severity="warning", text=text))
    return notices
