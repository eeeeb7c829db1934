"""Festivals, solar terms and the clock that makes some days busier than others."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from tilth.simulate.calendar import (
    CITIES,
    DAY,
    RHYTHMS,
    clock_of,
    make_calendar,
    mid_autumn,
    solar_term,
    spring_festival,
    time_of,
)

FIRST = dt.date(2024, 1, 1)


@pytest.mark.parametrize(
    ("year", "spring", "autumn"),
    [
        (2017, "2017-01-28", "2017-10-04"),
        (2020, "2020-01-25", "2020-10-01"),
        (2023, "2023-01-22", "2023-09-29"),
        (2024, "2024-02-10", "2024-09-17"),
        (2025, "2025-01-29", "2025-10-06"),
        (2026, "2026-02-17", "2026-09-25"),
        (2028, "2028-01-26", "2028-10-03"),
    ],
)
def test_festivals_fall_on_the_days_of_the_almanac(year, spring, autumn):
    assert spring_festival(year).isoformat() == spring
    assert mid_autumn(year).isoformat() == autumn


def test_a_year_has_the_twenty_four_solar_terms_on_their_days():
    days = [FIRST + dt.timedelta(days=d) for d in range(366)]
    terms = {solar_term(day): day for day in days if solar_term(day)}
    assert len(terms) == 24
    assert terms["清明"] == dt.date(2024, 4, 4)
    assert terms["夏至"] == dt.date(2024, 6, 21)
    assert terms["立冬"] == dt.date(2024, 11, 7)
    assert terms["冬至"] == dt.date(2024, 12, 21)


def test_every_clock_counts_the_days_of_the_window():
    calendar = make_calendar(FIRST, 731, seed=1)
    assert calendar.clock[:, -1] == pytest.approx(np.full(len(CITIES) * len(RHYTHMS), 731.0))
    assert (np.diff(calendar.clock, axis=1) > 0).all()


def test_without_season_all_days_are_alike():
    calendar = make_calendar(FIRST, 100, seed=1, season_strength=0)
    assert np.diff(calendar.clock, axis=1) == pytest.approx(1.0)


def test_winter_days_are_busier_than_summer_days_and_offices_rest_on_sunday():
    calendar = make_calendar(FIRST, 366, seed=1)
    busy = np.diff(calendar.clock, axis=1).reshape(len(CITIES), len(RHYTHMS), 366)
    everyday = busy[:, 0].mean(axis=0)
    assert everyday[334:].mean() > 1.3 * everyday[152:243].mean()
    weekday = (FIRST.weekday() + np.arange(366)) % 7
    assert busy[:, 2][:, weekday == 6].mean() < 0.5 * busy[:, 2][:, weekday == 1].mean()


def test_presents_are_bought_before_the_festivals():
    calendar = make_calendar(FIRST, 366, seed=1)
    gift = np.diff(calendar.clock, axis=1).reshape(len(CITIES), len(RHYTHMS), 366)[:, 1].mean(axis=0)
    spring = (spring_festival(2024) - FIRST).days
    autumn = (mid_autumn(2024) - FIRST).days
    assert gift[spring - 20 : spring - 5].mean() > 2 * gift[spring + 30 : spring + 60].mean()
    assert gift[autumn - 15 : autumn - 2].mean() > 2 * gift[autumn + 10 : autumn + 40].mean()


def test_reading_the_time_off_the_clock_undoes_looking_at_it():
    calendar = make_calendar(FIRST, 200, seed=2)
    clock, share, inverse = calendar.clock[4], calendar.hour_share[1], calendar.hour_time[1]
    rng = np.random.default_rng(0)
    for ts in calendar.start + rng.integers(0, 200 * DAY, 500):
        value = clock_of(ts, calendar.start, clock, share)
        back, day = time_of(value, 0, calendar.start, clock, inverse)
        assert day == (ts - calendar.start) // DAY
        # Both tables have a point a minute; in the dead of night a minute holds little activity.
        assert abs(back - ts) < 5 * 60_000_000


def test_cold_and_wet_days_depend_on_the_city():
    calendar = make_calendar(FIRST, 366, seed=3)
    names = [city.english for city in CITIES]
    january = calendar.temperature[:, :31].mean(axis=1)
    assert january[names.index("Beijing")] < january[names.index("Guangzhou")] - 8
    assert calendar.rain.mean(axis=1) == pytest.approx([city.wet for city in CITIES], abs=0.08)
