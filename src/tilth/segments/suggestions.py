"""What to do next with a layer: one concrete step, from the layer's own numbers, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tilth.segments.layering import Layer
from tilth.segments.words import Text, count_text, days_text, money_text, share_text

__all__ = ["suggest", "with_suggestions"]


class _Facts(msgspec.Struct, frozen=True):
    """The layer's numbers as words; `late` is how many of the own usual gaps the silence has lasted."""

    people: str
    revenue_share: str
    order: str
    monetary: str
    recency: Text
    gap: Text
    late: str
    refund_share: float
    back: str
    next_value: str


def with_suggestions(layers: Sequence[Layer], kind: str, currency: str) -> list[Layer]:
    """The layers, each with its suggestion. kind: the layering's."""
    return [msgspec.structs.replace(layer, suggestion=suggest(layer, kind, currency)) for layer in layers]


def suggest(layer: Layer, kind: str, currency: str) -> Text:
    """A short next step for a layer; by its key where it is known, else from its numbers alone."""
    facts = _facts(layer, currency)
    role = _fitting(_ROLES.get(kind, {}).get(layer.key) or _by_numbers(layer), layer)
    zh, en = _STEPS[role]
    given = {
        "people": facts.people,
        "share": facts.revenue_share,
        "order": facts.order,
        "monetary": facts.monetary,
        "late": facts.late,
        "back": facts.back,
        "next": facts.next_value,
    }
    text = Text(
        zh.format(**given, recency=facts.recency.zh, gap=facts.gap.zh),
        en.format(**given, recency=facts.recency.en, gap=facts.gap.en),
    )
    if facts.refund_share >= 0.2 and layer.orders >= 20:
        share = share_text(facts.refund_share)
        text = Text(
            f"{text.zh}注意：退款占消费的 {share}，先查原因。",
            f"{text.en} Mind that refunds are {share} of what they bought: find out why first.",
        )
    return text


def _facts(layer: Layer, currency: str) -> _Facts:
    average = layer.average
    nan = float("nan")
    recency = nan if average.recency_days is None else average.recency_days
    gap = nan if average.usual_gap_days is None else average.usual_gap_days
    late = recency / max(gap, 1.0)
    order = average.order_value or 0.0
    return _Facts(
        people=count_text(layer.people),
        revenue_share=share_text(layer.revenue_share),
        order=money_text(order, currency),
        monetary=money_text(average.monetary, currency),
        recency=days_text(recency),
        gap=days_text(gap),
        late=f"{late:.1f}",
        refund_share=layer.refunds / layer.revenue if layer.revenue else 0.0,
        # One in ten coming back for one average order: a modest aim, in money.
        back=money_text(0.1 * layer.people * order, currency),
        next_value=money_text(average.expected_value or 0.0, currency),
    )


def _fitting(role: str, layer: Layer) -> str:
    """The step, unless the layer's silence gives it the lie: nobody wins back people who are not late yet."""
    average = layer.average
    patience = {"keep": 2.0, "nurture": 2.0, "grow": 2.0, "second_order": 2.0, "cherish": 3.0}.get(role)
    if average.recency_days is None or average.usual_gap_days is None:
        return role
    late = average.recency_days / max(average.usual_gap_days, 1.0)
    if role in ("remind", "rescue", "call", "win_back", "let_rest"):
        return role if late > 0.8 else "keep"
    if patience is None or late <= patience:
        return role
    return "rescue" if layer.revenue_share > layer.people_share else "remind"


def _by_numbers(layer: Layer) -> str:
    """Which step fits a layer without a known meaning (a cluster): by silence against own rhythm, orders, money."""
    average = layer.average
    if not layer.orders or average.recency_days is None:
        return "first_order"
    late = average.recency_days / max(average.usual_gap_days or 30.0, 1.0)
    rich = layer.revenue_share > 1.5 * layer.people_share
    if late > 3:
        return "win_back" if rich else "let_rest"
    if late > 1.5:
        return "rescue" if rich else "remind"
    if average.frequency < 1.5:
        return "second_order"
    return "cherish" if rich else "grow"


_STEPS: dict[str, tuple[str, str]] = {
    "cherish": (
        "{people} 人贡献 {share} 收入，客单价 {order}：不必打折，给专属服务和新品优先权，并邀请他们带新客。",
        "{people} people make {share} of revenue at {order} an order: no discounts; give early access and a personal contact, and ask them to bring friends.",
    ),
    "keep": (
        "{people} 人通常 {gap}买一次，上次在 {recency}前：在下一次到期前提醒补货，并推荐相关品类，客单价 {order}。",
        "{people} people buy about every {gap}, last {recency} ago: remind them just before the next is due and show a related category beside their usual {order} order.",
    ),
    "grow": (
        "{people} 人客单价 {order}，占收入 {share}：用搭配或略高于 {order} 的满减门槛把每单做大。",
        "{people} people order for {order}, {share} of revenue: offer bundles, or a threshold a little above {order}, to make each order larger.",
    ),
    "second_order": (
        "{people} 人刚买过第一单（{order}，{recency}前）：在 {gap}内促成第二单，先讲用法和口碑，再给小额限时券。",
        "{people} people placed a first order ({order}, {recency} ago): win the second within {gap}; show how to use it and what others say, then a small dated coupon.",
    ),
    "nurture": (
        "{people} 人已有起步，客单价 {order}，上次在 {recency}前：用会员权益或第三单礼把习惯养成。",
        "{people} people have made a start at {order} an order, last {recency} ago: build the habit with membership rights or a gift on the third order.",
    ),
    "remind": (
        "{people} 人已沉默 {recency}，是自己通常间隔的 {late} 倍：发一次不打折的提醒，按上次买的商品补货。",
        "{people} people have been silent for {recency}, {late} of their usual gaps: send one reminder without a discount, built on what they bought last.",
    ),
    "rescue": (
        "{people} 人占收入 {share}，却已沉默 {recency}（通常 {gap}）：先问原因，再给有期限的专属优惠；一成回来就是 {back}。",
        "{people} people with {share} of revenue have been silent for {recency} (usually {gap}): ask why, then a personal dated offer; one in ten coming back is {back}.",
    ),
    "call": (
        "{people} 位曾经的大客户（人均 {monetary}）已 {recency}没来：逐个电话或企微联系，别群发；一成回来就是 {back}。",
        "{people} once best customers ({monetary} each) have stayed away for {recency}: call them one by one, no mass mailing; one in ten coming back is {back}.",
    ),
    "win_back": (
        "{people} 人沉默 {recency}，人均消费过 {monetary}：留一成不发作对照，其余发一次召回优惠，只看净增；一成回来是 {back}。",
        "{people} people, {monetary} each, silent for {recency}: send one win-back offer, hold a tenth out, and judge by the increment; one in ten back is {back}.",
    ),
    "let_rest": (
        "{people} 人沉默 {recency}，只占收入 {share}：停止付费触达，仅在大促时带上，省下的预算给沉默更短的人。",
        "{people} people, silent for {recency}, make {share} of revenue: stop paid contacts, include them in the big sales only, and spend on those not so far gone.",
    ),
    "first_order": (
        "{people} 人还没有买过：找出他们看过什么，用首单权益推一件入门商品，并留一部分人不发作对照。",
        "{people} people have never bought: find what they looked at, offer a first-order benefit on one entry product, and hold some out as control.",
    ),
    "first_order_hot": (
        "{people} 人近期常来却从未购买：看他们停在哪一步，48 小时内用首单礼或客服跟进浏览过的商品。",
        "{people} people come often and have never bought: see at which step they stop, and follow up what they viewed within 48 hours with a first-order gift or a chat.",
    ),
    "browse_to_buy": (
        "{people} 人只买过一单（{recency}前），近期仍有接触：按看过和买过的推荐，设 {order} 左右的第二单礼。",
        "{people} people bought once, {recency} ago, and are still around: recommend from what they viewed or bought and set a second-order gift around {order}.",
    ),
    "whale": (
        "{people} 人预计人均再消费 {next}，已占收入 {share}：配专属客户经理，每月看一次是否按节奏来，流失前干预。",
        "{people} people are expected to spend {next} each and made {share} of revenue: give them a named contact and check monthly that they keep their rhythm.",
    ),
    "high_potential": (
        "{people} 人预计人均再消费 {next}，目前人均 {monetary}：把获客和会员预算投在这里，推动更高频的品类。",
        "{people} people are expected to spend {next} each ({monetary} so far): put acquisition and membership money here, and lead them to a category bought more often.",
    ),
    "long_tail": (
        "{people} 人预计人均只再消费 {next}：只用自动化、零成本的触达，单人触达成本不要超过这个数的一成。",
        "{people} people are expected to spend just {next} each: automated, free contact only; never spend over a tenth of that on one of them.",
    ),
}

_ROLES: dict[str, dict[str, str]] = {
    "rfm": {
        "champions": "cherish",
        "loyal": "keep",
        "potential_loyal": "nurture",
        "new": "second_order",
        "promising": "second_order",
        "need_attention": "remind",
        "about_to_sleep": "remind",
        "at_risk": "rescue",
        "cannot_lose": "call",
        "hibernating": "win_back",
        "lost": "let_rest",
        "important_value": "cherish",
        "important_develop": "nurture",
        "important_keep": "rescue",
        "important_win_back": "call",
        "general_value": "grow",
        "general_develop": "second_order",
        "general_keep": "remind",
        "general_win_back": "let_rest",
        "no_purchase": "first_order",
    },
    "value": {
        "whale": "whale",
        "high_potential": "high_potential",
        "long_tail": "long_tail",
        "no_purchase": "first_order",
    },
    "pareto": {"head": "cherish", "middle": "grow", "no_purchase": "first_order"},
    "stage": {
        "new": "second_order",
        "active": "nurture",
        "loyal": "cherish",
        "at_risk": "rescue",
        "lapsing": "win_back",
        "lost": "let_rest",
        "no_purchase": "first_order",
    },
    "matrix": {
        "engaged_none": "first_order_hot",
        "casual_none": "first_order",
        "dormant_none": "first_order",
        "engaged_once": "second_order",
        "casual_once": "browse_to_buy",
        "dormant_once": "win_back",
        "engaged_repeat": "cherish",
        "casual_repeat": "keep",
        "dormant_repeat": "rescue",
    },
    "clusters": {"no_purchase": "first_order"},
}
