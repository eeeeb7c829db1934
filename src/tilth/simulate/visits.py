"""What people do, from first visit to last: one pass over each person's life, compiled.

A session comes from a channel, lands in a scene, is about a category, and may go search → view →
cart → checkout → pay. Sessions are a Poisson process on the calendar's clock; each ends in an order
with the person's inclination times the fit of its cell. Thinning a Poisson process gives a Poisson
process, so orders come at exactly the person's rate while conversion differs by cell as planted.
The session rate is what makes both true: rate / (inclination × mean fit over the person's sessions).
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.calendar import DAY, RHYTHMS, Calendar, clock_of, time_of
from tilth.simulate.catalog import prices, season_tastes
from tilth.simulate.channels import ORGANIC, STORE, TEAM, fit_table, scene_shares, touch_shares, trigger_shares
from tilth.simulate.draws import begin, choose, exponential, poisson, uniform
from tilth.simulate.kinds import KINDS
from tilth.simulate.needs import HERBAL
from tilth.simulate.people import NEVER
from tilth.simulate.purchases import MAX_LINES, fill_basket
from tilth.simulate.social import Graph

__all__ = [
    "EVENTS",
    "LAST_CALL",
    "METHODS",
    "NO_STORE",
    "OUTCOME",
    "ROW",
    "WHO",
    "Asked",
    "World",
    "live",
    "make_world",
]

_STREAM = 8
EVENTS = (
    *("visit", "search", "view", "cart", "checkout", "pay"),
    *("purchase", "purchase_item", "refund", "refund_item"),
    *("sign_up", "sign_in", "share", "share_open", "invite"),
    *("team_open", "team_join", "team_formed", "team_failed", "survey", "repaid", "overdue"),
)
# As numpy integers, not Python's: a literal would make the compiler specialise a function per event.
_CODES: Any = np.arange(len(EVENTS))
_VISIT, _SEARCH, _VIEW, _CART, _CHECKOUT, _PAY = _CODES[:6]
_PURCHASE, _ITEM, _REFUND, _REFUND_ITEM = _CODES[6:10]
_SIGN_UP, _SIGN_IN, _SHARE, _SHARE_OPEN, _INVITE = _CODES[10:15]
_TEAM_OPEN, _TEAM_JOIN, _TEAM_FORMED, _TEAM_FAILED, _SURVEY, _REPAID, _OVERDUE = _CODES[15:]
# Channels, scenes and the platform of what happens between friends.
_PLACES: Any = np.array([TEAM, 1, ORGANIC, 5, 0, 1])
_BY_TEAM, _BY_WECHAT, _BY_NOBODY, _BY_FRIEND, _AT_HOME, _MINI_PROGRAM = _PLACES
WHO = ("device", "second device", "openid", "customer", "store card")
METHODS = ("wechat", "alipay", "pay_later")
NO_STORE = 255
_SECOND = 1_000_000
_MARGIN = 64  # more rows than one session can write
_SCREENS = np.array(
    [_VISIT, _SIGN_UP, _SEARCH, _VIEW, _VIEW, _VIEW, _VIEW, _VIEW, _VIEW, _CART, _SIGN_UP, _CHECKOUT, _PAY], np.int64
)
LAST_CALL = 1800 * _SECOND  # no session begins this close to the end of the window

ROW = np.dtype(
    [
        ("ts", "i8"),  # UTC µs
        ("amount", "i8"),  # fen
        ("owner", "i4"),  # whose life produced the row; with seq the row's key
        ("seq", "i4"),
        ("person", "i4"),  # who did it (a friend, for share_open)
        ("order", "i4"),  # number of the owner's order, -1
        ("price", "i4"),  # unit price, fen
        ("aux", "i4"),  # another person; or lines; or the method of payment; or NPS
        ("product", "i2"),  # -1
        ("quantity", "i2"),
        ("event", "u1"),
        ("channel", "u1"),
        ("scene", "u1"),
        ("trigger", "u1"),
        ("source", "u1"),  # index into channels.PLATFORMS
        ("who", "u1"),  # index into WHO: the id the event came with
        ("store", "u1"),
        ("coupon", "u1"),  # index into purchases.COUPONS
    ],
    align=True,
)

OUTCOME = np.dtype(
    [
        ("first_order", "i8"),
        ("last_order", "i8"),
        ("left", "i8"),  # UTC µs of leaving for good; NEVER
        ("signed", "i8"),  # UTC µs of signing up; NEVER
        ("spent", "i8"),  # fen, before refunds
        ("refunded", "i8"),
        ("orders", "i4"),
        ("sessions", "i4"),
    ],
    align=True,
)

World = namedtuple(
    "World",
    "seed start end clock hour_share hour_time month season fit touch scene trigger price reach rhythm "
    "fallen_store fallen_from tie_first ties ask_first ask_at ask_to ask_team",
)
Asked = namedtuple("Asked", "first at to team")


def make_world(calendar: Calendar, seed: int, graph: Graph, asked: Asked, fallen_store: int, fallen_from: int) -> World:
    """Everything about the world that the pass needs, as arrays.

    asked: invitations by asker (compressed by `first`). fallen_store, fallen_from: the store that
    loses most of its customers from an instant (UTC µs) on.
    """
    fit = fit_table()
    scenes, touches = scene_shares(), touch_shares()
    reach = np.einsum("at,ts,tsk->ak", touches, scenes, fit)
    return World(
        seed,
        calendar.start,
        calendar.end,
        calendar.clock,
        calendar.hour_share,
        calendar.hour_time,
        calendar.month,
        season_tastes(),
        fit,
        np.cumsum(touches, axis=1),
        np.cumsum(scenes, axis=1),
        np.cumsum(trigger_shares(), axis=1),
        prices(),
        reach,
        np.array([kind.rhythm for kind in KINDS], np.int64),
        fallen_store,
        fallen_from,
        graph.first,
        graph.friends,
        *asked,
    )


@njit(cache=True, nogil=True)
def _who(ts: int, source: int, person: Any, known: Any) -> int:
    if source == 3:
        return 4
    lost = source != 1 and ts >= person.new_device and known[1] == 0
    if ts >= known[0] and not lost:
        return 3
    if source == 1:
        return 2
    return 1 if ts >= person.new_device else 0


@njit(cache=True, nogil=True)
def _put(
    rows: Any, n: int, first: int, owner: int, person: Any, known: Any,
    ts: Any, event: int, channel: int, scene: int, source: int,
) -> int:  # fmt: skip
    r = rows[n]
    r.ts = ts
    r.amount = 0
    r.owner = owner
    r.seq = n - first
    r.person = owner
    r.order = -1
    r.price = 0
    r.aux = -1
    r.product = -1
    r.quantity = 0
    r.event = event
    r.channel = channel
    r.scene = scene
    r.trigger = NO_STORE
    r.source = source
    r.who = _who(ts, source, person, known)
    r.store = person.store if source == 3 else NO_STORE
    r.coupon = 0
    return n + 1


@njit(cache=True, nogil=True)
def _browsed(state: Any, category: int, value: float, price: Any) -> int:
    """The product looked at: of the category, at a level near what the person spends."""
    level = 0
    for candidate in range(price.shape[1]):
        if price[category, candidate] <= 1.3 * value:
            level = candidate
    level -= int(uniform(state) * 3.0)
    return category * price.shape[1] + max(level, 0)


@njit(cache=True, nogil=True)
def _order(
    rows: Any, n: int, first: int, i: int, person: Any, known: Any, outcome: Any, state: Any, world: Any,
    ts: Any, channel: int, scene: int, trigger: int, source: int, method: int,
    lines: int, coupon: int, total: int, product: Any, quantity: Any, paid: Any,
) -> int:  # fmt: skip
    """The order itself, its lines, and what follows: refund, repayment, sharing. `ts`: whole seconds."""
    order = outcome.orders
    if order == 0:
        outcome.first_order = ts
    outcome.last_order = ts
    outcome.orders = order + 1
    outcome.spent += total
    head = n
    n = _put(rows, n, first, i, person, known, ts, _PURCHASE, channel, scene, source)
    packs = 0
    for line in range(lines):
        packs += quantity[line]
        n = _put(rows, n, first, i, person, known, ts, _ITEM, channel, scene, source)
        rows[n - 1].order = order
        rows[n - 1].product = product[line]
        rows[n - 1].quantity = quantity[line]
        rows[n - 1].price = paid[line]
        rows[n - 1].amount = quantity[line] * paid[line]
    rows[head].order = order
    rows[head].amount = total
    rows[head].quantity = packs
    rows[head].aux = lines
    rows[head].trigger = trigger
    rows[head].coupon = coupon
    if uniform(state) < person.refund:
        back = (ts + np.int64((0.5 + 3.0 * exponential(state)) * DAY)) // _SECOND * _SECOND
        only = -1
        # The mini-program and the stores take back whole orders only.
        if (source == 0 or source == 2) and lines > 1 and uniform(state) < 0.4:
            only = int(uniform(state) * lines)
        if back < world.end:
            head = n
            n = _put(rows, n, first, i, person, known, back, _REFUND, channel, scene, source)
            amount, packs, count = 0, 0, 0
            for line in range(lines):
                if only >= 0 and line != only:
                    continue
                n = _put(rows, n, first, i, person, known, back, _REFUND_ITEM, channel, scene, source)
                rows[n - 1].order = order
                rows[n - 1].product = product[line]
                rows[n - 1].quantity = quantity[line]
                rows[n - 1].price = paid[line]
                rows[n - 1].amount = quantity[line] * paid[line]
                amount += quantity[line] * paid[line]
                packs += quantity[line]
                count += 1
            rows[head].order = order
            rows[head].amount = amount
            rows[head].quantity = packs
            rows[head].aux = count
            outcome.refunded += amount
    if method == 2:
        due = ts + 30 * DAY + np.int64(3.0 * exponential(state) * DAY)
        odds = person.default_seen + person.default_hidden
        overdue = uniform(state) < 1.0 / (1.0 + np.exp(-odds))
        if due < world.end:
            n = _put(rows, n, first, i, person, known, due, _OVERDUE if overdue else _REPAID, channel, scene, source)
            rows[n - 1].order = order
            rows[n - 1].amount = total
    if source != 3 and uniform(state) < person.share:
        shared = ts + np.int64((60.0 + 400.0 * exponential(state)) * 1e6)
        known_people = world.tie_first[i + 1] - world.tie_first[i]
        if shared < world.end:
            n = _put(rows, n, first, i, person, known, shared, _SHARE, channel, scene, source)
            rows[n - 1].product = product[0]
            for _ in range(min(known_people, 5)):
                opens = uniform(state) < min(0.8, 0.28 * person.persuade)
                friend = world.ties[world.tie_first[i] + np.int64(uniform(state) * known_people)]
                when = shared + np.int64(0.35 * exponential(state) * DAY)
                if opens and when < world.end:
                    n = _put(rows, n, first, i, person, known, when, _SHARE_OPEN, _BY_WECHAT, _BY_FRIEND, _MINI_PROGRAM)
                    rows[n - 1].person = friend
                    rows[n - 1].aux = i
                    rows[n - 1].who = 2
                    rows[n - 1].product = product[0]
    return n


@njit(cache=True, nogil=True)
def _clicks(
    rows: Any, n: int, first: int, i: int, person: Any, known: Any, order: int, state: Any, world: Any,
    at: int, channel: int, scene: int, category: int, source: int,
    converts: bool, bought: int, coupon: int, method: int, total: int,
) -> tuple[int, int, int]:  # fmt: skip
    """What is seen of a session on a screen. Returns rows written, when it ended, and the trigger."""
    levels = world.price.shape[1]
    fit = np.sqrt(world.fit[channel, scene, category])
    depth = 0.0 if converts else uniform(state)
    # Which screens this session sees, in order; one loop writes them all.
    searches = scene == 3 or uniform(state) < 0.25
    views = min(1 + poisson(state, 0.6), 6)
    trigger = choose(state, world.trigger[person.kind])
    looked = bought if converts else category * levels
    t: Any = at
    for screen in range(13):
        event = _SCREENS[screen]
        if screen == 0:
            pass
        elif event == _SIGN_UP:
            due = person.sign_up_wait < NEVER and t + 120 * _SECOND >= person.arrival + person.sign_up_wait
            lost = source != 1 and known[1] == 0 and t >= person.new_device
            before_paying = screen > 1
            if known[0] == NEVER and (converts if before_paying else due):
                t += np.int64((8.0 + 20.0 * uniform(state)) * 1e6)
                known[0] = t
            elif known[0] < t and lost and (converts if before_paying else uniform(state) < 0.6):
                t += np.int64((8.0 + 20.0 * uniform(state)) * 1e6)
                event = _SIGN_IN
                known[1] = 1
            else:
                continue
        elif depth > 0.62:
            break
        elif event == _SEARCH:
            if not searches:
                continue
            t += np.int64((2.0 + 12.0 * exponential(state)) * 1e6)
        elif event == _VIEW:
            if screen - 3 >= views:
                continue
            t += np.int64((3.0 + 25.0 * exponential(state)) * 1e6)
            if screen > 3 or not converts:
                looked = _browsed(state, category, person.value, world.price)
        elif event == _CART:
            if depth > 0.20 * fit:
                break
            if converts:
                looked = bought
            t += np.int64((2.0 + 20.0 * exponential(state)) * 1e6)
        elif event == _CHECKOUT:
            if depth > 0.07 * fit:
                break
            t += np.int64((3.0 + 30.0 * exponential(state)) * 1e6)
        elif event == _PAY:
            if not converts:
                break
            t += np.int64((4.0 + 15.0 * exponential(state)) * 1e6)
        n = _put(rows, n, first, i, person, known, t, event, channel, scene, source)
        r = rows[n - 1]
        if event == _SIGN_UP:
            r.aux = person.inviter
        elif event == _SEARCH:
            r.product = category * levels
        elif event in (_VIEW, _CART, _CHECKOUT):
            r.product = looked
            r.price = 0 if event == _CHECKOUT else world.price[looked // levels, looked % levels]
        if event in (_CART, _CHECKOUT, _PAY):
            r.trigger = trigger
        if event in (_CHECKOUT, _PAY):
            r.amount = total
        if event == _PAY:
            r.order = order
            r.coupon = coupon
            r.aux = method
    return n, t, trigger


@njit(cache=True, nogil=True)
def _session(
    rows: Any, n: int, first: int, i: int, person: Any, known: Any, outcome: Any, state: Any, world: Any, taste: Any,
    at: int, channel: int, scene: int, category: int, source: int, converts: bool,
    product: Any, quantity: Any, paid: Any,
) -> int:  # fmt: skip
    lines, coupon, total, method, trigger = 0, 0, 0, 0, 0
    if converts:
        lines, coupon, total = fill_basket(state, person, category, taste, world.price, product, quantity, paid)
        u = uniform(state)
        method = 2 if u < person.pay_later else (0 if u < 0.3 + 0.7 * person.pay_later else 1)
        if source == 1 and method == 1:
            method = 0
    outcome.sessions += 1
    ts = at // _SECOND * _SECOND
    if source == 3:
        if not converts:
            return n
        if known[0] == NEVER:
            known[0] = at
            n = _put(rows, n, first, i, person, known, at, _SIGN_UP, channel, scene, source)
            rows[n - 1].aux = person.inviter
        method = min(method, 1)
        trigger = choose(state, world.trigger[person.kind])
    else:
        n, paid_at, trigger = _clicks(
            rows, n, first, i, person, known, outcome.orders, state, world,
            at, channel, scene, category, source, converts, product[0], coupon, method, total,
        )  # fmt: skip
        if not converts:
            return n
        ts = paid_at // _SECOND * _SECOND + _SECOND
    return _order(
        rows, n, first, i, person, known, outcome, state, world,
        ts, channel, scene, trigger, source, method, lines, coupon, total, product, quantity, paid,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _platform(state: Any, person: Any, channel: int) -> int:
    if channel == STORE:
        return 3
    return person.second if uniform(state) < 0.12 else person.platform


@njit(cache=True, nogil=True)
def _around(rows: Any, n: int, first: int, i: int, person: Any, known: Any, world: Any) -> int:
    """What happens outside sessions: invitations, the team, the survey. -1: the rows are full."""
    source: Any = np.int64(person.platform)
    if person.channel == TEAM:
        n = _put(
            rows, n, first, i, person, known, person.arrival + 30 * _SECOND, _TEAM_JOIN, _BY_TEAM, _BY_FRIEND, source
        )
        rows[n - 1].aux = person.inviter
    if person.team_open < world.end:
        n = _put(rows, n, first, i, person, known, person.team_open, _TEAM_OPEN, _BY_WECHAT, _BY_FRIEND, source)
        rows[n - 1].aux = i
        rows[n - 1].quantity = person.team_size
        closes = person.team_open + DAY
        if closes < world.end:
            formed = person.team_joined + 1 >= person.team_size
            event = _TEAM_FORMED if formed else _TEAM_FAILED
            n = _put(rows, n, first, i, person, known, closes, event, _BY_WECHAT, _BY_FRIEND, _MINI_PROGRAM)
            rows[n - 1].aux = i
            rows[n - 1].quantity = person.team_size
    if person.survey < world.end:
        n = _put(rows, n, first, i, person, known, person.survey, _SURVEY, _BY_NOBODY, _AT_HOME, source)
        rows[n - 1].aux = person.nps
    for a in range(world.ask_first[i], world.ask_first[i + 1]):
        if rows.shape[0] - n < _MARGIN:
            return -1
        if not world.ask_team[a] and world.ask_at[a] < world.end:
            n = _put(rows, n, first, i, person, known, world.ask_at[a], _INVITE, _BY_WECHAT, _BY_FRIEND, source)
            rows[n - 1].aux = world.ask_to[a]
    return n


@njit(cache=True, nogil=True)
def _run(
    people: Any, outcomes: Any, tastes: Any, low: int, high: int, base: int, world: Any, rows: Any, n: int
) -> tuple[int, int]:
    """Live the lives of people `low..high`, appending to `rows` from `n` on.

    `tastes` begins with person `base`. Returns the next person and the rows written; stops before
    `high` when `rows` is full (the person it stopped at has left no rows).
    """
    state = np.empty(1, np.uint64)
    known = np.empty(2, np.int64)
    product = np.empty(MAX_LINES, np.int64)
    quantity = np.empty(MAX_LINES, np.int64)
    paid = np.empty(MAX_LINES, np.int64)
    categories = tastes.shape[1]
    taste, weight = np.empty(categories), np.empty(categories)
    rhythms = len(RHYTHMS)
    for i in range(low, high):
        begin(state, world.seed, _STREAM, i)
        first = n
        p = people[i]
        o = outcomes[i]
        o.first_order, o.last_order, o.left, o.signed = NEVER, NEVER, NEVER, NEVER
        o.spent, o.refunded, o.orders, o.sessions = 0, 0, 0, 0
        known[0], known[1] = NEVER, 0
        rhythm = world.rhythm[p.kind]
        clock = world.clock[p.city * rhythms + rhythm]
        hour_share, hour_time = world.hour_share[rhythm], world.hour_time[rhythm]
        total, mean_fit = 0.0, 0.0
        for c in range(categories):
            total += tastes[i - base, c]
            taste[c] = total
            mean_fit += tastes[i - base, c] * world.reach[p.channel, c]
        # Phase 0: looking, until the first order. 1: ordering. 2: left, still looking for a while.
        phase = 1 if p.first_wait == 0 else 0
        last = world.end - LAST_CALL
        until = last
        if phase == 0:
            until = p.arrival + (p.first_wait if p.first_wait < NEVER else np.int64(p.interest * DAY))
            until = min(until, last)
        rate = p.browse if phase == 0 else p.rate / (p.conversion * mean_fit)
        since = p.arrival - world.start
        day = since // DAY
        value = clock_of(p.arrival, world.start, clock, hour_share)
        at = p.arrival
        channel: Any = np.int64(p.channel)
        scene: Any = np.int64(p.scene)
        category: Any = np.int64(p.landing)
        forced = False
        converts = bool(p.first_wait == 0)
        source: Any = np.int64(3) if p.channel == STORE else np.int64(p.platform)
        while True:
            if rows.shape[0] - n < _MARGIN:
                return i, first
            n = _session(
                rows, n, first, i, p, known, o, state, world, taste,
                at, channel, scene, category, source, converts, product, quantity, paid,
            )  # fmt: skip
            if forced:
                phase = 1
                until = last
                rate = p.rate / (p.conversion * mean_fit)
            elif phase == 1 and converts and o.orders > 1 and uniform(state) < p.drop:
                phase = 2
                o.left = at
                until = min(last, at + np.int64(p.linger * DAY))
                rate *= 0.5
            value += exponential(state) / rate
            forced = False
            at = world.end
            if value < clock[clock.shape[0] - 1]:
                at, day = time_of(value, day, world.start, clock, hour_time)
            if at >= until:
                if phase != 0 or p.first_wait == NEVER:
                    break
                forced = True
                at = until
                day = (at - world.start) // DAY
                value = clock_of(at, world.start, clock, hour_share)
            # What kind of session: by who touches them, taste, month, and whether caffeine is welcome.
            sober = 4.0 if 0 <= day - p.stage_day < 700 else 1.0
            while True:
                channel = choose(state, world.touch[p.channel])
                scene = choose(state, world.scene[channel])
                if phase == 0 and channel == STORE:
                    channel = np.int64(p.channel)
                whole = 0.0
                for c in range(categories):
                    weight[c] = (
                        tastes[i - base, c] * world.season[world.month[day], c] * (sober if c == HERBAL else 1.0)
                    )
                    whole += weight[c]
                u = uniform(state) * whole
                category = categories - 1
                for c in range(categories):
                    u -= weight[c]
                    if u < 0.0:
                        category = c
                        break
                # A first order is likelier to come out of a cell that fits.
                if not forced or uniform(state) < world.fit[channel, scene, category] / 3.0:
                    break
            source = _platform(state, p, channel)
            converts = forced
            if phase == 1:
                converts = uniform(state) < min(0.97, p.conversion * world.fit[channel, scene, category])
                if converts and source == 3 and p.store == world.fallen_store and at >= world.fallen_from:
                    converts = uniform(state) < 0.25
        filled = _around(rows, n, first, i, p, known, world)
        if filled < 0:
            return i, first
        n = filled
        o.signed = known[0]
    return high, n


def live(
    people: NDArray[Any], outcomes: NDArray[Any], tastes: NDArray[np.float64], low: int, high: int, world: World
) -> NDArray[Any]:
    """The rows of people `low..high` in order of person, then as produced; fills their outcomes."""
    rows = np.empty(64 * (high - low) + 1024, ROW)
    at, n = low, 0
    while True:
        at, n = _run(
            people.view(np.recarray),
            outcomes.view(np.recarray),
            tastes,
            at,
            high,
            low,
            world,
            rows.view(np.recarray),
            n,
        )
        if at == high:
            return rows[:n]
        larger = np.empty(2 * len(rows) + 1024, ROW)
        larger[:n] = rows[:n]
        rows = larger
