"""Layerings of the simulated company, judged by the truth it was made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from tests.segments.lakes import ListLake
from tilth.segments.compute import Computed, compute
from tilth.segments.history import PurchaseHistory
from tilth.segments.kinds import KINDS, kind_of, read_parameters
from tilth.segments.snapshot import Snapshot
from tilth.segments.stability import adjusted_rand
from tilth.simulate import Simulation, Truth, order_book, simulate


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    made = simulate(people=6_000, days=730, seed=4, until=dt.date(2026, 6, 30))
    made.complete()
    return made


@pytest.fixture(scope="module")
def layered(simulation: Simulation) -> Callable[..., Computed]:
    """Computes layerings of its order book; a person's uid is their number in the simulation."""
    book = order_book(simulation)
    orders = book.orders[np.lexsort((book.orders["ts"], book.orders["owner"]))]
    refunds = book.refunds[np.lexsort((book.refunds["ts"], book.refunds["owner"]))]
    history = PurchaseHistory(
        uid=orders["owner"].astype(np.int64),
        ts=orders["ts"].astype(np.int64),
        amount=orders["amount"].astype(np.int64),
        refund_uid=refunds["owner"].astype(np.int64),
        refund_ts=refunds["ts"].astype(np.int64),
        refund_amount=refunds["amount"].astype(np.int64),
        everyone=np.arange(len(simulation.people)),
        first_seen=simulation.people["arrival"].astype(np.int64),
        currency="CNY",
        as_of=int(orders["ts"].max()) + 1,
    )
    snapshot = Snapshot(ListLake([]), history, "Asia/Shanghai")  # type: ignore[arg-type]

    def layer(kind: str, **parameters: object) -> Computed:
        chosen = kind_of(kind)
        return compute(snapshot, chosen, read_parameters(chosen, parameters))

    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_the_companys_layers_tell_what_comes_next(layered: Callable[..., Computed], kind: str) -> None:
    quality = layered(kind).layering.quality
    assert quality.lift is not None
    assert quality.lift.spread.low > 0.2
    assert quality.score >= 55, (quality.score, quality.parts)


def test_clusters_recover_the_planted_kinds_of_people(
    layered: Callable[..., Computed], simulation: Simulation, record_property: Callable[[str, object], None]
) -> None:
    found = layered("clusters")
    truth = simulation.people["kind"].astype(np.int64)[found.standing.uid]
    buyers, several = found.standing.buyers, found.standing.orders >= 3
    agreement = adjusted_rand(found.assignment.codes[buyers], truth[buyers])
    record_property("adjusted_rand_of_buyers", round(agreement, 3))
    record_property(
        "adjusted_rand_of_3_orders", round(adjusted_rand(found.assignment.codes[several], truth[several]), 3)
    )
    # What a classifier trained on the truth reaches from the same numbers is about 0.44.
    assert agreement > 0.25


def test_the_lost_have_left_and_the_new_have_not(layered: Callable[..., Computed], simulation: Simulation) -> None:
    found = layered("stage")
    alive = Truth(simulation).alive(int(simulation.calendar.end))[found.standing.uid]
    keys = [layer.key for layer in found.assignment.layers]

    def share(key: str) -> float:
        return float(alive[found.assignment.codes == keys.index(key)].mean())

    assert share("lost") < 0.2
    assert share("loyal") > 0.75
    assert share("new") > 0.9
    assert share("lost") < share("at_risk") < share("loyal")


def test_whales_are_the_people_made_to_spend(layered: Callable[..., Computed], simulation: Simulation) -> None:
    found = layered("value")
    people = simulation.people[found.standing.uid]
    worth = people["rate"] * people["value"] * Truth(simulation).alive(int(simulation.calendar.end))[found.standing.uid]
    means = [float(worth[found.assignment.codes == i].mean()) for i in range(3)]
    assert means[0] > 2 * means[1] > 2 * means[2]
