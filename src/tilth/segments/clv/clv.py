"""Customer lifetime value: who is still active, how much will they buy, what is it worth.

One question, one answer: `clv(history, request)`. The parameters are learned from the calibration period
alone; where the history goes on after it, the answer says how the forecasts did there.
"""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.clv import gamma_gamma
from tilth.segments.clv.base import DAYS_PER_UNIT, Estimate, PurchaseModel, Triples
from tilth.segments.clv.bgnbd import BGNBD
from tilth.segments.clv.forecast import Forecasts, SpendModel, forecast, value_intervals
from tilth.segments.clv.holdout import Holdout, check_holdout
from tilth.segments.clv.mbgnbd import MBGNBD
from tilth.segments.clv.notices import buying_notices, holdout_notices, spend_notices
from tilth.segments.clv.pareto_nbd import PARETO_NBD
from tilth.segments.clv.summary import Buyers, Orders, last_day, summarise
from tilth.segments.days import day_text, parse_day
from tilth.segments.words import Notice
from tilth.settings import currency_digits

__all__ = [
    "MODELS",
    "CLVRequest",
    "CLVResult",
    "DistinctId",
    "MoneyAmount",
    "Period",
    "SpendEstimate",
    "TopPerson",
    "clv",
]

Int64 = npt.NDArray[np.int64]

MODELS: dict[str, PurchaseModel] = {model.name: model for model in (BGNBD, PARETO_NBD, MBGNBD)}
# A quarter of a year, where nothing else says how far to look.
DEFAULT_HORIZON = {"day": 90.0, "week": 13.0, "month": 3.0}


class CLVRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The question.

    model: `bgnbd`, `pareto_nbd` or `mbgnbd`. time_unit: of the parameters and the horizon. calibration_end:
    last day (YYYY-MM-DD, included) the parameters are learned from; default `until`. until: last day of the
    history used; default the last one there is. What lies between the two is the holdout period.
    horizon: how far to forecast, in time units; default the length of the holdout period, else a quarter.
    forecast_from: `calibration_end` scores people as they stood then; `until` scores them on the
    whole history, still with the calibration period's parameters. level: of the intervals. top: how many
    people to list, those of the highest expected value. value_intervals: intervals of the value for
    everybody, not only for the listed. timezone: IANA name, default the workspace's.
    """

    model: Literal["bgnbd", "pareto_nbd", "mbgnbd"] = "bgnbd"
    time_unit: Literal["day", "week", "month"] = "week"
    calibration_end: str | None = None
    until: str | None = None
    horizon: float | None = None
    forecast_from: Literal["calibration_end", "until"] = "calibration_end"
    level: float = 0.95
    top: int = 100
    value_intervals: bool = False
    timezone: str | None = None


class MoneyAmount(msgspec.Struct, frozen=True, kw_only=True):
    """amount: minor units of `currency`. text: the same as a decimal."""

    amount: int
    currency: str
    text: str


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Days since and until (JSON: from, to), both included."""

    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")


class SpendEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """The gamma-gamma model. v is in the main unit of the currency (dollars, not cents).

    people: repeat buyers it was learned from. correlation: of how often and how much (the model takes it
    to be 0). mean: everybody's expected spend a transaction, main unit, None where q <= 1.
    """

    p: float
    q: float
    v: float
    people: int
    correlation: float | None
    mean: float | None
    log_likelihood: float
    converged: bool
    standard_errors: dict[str, float | None]


class DistinctId(msgspec.Struct, frozen=True, kw_only=True):
    """An id a source knows the person by."""

    kind: str
    id: str


class TopPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person's forecast.

    p_alive: probability of being an active customer still. expected_purchases: transactions within the
    horizon. low, high: predictive interval of that number. expected_value: of those purchases; value_low,
    value_high: its predictive interval (None without a spend model).
    """

    uid: int
    distinct_ids: list[DistinctId]
    p_alive: float
    expected_purchases: float
    low: int
    high: int
    expected_value: MoneyAmount
    value_low: MoneyAmount | None
    value_high: MoneyAmount | None


class CLVResult(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The answer; as JSON everything but `forecasts`.

    parameters, standard_errors: by the paper's names, time in `time_unit`. log_likelihood: natural, of the
    calibration period. converged: False where the estimates are not a proper maximum (see `warnings`).
    people: buyers the parameters come from, repeat_people those with a second transaction. forecast_people:
    people forecast. horizon: time units after `as_of`, the last day the forecasts know. level: of the
    predictive intervals, which are those of the numbers themselves and not of their means (see
    `tilth.segments.clv.predictive`). expected_purchases, expected_value: of everybody together. holdout:
    None where there is no history after the calibration period. took_ms: milliseconds.
    """

    model: str
    time_unit: str
    parameters: dict[str, float]
    standard_errors: dict[str, float | None]
    log_likelihood: float
    converged: bool
    people: int
    repeat_people: int
    forecast_people: int
    currency: str
    calibration: Period
    gamma_gamma: SpendEstimate | None
    horizon: float
    level: float
    expected_purchases: float
    expected_value: MoneyAmount
    holdout: Holdout | None
    top: list[TopPerson]
    warnings: list[Notice]
    as_of: str
    took_ms: float

    @property
    def forecasts(self) -> Forecasts:
        """Everybody's forecast, as arrays; kept out of the JSON."""
        kept = self.__dict__.get("forecasts_kept")
        if not isinstance(kept, Forecasts):
            raise AttributeError("a CLV result read back from JSON has no forecasts")
        return kept

    def named(self, ids: Mapping[int, Sequence[DistinctId]]) -> CLVResult:
        """The same with the listed people's distinct ids filled in from `ids`, by uid."""
        top = [msgspec.structs.replace(person, distinct_ids=list(ids.get(person.uid, ()))) for person in self.top]
        return _with_forecasts(msgspec.structs.replace(self, top=top), self.forecasts)


def clv(history: Orders, request: CLVRequest, *, timezone: str = "UTC", currency: str | None = None) -> CLVResult:
    """Learn the model, forecast everybody, and check the forecasts on the holdout period.

    history: orders sorted by (uid, ts) with uid, ts (UTC µs) and amount (minor units), such as a
    `PurchaseHistory`. timezone: of the calendar days where the request names none. currency: of the
    amounts, default the history's own.

    Raises `InvalidInput` where there is nothing to learn from (no orders, nobody by the calibration end,
    nobody who ever came back) and on dates, horizons or levels that make no sense. Degenerate but usable
    data gives a result with `converged` False and a warning that says why.
    """
    started = time.perf_counter()
    zone = request.timezone or timezone
    money = currency or getattr(history, "currency", None) or "CNY"
    model, unit = _checked(request, zone)
    until, end = _days(history, request, zone)

    buyers = summarise(history, timezone=zone, end=end, until=until)
    triples = buyers.triples(unit)
    estimate = model.fit(triples)
    if not np.isfinite(estimate.log_likelihood) or abs(estimate.log_likelihood) >= 1e290:
        raise InvalidInput("history", "the likelihood cannot be computed for these purchases")
    spend, spend_estimate, warnings = _learn_spend(buyers, money)
    warnings = buying_notices(estimate, buyers) + warnings

    held_out = (until - end) / unit
    horizon = request.horizon
    if horizon is None:
        at_end = request.forecast_from == "calibration_end"
        horizon = held_out if held_out > 0 and at_end else DEFAULT_HORIZON[request.time_unit]
    people, scored = buyers, triples
    if request.forecast_from == "until" and until > end:
        people = summarise(history, timezone=zone, end=until)
        scored = people.triples(unit)
    forecasts = forecast(
        people,
        scored,
        model,
        estimate.values,
        spend,
        horizon=horizon,
        level=request.level,
        with_value_intervals=request.value_intervals,
    )
    holdout = None
    if until > end:
        checked = forecasts
        if people is not buyers or horizon != held_out:
            checked = forecast(buyers, triples, model, estimate.values, spend, horizon=held_out, level=request.level)
        holdout = check_holdout(buyers, checked, unit)
        warnings += holdout_notices(holdout)
    first = int((buyers.end - buyers.T).min())
    result = CLVResult(
        model=model.name,
        time_unit=request.time_unit,
        parameters=estimate.values,
        standard_errors=estimate.standard_errors,
        log_likelihood=estimate.log_likelihood,
        converged=estimate.converged,
        people=len(buyers.uid),
        repeat_people=int(np.count_nonzero(buyers.x)),
        forecast_people=len(people.uid),
        currency=money,
        calibration=Period(since=day_text(first), until=day_text(end)),
        gamma_gamma=spend_estimate,
        horizon=float(horizon),
        level=request.level,
        expected_purchases=float(forecasts.expected_purchases.sum()),
        expected_value=_amount(float(forecasts.expected_value.sum()), money),
        holdout=holdout,
        top=_top(request.top, people, scored, model, estimate, spend, forecasts, money),
        warnings=warnings,
        as_of=day_text(people.end),
        took_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return _with_forecasts(result, forecasts)


def _with_forecasts(result: CLVResult, forecasts: Forecasts) -> CLVResult:
    result.__dict__["forecasts_kept"] = forecasts
    return result


def _checked(request: CLVRequest, zone: str) -> tuple[PurchaseModel, float]:
    model = MODELS.get(request.model)
    if model is None:
        raise InvalidInput("model", f"there is no model {request.model!r}", sorted(MODELS))
    unit = DAYS_PER_UNIT.get(request.time_unit)
    if unit is None:
        raise InvalidInput("time_unit", f"there is no time unit {request.time_unit!r}", sorted(DAYS_PER_UNIT))
    if request.forecast_from not in ("calibration_end", "until"):
        raise InvalidInput("forecast_from", "must be calibration_end or until", ["calibration_end", "until"])
    if request.horizon is not None and not 0 < request.horizon * unit <= 36_525:
        raise InvalidInput("horizon", "must be longer than nothing and at most 100 years")
    if not 0.5 <= request.level <= 0.999:
        raise InvalidInput("level", "must be between 0.5 and 0.999")
    if not 0 <= request.top <= 100_000:
        raise InvalidInput("top", "must be between 0 and 100000")
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("timezone", f"there is no time zone {zone!r}") from None
    return model, unit


def _days(history: Orders, request: CLVRequest, zone: str) -> tuple[int, int]:
    """(until, end): the last day looked at and the last day of the calibration period."""
    known = last_day(history, zone)
    end = None if request.calibration_end is None else parse_day(request.calibration_end, "calibration_end")
    if request.until is not None:
        until = parse_day(request.until, "until")
        if end is not None and end > until:
            raise InvalidInput("calibration_end", f"must not be after until ({request.until})")
    else:
        # A calibration period may end after the last order: that nobody bought since is known too.
        until = known if end is None else max(known, end)
    return until, until if end is None else end


def _learn_spend(buyers: Buyers, currency: str) -> tuple[SpendModel, SpendEstimate | None, list[Notice]]:
    """The spend model of the repeat buyers who paid, or each person's own mean where there is none."""
    repeats = buyers.x > 0
    paid = repeats & (buyers.mean > 0)
    x, mean = buyers.x[paid], buyers.mean[paid]
    left_out = int(np.count_nonzero(repeats)) - len(x)
    everybody = max(buyers.amount / buyers.transactions, 0.0)
    try:
        estimate = gamma_gamma.fit(x, mean)
    except InvalidInput as error:
        notices = spend_notices(None, error.reason, left_out, None)
        return SpendModel(values=None, everybody=everybody), None, notices
    related = gamma_gamma.correlation(x, mean)
    has_mean = estimate.values["q"] > 1
    main = 10.0 ** -currency_digits(currency)
    p, q, v = (estimate.values[name] for name in gamma_gamma.NAMES)
    v_error = estimate.standard_errors["v"]
    shown = SpendEstimate(
        p=p,
        q=q,
        v=v * main,
        people=len(x),
        correlation=related,
        mean=p * v * main / (q - 1.0) if has_mean else None,
        # A density of minor units, expressed as one of main units.
        log_likelihood=estimate.log_likelihood - len(x) * float(np.log(main)),
        converged=estimate.converged,
        standard_errors={**estimate.standard_errors, "v": None if v_error is None else v_error * main},
    )
    spend = SpendModel(values=estimate.values if has_mean else None, everybody=everybody)
    return spend, shown, spend_notices(estimate, "", left_out, related)


def _top(
    count: int,
    people: Buyers,
    triples: Triples,
    model: PurchaseModel,
    estimate: Estimate,
    spend: SpendModel,
    forecasts: Forecasts,
    currency: str,
) -> list[TopPerson]:
    """The people of the highest expected value (then purchases), best first."""
    if count == 0:
        return []
    rows = np.arange(len(forecasts.uid))
    if count < len(rows):
        # Sorting a million for the best hundred would take longer than scoring them.
        least = np.partition(forecasts.expected_value, len(rows) - count)[len(rows) - count]
        rows = np.flatnonzero(forecasts.expected_value >= least)
    order = np.lexsort((forecasts.uid[rows], -forecasts.expected_purchases[rows], -forecasts.expected_value[rows]))
    rows = rows[order[:count]]
    bounds = value_intervals(people, triples, model, estimate.values, spend, forecasts, rows)
    low, high = bounds if bounds is not None else (None, None)
    return [
        TopPerson(
            uid=int(forecasts.uid[row]),
            distinct_ids=[],
            p_alive=float(forecasts.p_alive[row]),
            expected_purchases=float(forecasts.expected_purchases[row]),
            low=int(forecasts.low[row]),
            high=int(forecasts.high[row]),
            expected_value=_amount(float(forecasts.expected_value[row]), currency),
            value_low=None if low is None else _amount(float(low[i]), currency),
            value_high=None if high is None else _amount(float(high[i]), currency),
        )
        for i, row in enumerate(rows)
    ]


def _amount(minor: float, currency: str) -> MoneyAmount:
    """A forecast in minor units, rounded to a whole one."""
    amount = round(minor)
    digits = currency_digits(currency)
    whole, part = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    text = f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"
    return MoneyAmount(amount=amount, currency=currency, text=text)
