"""The purchase history: one row an order, not a cent lost, whatever order the lake's files come in."""

from __future__ import annotations

from typing import cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import layerings as oracle
from tests.oracles.layerings import Event
from tests.segments.lakes import DAY, ListLake, ListPeople
from tilth.lake import Lake
from tilth.people import People
from tilth.segments.days import LocalDays
from tilth.segments.history import NEVER, PurchaseHistory, activity, purchase_history

EVENTS = st.lists(
    st.builds(
        Event,
        uid=st.integers(1, 8),
        # Distinct instants, so that "the latest order before" has one answer.
        ts=st.integers(0, 40 * 24).map(lambda hour: hour * 3_600_000_000),
        name=st.sampled_from(["purchase", "purchase", "purchase_added", "purchase_item", "refund", "page_view"]),
        amount=st.none() | st.integers(0, 10_000),
        order=st.none() | st.sampled_from(["A", "B", "C"]),
    ),
    max_size=40,
    unique_by=lambda e: (e.uid, e.ts),
).filter(lambda es: len({(e.uid, e.order) for e in es if e.name == "purchase" and e.order}) == sum(
    e.name == "purchase" and e.order is not None for e in es
))  # fmt: skip


def read(lake: ListLake, people: ListPeople | None = None, until: int | None = None) -> PurchaseHistory:
    known = people or ListPeople({e.uid for e in lake.events})
    return purchase_history(cast(Lake, lake), cast(People, known), until=until)


def rows(uid: np.ndarray, ts: np.ndarray, amount: np.ndarray) -> list[tuple[int, int, int]]:  # type: ignore[type-arg]
    return list(zip(uid.tolist(), ts.tolist(), amount.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.integers(1, 4), st.integers(1, 3), st.none() | st.integers(0, 41 * DAY))
def test_history_equals_the_oracle_for_any_events_files_and_cut(
    events: list[Event], buckets: int, pieces: int, until: int | None
) -> None:
    history = read(ListLake(events, buckets, pieces), until=until)
    orders, refunds = oracle.orders_and_refunds(events, until)
    assert rows(history.uid, history.ts, history.amount) == orders
    assert rows(history.refund_uid, history.refund_ts, history.refund_amount) == refunds
    known = sorted({e.uid for e in events if until is None or e.ts < until})
    assert history.everyone.tolist() == known
    assert history.first_seen.tolist() == [min(e.ts for e in events if e.uid == u) for u in known]


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 41 * DAY))
def test_cutting_a_whole_history_gives_what_reading_up_to_the_cut_gives(events: list[Event], instant: int) -> None:
    plain = [e for e in events if e.name != "purchase_added"]
    cut, direct = read(ListLake(plain)).until(instant), read(ListLake(plain), until=instant)
    for field in ("uid", "ts", "amount", "refund_uid", "refund_ts", "refund_amount", "everyone", "first_seen"):
        assert getattr(cut, field).tolist() == getattr(direct, field).tolist(), field


def test_lines_that_arrive_later_add_money_to_their_order_without_counting_as_one() -> None:
    history = read(
        ListLake([
            Event(1, 10 * DAY, "purchase", 5_000, "A1"),
            Event(1, 20 * DAY, "purchase", 7_000, "A2"),
            Event(1, 10 * DAY, "purchase_added", 250, "A1"),
        ])
    )  # fmt: skip
    assert rows(history.uid, history.ts, history.amount) == [(1, 10 * DAY, 5_250), (1, 20 * DAY, 7_000)]


def test_added_money_whose_order_nobody_has_is_not_lost() -> None:
    history = read(ListLake([Event(4, DAY, "purchase_added", 99, "missing")]))
    assert rows(history.uid, history.ts, history.amount) == [(4, DAY, 99)]


def test_item_lines_and_item_refunds_are_not_orders() -> None:
    history = read(
        ListLake([
            Event(2, DAY, "purchase", 300, "A"),
            Event(2, DAY, "purchase_item", 100, "A"),
            Event(2, DAY + 1, "purchase_item", 200, "A"),
            Event(2, 2 * DAY, "refund", 100, "R"),
            Event(2, 2 * DAY, "refund_item", 100, "R"),
        ])
    )  # fmt: skip
    assert history.amount.tolist() == [300]
    assert history.refund_amount.tolist() == [100]


def test_people_known_only_by_their_profile_are_in_everyone_and_were_never_seen() -> None:
    history = read(ListLake([Event(2, DAY, "purchase", 300)]), ListPeople([1, 2, 9]))
    assert history.everyone.tolist() == [1, 2, 9]
    assert history.first_seen.tolist() == [NEVER, DAY, NEVER]


def test_an_empty_lake_gives_an_empty_history() -> None:
    history = read(ListLake([]))
    assert len(history.uid) == len(history.everyone) == 0
    assert history.as_of == 0


@settings(max_examples=100, deadline=None)
@given(EVENTS, st.sampled_from(["UTC", "America/New_York"]), st.integers(1, 3), st.integers(0, 30), st.integers(1, 41))
def test_activity_equals_the_oracle(events: list[Event], zone: str, pieces: int, first: int, last: int) -> None:
    lake = cast(Lake, ListLake(events, 2, pieces))
    found = activity(lake, LocalDays(zone), since=first * DAY, until=last * DAY)
    expected = oracle.active_days(events, first * DAY, last * DAY, zone)
    assert found.uid.tolist() == sorted(expected)
    columns = zip(found.active_days.tolist(), found.events.tolist(), found.last_seen.tolist(), strict=True)
    assert list(columns) == [expected[u] for u in sorted(expected)]


def test_activity_aligns_to_people_who_were_not_seen() -> None:
    lake = cast(Lake, ListLake([Event(3, DAY, "page_view"), Event(7, DAY, "page_view")]))
    aligned = activity(lake, LocalDays("UTC"), since=0, until=9 * DAY).aligned(np.array([1, 3, 5]))
    assert aligned.active_days.tolist() == [0, 1, 0]
    assert aligned.last_seen.tolist() == [NEVER, DAY, NEVER]
