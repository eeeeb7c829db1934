"""What a person should look at first, worst on top, each with where to go."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import msgspec

from tilth.measure.overview import Sales
from tilth.measure.text import Text

__all__ = ["AttentionItem", "Facts", "LayerAtRisk", "attention"]

DAY = 86_400_000_000
_ORDER = {"critical": 0, "warning": 1, "info": 2}


class AttentionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look at; `link` is an address of the console."""

    key: str
    severity: Literal["info", "warning", "critical"]
    title: Text
    detail: Text
    link: str


class LayerAtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A layer of people who are about to be lost and the share (0..1) of all revenue that came from them.

    as_of: the layering's day.
    """

    layering_id: str
    key: str
    name: Text
    people: int
    revenue_share: float
    as_of: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known besides the sales: instants in UTC µs, counts of rows.

    failed_work: the last error of the flush or the compaction. disk_free: bytes. drift: the events whose data
    changed in a way that nobody has acknowledged.
    """

    now: int
    last_event: int | None
    quarantined: int
    interrupted_imports: list[str]
    at_risk: list[LayerAtRisk]
    layerings: int
    failed_work: str | None = None
    disk_free: int | None = None
    drift: list[str] = msgspec.field(default_factory=list)


def attention(sales: Sales, facts: Facts, stale_days: int = 7) -> list[AttentionItem]:
    """The list, most severe first. stale_days: from what age data is called old."""
    found: list[AttentionItem] = []

    def add(key: str, severity: Literal["info", "warning", "critical"], title: Text, detail: Text, link: str) -> None:
        found.append(AttentionItem(key=key, severity=severity, title=title, detail=detail, link=link))

    if facts.failed_work:
        add(
            "background_failed",
            "critical",
            Text(zh="后台任务失败", en="Background work failed"),
            Text(
                zh=f"已接收的数据没有丢失。原因：{facts.failed_work}",
                en=f"No accepted data is lost. Reason: {facts.failed_work}",
            ),
            "/data/health",
        )
    if facts.disk_free is not None and facts.disk_free < 2 * 1024**3:
        free = f"{facts.disk_free / 1024**3:.1f} GB"
        add(
            "disk",
            "critical" if facts.disk_free < 512 * 1024**2 else "warning",
            Text(zh="磁盘空间不足", en="Little disk space left"),
            Text(zh=f"还剩 {free}；写满后不能再导入。", en=f"{free} left; imports stop when it is full."),
            "/data/health",
        )
    for import_id in facts.interrupted_imports:
        add(
            "import_interrupted",
            "critical",
            Text(zh="有一次导入中断了", en="An import was interrupted"),
            Text(zh="已写入的部分是完整的，可以从断点继续。", en="What was written is whole; it can go on from there."),
            f"/data/imports/{import_id}",
        )
    if facts.quarantined:
        add(
            "quarantine",
            "warning",
            Text(zh=f"{facts.quarantined:,} 行在隔离区等待处理", en=f"{facts.quarantined:,} rows wait in quarantine"),
            Text(zh="它们没有计入任何数字。修正后可以重放。", en="No number includes them yet. Fix and replay them."),
            "/data/quarantine?state=open",
        )
    if facts.drift:
        several = list(dict.fromkeys(facts.drift))
        named = ", ".join(several[:3])
        add(
            "drift",
            "warning",
            Text(
                zh=f"{len(facts.drift):,} 处数据变化待确认", en=f"{len(facts.drift):,} changes in the data to look at"
            ),
            Text(
                zh=f"{named}{' 等' if len(several) > 3 else ''}：事件停了，或者量、属性变了。",
                en=f"{named}{' and others' if len(several) > 3 else ''}: stopped, or of another volume or type.",
            ),
            "/data/plan?tab=drift",
        )
    if sales.orders == 0:
        add(
            "empty",
            "info",
            Text(zh="还没有订单", en="There are no orders yet"),
            Text(zh="导入一份订单文件，就能看到您的客户。", en="Import a file of orders to see your customers."),
            "/data/imports/new",
        )
    elif facts.layerings == 0:
        add(
            "no_layering",
            "info",
            Text(zh="还没有做过分层", en="No layering yet"),
            Text(
                zh="先算一次 RFM，看看谁最有价值、谁快要流失。",
                en="Compute RFM to see who matters most and who is leaving.",
            ),
            "/people/layerings",
        )
    if facts.last_event is not None and sales.orders:
        age = (facts.now - facts.last_event) // DAY
        if age >= stale_days:
            add(
                "stale",
                "warning" if age < 365 else "info",
                Text(zh=f"最新的数据是 {age:,} 天前的", en=f"The newest data is {age:,} days old"),
                Text(
                    zh="下面的“最近 30 天”按数据的最后一天计算。",
                    en="“Last 30 days” below ends on the last day of data.",
                ),
                "/data/imports/new",
            )
    for layer in facts.at_risk:
        add(
            "at_risk",
            "warning" if layer.revenue_share >= 0.1 else "info",
            Text(
                zh=f"“{layer.name.zh}”的 {layer.people:,} 人贡献了 {layer.revenue_share:.1%} 的销售额",
                en=f"{layer.people:,} people in “{layer.name.en}” brought {layer.revenue_share:.1%} of revenue",
            ),
            Text(
                zh=f"截至 {layer.as_of}，他们正在离开。先联系他们。",
                en=f"As of {layer.as_of} they are leaving. Reach them first.",
            ),
            f"/people/layerings/{layer.layering_id}?layer={layer.key}",
        )
    found += _falling(sales)
    return sorted(found, key=lambda item: _ORDER[item.severity])


def _falling(sales: Sales) -> list[AttentionItem]:
    """Numbers that fell by more than chance explains."""
    changes = {change.key: change for change in sales.changes}
    found: list[AttentionItem] = []
    returning = changes.get("returning")
    if returning is not None and returning.before_denominator and returning.denominator:
        z = _two_shares(
            returning.numerator or 0,
            returning.denominator,
            returning.before_numerator or 0,
            returning.before_denominator,
        )
        if z < -1.96 and returning.now is not None and returning.before is not None:
            found.append(
                AttentionItem(
                    key="returning_falls",
                    severity="warning",
                    title=Text(zh="老客占比在下降", en="Fewer buyers are coming back"),
                    detail=Text(
                        zh=f"最近 30 天 {returning.numerator:,}/{returning.denominator:,}（{returning.now:.1%}），"
                        f"之前 30 天 {returning.before:.1%}；超出随机波动。",
                        en=f"{returning.numerator:,} of {returning.denominator:,} ({returning.now:.1%}) in the last 30 "
                        f"days, {returning.before:.1%} in the 30 before; more than chance explains.",
                    ),
                    link="/",
                )
            )
    revenue = changes.get("revenue")
    orders = changes.get("orders")
    if (
        revenue is not None
        and revenue.before
        and revenue.now is not None
        and orders is not None
        and orders.before
        and orders.now is not None
        and revenue.now < 0.8 * revenue.before
        # Order counts vary by about their square root; a small shop's quiet month is not news.
        and orders.now - orders.before < -2 * sqrt(orders.before)
    ):
        drop = 1 - revenue.now / revenue.before
        found.append(
            AttentionItem(
                key="revenue_falls",
                severity="warning",
                title=Text(zh=f"销售额下降了 {drop:.0%}", en=f"Revenue fell by {drop:.0%}"),
                detail=Text(
                    zh=f"最近 30 天 {orders.now:,.0f} 单，之前 30 天 {orders.before:,.0f} 单。",
                    en=f"{orders.now:,.0f} orders in the last 30 days, {orders.before:,.0f} in the 30 before.",
                ),
                link="/",
            )
        )
    return found


def _two_shares(a: int, n: int, b: int, m: int) -> float:
    """z of the difference of two shares a/n - b/m, pooled."""
    pooled = (a + b) / (n + m)
    spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return (a / n - b / m) / spread if spread else 0.0
