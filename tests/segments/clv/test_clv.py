"""The question and the answer, on ordinary, odd and hopeless shops."""

from __future__ import annotations

import datetime as dt
import math
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import clv as oracle
from tilth.errors import InvalidInput, NotFound
from tilth.segments.clv import MODELS, CLVRequest, CLVResult, clv
from tilth.segments.clv.clv import DistinctId

VALUES = {"r": 0.6, "alpha": 9.0, "a": 0.8, "b": 2.5}
SPEND = {"p": 5.0, "q": 4.0, "v": 20.0}


@pytest.fixture(scope="module")
def shop() -> oracle.OrderArrays:
    """1,500 people who first bought in the first half of 1970, watched to the end of 1971."""
    return oracle.simulate_orders("bgnbd", 1500, 730, 180, VALUES, SPEND, seed=21)


def numbers(value: object) -> list[float]:
    """Every number in a JSON value."""
    if isinstance(value, dict):
        return [n for part in value.values() for n in numbers(part)]
    if isinstance(value, list):
        return [n for part in value for n in numbers(part)]
    return [value] if isinstance(value, int | float) else []


def assert_sane(answer: CLVResult) -> None:
    """No NaN, no infinity, and every number within its meaning."""
    decoded = msgspec.json.decode(msgspec.json.encode(answer))
    assert all(math.isfinite(n) for n in numbers(decoded))
    f = answer.forecasts
    for array in (f.p_alive, f.expected_purchases, f.spend, f.expected_value):
        assert np.isfinite(array).all()
        assert (array >= 0).all()
    assert (f.p_alive <= 1).all()
    assert (f.low >= 0).all()
    assert (f.high >= f.low).all()


def answer_or_reason(history: oracle.OrderArrays, request: CLVRequest) -> CLVResult | str:
    """The answer, or why there is none."""
    try:
        return clv(history, request)
    except InvalidInput as refused:
        return refused.reason


def test_the_answer_has_the_agreed_shape(shop: oracle.OrderArrays) -> None:
    answer = clv(shop, CLVRequest(calibration_end="1970-12-31", top=5))
    decoded = msgspec.json.decode(msgspec.json.encode(answer))
    for key in ("model", "time_unit", "parameters", "log_likelihood", "people", "gamma_gamma", "holdout", "top"):
        assert key in decoded
    assert {"p", "q", "v", "people", "correlation"} <= decoded["gamma_gamma"].keys()
    assert {"from", "to", "mae", "naive_mae", "actual_total", "expected_total"} <= decoded["holdout"].keys()
    assert decoded["holdout"]["calibration"][0].keys() == {"frequency", "people", "actual", "expected"}
    assert {"uid", "distinct_ids", "p_alive", "expected_purchases", "low", "high"} <= decoded["top"][0].keys()
    assert decoded["top"][0]["expected_value"].keys() == {"amount", "currency", "text"}
    assert decoded["as_of"] == "1970-12-31"
    assert decoded["calibration"]["to"] == "1970-12-31"
    assert decoded["took_ms"] > 0
    assert "forecasts" not in decoded
    assert_sane(answer)


def test_the_listed_people_are_those_of_the_highest_expected_value(shop: oracle.OrderArrays) -> None:
    answer = clv(shop, CLVRequest(calibration_end="1970-12-31", top=7))
    best = np.sort(answer.forecasts.expected_value)[::-1][:7]
    assert [person.expected_value.amount for person in answer.top] == [round(value) for value in best]
    for person in answer.top:
        assert person.value_low is not None
        assert person.value_high is not None
        assert person.value_low.amount <= person.expected_value.amount <= person.value_high.amount
        assert person.low <= person.expected_purchases <= person.high
    everyone = clv(shop, CLVRequest(calibration_end="1970-12-31", top=100_000))
    assert len(everyone.top) == everyone.people
    assert clv(shop, CLVRequest(calibration_end="1970-12-31", top=0)).top == []


def test_the_listed_people_s_value_intervals_are_those_of_everybody_s(shop: oracle.OrderArrays) -> None:
    answer = clv(shop, CLVRequest(calibration_end="1970-12-31", top=20, value_intervals=True))
    f = answer.forecasts
    assert f.value_low is not None
    assert f.value_high is not None
    for person in answer.top:
        place = int(np.searchsorted(f.uid, person.uid))
        assert person.value_low is not None
        assert person.value_high is not None
        assert person.value_low.amount == round(f.value_low[place])
        assert person.value_high.amount == pytest.approx(f.value_high[place], abs=1)


def test_ids_can_be_filled_in_and_forecasts_found_by_person(shop: oracle.OrderArrays) -> None:
    answer = clv(shop, CLVRequest(calibration_end="1970-12-31", top=2))
    uid = answer.top[0].uid
    named = answer.named({uid: [DistinctId(kind="id", id="C-17")]})
    assert named.top[0].distinct_ids[0].id == "C-17"
    assert named.top[1].distinct_ids == []
    assert named.forecasts.of(uid).expected_purchases == pytest.approx(answer.top[0].expected_purchases)
    with pytest.raises(NotFound):
        named.forecasts.of(10**9)


def test_without_a_calibration_end_all_is_learned_from_and_nothing_is_held_out(shop: oracle.OrderArrays) -> None:
    answer = clv(shop, CLVRequest())
    assert answer.holdout is None
    assert answer.horizon == 13  # a quarter
    assert answer.as_of == answer.calibration.until == "1971-12-31"


def test_until_cuts_the_history_off(shop: oracle.OrderArrays) -> None:
    cut = shop.ts < 400 * 86_400_000_000
    short = oracle.OrderArrays(shop.uid[cut], shop.ts[cut], shop.amount[cut])
    whole = clv(shop, CLVRequest(calibration_end="1970-12-31", until="1971-02-04"))
    alone = clv(short, CLVRequest(calibration_end="1970-12-31", until="1971-02-04"))
    assert whole.holdout == alone.holdout
    assert whole.parameters == alone.parameters


def test_nothing_after_the_calibration_period_touches_the_forecast(shop: oracle.OrderArrays) -> None:
    before = shop.ts < 365 * 86_400_000_000
    blind = oracle.OrderArrays(shop.uid[before], shop.ts[before], shop.amount[before])
    seeing = clv(shop, CLVRequest(calibration_end="1970-12-31", horizon=26))
    unseeing = clv(blind, CLVRequest(calibration_end="1970-12-31", horizon=26))
    assert seeing.parameters == unseeing.parameters
    assert seeing.gamma_gamma == unseeing.gamma_gamma
    np.testing.assert_array_equal(seeing.forecasts.expected_value, unseeing.forecasts.expected_value)
    assert unseeing.holdout is None


def test_forecasts_can_start_from_the_end_of_the_whole_history(shop: oracle.OrderArrays) -> None:
    then = clv(shop, CLVRequest(calibration_end="1970-12-31", horizon=26))
    now = clv(shop, CLVRequest(calibration_end="1970-12-31", horizon=26, forecast_from="until"))
    assert now.parameters == then.parameters
    assert now.holdout == then.holdout
    assert (then.as_of, now.as_of) == ("1970-12-31", "1971-12-31")
    assert now.expected_purchases < then.expected_purchases  # a year more of people falling silent


def test_the_holdout_check_is_of_the_holdout_period_whatever_the_horizon(shop: oracle.OrderArrays) -> None:
    short = clv(shop, CLVRequest(calibration_end="1970-12-31", horizon=1))
    full = clv(shop, CLVRequest(calibration_end="1970-12-31"))
    assert short.holdout == full.holdout
    assert short.expected_purchases < full.expected_purchases


def test_a_calibration_period_may_end_after_the_last_order(shop: oracle.OrderArrays) -> None:
    answer = clv(shop, CLVRequest(calibration_end="1972-06-30"))
    assert answer.as_of == "1972-06-30"
    assert answer.holdout is None


def test_money_is_in_the_currency_s_own_digits(shop: oracle.OrderArrays) -> None:
    dollars = clv(shop, CLVRequest(calibration_end="1970-12-31"))
    yen = clv(shop, CLVRequest(calibration_end="1970-12-31"), currency="JPY")
    assert dollars.gamma_gamma is not None
    assert yen.gamma_gamma is not None
    assert yen.gamma_gamma.v == pytest.approx(100 * dollars.gamma_gamma.v, rel=1e-9)
    assert dollars.expected_value.text == f"{dollars.expected_value.amount / 100:.2f}"
    assert yen.expected_value.text == str(yen.expected_value.amount)
    # The likelihood is of amounts in the main unit, so it is one and the same shop's up to the unit.
    assert dollars.gamma_gamma.log_likelihood - yen.gamma_gamma.log_likelihood == pytest.approx(
        dollars.gamma_gamma.people * np.log(100), rel=1e-9
    )


def rows(*people: list[tuple[str, int]]) -> oracle.OrderArrays:
    return oracle.orders([(uid, day, amount) for uid, person in enumerate(people, 1) for day, amount in person])


HOPELESS = {
    "one person, once": rows([("2026-01-01", 100)]),
    "nobody came back": rows(*([[("2026-01-01", 100)]] * 50)),
    "all on one day": rows(*([[("2026-01-01", 100), ("2026-01-01", 50)]] * 50)),
}
ODD = {
    "one person, twice": rows([("2026-01-01", 100), ("2026-01-20", 100)]),
    "two people, one came back": rows([("2026-01-01", 100), ("2026-01-20", 100)], [("2026-01-03", 100)]),
    "everybody alike": rows(*([[("2026-01-01", 100), ("2026-01-08", 100), ("2026-01-15", 100)]] * 40)),
    "everybody daily": rows(*([[(f"2026-01-{day:02}", 100) for day in range(1, 31)]] * 10)),
    "nothing costs anything": rows(*([[("2026-01-01", 0), ("2026-01-09", 0)], [("2026-01-03", 0)]] * 20)),
    "one paid, the rest is free": rows(
        [("2026-01-01", 5), ("2026-01-09", 5)], *([[("2026-01-01", 0), ("2026-01-09", 0)]] * 9)
    ),
    "a hundred years apart": rows(
        [("1926-01-01", 100), ("2026-01-20", 100)], [("1930-01-01", 100), ("1930-01-20", 70)], [("2026-01-01", 5)]
    ),
    "a fortune beside pennies": rows(
        [("2026-01-01", 1), ("2026-01-09", 1), ("2026-02-09", 2)],
        [("2026-01-01", 10**15), ("2026-01-09", 9 * 10**15)],
        *([[("2026-01-03", 10), ("2026-02-01", 12)]] * 5),
    ),
    "back money": rows(*([[("2026-01-01", 100), ("2026-01-09", -40)], [("2026-01-03", 70), ("2026-02-01", 60)]] * 20)),
}


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("case", sorted(HOPELESS))
def test_a_shop_that_nobody_came_back_to_is_refused_with_the_reason(model: str, case: str) -> None:
    with pytest.raises(InvalidInput, match="nobody bought again") as refused:
        clv(HOPELESS[case], CLVRequest(model=model))
    assert refused.value.field == "history"


@pytest.mark.parametrize("unit", ["day", "week", "month"])
@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("case", sorted(ODD))
def test_an_odd_shop_gets_numbers_or_a_reason_and_never_a_nan(model: str, case: str, unit: str) -> None:
    for end in (None, "2026-01-15"):
        request = CLVRequest(model=model, time_unit=unit, calibration_end=end, value_intervals=True)
        answer = answer_or_reason(ODD[case], request)
        if isinstance(answer, str):
            assert "nobody bought again" in answer
            continue
        assert_sane(answer)
        assert "few_repeat_buyers" in [notice.key for notice in answer.warnings]
        if not answer.converged:
            assert {"parameter_at_limit", "not_converged"} & {notice.key for notice in answer.warnings}


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 900), st.integers(0, 10**6)), min_size=1, max_size=8), min_size=1, max_size=12
    ),
    st.sampled_from(sorted(MODELS)),
    st.integers(0, 900),
)
@settings(max_examples=60, deadline=None)
def test_any_little_shop_gets_numbers_or_a_reason(people: list[list[tuple[int, int]]], model: str, end: int) -> None:
    start = dt.date(2020, 1, 1)
    history = rows(*([((start + dt.timedelta(days=day)).isoformat(), amount) for day, amount in p] for p in people))
    last = (start + dt.timedelta(days=end)).isoformat()
    answer = answer_or_reason(history, CLVRequest(model=model, calibration_end=last))
    if isinstance(answer, str):
        assert "nobody" in answer
    else:
        assert_sane(answer)


def test_a_shop_without_money_still_gets_its_purchases_forecast() -> None:
    answer = clv(ODD["nothing costs anything"], CLVRequest())
    assert answer.gamma_gamma is None
    assert answer.expected_purchases > 0
    assert answer.expected_value.amount == 0
    keys = [notice.key for notice in answer.warnings]
    assert "no_spend_model" in keys
    assert "unpaid_repeat_buyers" in keys


def test_spend_that_grows_with_frequency_is_pointed_out(shop: oracle.OrderArrays) -> None:
    order = np.arange(len(shop.uid)) - np.searchsorted(shop.uid, shop.uid)
    dearer = oracle.OrderArrays(shop.uid, shop.ts, 1000 * (1 + order) ** 2)
    keys = [notice.key for notice in clv(dearer, CLVRequest()).warnings]
    assert "spend_related_to_frequency" in keys


def test_spends_without_a_mean_are_pointed_out_and_one_s_own_mean_is_used() -> None:
    random = np.random.default_rng(3)
    people = 400
    uid = np.repeat(np.arange(people), 3)
    day = np.cumsum(random.integers(1, 60, (people, 3)), axis=1).ravel()
    level = np.exp(random.standard_cauchy(people).clip(-12, 12))  # a tail no mean survives
    amount = np.maximum(1, 1000 * np.repeat(level, 3) * random.gamma(3, 1 / 3, 3 * people)).astype(np.int64)
    history = SimpleNamespace(uid=uid, ts=day * 86_400_000_000, amount=amount, currency="CNY")
    answer = clv(history, CLVRequest())
    assert answer.gamma_gamma is not None
    assert answer.gamma_gamma.q <= 1
    assert answer.gamma_gamma.mean is None
    assert "spend_without_mean" in [notice.key for notice in answer.warnings]
    assert_sane(answer)
    assert answer.top[0].value_high is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "crystal_ball"}, "model"),
        ({"time_unit": "fortnight"}, "time_unit"),
        ({"calibration_end": "1970-13-01"}, "calibration_end"),
        ({"calibration_end": "1960-01-01"}, "calibration_end"),
        ({"calibration_end": "1971-06-01", "until": "1971-01-01"}, "calibration_end"),
        ({"until": "yesterday"}, "until"),
        ({"horizon": 0.0}, "horizon"),
        ({"horizon": float("nan")}, "horizon"),
        ({"horizon": 1e9}, "horizon"),
        ({"level": 1.0}, "level"),
        ({"level": float("nan")}, "level"),
        ({"top": -1}, "top"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"forecast_from": "the_moon"}, "forecast_from"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_field(
    shop: oracle.OrderArrays, change: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        clv(shop, msgspec.structs.replace(CLVRequest(), **change))
    assert refused.value.field == field


def test_an_unknown_part_of_the_question_is_not_ignored() -> None:
    with pytest.raises(msgspec.ValidationError, match="horizn"):
        msgspec.json.decode(b'{"horizn": 3}', type=CLVRequest)


def test_the_answer_does_not_depend_on_how_the_work_is_split(
    shop: oracle.OrderArrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = clv(shop, CLVRequest(model="pareto_nbd", calibration_end="1970-12-31"))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    single = clv(shop, CLVRequest(model="pareto_nbd", calibration_end="1970-12-31"))
    assert whole.parameters == single.parameters
    np.testing.assert_array_equal(whole.forecasts.expected_value, single.forecasts.expected_value)
