"""Channel quality: what each channel brings, what becomes of it, what it costs and what it earns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tilth.behavior.newcomers import Newcomers, NewcomersAnswer, Share
from tilth.behavior.parameters import Answer

__all__ = ["ChannelLine", "ChannelsAnswer", "channel_lines"]


class ChannelLine(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's newcomers. share: of all newcomers. activated, kept, payers: see `Newcomers`.

    revenue: of them until now; value: a person in the time of value, with 95 % bounds; cost: of the range's days, None
    where none is known; cac: cost by newcomer; cac_payer: by payer; roi: (revenue - cost) / cost.
    revenue_share, cumulative: of all revenue, and with the channels before (Pareto); best: it belongs to the channels
    that make the first 80 %. Money in major units.
    """

    channel: Any
    people: int
    share: Share
    activated: Share
    kept: dict[str, Share]
    payers: Share
    revenue: float
    value: float | None
    value_low: float | None
    value_high: float | None
    valued: int
    cost: float | None
    cac: float | None
    cac_payer: float | None
    roi: float | None
    revenue_share: float | None
    cumulative: float | None
    best: bool


class ChannelsAnswer(Answer, frozen=True, kw_only=True):
    """channels: by revenue. total: all newcomers. unmatched: channels with a cost that brought nobody."""

    channels: list[ChannelLine]
    total: Newcomers
    cost: float | None
    unmatched: dict[str, float]
    first: str
    last: str


def channel_lines(
    answer: NewcomersAnswer, costs: Mapping[str, int], scale: int, days: tuple[str, str]
) -> ChannelsAnswer:
    """Put newcomers by channel beside what the channels cost. costs: minor units; scale: of them make one."""
    total = answer.newcomers
    lines = sorted(answer.breakdown, key=lambda v: (-v.newcomers.revenue, -v.newcomers.people, str(v.value)))
    whole = sum(max(0.0, v.newcomers.revenue) for v in lines)
    named = {str(v.value) for v in lines if v.value is not None}
    found, before = [], 0.0
    for line in lines:
        held = line.newcomers
        minor = None if line.value is None else costs.get(str(line.value))
        cost = None if minor is None else minor / scale
        part = max(0.0, held.revenue) / whole if whole > 0 else None
        cumulative = None if part is None else before + part
        found.append(
            ChannelLine(
                channel=line.value,
                people=held.people,
                share=Share.made(held.people, total.people),
                activated=held.activated,
                kept=held.kept,
                payers=held.payers,
                revenue=held.revenue,
                value=held.value,
                value_low=held.value_low,
                value_high=held.value_high,
                valued=held.valued,
                cost=cost,
                cac=cost / held.people if cost is not None and held.people else None,
                cac_payer=cost / held.payers.people if cost is not None and held.payers.people else None,
                roi=(held.revenue - cost) / cost if cost else None,
                revenue_share=part,
                cumulative=cumulative,
                best=part is not None and part > 0 and before < 0.8,
            )
        )
        before = cumulative or before
    unmatched = {channel: minor / scale for channel, minor in sorted(costs.items()) if channel not in named}
    return ChannelsAnswer(
        as_of=answer.as_of,
        took_ms=answer.took_ms,
        scanned=answer.scanned,
        cached=answer.cached,
        channels=found,
        total=total,
        cost=sum(costs.values()) / scale if costs else None,
        unmatched=unmatched,
        first=days[0],
        last=days[1],
    )
