"""Forecasts for every person: active or not, how many purchases, worth how much, within a horizon.

Everything is computed once per distinct (x, tx, T) and handed out to the people who share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput, NotFound
from tilth.segments.clv import gamma_gamma
from tilth.segments.clv.base import PurchaseModel, Triples
from tilth.segments.clv.predictive import purchase_intervals, spend_multiples
from tilth.segments.clv.summary import Buyers

__all__ = ["Forecasts", "PersonForecast", "SpendModel", "forecast", "value_intervals"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SpendModel:
    """What a future transaction is expected to be worth.

    values: p, q, v of the gamma-gamma model, v in minor units; None where it could not be learned, and
    then the person's own mean is taken, and `everybody` (minor units) for people who bought once.
    """

    values: dict[str, float] | None
    everybody: float

    def expected(self, x: Int64, mean: Float64) -> Float64:
        """float64[n], minor units: the expected amount of one future transaction of each person."""
        paid = (x > 0) & (mean > 0)
        if self.values is None:
            return np.where(paid, mean, self.everybody)
        # A person whose repeat purchases cost nothing says nothing about prices; they get the mean.
        return gamma_gamma.expected_spend(np.where(paid, x, 0), mean, self.values)


class PersonForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One person's forecast; fields as in `Forecasts`, `expected_value` in minor units."""

    uid: int
    p_alive: float
    expected_purchases: float
    low: int
    high: int
    expected_value: float


@dataclass(frozen=True, kw_only=True)
class Forecasts:
    """Forecasts over `horizon` time units from the end of day `origin` (days since 1970) on.

    One value a person in each array, ascending by uid. p_alive: float64[n]. expected_purchases: float64[n]
    transactions. low, high: int64[n], the predictive interval of that number at `level`
    (see `tilth.segments.clv.predictive`). spend: float64[n], minor units a transaction. expected_value:
    float64[n], minor units, expected_purchases × spend. value_low, value_high: float64[n], the predictive
    interval of the value, where asked for.
    """

    uid: Int64
    p_alive: Float64
    expected_purchases: Float64
    low: Int64
    high: Int64
    spend: Float64
    expected_value: Float64
    value_low: Float64 | None
    value_high: Float64 | None
    horizon: float
    level: float
    origin: int

    def of(self, uid: int) -> PersonForecast:
        """One person's; `NotFound` where they had not bought by the origin."""
        place = int(np.searchsorted(self.uid, uid))
        if place == len(self.uid) or self.uid[place] != uid:
            raise NotFound("forecast for person", str(uid))
        return PersonForecast(
            uid=uid,
            p_alive=float(self.p_alive[place]),
            expected_purchases=float(self.expected_purchases[place]),
            low=int(self.low[place]),
            high=int(self.high[place]),
            expected_value=float(self.expected_value[place]),
        )


def forecast(
    buyers: Buyers,
    triples: Triples,
    model: PurchaseModel,
    values: dict[str, float],
    spend: SpendModel,
    *,
    horizon: float,
    level: float,
    with_value_intervals: bool = False,
) -> Forecasts:
    """Score everybody in `buyers`.

    triples: of the same buyers. values: the model's parameters. horizon: time units from the end of the
    calibration period. level: of the intervals, such as 0.95. with_value_intervals: also the intervals of
    the value, which cost some microseconds a purchase and person.
    """
    if not (np.isfinite(horizon) and 0 < horizon * triples.unit_days <= 36_525):
        raise InvalidInput("horizon", "must be longer than nothing and at most 100 years")
    if not 0.5 <= level <= 0.999:
        raise InvalidInput("level", "must be between 0.5 and 0.999")
    alive = model.p_alive(triples, values)
    counts = model.future(values, triples.cell_x, triples.cell_end, triples.unit_days, horizon, (1.0 - level) / 2.0)
    low, high = purchase_intervals(alive, triples.cell, counts, level)
    purchases = (alive * counts.mean[triples.cell])[triples.person]
    each = spend.expected(buyers.x, buyers.mean)
    result = Forecasts(
        uid=buyers.uid,
        p_alive=alive[triples.person],
        expected_purchases=purchases,
        low=low[triples.person],
        high=high[triples.person],
        spend=each,
        expected_value=purchases * each,
        value_low=None,
        value_high=None,
        horizon=float(horizon),
        level=float(level),
        origin=buyers.end,
    )
    if not with_value_intervals or spend.values is None:
        return result
    everyone = np.arange(len(buyers.uid))
    bounds = value_intervals(buyers, triples, model, values, spend, result, everyone)
    assert bounds is not None
    return Forecasts(**{**result.__dict__, "value_low": bounds[0], "value_high": bounds[1]})


def value_intervals(
    buyers: Buyers,
    triples: Triples,
    model: PurchaseModel,
    values: dict[str, float],
    spend: SpendModel,
    result: Forecasts,
    rows: Int64,
) -> tuple[Float64, Float64] | None:
    """Predictive intervals of the value of the people at `rows`: (low, high), float64[len(rows)] minor units.

    None where there is no gamma-gamma model to say how spends vary.
    """
    if spend.values is None:
        return None
    p, q, v = (spend.values[name] for name in gamma_gamma.NAMES)
    paid = (buyers.x[rows] > 0) & (buyers.mean[rows] > 0)
    # Rows that share triple and kind (paid or not) share the multiple; only the money differs.
    keys, place = np.unique(triples.person[rows] * 2 + paid, return_inverse=True)
    triple = keys // 2
    cells, cell = np.unique(triples.cell[triple], return_inverse=True)
    counts = model.future(
        values,
        triples.cell_x[cells],
        triples.cell_end[cells],
        triples.unit_days,
        result.horizon,
        (1.0 - result.level) / 2000.0,
    )
    alive = np.zeros(len(keys))
    alive[place] = result.p_alive[rows]
    known = np.where(keys % 2 == 1, triples.x[triple], 0)
    low, high = spend_multiples(known, alive, cell.astype(np.int64), counts, result.level, p, q)
    scale = v + np.where(paid, buyers.x[rows] * buyers.mean[rows], 0.0)
    return low[place] * scale, high[place] * scale
