"""A person's buying in one sentence."""

from __future__ import annotations

from tilth.measure.calendar import day_of
from tilth.measure.money import money
from tilth.measure.text import Text

__all__ = ["buying_summary"]


def buying_summary(
    *,
    orders: int,
    revenue: int,
    currency: str,
    first: int | None,
    last: int | None,
    usual_gap_days: float | None,
    timezone: str,
) -> Text:
    """revenue in minor units; first, last: UTC µs of the first and last purchase.

    "Bought 4 times from 2025-01-03 to 2025-06-20, 412.50 GBP in all, usually every 56 days."
    """
    if orders == 0 or first is None or last is None:
        return Text(zh="还没有买过。", en="Has not bought yet.")
    total = money(revenue, currency).text
    since, until = day_of(first, timezone), day_of(last, timezone)
    if orders == 1:
        return Text(
            zh=f"{since} 买过一次，共 {total} {currency}，之后没有再买。",
            en=f"Bought once, on {since}, for {total} {currency}; not since.",
        )
    if usual_gap_days is None:
        rhythm = Text(zh="都在同一天", en="all on one day")
    else:
        gap = max(1, round(usual_gap_days))
        rhythm = Text(zh=f"通常每 {gap} 天买一次", en=f"usually every {gap} day{'s' if gap > 1 else ''}")
    return Text(
        zh=f"从 {since} 到 {until} 买过 {orders} 次，共 {total} {currency}，{rhythm.zh}。",
        en=f"Bought {orders} times from {since} to {until}, {total} {currency} in all, {rhythm.en}.",
    )
