"""What is wrong with the data is wrong in the stated amounts, and nothing else is."""

from __future__ import annotations

import datetime as dt

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tilth.simulate import Dirt, simulate

UNTIL = dt.date(2025, 12, 31)


@pytest.fixture(scope="module")
def tables():
    simulation = simulate(2500, 400, seed=8, until=UNTIL)
    dirty = pa.concat_tables(simulation.events())
    clean = pa.concat_tables(simulation.events(dirt=Dirt.none()))
    return simulation, dirty, clean


def test_clean_data_has_no_event_twice(tables):
    _, _, clean = tables
    assert pc.count_distinct(clean["event_id"]).as_py() == clean.num_rows
    assert pc.sum(pc.starts_with(clean["distinct_id"], "bot-")).as_py() == 0


def test_repeated_events_keep_their_id_and_doubled_ones_have_a_new_one(tables):
    simulation, dirty, clean = tables
    bots = pc.sum(pc.starts_with(dirty["distinct_id"], "bot-")).as_py()
    people = dirty.filter(pc.invert(pc.starts_with(dirty["distinct_id"], "bot-")))
    ids = pc.value_counts(people["event_id"])
    repeated = int((ids.field("counts").to_numpy() > 1).sum())
    assert repeated == pytest.approx(simulation.company.dirt.duplicate * clean.num_rows, rel=0.15)
    doubled = len(ids) - clean.num_rows
    day = simulation.company.dirt.doubled_day(simulation.calendar)
    start = simulation.calendar.start + day * 86_400_000_000
    ts = clean["ts"].cast(pa.int64()).to_numpy()
    behaviour = ~np.isin(clean["source"].to_numpy(zero_copy_only=False), ("order_system", "store"))
    assert doubled == ((ts >= start) & (ts < start + 86_400_000_000) & behaviour).sum()
    assert bots == dirty.num_rows - people.num_rows > 0


def test_late_events_come_up_to_three_days_late(tables):
    simulation, dirty, _ = tables
    lag = pc.subtract(dirty["received_at"], dirty["ts"]).cast(pa.int64()).to_numpy() / 1e6
    honest = lag < 3.2 * 86_400
    skew = set(np.unique(simulation.people["clock_skew"]).tolist())
    assert len(skew) > 1, "some clocks run behind"
    assert (lag > 0.15).all()
    late = (lag > 3600) & honest
    assert 0.006 < late.mean() < 0.025


def test_one_release_called_a_property_by_another_name(tables):
    simulation, dirty, clean = tables
    week = (dirty["ts"].cast(pa.int64()).to_numpy() - simulation.calendar.start) // (7 * 86_400_000_000)
    renamed = pc.match_substring(dirty["props"], '"scene_name"').to_numpy(zero_copy_only=False)
    app = dirty["source"].to_numpy(zero_copy_only=False) == "app"
    assert renamed.sum() > 50
    assert (week[renamed] == simulation.company.dirt.broken_week).all()
    assert app[renamed].all()
    assert not pc.any(pc.match_substring(clean["props"], '"scene_name"')).as_py()


def test_properties_and_context_are_json(tables):
    _, dirty, _ = tables
    for event in pc.unique(dirty["event"]).to_pylist():
        some = dirty.filter(pc.equal(dirty["event"], event)).slice(0, 50)
        for props, context in zip(some["props"].to_pylist(), some["context"].to_pylist(), strict=True):
            assert isinstance(msgspec.json.decode(props), dict)
            assert isinstance(msgspec.json.decode(context), dict)
    assert dirty["props"].null_count == 0


def test_tables_are_ordered_by_time(tables):
    simulation, _, _ = tables
    for table in simulation.events(size=1000):
        assert (np.diff(table["ts"].cast(pa.int64()).to_numpy()) >= 0).all()


def test_every_id_of_an_event_is_in_the_identity_table(tables):
    simulation, dirty, _ = tables
    known = simulation.identities()
    people = dirty.filter(pc.invert(pc.starts_with(dirty["distinct_id"], "bot-")))
    missing = pc.invert(pc.is_in(people["distinct_id"], value_set=pc.unique(known["id"])))
    assert not pc.any(missing).as_py()
    unique = known.filter(pc.not_equal(known["kind"], "device"))
    assert pc.count_distinct(unique["id"]).as_py() == unique.num_rows, "only devices are shared"


def test_amounts_are_exact_fen_and_prices_exact_decimals(tables):
    _, _, clean = tables
    items = clean.filter(pc.equal(clean["event"], "purchase_item")).slice(0, 500)
    for price, quantity, amount in zip(
        items["p_price"].to_pylist(), items["p_quantity"].to_pylist(), items["p_amount"].to_pylist(), strict=True
    ):
        assert price * int(quantity) * 100 == amount
    assert pc.unique(items["p_currency"]).to_pylist() == ["CNY"]
