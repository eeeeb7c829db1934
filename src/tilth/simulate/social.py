"""Who knows whom, who brought whom, and the rings that only pretend.

The graph is a set of small circles (colleagues, neighbours, families: dense, within a city) joined
by acquaintances drawn by popularity, so degrees have a heavy tail and friends of friends are
friends. Coming to Qinghe spreads over it in time order: whoever has come may ask friends, or open a
team to buy together; a friend who is persuaded comes then, by 邀请 or 拼团, even if they would have
come later or never.
"""

from __future__ import annotations

import heapq
from typing import Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.calendar import CITIES, DAY
from tilth.simulate.channels import INVITED, TEAM
from tilth.simulate.draws import begin, exponential, hashed, uniform
from tilth.simulate.people import NEVER

__all__ = ["Graph", "Spread", "build_graph", "relabel_graph", "spread"]

_CIRCLE_STREAM, _ORDER_STREAM, _TIE_STREAM, _SPREAD_STREAM = 10, 11, 12, 13
_MOST_ASKED = 30


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Friends of person i: `friends[first[i]:first[i + 1]]`, ascending; every tie is there both ways."""

    first: NDArray[np.int64]
    friends: NDArray[np.int32]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """What the process gave, by number in the pool.

    arrival: UTC µs or NEVER. channel: as arrived. inviter: -1 for own arrivals. team_open: UTC µs or
    NEVER; team_size. Asked (one row an invitation): asker, asked, at, team (bool), accepted (bool).
    """

    arrival: NDArray[np.int64]
    channel: NDArray[np.uint8]
    inviter: NDArray[np.int32]
    team_open: NDArray[np.int64]
    team_size: NDArray[np.uint8]
    asker: NDArray[np.int32]
    asked: NDArray[np.int32]
    at: NDArray[np.int64]
    team: NDArray[np.bool_]
    accepted: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _ties(seed: int, order: Any, city_start: Any, weight: Any, left: Any, right: Any) -> int:
    """Write the ties (pool numbers) to left/right as far as there is room; returns how many there are."""
    state = np.empty(1, np.uint64)
    n = 0
    room = left.shape[0]
    # Stubs: each person as often as they have acquaintances, city by city, to choose ends from.
    people = order.shape[0]
    stub_first = np.zeros(people + 1, np.int64)
    for k in range(people):
        begin(state, seed, _TIE_STREAM, order[k])
        w = weight[order[k]]
        stub_first[k + 1] = stub_first[k] + np.int64(w) + (1 if uniform(state) < w - np.floor(w) else 0)
    stubs = np.empty(max(stub_first[people], 1), np.int32)
    for k in range(people):
        for s in range(stub_first[k], stub_first[k + 1]):
            stubs[s] = order[k]
    total = stub_first[people]
    for c in range(city_start.shape[0] - 1):
        low, high = city_start[c], city_start[c + 1]
        k = low
        while k < high:
            begin(state, seed, _CIRCLE_STREAM, order[k])
            size = min(2 + np.int64(2.2 * (1.0 - uniform(state)) ** (-1.0 / 1.6)), 40)
            stop = min(k + size, high)
            chance = min(0.85, 5.0 / max(stop - k - 1, 1))
            for a in range(k, stop):
                for b in range(a + 1, stop):
                    if uniform(state) < chance:
                        if n < room:
                            left[n], right[n] = order[a], order[b]
                        n += 1
            k = stop
        s_low, s_high = stub_first[low], stub_first[high]
        for k in range(low, high):
            begin(state, seed, _TIE_STREAM + 100, order[k])
            for _ in range(stub_first[k + 1] - stub_first[k]):
                near = uniform(state) < 0.8
                u = uniform(state)
                other = stubs[s_low + np.int64(u * (s_high - s_low))] if near else stubs[np.int64(u * total)]
                if other != order[k]:
                    if n < room:
                        left[n], right[n] = order[k], other
                    n += 1
    return n


@njit(cache=True, nogil=True)
def _sort(values: Any) -> None:
    """By insertion: the lists are short, and numpy's sort takes a second to compile."""
    for k in range(1, values.shape[0]):
        value = values[k]
        j = k
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@njit(cache=True, nogil=True)
def _compressed(left: Any, right: Any, people: int) -> tuple[Any, Any]:
    """Ties to sorted neighbour lists without repeats (counting sort, then a sort within each list)."""
    first = np.zeros(people + 1, np.int64)
    for t in range(left.shape[0]):
        first[left[t] + 1] += 1
        first[right[t] + 1] += 1
    for i in range(people):
        first[i + 1] += first[i]
    place = first[:-1].copy()
    friends = np.empty(first[people], np.int32)
    for t in range(left.shape[0]):
        a, b = left[t], right[t]
        friends[place[a]] = b
        place[a] += 1
        friends[place[b]] = a
        place[b] += 1
    kept = np.zeros(people + 1, np.int64)
    n = 0
    for i in range(people):
        mine = friends[first[i] : first[i + 1]]
        _sort(mine)
        previous = -1
        for f in mine:
            if f != previous:
                friends[n] = f  # n never passes the list being read
                n += 1
                previous = f
        kept[i + 1] = n
    return kept, friends[:n].copy()


def build_graph(city: NDArray[Any], weight: NDArray[Any], seed: int) -> Graph:
    """The friendship graph of a pool."""
    people = len(city)
    shuffled = np.argsort(_shuffle_keys(seed, people), kind="stable")
    order = shuffled[np.argsort(city[shuffled], kind="stable")].astype(np.int32)
    city_start = np.searchsorted(city[order], np.arange(len(CITIES) + 1)).astype(np.int64)
    guess = int(people * 7) + 1000
    while True:
        left, right = np.empty(guess, np.int32), np.empty(guess, np.int32)
        count = _ties(seed, order, city_start, weight.astype(np.float64), left, right)
        if count <= guess:
            break
        guess = count
    first, friends = _compressed(left[:count], right[:count], people)
    return Graph(first=first, friends=friends)


def _shuffle_keys(seed: int, people: int) -> NDArray[np.uint64]:
    return hashed(seed, _ORDER_STREAM, np.arange(people))


@njit(cache=True, nogil=True)
def relabel_graph(first: Any, friends: Any, number: Any, people: int) -> tuple[Any, Any]:
    """The same graph among those who came; `number[pool] = person` or -1."""
    count = np.zeros(people + 1, np.int64)
    for j in range(number.shape[0]):
        if number[j] >= 0:
            for t in range(first[j], first[j + 1]):
                if number[friends[t]] >= 0:
                    count[number[j] + 1] += 1
    for i in range(people):
        count[i + 1] += count[i]
    out = np.empty(count[people], np.int32)
    for j in range(number.shape[0]):
        i = number[j]
        if i >= 0:
            n = count[i]
            for t in range(first[j], first[j + 1]):
                if number[friends[t]] >= 0:
                    out[n] = number[friends[t]]
                    n += 1
            _sort(out[count[i] : n])
    return count, out


@njit(cache=True, nogil=True)
def _spread(
    pool: Any, first: Any, friends: Any, own_order: Any, seed: int, end: int, reward: float,
    arrival: Any, channel: Any, inviter: Any, team_open: Any, team_size: Any,
    asker: Any, asked: Any, at: Any, team: Any, accepted: Any,
) -> int:  # fmt: skip
    state = np.empty(1, np.uint64)
    heap = [(np.int64(0), np.int64(0))]
    heap.pop()
    own = 0
    n = 0
    room = asker.shape[0]
    while own < own_order.shape[0] or len(heap) > 0:
        by = np.int64(-1)
        if own < own_order.shape[0] and (len(heap) == 0 or pool[own_order[own]].own <= heap[0][0]):
            j = np.int64(own_order[own])
            t = pool[j].own
            own += 1
        else:
            t, by = heapq.heappop(heap)
            j = np.int64(asked[by])
        if arrival[j] != NEVER:
            continue
        arrival[j] = t
        channel[j] = pool[j].channel
        if by >= 0:
            inviter[j] = asker[by]
            channel[j] = TEAM if team[by] else INVITED
            accepted[by] = True
        # Their own asking, drawn from their own stream: the same whoever came before them.
        begin(state, seed, _SPREAD_STREAM, j)
        if uniform(state) >= pool[j].inviting:
            continue
        known = first[j + 1] - first[j]
        if known == 0:
            continue
        if n + _MOST_ASKED + 8 > room:
            return -1
        chance = min(1.0, _MOST_ASKED / known) * 0.45
        begin_asking = t + np.int64(6.0 * exponential(state) * DAY)
        asked_now = 0
        for f in range(first[j], first[j + 1]):
            if asked_now >= _MOST_ASKED or uniform(state) >= chance:
                continue
            when = begin_asking + np.int64(14.0 * exponential(state) * DAY)
            success = uniform(state) < min(0.9, pool[j].persuade * pool[friends[f]].receptive * reward)
            comes = when + np.int64(1.5 * exponential(state) * DAY)
            if when >= end:
                continue
            asker[n], asked[n], at[n], team[n], accepted[n] = j, friends[f], when, False, False
            if success and comes < end and arrival[friends[f]] == NEVER:
                heapq.heappush(heap, (comes, np.int64(n)))
            n += 1
            asked_now += 1
        if uniform(state) < 0.30:
            opened = t + np.int64(20.0 * exponential(state) * DAY)
            if opened < end - 2 * DAY:
                team_open[j] = opened
                team_size[j] = 3 if uniform(state) < 0.4 else 2
                for _ in range(5):
                    f = first[j] + np.int64(uniform(state) * known)
                    when = opened + np.int64(0.2 * uniform(state) * DAY)
                    comes = when + np.int64((0.02 + 0.7 * uniform(state)) * DAY)
                    success = uniform(state) < min(0.9, 1.5 * pool[j].persuade * pool[friends[f]].receptive * reward)
                    asker[n], asked[n], at[n], team[n], accepted[n] = j, friends[f], when, True, False
                    if success and arrival[friends[f]] == NEVER:
                        heapq.heappush(heap, (comes, np.int64(n)))
                    n += 1
    return n


def spread(pool: NDArray[Any], graph: Graph, seed: int, end: int, reward: float) -> Spread:
    """Run arrivals and invitations over the graph until `end` (UTC µs).

    reward: factor on the success of asking (what an invitation is worth to both sides); 0 switches
    the social arrivals off.
    """
    size = len(pool)
    own_order = np.argsort(pool["own"], kind="stable")
    own_order = own_order[pool["own"][own_order] < end].astype(np.int64)
    room = size * 2 + 1000
    while True:
        arrival = np.full(size, NEVER, np.int64)
        channel = np.zeros(size, np.uint8)
        inviter = np.full(size, -1, np.int32)
        team_open = np.full(size, NEVER, np.int64)
        team_size = np.zeros(size, np.uint8)
        asker, asked = np.empty(room, np.int32), np.empty(room, np.int32)
        at = np.empty(room, np.int64)
        team, accepted = np.zeros(room, np.bool_), np.zeros(room, np.bool_)
        n = _spread(
            pool.view(np.recarray), graph.first, graph.friends, own_order, seed, end, reward,
            arrival, channel, inviter, team_open, team_size, asker, asked, at, team, accepted,
        )  # fmt: skip
        if n >= 0:
            break
        room *= 2
    return Spread(
        arrival=arrival,
        channel=channel,
        inviter=inviter,
        team_open=team_open,
        team_size=team_size,
        asker=asker[:n],
        asked=asked[:n],
        at=at[:n],
        team=team[:n],
        accepted=accepted[:n],
    )
