"""Did it come true? Forecasts made at the end of the calibration period against what happened next.

Nothing after the calibration period is used to make them. The peer is the forecast that needs no model:
that everybody repeats the last period of the same length. A person's first purchase is not counted in it,
because it could not be a repeat; with it the peer would be an easier one to beat.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tilth.segments.clv.forecast import Forecasts
from tilth.segments.clv.summary import Buyers
from tilth.segments.days import day_text

__all__ = ["CalibrationRow", "Holdout", "check_holdout"]

# People with this many repeat transactions or more are one row of the calibration table.
TOGETHER = 7


class CalibrationRow(msgspec.Struct, frozen=True, kw_only=True):
    """People with the same number of repeat transactions in the calibration period.

    frequency: that number, or "7+". people: how many. actual, expected: transactions a person in the
    holdout period.
    """

    frequency: int | str
    people: int
    actual: float
    expected: float


class Holdout(msgspec.Struct, frozen=True, kw_only=True):
    """The holdout check.

    since, until (JSON: from, to): its first and last day. periods: its length in time units. mae,
    naive_mae: mean absolute error of the transactions a person, of the model and of repeating the last
    period. actual_total, expected_total, naive_total: transactions of everybody in the calibration
    period's buyers. covered: share of people whose transactions lie in their predictive interval of
    `level`; intervals of counts cover at least that if the model is right. newcomers: people who first
    bought in the holdout period, whom no forecast is made for.
    """

    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")
    periods: float
    mae: float
    naive_mae: float
    actual_total: int
    expected_total: float
    naive_total: int
    covered: float
    level: float
    newcomers: int
    calibration: list[CalibrationRow]


def check_holdout(buyers: Buyers, made: Forecasts, unit_days: float) -> Holdout:
    """Compare `made`, the buyers' forecasts over exactly the holdout period, with what they did."""
    actual = buyers.later
    expected = made.expected_purchases
    group = np.minimum(buyers.x, TOGETHER)
    people = np.bincount(group, minlength=TOGETHER + 1)
    happened = np.bincount(group, weights=actual, minlength=TOGETHER + 1)
    foreseen = np.bincount(group, weights=expected, minlength=TOGETHER + 1)
    table = [
        CalibrationRow(
            frequency=f"{TOGETHER}+" if x == TOGETHER else x,
            people=int(people[x]),
            actual=float(happened[x] / people[x]),
            expected=float(foreseen[x] / people[x]),
        )
        for x in range(TOGETHER + 1)
        if people[x]
    ]
    return Holdout(
        since=day_text(buyers.end + 1),
        until=day_text(buyers.until),
        periods=(buyers.until - buyers.end) / unit_days,
        mae=float(np.abs(actual - expected).mean()),
        naive_mae=float(np.abs(actual - buyers.recent).mean()),
        actual_total=int(actual.sum()),
        expected_total=float(expected.sum()),
        naive_total=int(buyers.recent.sum()),
        covered=float(((actual >= made.low) & (actual <= made.high)).mean()),
        level=made.level,
        newcomers=buyers.newcomers,
        calibration=table,
    )
