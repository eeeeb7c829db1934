"""The days the company lives in: weekday, hour, season, festivals, solar terms and weather.

Everything that makes one day busier than another is one number per day, city and *rhythm* (everyday
drinkers, givers of presents, offices). The numbers average 1 over the window, so a person's rate
stays what the truth says, and a Poisson process in the clock they define is a Poisson process in
real time with season: draw exponential gaps on the clock and read the time off it.

Days are local (UTC+8, without summer time). The sun's longitude is the low-precision formula of the
Astronomical Almanac; new moons are from Meeus, Astronomical Algorithms, chapter 49, main terms. The
lunar year follows from them: its first month contains 雨水, its eighth 秋分.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.draws import uniforms

__all__ = [
    "CITIES",
    "DAY",
    "OFFSET",
    "RHYTHMS",
    "Calendar",
    "City",
    "clock_of",
    "make_calendar",
    "mid_autumn",
    "solar_term",
    "spring_festival",
    "time_of",
]

DAY = 86_400_000_000  # microseconds
OFFSET = 8 * 3_600_000_000  # local time is UTC+8
TERMS = (
    *("春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至", "小暑", "大暑", "立秋", "处暑", "白露"),
    *("秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至", "小寒", "大寒", "立春", "雨水", "惊蛰"),
)
RHYTHMS = ("everyday", "gift", "office")
_WEEKDAY = np.array(
    [
        [0.95, 0.93, 0.95, 0.98, 1.05, 1.10, 1.04],
        [0.90, 0.90, 0.95, 1.00, 1.10, 1.15, 1.00],
        [1.30, 1.25, 1.20, 1.15, 1.10, 0.50, 0.50],
    ]
)
_HOURS = np.array(
    [
        [6, 3, 2, 1, 1, 2, 8, 18, 28, 34, 40, 42, 48, 44, 40, 42, 40, 40, 44, 56, 70, 74, 52, 22],
        [6, 3, 2, 1, 1, 2, 6, 12, 24, 40, 50, 46, 44, 40, 44, 48, 46, 42, 40, 52, 66, 70, 48, 20],
        [1, 1, 1, 1, 1, 2, 4, 14, 46, 90, 96, 70, 34, 50, 84, 88, 76, 50, 22, 14, 10, 8, 4, 2],
    ],
    dtype=np.float64,
)
_GRID = 1440


class City(msgspec.Struct, frozen=True, kw_only=True):
    """name; share of people; mean temperature (°C), half the yearly swing (°C), share of wet days."""

    name: str
    english: str
    share: float
    mean_temperature: float
    swing: float
    wet: float


CITIES = (
    City(name="上海", english="Shanghai", share=0.22, mean_temperature=17.1, swing=11.8, wet=0.34),
    City(name="杭州", english="Hangzhou", share=0.17, mean_temperature=17.4, swing=12.1, wet=0.39),
    City(name="北京", english="Beijing", share=0.15, mean_temperature=13.1, swing=15.3, wet=0.18),
    City(name="广州", english="Guangzhou", share=0.13, mean_temperature=22.6, swing=7.6, wet=0.40),
    City(name="成都", english="Chengdu", share=0.11, mean_temperature=16.8, swing=10.2, wet=0.37),
    City(name="武汉", english="Wuhan", share=0.09, mean_temperature=17.3, swing=12.6, wet=0.33),
    City(name="厦门", english="Xiamen", share=0.07, mean_temperature=20.9, swing=7.9, wet=0.33),
    City(name="西安", english="Xi'an", share=0.06, mean_temperature=14.6, swing=13.9, wet=0.24),
)


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The window's days. `clock[city * rhythms + rhythm, day]` counts up to `days`.

    start: UTC µs of the first local midnight. month: 0..11 of each day. hour_share and hour_time: the
    day's activity passed by each minute, and the inverse (share of the day by share of activity).
    temperature (°C), rain (0/1): by city and day.
    """

    first: dt.date
    days: int
    start: int
    end: int
    month: NDArray[np.int64]
    clock: NDArray[np.float64]
    hour_share: NDArray[np.float64]
    hour_time: NDArray[np.float64]
    temperature: NDArray[np.float64]
    rain: NDArray[np.bool_]

    def day_of(self, ts: NDArray[Any]) -> NDArray[np.int64]:
        """Day number in the window (may lie outside 0..days) of UTC microseconds."""
        out: NDArray[np.int64] = (np.asarray(ts, np.int64) - self.start) // DAY
        return out

    def date(self, day: int) -> dt.date:
        return self.first + dt.timedelta(days=day)


def _longitude(day: float) -> float:
    """The sun's apparent longitude in degrees; `day` counts from 2000-01-01 12:00 TT."""
    g = math.radians(357.528 + 0.9856003 * day)
    return (280.460 + 0.9856474 * day + 1.915 * math.sin(g) + 0.020 * math.sin(2 * g)) % 360


def _since_2000(date: dt.date) -> float:
    """Days from 2000-01-01 12:00 UTC to the local midnight that begins `date`."""
    return (date - dt.date(2000, 1, 1)).days - 0.5 - 8 / 24


def solar_term(date: dt.date) -> str | None:
    """The solar term that falls on this day, if any: `solar_term(date(2024, 4, 4))` is 清明."""
    begin, end = _longitude(_since_2000(date)), _longitude(_since_2000(date) + 1)
    if int(begin // 15) == int(end // 15):
        return None
    return TERMS[int(end // 15)]


def _new_moon_date(lunation: int) -> dt.date:
    t = lunation / 1236.85
    m = math.radians(2.5534 + 29.10535670 * lunation)
    moon = math.radians(201.5643 + 385.81693528 * lunation)
    f = math.radians(160.7108 + 390.67050284 * lunation)
    day = 2451550.09766 + 29.530588861 * lunation + 0.00015437 * t * t
    day += -0.40720 * math.sin(moon) + 0.17241 * math.sin(m) + 0.01608 * math.sin(2 * moon)
    day += 0.01039 * math.sin(2 * f) + 0.00739 * math.sin(moon - m) - 0.00514 * math.sin(moon + m)
    day += 0.00208 * math.sin(2 * m) - 0.00111 * math.sin(moon - 2 * f) - 0.00057 * math.sin(moon + 2 * f)
    local = day - 70 / 86400 + 8 / 24 + 0.5  # the day count now turns at local midnight
    return dt.date(2000, 1, 1) + dt.timedelta(days=math.floor(local) - 2451545)


def _month_start(term: str, year: int) -> dt.date:
    """The first day of the lunar month that contains this solar term of the year."""
    guess = {"雨水": dt.date(year, 2, 17), "秋分": dt.date(year, 9, 21)}[term]
    day = next(d for d in (guess + dt.timedelta(days=i) for i in range(8)) if solar_term(d) == term)
    lunation = round((year + (day.timetuple().tm_yday / 365.25) - 2000) * 12.3685) + 1
    while (start := _new_moon_date(lunation)) > day:
        lunation -= 1
    return start


def spring_festival(year: int) -> dt.date:
    """春节: `spring_festival(2026)` is 2026-02-17."""
    return _month_start("雨水", year)


def mid_autumn(year: int) -> dt.date:
    """中秋: `mid_autumn(2025)` is 2025-10-06."""
    return _month_start("秋分", year) + dt.timedelta(days=14)


def _season(first: dt.date, days: int) -> NDArray[np.float64]:
    """Busyness by rhythm and day, before weekday and weather."""
    out = np.ones((len(RHYTHMS), days))
    feasts: dict[int, tuple[dt.date, dt.date]] = {}
    for day in range(days):
        date = first + dt.timedelta(days=day)
        for year in (date.year, date.year + 1):
            if year not in feasts:
                feasts[year] = (spring_festival(year), mid_autumn(year))
        winter = math.cos(2 * math.pi * (date.timetuple().tm_yday - 5) / 365.25)
        out[0, day] = 1 + 0.34 * winter
        out[1, day] = 0.75 + 0.1 * winter
        out[2, day] = 1 + 0.12 * winter
        longitude = _longitude(_since_2000(date) + 0.5)
        if 15 <= longitude < 45:  # 清明 to 立夏: the year's new tea
            out[:, day] *= np.array([1.28, 1.35, 1.05])
        for spring, autumn in (feasts[date.year], feasts[date.year + 1]):
            before = (spring - date).days
            if 3 <= before <= 26:
                out[:, day] *= np.array([1.15, 4.2, 1.3])
            elif -7 <= before < 3:
                out[:, day] *= np.array([0.55, 0.6, 0.1])
            if 1 <= (autumn - date).days <= 18:
                out[:, day] *= np.array([1.05, 3.4, 1.4])
        if (date.month, date.day) in ((6, 16), (6, 17), (6, 18)):
            out[:, day] *= np.array([1.9, 1.3, 1.1])
        if (date.month, date.day) in ((11, 9), (11, 10), (11, 11)):
            out[:, day] *= np.array([2.4, 1.5, 1.2])
        if (date.month, date.day) == (12, 12):
            out[:, day] *= np.array([1.5, 1.2, 1.0])
    return out


def _weather(
    first: dt.date, days: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Temperature, its departure from the season's norm (°C), and rain, by city and day."""
    departure = np.zeros((len(CITIES), days))
    norm = np.zeros((len(CITIES), days))
    rain = np.zeros((len(CITIES), days), np.bool_)
    year_day = np.array([(first + dt.timedelta(days=d)).timetuple().tm_yday for d in range(days)])
    for c, city in enumerate(CITIES):
        keys = np.arange(days) + c * 1_000_000 + (first - dt.date(2000, 1, 1)).days
        noise = np.sum([uniforms(seed, 60 + k, keys) for k in range(4)], axis=0) - 2.0  # variance 1/3
        value = 0.0
        for d in range(days):
            value = 0.78 * value + 3.4 * noise[d]
            departure[c, d] = value
        norm[c] = city.mean_temperature - city.swing * np.cos(2 * np.pi * (year_day - 18) / 365.25)
        rain[c] = uniforms(seed, 65, keys) < city.wet
    return norm + departure, departure, rain


def make_calendar(first: dt.date, days: int, seed: int, season_strength: float = 1.0) -> Calendar:
    """The calendar of `days` days from `first`.

    season_strength: 1 as designed, 0 makes all days alike (then purchase processes are exactly
    those of the BG/NBD model). Weather depends on the seed.
    """
    temperature, departure, rain = _weather(first, days, seed)
    season = _season(first, days)
    weekday = (first.weekday() + np.arange(days)) % 7
    clock = np.zeros((len(CITIES) * len(RHYTHMS), days + 1))
    for c in range(len(CITIES)):
        weather = np.clip(1 - 0.012 * departure[c], 0.8, 1.2) * np.where(rain[c], 0.94, 1.03)
        for r in range(len(RHYTHMS)):
            busy = (season[r] * _WEEKDAY[r, weekday] * weather) ** season_strength
            np.cumsum(busy / busy.mean(), out=clock[c * len(RHYTHMS) + r, 1:])
    share = np.zeros((len(RHYTHMS), _GRID + 1))
    inverse = np.zeros((len(RHYTHMS), _GRID + 1))
    grid = np.linspace(0, 1, _GRID + 1)
    for r in range(len(RHYTHMS)):
        weights = np.repeat(_HOURS[r], _GRID // 24)
        share[r, 1:] = np.cumsum(weights) / weights.sum()
        inverse[r] = np.interp(grid, share[r], grid)
    start = (first - dt.date(1970, 1, 1)).days * DAY - OFFSET
    return Calendar(
        first=first,
        days=days,
        start=start,
        end=start + days * DAY,
        month=np.array([(first + dt.timedelta(days=d)).month - 1 for d in range(days)], np.int64),
        clock=clock,
        hour_share=share,
        hour_time=inverse,
        temperature=temperature,
        rain=rain,
    )


@njit(cache=True, nogil=True)
def clock_of(ts: int, start: int, clock: Any, hour_share: Any) -> float:
    """What the clock shows at an instant inside the window."""
    since = ts - start
    day = since // DAY
    if day >= clock.shape[0] - 1:
        return clock[clock.shape[0] - 1]
    x = (since - day * DAY) / DAY * _GRID
    k = int(x)
    within = hour_share[k] + (x - k) * (hour_share[k + 1] - hour_share[k])
    return clock[day] + within * (clock[day + 1] - clock[day])


@njit(cache=True, nogil=True)
def time_of(value: float, day: int, start: int, clock: Any, hour_time: Any) -> tuple[int, int]:
    """The instant at which the clock shows `value`, and its day; looks from `day` on.

    The caller makes sure that `value` is below the clock's end.
    """
    last = clock.shape[0] - 2
    while day < last and clock[day + 1] <= value:
        day += 1
    width = clock[day + 1] - clock[day]
    x = (value - clock[day]) / width * _GRID
    if x < 0.0:
        x = 0.0
    k = int(x)
    if k >= _GRID:
        k = _GRID - 1
    part = hour_time[k] + min(x - k, 1.0) * (hour_time[k + 1] - hour_time[k])
    within = int(part * DAY)
    if within >= DAY:
        within = DAY - 1
    return start + day * DAY + within, day
