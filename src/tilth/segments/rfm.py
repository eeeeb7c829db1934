"""RFM: recency, frequency and money, each scored 1 to 5.

Scores come from quantiles (a fifth of the buyers each, people with the same value always together)
or from fixed cuts. Layers are either the eleven named classes, read off recency and the rounded
mean of frequency and money, or the eight classes of 重要/一般 × 价值/发展/保持/挽留, which ask only
whether each score is above the average score.

Source: Hughes, "Strategic Database Marketing" (1994); the named classes as commonly used in e-commerce.
"""

# ruff: noqa: E501 - sentences in two languages, a line each

from __future__ import annotations

import itertools
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.layering import NO_PURCHASE, Assignment, Cell, Kind, LayerName
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text
from tilth.settings import currency_digits

__all__ = ["KIND", "RfmModel", "RfmParameters", "assign", "scores"]

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]

_MEASURES = (Text("最近一次购买", "recency"), Text("购买次数", "frequency"), Text("消费金额", "money"))


class RfmParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """method: `quantile` or `fixed`. classes: `named11` or `eight`. net_of_refunds: money minus refunds.

    For `fixed`, four ascending cuts each: recency_cuts in days (up to the first: score 5),
    frequency_cuts in orders and monetary_cuts in the currency's main unit (up to the first: score 1);
    without monetary_cuts they are the frequency cuts times the average order.
    """

    method: Literal["quantile", "fixed"] = "quantile"
    classes: Literal["named11", "eight"] = "named11"
    net_of_refunds: bool = False
    recency_cuts: tuple[float, ...] = (30, 90, 180, 365)
    frequency_cuts: tuple[float, ...] = (1, 2, 4, 9)
    monetary_cuts: tuple[float, ...] | None = None


class RfmModel(msgspec.Struct, frozen=True, kw_only=True):
    """Four edges per measure, ascending, in days *before* the as-of day counted negative, orders, and minor
    units: a score is 1 + how many edges lie below the value. flat: measures that are the same for everyone
    (score 3). averages: mean score of each measure, for the eight classes."""

    edges: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
    flat: tuple[bool, bool, bool]
    averages: tuple[float, float, float]


def _named(key: str, zh: str, en: str, rule_zh: str, rule_en: str) -> LayerName:
    return LayerName(key=key, name=Text(zh, en), rule=Text(rule_zh, rule_en))


_ELEVEN = [
    _named("champions", "明星客户", "Champions", "R=5 且 FM≥4：刚买过，买得勤也买得多", "R 5, FM 4-5: bought just now, often and much"),
    _named("loyal", "忠诚客户", "Loyal", "R=3-4 且 FM≥4：常买，近期仍在", "R 3-4, FM 4-5: buys often, still here"),
    _named("potential_loyal", "潜在忠诚客户", "Potential loyalists", "R≥4 且 FM=2-3：近期买过，次数正在积累", "R 4-5, FM 2-3: recent, building up"),
    _named("new", "新客户", "New customers", "R=5 且 FM=1：刚刚第一次购买", "R 5, FM 1: just bought for the first time"),
    _named("promising", "有望客户", "Promising", "R=4 且 FM=1：不久前买过一点", "R 4, FM 1: bought a little not long ago"),
    _named("need_attention", "需要关注", "Need attention", "R=3 且 FM=3：各项居中，正在变冷", "R 3, FM 3: middling, cooling down"),
    _named("about_to_sleep", "即将沉睡", "About to sleep", "R=3 且 FM≤2：买得少，开始安静", "R 3, FM 1-2: little bought, going quiet"),
    _named("at_risk", "有流失风险", "At risk", "R≤2 且 FM=3-4：曾经常买，很久没来", "R 1-2, FM 3-4: bought often, not for long"),
    _named("cannot_lose", "不能失去", "Cannot lose", "R≤2 且 FM=5：曾是最好的客户，很久没来", "R 1-2, FM 5: were the best, not for long"),
    _named("hibernating", "沉睡客户", "Hibernating", "R=2 且 FM≤2：买得少，也很久没来", "R 2, FM 1-2: little bought, long ago"),
    _named("lost", "已流失", "Lost", "R=1 且 FM≤2：最久没来，买得也少", "R 1, FM 1-2: longest away, little bought"),
]  # fmt: skip
# Rows R = 1..5, columns FM = 1..5; places in _ELEVEN.
_GRID = np.array(
    [
        [10, 10, 7, 7, 8],
        [9, 9, 7, 7, 8],
        [6, 6, 5, 1, 1],
        [4, 2, 2, 1, 1],
        [3, 2, 2, 0, 0],
    ],
    np.int16,
)

_EIGHT = [
    _named("important_value", "重要价值客户", "Important, value", "R、F、M 都高于平均", "R, F and M above average"),
    _named("important_develop", "重要发展客户", "Important, develop", "R、M 高，F 低", "R and M high, F low"),
    _named("important_keep", "重要保持客户", "Important, keep", "F、M 高，R 低", "F and M high, R low"),
    _named("important_win_back", "重要挽留客户", "Important, win back", "M 高，R、F 低", "M high, R and F low"),
    _named("general_value", "一般价值客户", "General, value", "R、F 高，M 低", "R and F high, M low"),
    _named("general_develop", "一般发展客户", "General, develop", "R 高，F、M 低", "R high, F and M low"),
    _named("general_keep", "一般保持客户", "General, keep", "F 高，R、M 低", "F high, R and M low"),
    _named(
        "general_win_back", "一般挽留客户", "General, win back", "R、F、M 都不高于平均", "none of R, F, M above average"
    ),
]


def assign(standing: Standing, parameters: RfmParameters, model: RfmModel | None = None) -> Assignment:
    """Everyone's RFM class; people without a purchase are a layer of their own."""
    buyers = np.flatnonzero(standing.buyers)
    if model is None:
        model = _fit(standing.take(buyers), parameters)
    given = scores(standing, parameters, model)[:, buyers]
    names = _ELEVEN if parameters.classes == "named11" else _EIGHT
    codes = np.full(len(standing), len(names), np.int16)
    if parameters.classes == "named11":
        both = (given[1] + given[2] + 1) // 2
        codes[buyers] = _GRID[given[0] - 1, both - 1]
    else:
        above = [_above(given[i], model.averages[i], model.flat[i]) for i in range(3)]
        codes[buyers] = np.where(above[2], 0, 4) + np.where(above[0], 0, 2) + np.where(above[1], 0, 1)
    return Assignment(
        codes=codes,
        layers=[*names, NO_PURCHASE],
        model=model,
        dimensions=3,
        cells=_cells(given, standing.revenue[buyers]),
        notices=_notices(model, len(buyers)),
    )


def scores(standing: Standing, parameters: RfmParameters, model: RfmModel) -> Int8:
    """int8[3, n]: R, F and M of each person, 1..5; 0 for people without a purchase."""
    given = np.zeros((3, len(standing)), np.int8)
    for i, values in enumerate(_measures(standing, parameters)):
        given[i] = 3 if model.flat[i] else 1 + np.searchsorted(np.array(model.edges[i]), values, side="left")
    given[:, ~standing.buyers] = 0
    return given


def _measures(standing: Standing, parameters: RfmParameters) -> tuple[Int64, Int64, Int64]:
    """Three numbers per person of which more is better; recency as negative days."""
    money = standing.revenue - standing.refunds if parameters.net_of_refunds else standing.revenue
    return -standing.recency, standing.orders, money


def _fit(buyers: Standing, parameters: RfmParameters) -> RfmModel:
    measures = _measures(buyers, parameters)
    flat = tuple(len(v) == 0 or int(v.min()) == int(v.max()) for v in measures)
    if parameters.method == "quantile":
        edges = tuple(_fifths(v) for v in measures)
    else:
        edges = _fixed_edges(buyers, parameters)
        flat = (False, False, False)
    model = RfmModel(edges=edges, flat=flat, averages=(3.0, 3.0, 3.0))  # type: ignore[arg-type]
    given = scores(buyers, parameters, model)
    averages = tuple(float(row.mean()) if len(row) else 3.0 for row in given)
    return msgspec.structs.replace(model, averages=averages)


def _fifths(values: Int64) -> tuple[float, ...]:
    """The smallest values that at least 20, 40, 60 and 80 % of the people do not exceed: exact, no interpolation."""
    n = len(values)
    if n == 0:
        return (0.0, 0.0, 0.0, 0.0)
    places = [(n * k + 4) // 5 - 1 for k in (1, 2, 3, 4)]
    return tuple(float(v) for v in np.partition(values, places)[places])


def _fixed_edges(buyers: Standing, parameters: RfmParameters) -> tuple[tuple[float, ...], ...]:
    recency, frequency = parameters.recency_cuts, parameters.frequency_cuts
    if parameters.monetary_cuts is None:
        order = float(buyers.revenue.sum()) / max(int(buyers.orders.sum()), 1)
        money: tuple[float, ...] = tuple(c * order for c in frequency)
    else:
        money = tuple(round(c * 10 ** currency_digits(buyers.currency)) for c in parameters.monetary_cuts)
    for field, cuts in (("recency_cuts", recency), ("frequency_cuts", frequency), ("monetary_cuts", money)):
        if len(cuts) != 4 or any(b < a for a, b in itertools.pairwise(cuts)):
            raise InvalidInput(f"parameters.{field}", "must be four ascending numbers")
    # Up to 30 days is score 5, so of the negative days the edge itself must count as above: recency is whole days.
    return tuple(-c - 0.5 for c in reversed(recency)), tuple(map(float, frequency)), tuple(map(float, money))


def _above(given: Int8, average: float, flat: bool) -> npt.NDArray[np.bool_]:
    # Where all have the same score nobody is above it; score 3 of a flat measure then counts as good enough.
    return given >= 3 if flat else given > average


def _cells(given: Int8, revenue: Int64) -> list[Cell]:
    code = (given[0].astype(np.int64) - 1) * 25 + (given[1] - 1) * 5 + (given[2] - 1)
    people = np.bincount(code, minlength=125)
    money = np.bincount(code, revenue, 125)
    return [
        Cell(r=c // 25 + 1, f=c // 5 % 5 + 1, m=c % 5 + 1, people=int(people[c]), revenue=round(money[c]))
        for c in range(125)
    ]


def _notices(model: RfmModel, buyers: int) -> list[Notice]:
    same = [_MEASURES[i] for i in range(3) if model.flat[i]]
    if not same or buyers == 0:
        return []
    zh, en = "、".join(t.zh for t in same), ", ".join(t.en for t in same)
    text = Text(
        f"所有人的{zh}都相同，无法据此区分，记为中间分 3。",
        f"Everyone has the same {en}, so it cannot tell people apart; it scores the middle, 3.",
    )
    return [Notice(key="flat_measure", severity="info", text=text)]


KIND = Kind(
    key="rfm",
    name=Text("RFM 分层", "RFM"),
    about=Text(
        "按最近一次购买、购买次数、消费金额各打 1-5 分，再归入有名字的客户类型。",
        "Scores recency, frequency and money 1 to 5 each and reads off named classes.",
    ),
    parameters=RfmParameters,
    about_parameters={
        "method": Text("quantile：按五分位打分；fixed：按固定界线打分", "quantile: a fifth of the buyers per score; fixed: by fixed cuts"),
        "classes": Text("named11：11 类；eight：重要/一般 × 价值/发展/保持/挽留 8 类", "named11: eleven classes; eight: the 重要/一般 scheme"),
        "net_of_refunds": Text("金额是否减去退款", "whether money is counted after refunds"),
        "recency_cuts": Text("固定界线：天数，由近到远四个", "fixed cuts in days, four ascending"),
        "frequency_cuts": Text("固定界线：订单数，四个", "fixed cuts in orders, four ascending"),
        "monetary_cuts": Text("固定界线：金额（元），四个；不填则为购买次数界线×平均客单价", "fixed cuts in money (main unit), four ascending; without them the frequency cuts times the average order"),
    },
    assign=assign,
    model=RfmModel,
)  # fmt: skip
