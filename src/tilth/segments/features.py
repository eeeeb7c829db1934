"""The numbers of a buyer on log scales: what clusters are made from and likeness is measured on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tilth.segments.standing import Standing
from tilth.segments.words import Text

__all__ = ["FEATURES", "log_features"]

Float64 = npt.NDArray[np.float64]

# Name, what a high value is called, what a low one is called.
FEATURES: dict[str, tuple[Text, Text, Text]] = {
    "recency": (Text("最近购买", "recency"), Text("久未下单", "long silent"), Text("近期购买", "bought lately")),
    "frequency": (Text("订单数", "orders"), Text("高频", "frequent"), Text("低频", "infrequent")),
    "order_value": (Text("客单价", "average order"), Text("高客单", "big baskets"), Text("低客单", "small baskets")),
    "tenure": (Text("客龄", "tenure"), Text("老客", "long-standing"), Text("新近加入", "recent joiners")),
    "revenue": (Text("累计消费", "revenue"), Text("高消费", "big spenders"), Text("低消费", "small spenders")),
    "pace": (Text("购买间隔", "gap"), Text("间隔长", "slow rhythm"), Text("间隔短", "quick rhythm")),
    "refund_share": (
        Text("退款占比", "refund share"),
        Text("常退款", "often refunds"),
        Text("少退款", "rarely refunds"),
    ),
    "active_days": (Text("活跃天数", "active days"), Text("常来", "comes often"), Text("很少来", "comes rarely")),
}

_COLUMNS: dict[str, Callable[[Standing], Float64]] = {
    "recency": lambda s: np.log1p(s.recency),
    "frequency": lambda s: np.log(np.maximum(s.orders, 1)),
    "order_value": lambda s: np.log1p(np.maximum(s.revenue, 0) / np.maximum(s.orders, 1)),
    "tenure": lambda s: np.log1p(s.tenure),
    "revenue": lambda s: np.log1p(np.maximum(s.revenue, 0)),
    # Without a second purchase the time since the first is all that is known of the gap.
    "pace": lambda s: np.log1p(np.where(s.repeats > 0, (s.tenure - s.recency) / np.maximum(s.repeats, 1), s.tenure)),
    "refund_share": lambda s: s.refunds / np.maximum(s.revenue + s.refunds, 1),
    "active_days": lambda s: np.log1p(s.active_days),
}


def log_features(buyers: Standing, names: tuple[str, ...]) -> Float64:
    """float64[n, len(names)]: each feature of each buyer on a log scale, not yet scaled."""
    return np.column_stack([_COLUMNS[name](buyers) for name in names])
