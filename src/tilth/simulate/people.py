"""The people: who they are, and the hidden parameters that drive what they do.

Two stages. `draw_pool` makes everyone who might come, with what the social process needs (city,
kind, own arrival, power to persuade). When `social.spread` has decided who came when and by whom,
`draw_people` gives those their ids, habits and tastes; `purchases`, `needs` and `responses` add
theirs. A person's number is the order of arrival.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.calendar import CITIES, DAY, RHYTHMS, Calendar
from tilth.simulate.catalog import CATEGORIES
from tilth.simulate.channels import (
    CHANNELS,
    INVITED,
    STORE,
    STORES,
    kind_mix,
    scene_shares,
)
from tilth.simulate.draws import begin, beta, choose, exponential, gamma, normal, uniform
from tilth.simulate.kinds import KINDS

__all__ = ["NEVER", "PERSON", "POOL", "arrival_clock", "draw_people", "draw_pool", "tastes_of"]

NEVER = np.int64(1) << np.int64(62)
_POOL_STREAM, _PERSON_STREAM, _TASTE_STREAM = 1, 2, 3

POOL = np.dtype(
    [
        ("own", "i8"),  # UTC µs of arriving on their own; NEVER for those who come only when asked
        ("weight", "f4"),  # how many acquaintances beyond the circle
        ("inviting", "f4"),  # probability that they ask friends at all
        ("persuade", "f4"),  # power over a friend's decision
        ("receptive", "f4"),  # how easily persuaded
        ("channel", "u1"),
        ("city", "u1"),
        ("kind", "u1"),
    ]
)

PERSON = np.dtype(
    [
        ("arrival", "i8"),  # UTC µs of the first visit
        ("first_wait", "i8"),  # µs from arrival to the first order; 0: in the first session; NEVER
        ("sign_up_wait", "i8"),  # µs from arrival to signing up, if no order forces it; NEVER
        ("new_device", "i8"),  # UTC µs of changing the device; NEVER
        ("survey", "i8"),  # UTC µs of answering the survey; NEVER
        ("team_open", "i8"),  # UTC µs of opening a team; NEVER
        ("pool", "i4"),  # number in the pool: the key of what was drawn before the arrival was known
        ("inviter", "i4"),  # person number, -1
        ("ring", "i4"),  # ring number, -1
        ("device", "i4"),  # owner of the device used: oneself, another of the household or the ring
        ("account", "i4"),  # owner of the payment account used
        ("birthday", "i4"),  # days since 1970
        ("stage_day", "i4"),  # window day on which 备孕 begins; large: never
        ("rate", "f8"),  # orders per clock day after the first, while active
        ("drop", "f4"),  # probability of leaving after each order but the first
        ("value", "f4"),  # mean value of an order at list price, fen
        ("value_shape", "f4"),
        ("lines", "f4"),  # mean extra lines an order
        ("coupon", "f4"),  # probability that an order uses a coupon
        ("price_sensitivity", "f4"),
        ("refund", "f4"),  # probability that an order is refunded
        ("conversion", "f4"),  # inclination to order in a session, before fit
        ("browse", "f4"),  # sessions per clock day before the first order
        ("interest", "f4"),  # days of looking around without ordering
        ("linger", "f4"),  # days of still visiting after leaving
        ("share", "f4"),  # probability of sharing after an order
        ("persuade", "f4"),
        ("receptive", "f4"),
        ("pay_later", "f4"),  # probability of paying later (先享后付)
        ("default_seen", "f4"),  # log odds of default from what can be observed
        ("default_hidden", "f4"),  # ... and from what cannot
        ("satisfaction", "f4"),
        ("response", "f4"),  # effect of one well-fitting treatment on log rate
        ("half_life", "f4"),  # days until half the effect is gone
        ("fatigue", "f4"),  # loss of effect per recent message
        ("clock_skew", "f4"),  # seconds the device's clock is wrong by
        ("channel", "u1"),
        ("scene", "u1"),
        ("landing", "u1"),  # category of the first session
        ("city", "u1"),
        ("kind", "u1"),
        ("platform", "u1"),  # mostly used: 0 app, 1 mini-program, 2 web
        ("second", "u1"),  # used now and then
        ("store", "u1"),  # the store they go to
        ("system", "u1"),  # operating system
        ("sex", "u1"),  # 0 unknown, 1 female, 2 male
        ("buyer", "?"),  # would order, given time
        ("need", "u1"),
        ("nps", "u1"),
        ("persuasion_class", "u1"),  # index into responses.CLASSES
        ("team_size", "u1"),
        ("team_joined", "u1"),
    ],
    align=True,
)


def arrival_clock(calendar: Calendar) -> NDArray[np.float64]:
    """Cumulative share of own arrivals by day, `[channel, day + 1]`.

    An opening rush that fades over two months, the season, and each channel's own campaigns.
    """
    day = np.arange(calendar.days)
    season = np.diff(calendar.clock[0])
    out = np.zeros((len(CHANNELS), calendar.days + 1))
    for c in range(len(CHANNELS)):
        density = (1 + 1.6 * np.exp(-day / 55)) * np.sqrt(season)
        for k in range(3):  # campaigns: nine days each, at days that differ by channel
            begin_day = ((c * 97 + k * 251 + 40) % max(calendar.days - 12, 1)) if calendar.days > 60 else 0
            density = density * np.where((day >= begin_day) & (day < begin_day + 9), 1.9, 1.0)
        if c == 0:  # 抖音 was bought ever harder
            density = density * (0.6 + 1.1 * day / calendar.days)
        np.cumsum(density / density.sum(), out=out[c, 1:])
    return out


@njit(cache=True, nogil=True)
def _fill_pool(
    pool: Any,
    own_count: int,
    seed: int,
    volumes: Any,
    arrivals: Any,
    cities: Any,
    mix: Any,
    inviting: Any,
    hour_time: Any,
    start: int,
) -> None:
    state = np.empty(1, np.uint64)
    for j in range(pool.shape[0]):
        begin(state, seed, _POOL_STREAM, j)
        channel = choose(state, volumes)
        u = uniform(state)
        clock_u = uniform(state)
        if j < own_count:
            cumulative = arrivals[channel]
            day, above = 0, cumulative.shape[0] - 1
            while above - day > 1:
                middle = (day + above) // 2
                if cumulative[middle] <= u:
                    day = middle
                else:
                    above = middle
            grid = hour_time.shape[1] - 1
            pool[j].own = start + day * DAY + np.int64(hour_time[0, int(clock_u * grid)] * DAY)
            pool[j].own += np.int64(uniform(state) * 60e6)
        else:
            channel = INVITED
            pool[j].own = NEVER
        pool[j].channel = channel
        pool[j].city = choose(state, cities)
        kind = choose(state, mix[channel])
        pool[j].kind = kind
        pool[j].weight = min(0.55 * (1.0 - uniform(state)) ** (-1.0 / 1.25), 600.0)
        pool[j].inviting = min(1.0, inviting[kind] * 2.0 * uniform(state))
        # A few can talk anybody into anything: log-normal, with a heavy right tail.
        pool[j].persuade = min(6.0, np.exp(0.75 * normal(state) - 0.28))
        pool[j].receptive = beta(state, 2.0, 9.0)


def draw_pool(size: int, own_count: int, seed: int, calendar: Calendar) -> NDArray[Any]:
    """Everyone who might come: the first `own_count` on their own, the rest only if a friend asks."""
    pool = np.zeros(size, POOL)
    volumes = np.array([channel.volume for channel in CHANNELS])
    cities = np.array([city.share for city in CITIES])
    _fill_pool(
        pool.view(np.recarray),
        own_count,
        seed,
        np.cumsum(volumes / volumes.sum()),
        arrival_clock(calendar),
        np.cumsum(cities / cities.sum()),
        np.cumsum(kind_mix(), axis=1),
        np.array([kind.inviting for kind in KINDS]),
        calendar.hour_time,
        calendar.start,
    )
    return pool


@njit(cache=True, nogil=True)
def _fill_people(
    people: Any,
    low: int,
    high: int,
    seed: int,
    scenes: Any,
    platforms: Any,
    stores: Any,
    interest: Any,
    start: int,
    end: int,
) -> None:
    state = np.empty(1, np.uint64)
    for i in range(low, high):
        begin(state, seed, _PERSON_STREAM, i)
        p = people[i]
        kind = p.kind
        channel = p.channel
        p.scene = choose(state, scenes[channel])
        p.platform = choose(state, platforms[channel])
        p.second = (p.platform + 1 + int(uniform(state) * 2)) % 3
        p.store = choose(state, stores[p.city])
        p.system = 0 if uniform(state) < 0.46 else (1 if uniform(state) < 0.85 else 2)
        u = uniform(state)
        p.sex = 1 if u < 0.57 else (2 if u < 0.93 else 0)
        age = 19.0 + 9.0 * gamma(state, 2.2)
        p.birthday = np.int32(min(max(start / DAY - age * 365.25, -14600.0), start / DAY - 18.0 * 365.25))
        p.conversion = 0.20 + 0.09 * uniform(state)
        p.interest = interest[kind] * exponential(state)
        p.browse = 0.03 + 0.12 * beta(state, 1.5, 4.0)
        p.linger = 4.0 + 26.0 * exponential(state)
        p.share = beta(state, 1.2, 9.0)
        # Most sign up within days, some late, some never (unless an order makes them).
        u = uniform(state)
        wait = exponential(state)
        if channel == STORE or p.ring >= 0:
            p.sign_up_wait = np.int64(20e6 + 40e6 * wait)
        elif u < 0.45:
            p.sign_up_wait = np.int64(90e6 * (1.0 + wait))
        elif u < 0.72:
            p.sign_up_wait = np.int64(9.0 * wait * DAY)
        else:
            p.sign_up_wait = NEVER
        change = p.arrival + np.int64((30.0 + 500.0 * exponential(state)) * DAY)
        p.new_device = change if change < end and p.ring < 0 else NEVER
        skewed = uniform(state) < 0.004
        p.clock_skew = 3600.0 * np.floor(1.0 + 10.0 * uniform(state)) if skewed else 0.0
        if p.ring < 0:
            p.device = i
            p.account = i
            if p.inviter >= 0 and uniform(state) < 0.03:  # one household, one tablet
                p.device = p.inviter


def draw_people(people: NDArray[Any], low: int, high: int, seed: int, calendar: Calendar) -> None:
    """Habits and ids of the people `low..high`, whose arrival, channel, city and kind are known."""
    stores = np.zeros((len(CITIES), len(STORES)))
    for s, store in enumerate(STORES):
        stores[store.city, s] = store.weight
    platforms = np.array([channel.platforms for channel in CHANNELS])
    _fill_people(
        people.view(np.recarray),
        low,
        high,
        seed,
        np.cumsum(scene_shares(), axis=1),
        np.cumsum(platforms, axis=1),
        np.cumsum(stores / stores.sum(axis=1, keepdims=True), axis=1),
        np.array([kind.interest for kind in KINDS]),
        calendar.start,
        calendar.end,
    )


@njit(cache=True, nogil=True)
def _fill_tastes(
    out: Any, kinds: Any, low: int, seed: int, centres: Any, axes: Any, popularity: Any, spread: float, sharp: float
) -> None:
    state = np.empty(1, np.uint64)
    place = np.empty(axes.shape[1])
    for i in range(out.shape[0]):
        begin(state, seed, _TASTE_STREAM, low + i)
        for a in range(place.shape[0]):
            place[a] = centres[kinds[i], a] + spread * normal(state)
        total = 0.0
        for c in range(axes.shape[0]):
            x = 0.0
            for a in range(place.shape[0]):
                x += place[a] * axes[c, a]
            out[i, c] = popularity[c] * np.exp(sharp * x)
            total += out[i, c]
        for c in range(axes.shape[0]):
            out[i, c] /= total


def tastes_of(kinds: NDArray[Any], low: int, seed: int) -> NDArray[np.float64]:
    """Probability of each category for the people from number `low` on: `[person, category]`.

    log probability = popularity + place of the person · place of the category, on three axes: the
    matrix of tastes has rank three, whatever the number of people.
    """
    out = np.empty((len(kinds), len(CATEGORIES)))
    _fill_tastes(
        out,
        np.ascontiguousarray(kinds),
        low,
        seed,
        np.array([kind.axes for kind in KINDS]),
        np.array([category.axes for category in CATEGORIES]),
        np.array([category.popularity for category in CATEGORIES]),
        0.55,
        1.3,
    )
    return out


assert len(RHYTHMS) == 3, "KindOfPerson.rhythm counts these"
