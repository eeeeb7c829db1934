"""Fraud rings: accounts made to be invited, to order once for the reward, and to ask the money back.

A ring shares a few devices and payment accounts, comes within days, and either hangs on one leader
(a star) or invites along a chain that closes on itself (A → B → … → A). Nothing follows the reward.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilth.simulate.calendar import CITIES, DAY, Calendar
from tilth.simulate.channels import INVITED, ORGANIC
from tilth.simulate.kinds import RING
from tilth.simulate.people import NEVER, PERSON
from tilth.simulate.social import Graph, relabel_graph

__all__ = ["plant_rings"]


def _sizes(count: int, rng: np.random.Generator) -> list[int]:
    sizes: list[int] = []
    left = count
    while left > 0:
        size = int(rng.integers(5, 31))
        if left - size < 5:
            size = left
        sizes.append(size)
        left -= size
    return sizes


def plant_rings(
    honest: NDArray[Any],
    graph: Graph,
    asks: tuple[NDArray[Any], ...],
    count: int,
    seed: int,
    calendar: Calendar,
    end: int,
) -> tuple[NDArray[Any], Graph, tuple[NDArray[Any], ...]]:
    """Add `count` ring accounts and renumber everybody by arrival.

    asks: (asker, asked, at, team, accepted). Honest people are given their own device and account.
    """
    old = len(honest)
    records = np.zeros(old + count, PERSON)
    records[:old] = honest
    records["device"] = records["account"] = np.arange(old + count)
    rng = np.random.default_rng([seed, 99])
    asker, asked, at = [], [], []
    degrees = np.zeros(count, np.int64)
    ties: list[NDArray[np.int32]] = []
    low = old
    for ring, size in enumerate(_sizes(count, rng)):
        members = np.arange(low, low + size)
        part = records[low : low + size]
        begin = calendar.start + int(rng.uniform(0.08, 0.94) * calendar.days) * DAY + int(rng.integers(0, DAY))
        part["arrival"] = np.minimum(begin + np.sort(rng.integers(0, 3 * DAY, size)), end - size) + np.arange(size)
        part["ring"], part["kind"], part["channel"] = ring, RING, INVITED
        part["city"] = rng.integers(0, len(CITIES))
        part["persuade"], part["receptive"], part["team_open"] = 0.01, 0.01, NEVER
        part["device"] = members[rng.integers(0, min(int(rng.integers(2, 5)), size), size)]
        part["account"] = members[rng.integers(0, min(int(rng.integers(1, 4)), size), size)]
        chain = bool(rng.random() < 0.5)
        part["inviter"][0], part["channel"][0] = -1, ORGANIC
        part["inviter"][1:] = members[:-1] if chain else members[0]
        asker += part["inviter"][1:].tolist()
        asked += members[1:].tolist()
        at += (part["arrival"][1:] - 1).tolist()
        if chain:  # and the circle closes on an account that is there already
            asker.append(int(members[-1]))
            asked.append(int(members[0]))
            at.append(min(int(part["arrival"][-1]) + DAY // 3, end))
        degrees[low - old : low - old + size] = size - 1
        ties += [np.delete(members, k).astype(np.int32) for k in range(size)]
        low += size
    order = np.argsort(records["arrival"], kind="stable")
    number = np.empty(len(records), np.int32)
    number[order] = np.arange(len(records), dtype=np.int32)
    first = np.concatenate([graph.first, graph.first[-1] + np.cumsum(degrees)])
    friends = np.concatenate([graph.friends, *ties]) if ties else graph.friends
    first, friends = relabel_graph(first, friends, number, len(records))
    everyone = records[order]
    for name in ("device", "account"):
        everyone[name] = number[everyone[name]]
    everyone["inviter"] = np.where(everyone["inviter"] >= 0, number[everyone["inviter"]], -1)
    old_asker, old_asked, old_at, old_team, old_accepted = asks
    all_asker = number[np.concatenate([old_asker, np.array(asker, np.int32)])]
    all_asked = np.concatenate([old_asked, np.array(asked, np.int32)])
    all_asked = np.where(all_asked >= 0, number[all_asked], -1).astype(np.int32)
    all_at = np.concatenate([old_at, np.array(at, np.int64)])
    all_team = np.concatenate([old_team, np.zeros(len(at), np.bool_)])
    all_accepted = np.concatenate([old_accepted, np.ones(len(at), np.bool_)])
    by_asker = np.lexsort((all_at, all_asker))
    asks = (all_asker[by_asker], all_asked[by_asker], all_at[by_asker], all_team[by_asker], all_accepted[by_asker])
    return everyone, Graph(first=first, friends=friends), asks
