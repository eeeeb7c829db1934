"""An incident in words, in the workspace's language."""

from __future__ import annotations

from collections.abc import Sequence

from tilth.measure.alerts.alert import Alert
from tilth.measure.alerts.explain import Contribution
from tilth.measure.alerts.judge import Verdict
from tilth.measure.metric import Metric

__all__ = ["number_text", "opened", "recovered"]


def number_text(value: float | None, unit: str, currency: str) -> str:
    """A value as people read it: a share in percent, money with its currency."""
    if value is None:
        return "-"
    if unit == "share":
        return f"{value * 100:.2f}%"
    text = f"{value:,.0f}" if abs(value) >= 1_000 or float(value).is_integer() else f"{value:,.2f}"
    return f"{text} {currency}" if unit == "money" else f"{text} s" if unit == "seconds" else text


def opened(
    alert: Alert, metric: Metric, period: str, value: float, verdict: Verdict, explained: Sequence[Contribution],
    currency: str, language: str,
) -> tuple[str, str]:  # fmt: skip
    """(title, text) of an incident that begins."""
    unit = metric.shown_unit

    def said(number: float | None) -> str:
        return number_text(number, unit, currency)

    chinese = language == "zh-CN"
    high = verdict.high is not None and value > verdict.high
    bound = verdict.high if high else verdict.low
    if chinese:
        title = f"告警：{alert.name} {period}"
        side = "高于" if high else "低于"
        lines = [f"{metric.name} 在 {period} 为 {said(value)}，{side}{_limit(alert, True)} {said(bound)}。"]
        if alert.condition.kind != "threshold":
            lines.append(f"{'预期' if alert.condition.kind == 'seasonal' else '对比期'}为 {said(verdict.expected)}。")
    else:
        title = f"Alert: {alert.name}, {period}"
        side = "above" if high else "below"
        lines = [f"{metric.name} was {said(value)} in {period}, {side} {_limit(alert, False)} {said(bound)}."]
        if alert.condition.kind != "threshold":
            word = "Expected" if alert.condition.kind == "seasonal" else "Compared with"
            lines.append(f"{word}: {said(verdict.expected)}.")
    shown = [c for c in explained if c.share is not None and abs(c.share) >= 0.1][:6]
    if shown:
        lines.append("变化来自：" if chinese else "The change comes from:")
        for part in shown:
            share = f"{part.share * 100:.0f}%" if part.share is not None else "-"
            named = "（无）" if chinese and part.value is None else "(none)" if part.value is None else str(part.value)
            lines.append(f"- {part.property} = {named}: {said(part.before)} → {said(part.after)} ({share})")
    if alert.owner:
        lines.append(f"负责人：{alert.owner}" if chinese else f"Owner: {alert.owner}")
    return title, "\n".join(lines)


def recovered(
    alert: Alert, metric: Metric, period: str, value: float | None, currency: str, language: str
) -> tuple[str, str]:
    """(title, text) of an incident that is over."""
    said = number_text(value, metric.shown_unit, currency)
    if language == "zh-CN":
        return f"恢复：{alert.name} {period}", f"{metric.name} 在 {period} 为 {said}，已回到正常范围。"
    return f"Recovered: {alert.name}, {period}", f"{metric.name} was {said} in {period}, as usual again."


def _limit(alert: Alert, chinese: bool) -> str:
    if alert.condition.kind == "threshold":
        return "阈值" if chinese else "the limit"
    if alert.condition.kind == "change":
        return (
            f"允许的变化 {alert.condition.percent:g}%，即" if chinese else f"the {alert.condition.percent:g}% allowed,"
        )
    return "正常范围" if chinese else "what is usual,"
