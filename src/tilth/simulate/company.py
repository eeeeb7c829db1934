"""Qinghe Tea (清禾茶): the company's parameters, and the simulation of its people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tilth.simulate.calendar import DAY, Calendar, make_calendar
from tilth.simulate.channels import ORGANIC
from tilth.simulate.dirt import Dirt
from tilth.simulate.needs import draw_needs
from tilth.simulate.people import NEVER, PERSON, draw_people, draw_pool, tastes_of
from tilth.simulate.purchases import draw_purchases
from tilth.simulate.responses import draw_responses
from tilth.simulate.rings import plant_rings
from tilth.simulate.social import Graph, Spread, build_graph, relabel_graph, spread
from tilth.simulate.tables import bot_table, event_table, identity_table
from tilth.simulate.visits import LAST_CALL, OUTCOME, Asked, World, live, make_world

__all__ = ["Company", "Simulation", "simulate"]

T = TypeVar("T")
_BLOCK = 16_384


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """The company's parameters.

    season_strength: 1 as designed; 0 makes all days alike, so that purchases are BG/NBD without
    season. reward: factor on the success of invitations (0: nobody is persuaded). ring_share: share
    of accounts that belong to fraud rings. only_kind: make everybody of this kind (number in
    `kinds.KINDS`), for checks of a single gamma; -1 for the designed mix. fallen_store: number in
    `channels.STORES` of the store that loses three quarters of its customers, from the share
    `fallen_at` of the window on; -1 for none. dirt: what is wrong with the data.
    """

    name: str = "清禾茶 Qinghe Tea"
    timezone: str = "Asia/Shanghai"
    season_strength: float = 1.0
    reward: float = 2.0
    ring_share: float = 0.006
    only_kind: int = -1
    fallen_store: int = 6
    fallen_at: float = 0.62
    dirt: Dirt = Dirt()


class Simulation:
    """A simulated company: everything is a function of (company, people, days, first day, seed).

    people: hidden parameters, one record a person (`people.PERSON`), by number. outcomes: what
    became of each (`visits.OUTCOME`); filled for the people whose events have been produced, and for
    everybody after `complete()`. graph: who knows whom. Invitations: asker, asked (-1: nobody who
    came), at, team, accepted.
    """

    def __init__(
        self,
        company: Company,
        seed: int,
        calendar: Calendar,
        people: NDArray[Any],
        graph: Graph,
        asker: NDArray[np.int32],
        asked: NDArray[np.int32],
        at: NDArray[np.int64],
        team: NDArray[np.bool_],
        accepted: NDArray[np.bool_],
    ) -> None:
        self.company, self.seed, self.calendar = company, seed, calendar
        self.people, self.graph = people, graph
        self.asker, self.asked, self.at, self.team, self.accepted = asker, asked, at, team, accepted
        self.outcomes = np.zeros(len(people), OUTCOME)
        self._done = np.zeros(len(people), np.bool_)
        self._world = self._make_world()

    def _make_world(self) -> World:
        first = np.searchsorted(self.asker, np.arange(len(self.people) + 1)).astype(np.int64)
        fallen = self.calendar.start + int(self.company.fallen_at * self.calendar.days) * DAY
        return make_world(
            self.calendar,
            self.seed,
            self.graph,
            Asked(first, self.at, self.asked, self.team),
            self.company.fallen_store,
            fallen,
        )

    def tastes(self, low: int, high: int) -> NDArray[np.float64]:
        """Probability of each category for people `low..high`."""
        return tastes_of(self.people["kind"][low:high], low, self.seed)

    def rows(self, low: int, high: int) -> NDArray[Any]:
        """What people `low..high` did (`visits.ROW`), person after person."""
        rows = live(self.people, self.outcomes, self.tastes(low, high), low, high, self._world)
        self._done[low:high] = True
        return rows

    def map_rows(self, work: Callable[[NDArray[Any]], T], size: int = 10_000, threads: int = 2) -> Iterator[T]:
        """`work` on the rows of each `size` people, on `threads` threads, answers in order.

        At most threads + 1 chunks are in memory.
        """
        cuts = [(low, min(low + size, len(self.people))) for low in range(0, len(self.people), size)]

        def one(cut: tuple[int, int]) -> T:
            return work(self.rows(*cut))

        if threads <= 1:
            yield from map(one, cuts)
            return
        with ThreadPoolExecutor(threads) as pool:
            waiting: list[Future[T]] = []
            for cut in cuts:
                waiting.append(pool.submit(one, cut))
                if len(waiting) > threads:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()

    def events(self, size: int = 10_000, threads: int = 2, dirt: Dirt | None = None) -> Iterator[pa.Table]:
        """Events in the lake's columns but `uid`, one table for each `size` people, by time in each.

        10,000 people (300,000 to 500,000 events) fit the processor's cache; larger tables are made slower.
        Between tables time starts again. The last table holds what bots did. The rows are the same
        whatever `size` and `threads` are. `dirt=Dirt.none()` gives them clean.
        """
        chosen = self.company.dirt if dirt is None else dirt
        yield from self.map_rows(lambda rows: event_table(self, rows, chosen), size, threads)
        bots = bot_table(self, chosen)
        if bots.num_rows:
            yield bots

    def identities(self, low: int = 0, high: int | None = None) -> pa.Table:
        """Every id that can occur: kind, id, person. Accounts on a shared device share its id.

        Needs the outcomes of these people (`complete()` or their events).
        """
        return identity_table(self, low, len(self.people) if high is None else high)

    def complete(self, threads: int = 2) -> None:
        """Make sure the outcomes of everybody are known."""
        if not self._done.all():
            for _ in self.map_rows(len, threads=threads):
                pass

    @property
    def truth(self) -> Any:
        """The truth about this company (`truth.Truth`)."""
        from tilth.simulate.truth import Truth

        return Truth(self)


def simulate(
    people: int,
    days: int,
    seed: int = 7,
    *,
    until: dt.date | None = None,
    company: Company | None = None,
) -> Simulation:
    """Make the company's `people`, over `days` days ending with `until` (default: yesterday, local).

    Exactly `people` come in the window. This draws people, graph and arrivals (a few seconds a million);
    events are produced when asked for.
    """
    if people < 1:
        raise ValueError("people must be at least 1")
    if days < 1:
        raise ValueError("days must be at least 1")
    company = company or Company()
    if until is None:
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=8)).date() - dt.timedelta(days=1)
    calendar = make_calendar(until - dt.timedelta(days=days - 1), days, seed, company.season_strength)
    end = calendar.end - LAST_CALL
    ring_people = round(people * company.ring_share) if people >= 500 and days >= 30 else 0
    honest = people - ring_people
    pool = draw_pool(int(honest * 1.35) + 16, int(honest * 0.93) + 1, seed, calendar)
    if company.only_kind >= 0:
        pool["kind"] = company.only_kind
    graph = build_graph(pool["city"], pool["weight"], seed)
    came = spread(pool, graph, seed, end, company.reward)
    chosen = _exactly(honest, pool, came, calendar, end)
    records = np.zeros(honest, PERSON)
    records["arrival"] = came.arrival[chosen]
    records["pool"] = chosen
    for name in ("city", "kind", "persuade", "receptive"):
        records[name] = pool[name][chosen]
    records["channel"] = came.channel[chosen]
    number = np.full(len(pool), -1, np.int32)
    number[chosen] = np.arange(honest)
    records["inviter"] = np.where(came.inviter[chosen] >= 0, number[came.inviter[chosen]], -1)
    records["ring"] = -1
    records["team_open"] = came.team_open[chosen]
    records["team_size"] = came.team_size[chosen]
    asks = _asks(came, number)
    joined = np.bincount(asks[0][asks[3] & asks[4]], minlength=honest)
    records["team_joined"] = np.minimum(joined, 255)
    first, friends = relabel_graph(graph.first, graph.friends, number, honest)
    return _finish(company, seed, calendar, records, Graph(first=first, friends=friends), asks, ring_people, end)


def _exactly(count: int, pool: NDArray[Any], came: Spread, calendar: Calendar, end: int) -> NDArray[np.int64]:
    """Pool numbers of exactly `count` people by arrival; edits `came` where somebody is added.

    Too many: the last to come who brought nobody are left out. Too few: some who were never asked
    come on their own, spread over the window like the rest.
    """
    there = np.flatnonzero(came.arrival < NEVER)
    if len(there) > count:
        brought = np.zeros(len(pool), np.bool_)
        brought[came.inviter[came.inviter >= 0]] = True
        leaves = there[~brought[there]]
        # By number in the pool, which says nothing about time: thinned over the window, not at its end.
        there = np.setdiff1d(there, leaves[::-1][: len(there) - count])
    elif len(there) < count:
        missing = count - len(there)
        absent = np.flatnonzero(came.arrival == NEVER)[:missing]
        like = there[np.linspace(0, len(there) - 1, missing).astype(np.int64)]
        came.arrival[absent] = np.minimum(came.arrival[like] + 7_000_000 * (1 + np.arange(missing) % 500), end - 1)
        came.channel[absent] = ORGANIC
        there = np.flatnonzero(came.arrival < NEVER)
    return there[np.argsort(came.arrival[there], kind="stable")]


def _asks(came: Spread, number: NDArray[np.int32]) -> tuple[NDArray[Any], ...]:
    asker = number[came.asker]
    kept = asker >= 0
    asker, asked = asker[kept], number[came.asked[kept]]
    at, team, accepted = came.at[kept], came.team[kept], came.accepted[kept]
    order = np.lexsort((at, asker))
    return asker[order], asked[order], at[order], team[order], accepted[order] & (asked[order] >= 0)


def _finish(
    company: Company,
    seed: int,
    calendar: Calendar,
    records: NDArray[Any],
    graph: Graph,
    asks: tuple[NDArray[Any], ...],
    ring_people: int,
    end: int,
) -> Simulation:
    records, graph, asks = plant_rings(records, graph, asks, ring_people, seed, calendar, end)

    def block(low: int) -> None:
        high = min(low + _BLOCK, len(records))
        draw_people(records, low, high, seed, calendar)
        draw_purchases(records, low, high, seed, tastes_of(records["kind"][low:high], low, seed), end)
        draw_needs(records, low, high, seed, calendar.start, end)
        draw_responses(records, low, high, seed)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(block, range(0, len(records), _BLOCK)))
    return Simulation(company, seed, calendar, records, graph, *asks)
