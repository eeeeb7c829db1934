"""Newcomers, and the way to the deal: against slow versions on random events, and by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.behavior.made import DAY, HOUR, START, behavior_of, happened, scattered
from tilth.behavior.deal_paths import main_effects
from tilth.errors import InvalidInput

slow = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
extras = st.fixed_dictionaries(
    {},
    optional={"channel": st.sampled_from(["ads", "shop"]), "amount": st.sampled_from([1.0, 20.5, 99.99])},
)


@slow
@given(made=scattered(names="abc", per_person=8, span=40, unit=12 * HOUR, properties=extras))
def test_newcomers_are_what_following_each_of_them_gives(made: Any) -> None:
    events, parts = made
    first, end = START + 25 * DAY, START + 36 * DAY
    asked = {
        "range": {"from": "2026-06-26", "to": "2026-07-06"},
        "activation": "b",
        "activation_within": "2d",
        "revenue": "b",
        "refund": "c",
        "value_within": "3d",
        "days": [1, 3],
        "allow_unknown": True,
    }
    with tempfile.TemporaryDirectory() as folder:
        behavior = behavior_of(Path(folder), events, parts)
        whole = behavior.newcomers(asked).newcomers
        broken = behavior.newcomers({**asked, "breakdown": "channel"}).breakdown
    horizon = max((e.ts for e in events), default=0) + 1
    found: dict[Any, dict[str, Any]] = {}
    for uid in sorted({e.uid for e in events}):
        mine = sorted((e for e in events if e.uid == uid), key=lambda e: (e.ts, e.received, e.event_id))
        begins = mine[0].ts
        if not first <= begins < end:
            continue
        channel = next((c for e in mine if e.ts - begins <= DAY and (c := e.properties.get("channel"))), None)
        held = found.setdefault(
            channel, dict.fromkeys(("people", "timed", "done", "payers", "orders", "money", "kept"), 0)
        )
        held["people"] += 1
        if begins + 2 * DAY < horizon:
            held["timed"] += 1
            held["done"] += any(e.event == "b" and e.ts - begins <= 2 * DAY for e in mine)
        orders = [e for e in mine if e.event == "b"]
        held["payers"] += bool(orders)
        held["orders"] += len(orders)
        held["money"] += sum(e.properties.get("amount", 0) for e in orders)
        held["money"] -= sum(e.properties.get("amount", 0) for e in mine if e.event == "c")
        third = begins // DAY + 3
        if (third + 1) * DAY <= horizon:
            held["kept"] += any(e.ts // DAY == third for e in mine)
    total = {
        name: sum(h[name] for h in found.values()) for name in ("people", "timed", "done", "payers", "orders", "kept")
    }
    assert (whole.people, whole.payers.people, whole.orders) == (total["people"], total["payers"], total["orders"])
    assert (whole.activated.people, whole.activated.of) == (total["done"], total["timed"])
    assert whole.kept["D3"].people == total["kept"]
    assert whole.revenue == pytest.approx(sum(h["money"] for h in found.values()))
    by = {v.value: v.newcomers for v in broken}
    assert {value: n.people for value, n in by.items()} == {value: h["people"] for value, h in found.items()}
    for value, newcomers in by.items():
        assert newcomers.orders == found[value]["orders"]
        assert newcomers.revenue == pytest.approx(found[value]["money"])


def test_yesterdays_people_do_not_make_activation_look_worse(tmp_path: Path) -> None:
    rows: list[Any] = [(uid, f"2026-06-0{uid} 10:00", "visit") for uid in range(1, 6)]
    rows += [
        (1, "2026-06-02 10:00", "buy", {"amount": 10}),
        (9, "2026-05-01 10:00", "visit"),
        (9, "2026-06-03 10:00", "buy"),
    ]
    behavior = behavior_of(tmp_path, happened(rows))
    asked = {"range": {"from": "2026-06-01", "to": "2026-06-30"}, "activation": "buy", "activation_within": "2d"}
    found = behavior.newcomers(asked).newcomers
    # Person 9 came in May; persons 4 and 5 have not had two days yet when the last is heard of, on 5 June at 10:00.
    assert (found.people, found.activated.people, found.activated.of) == (5, 1, 3)


def test_a_deal_path_shows_what_channel_scene_and_product_do_together(tmp_path: Path) -> None:
    rows: list[Any] = []
    uid = 0
    for channel in ("ads", "shop"):
        for scene in ("home", "live"):
            for product in ("tea", "cup"):
                together = (channel, scene, product) == ("ads", "live", "tea")
                for i in range(200):
                    uid += 1
                    at = f"2026-06-{1 + i % 20:02d}"
                    rows.append((uid, f"{at} 10:00", "visit", {"channel": channel, "scene": scene}))
                    rows.append((uid, f"{at} 10:05", "view", {"product": product}))
                    if i % 2 == 0 or together:
                        rows.append((uid, f"{at} 10:10", "cart", {"trigger": "price"}))
                    if i % 10 == 0 or (together and i % 2 == 0):
                        rows.append((uid, f"{at} 10:20", "buy"))
    behavior = behavior_of(tmp_path, happened(rows))
    asked = {
        "channel": {"event": "visit", "property": "channel"},
        "scene": {"event": "visit", "property": "scene"},
        "product": {"event": "view", "property": "product"},
        "decision": {"event": "cart", "property": "trigger"},
        "deal": {"event": "buy"},
    }
    # One visit cannot be both the channel and the scene: an event serves one step.
    assert behavior.deal_paths(asked).stages[1].people == 0
    asked["scene"] = {"event": "view", "property": "scene"}
    with pytest.raises(InvalidInput, match="no property 'scenes'"):
        behavior.deal_paths({**asked, "scene": {"event": "view", "property": "scenes"}})
    with pytest.raises(InvalidInput, match="at_least"):
        behavior.deal_paths({**asked, "at_least": 2})


def test_the_cell_that_does_better_together_is_named(tmp_path: Path) -> None:
    rows: list[Any] = []
    uid = 0
    for channel in ("ads", "shop"):
        for scene in ("home", "live"):
            for product in ("tea", "cup"):
                together = (channel, scene, product) == ("ads", "live", "tea")
                for i in range(300):
                    uid += 1
                    at = f"2026-06-{1 + i % 20:02d}"
                    rows.append((uid, f"{at} 10:00", "open", {"channel": channel}))
                    rows.append((uid, f"{at} 10:01", "visit", {"scene": scene}))
                    rows.append((uid, f"{at} 10:05", "view", {"product": product}))
                    rows.append((uid, f"{at} 10:10", "cart", {"trigger": "price"}))
                    if i % 10 == 0 or (together and i % 2 == 0):
                        rows.append((uid, f"{at} 10:20", "buy"))
    behavior = behavior_of(tmp_path, happened(rows))
    answer = behavior.deal_paths(
        channel={"event": "open", "property": "channel"},
        scene={"event": "visit", "property": "scene"},
        product={"event": "view", "property": "product"},
        decision={"event": "cart", "property": "trigger"},
        deal={"event": "buy"},
    )
    assert [s.people for s in answer.stages] == [2400, 2400, 2400, 2400, 7 * 30 + 150]
    best = answer.cells[0]
    assert (best.channel, best.scene, best.product, best.verdict) == ("ads", "live", "tea", "better")
    assert best.people == 300
    assert best.deals.people == 150
    assert best.expected < 150
    assert best.lift is not None
    assert best.low is not None
    assert best.high is not None
    assert best.low < best.lift < best.high
    assert (answer.judged, answer.small) == (8, 0)


def test_without_an_effect_together_few_cells_are_named() -> None:
    """Of cells that differ only by their margins, one in twenty may stand out before correction, and few after."""
    from tilth.behavior.deal_paths import _cells

    rng = np.random.default_rng(7)
    named = judged = 0
    for _ in range(60):
        index = np.array([[a, b, c] for a in range(4) for b in range(3) for c in range(3)]).T
        logit = rng.normal(-1, 0.3, 36) * 0 + (-1 + 0.4 * index[0] - 0.3 * index[1] + 0.2 * index[2])
        people = rng.integers(100, 400, 36)
        deals = rng.binomial(people, 1 / (1 + np.exp(-logit)))
        values = np.repeat(index, people, axis=1)
        reach = np.concatenate([np.r_[np.full(d, 4), np.full(n - d, 3)] for n, d in zip(people, deals, strict=True)])
        cells, _ = _cells(values, reach, [list(range(4)), list(range(3)), list(range(3))], 50)
        judged += len(cells)
        named += any(c.verdict != "nothing" for c in cells)
    assert judged == 60 * 36
    # The chance that any of a family is named is at most 5 % under the null; 60 families give 3 or so.
    assert named <= 9


def test_main_effects_recover_planted_ones() -> None:
    index = np.array([[a, b] for a in range(3) for b in range(2)]).T
    truth = 1 / (1 + np.exp(-(-1 + 0.5 * index[0] - 0.7 * index[1])))
    people = np.full(6, 1_000_000.0)
    found = main_effects(index, people, people * truth, (3, 2))
    assert found == pytest.approx(truth, abs=1e-4)


def test_how_long_invitations_take(tmp_path: Path) -> None:
    rows: list[Any] = [
        (1, "2026-06-01 10:00", "invite", {"code": "A"}),
        (1, "2026-06-03 10:00", "invite", {"code": "A"}),
        (2, "2026-06-01 12:00", "join", {"by": "A"}),
        (3, "2026-06-03 11:00", "join", {"by": "A"}),
        (4, "2026-06-03 11:00", "join", {"by": "B"}),
        (5, "2026-05-01 11:00", "join", {"by": "A"}),
        (6, "2026-06-04 11:00", "join"),
    ]
    behavior = behavior_of(tmp_path, happened(rows))
    found = behavior.invitations(
        range={"from": "2026-06-01", "to": "2026-06-30"}, invite="invite", invite_code="code", joined="join",
        joined_code="by",
    )  # fmt: skip
    assert (found.joined, found.matched) == (3, 2)
    assert found.median_seconds == pytest.approx(1.5 * 3600)
