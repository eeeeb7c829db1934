"""CLV as it is shown: with people's ids, as a table, and for one person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from tilth.errors import NotFound
from tilth.measure import Money, money
from tilth.settings import currency_digits

if TYPE_CHECKING:
    from tilth.segments.clv import CLVRequest, CLVResult
    from tilth.segments.export import Value
    from tilth.workspace import Workspace

__all__ = ["PersonClv", "clv_answer", "clv_table", "person_clv"]

_CHUNK = 5_000


class PersonClv(msgspec.Struct, frozen=True, kw_only=True):
    """p_alive: probability of being a customer still; what is expected in the 90 days after the last day with data."""

    p_alive: float
    expected_90d: float
    value_90d: Money


def clv_answer(workspace: Workspace, request: CLVRequest) -> CLVResult:
    """The answer with the distinct ids of the people it lists."""
    from tilth.segments.clv.clv import DistinctId

    result = workspace.segments.clv(request)
    ids = workspace.people.distinct_ids([person.uid for person in result.top])
    return result.named(
        {uid: [DistinctId(kind=known.kind, id=known.id) for known in found] for uid, found in ids.items()}
    )


def clv_table(workspace: Workspace, request: CLVRequest) -> tuple[list[str], Iterator[list[Value]]]:
    """Column names, and one row a person; money in the currency's main unit."""
    result = workspace.segments.clv(request)
    forecasts = result.forecasts
    digits = currency_digits(result.currency)
    columns = ["uid", "id", "p_alive", "expected_purchases", "low", "high", f"expected_value_{result.currency}"]

    def rows() -> Iterator[list[Value]]:
        for start in range(0, len(forecasts.uid), _CHUNK):
            part = slice(start, start + _CHUNK)
            uids = forecasts.uid[part].tolist()
            ids = workspace.people.distinct_ids(uids)
            for row in zip(
                uids,
                forecasts.p_alive[part].tolist(),
                forecasts.expected_purchases[part].tolist(),
                forecasts.low[part].tolist(),
                forecasts.high[part].tolist(),
                forecasts.expected_value[part].tolist(),
                strict=True,
            ):
                uid, alive, purchases, low, high, value = row
                known = ids[uid]
                yield [
                    uid,
                    known[0].id if known else None,
                    round(alive, 6),
                    round(purchases, 6),
                    low,
                    high,
                    round(value / 10**digits, digits),
                ]

    return columns, rows()


def person_clv(workspace: Workspace, uid: int) -> PersonClv | None:
    """One person's forecast for the next 90 days; None where they have not bought or the data says too little."""
    from tilth.segments.clv import CLVRequest

    request = CLVRequest(model="bgnbd", time_unit="day", horizon=90.0, forecast_from="until")
    result = workspace.segments.clv_lately(request)
    if result is None:
        return None
    try:
        found = result.forecasts.of(uid)
    except NotFound:
        return None
    return PersonClv(
        p_alive=found.p_alive,
        expected_90d=found.expected_purchases,
        value_90d=money(round(found.expected_value), result.currency),
    )
