"""Segments over a real lake and database: compute, save, list, compare, export, segments, a person's layers."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from pyroaring import BitMap64

from tests.segments.companies import known_groups, rhythm_company
from tests.segments.lakes import DAY
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.segments import Layering
from tilth.segments.clv import CLVRequest
from tilth.segments.kinds import KINDS
from tilth.segments.stability import UNKNOWN_BEFORE
from tilth.workspace import Workspace

# 2024-01-01 in London.
START = 1_704_067_200_000_000


def fill(workspace: Workspace, rows: list[tuple[str, int, str, int | None]], source: str = "shop") -> dict[str, int]:
    """Write (customer, µs after START, event, minor units) rows; gives each customer's uid."""
    names = [r[0] for r in rows]
    uids = workspace.people.resolve("id", names, source)
    instants = pa.array([START + r[1] for r in rows], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    workspace.lake.append(
        pa.table(
            {
                "uid": uids,
                "distinct_id": names,
                "ts": instants,
                "event": [r[2] for r in rows],
                "event_id": [f"{source}-{i}-{r[0]}-{r[1]}-{r[2]}" for i, r in enumerate(rows)],
                "source": [source] * len(rows),
                "p_order_id": [f"o{i}" for i in range(len(rows))],
                "p_amount": pa.array([r[3] for r in rows], pa.int64()),
            }
        )
    )
    return dict(zip(names, uids.tolist(), strict=True))


def company(workspace: Workspace, people: int = 300, seed: int = 1) -> dict[str, int]:
    history = rhythm_company(people=people, days=400, seed=seed)
    orders = zip(history.uid.tolist(), history.ts.tolist(), history.amount.tolist(), strict=True)
    return fill(workspace, [(f"c{uid}", ts, "purchase", amount) for uid, ts, amount in orders])


def keys(answer: Layering) -> set[str]:
    return {layer.key for layer in answer.layers}


# -- computing and storing -------------------------------------------------------------------------


def test_a_layering_is_saved_listed_read_back_and_deleted(any_workspace: Workspace) -> None:
    company(any_workspace, 120)
    segments = any_workspace.segments
    made = segments.layering("rfm")
    assert made.id is not None
    assert segments.get(made.id) == made
    assert segments.get(str(made.id)).layers == made.layers
    line = segments.saved()[0]
    assert (line.id, line.kind, line.as_of, line.people) == (made.id, "rfm", made.as_of, made.people)
    assert line.quality_score == made.quality.score
    segments.delete(made.id)
    assert segments.saved() == []
    with pytest.raises(NotFound):
        segments.get(made.id)
    with pytest.raises(NotFound):
        segments.delete(made.id)


def test_a_layering_need_not_be_saved(workspace: Workspace) -> None:
    company(workspace, 60)
    assert workspace.segments.layering("pareto", save=False).id is None
    assert workspace.segments.saved() == []


@pytest.mark.parametrize("kind", KINDS)
def test_money_adds_up_to_the_penny_in_every_kind(workspace: Workspace, kind: str) -> None:
    company(workspace, 150)
    fill(workspace, [("c1", 5 * DAY, "refund", 333), ("visitor", 6 * DAY, "page_view", None)], "web")
    everyone = workspace.people.everyone()
    total = sum(
        int(t.column("p_amount").to_numpy().sum()) for t in workspace.lake.scan(["p_amount"], events=["purchase"])
    )
    answer = workspace.segments.layering(kind, save=False)
    assert sum(layer.revenue for layer in answer.layers) == total
    assert sum(layer.refunds for layer in answer.layers) == 333
    assert sum(layer.people for layer in answer.layers) == answer.people == len(everyone)
    assert all(layer.suggestion.zh and layer.suggestion.en for layer in answer.layers)
    assert b"NaN" not in msgspec.json.encode(answer)


def test_the_as_of_day_is_the_last_day_with_data_and_the_answer_says_so(workspace: Workspace) -> None:
    fill(workspace, [("a", 0, "purchase", 100), ("b", 40 * DAY, "purchase", 100)])
    answer = workspace.segments.layering("rfm")
    assert answer.as_of == "2024-02-10"
    assert "not today" in answer.as_of_note.en
    assert "不是今天" in answer.as_of_note.zh
    assert next(layer for layer in answer.layers if layer.average.recency_days == 0)


def test_orders_up_to_the_end_of_the_as_of_day_in_the_workspaces_zone_count(workspace: Workspace) -> None:
    # 23:30 on 1 July in London is 22:30 UTC; half an hour after midnight is the next day.
    july = (dt.datetime(2024, 7, 1, 22, 30, tzinfo=dt.UTC) - dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(
        microseconds=1
    )
    fill(workspace, [("a", july, "purchase", 100), ("a", july + 3_600_000_000, "purchase", 900)])
    answer = workspace.segments.layering("rfm", as_of="2024-07-01")
    assert sum(layer.revenue for layer in answer.layers) == 100
    assert workspace.segments.layering("rfm").as_of == "2024-07-02"


def test_people_first_seen_after_the_as_of_day_are_not_in_it(workspace: Workspace) -> None:
    fill(workspace, [("a", 0, "purchase", 100), ("b", 40 * DAY, "purchase", 100)])
    assert workspace.segments.layering("rfm", as_of="2024-01-15").people == 1
    with pytest.raises(InvalidInput) as caught:
        workspace.segments.layering("rfm", as_of="2020-01-01")
    assert caught.value.field == "as_of"
    assert "2024-01-01" in caught.value.reason


def test_an_empty_workspace_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match="import orders"):
        workspace.segments.layering("rfm")


def test_people_without_events_are_all_in_the_layer_without_a_purchase(workspace: Workspace) -> None:
    workspace.people.resolve("id", ["a", "b", "c"], "members")
    answer = workspace.segments.layering("rfm")
    assert [(layer.key, layer.people) for layer in answer.layers] == [("no_purchase", 3)]


def test_an_unknown_kind_is_refused_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(NotFound) as caught:
        workspace.segments.layering("horoscope")
    assert "rfm" in caught.value.nearest


def test_new_data_is_in_the_next_layering(workspace: Workspace) -> None:
    fill(workspace, [("a", 0, "purchase", 100)])
    assert workspace.segments.layering("pareto").people == 1
    fill(workspace, [("b", DAY, "purchase", 700)], "later")
    again = workspace.segments.layering("pareto")
    assert again.people == 2
    assert sum(layer.revenue for layer in again.layers) == 800


def test_a_saved_layering_grows_stale_with_the_data(workspace: Workspace) -> None:
    company(workspace, 300)
    segments = workspace.segments
    made = segments.layering("rfm", as_of="2024-12-01")
    assert made.id is not None
    assert "stale" in [w.key for w in made.quality.warnings]
    fresh = segments.layering("rfm")
    assert fresh.id is not None
    assert fresh.quality.staleness_days == 0
    fill(workspace, [("c1", 500 * DAY, "purchase", 5)], "later")
    later = segments.get(fresh.id)
    assert later.quality.staleness_days > 90
    assert "stale" in [w.key for w in later.quality.warnings]


def test_layerings_can_be_computed_at_the_same_time(workspace: Workspace) -> None:
    company(workspace, 200)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(workspace.segments.layering, ("rfm", "stage", "pareto", "matrix")))
    assert len({answer.id for answer in made}) == 4
    assert {line.kind for line in workspace.segments.saved()} == {"rfm", "stage", "pareto", "matrix"}


# -- the people of a layer -------------------------------------------------------------------------


def test_the_people_of_a_layer_are_paged_largest_spender_first(workspace: Workspace) -> None:
    company(workspace, 250)
    workspace.people.set_traits(workspace.people.resolve("id", ["c1"], "shop"), {"name": ["王小明"]})
    segments = workspace.segments
    made = segments.layering("pareto")
    assert made.id is not None
    layer = next(layer for layer in made.layers if layer.key == "tail")
    found, cursor = [], None
    while True:
        page = segments.layer_people(made.id, "tail", cursor=cursor, limit=7)
        assert page.total == layer.people
        found += page.people
        cursor = page.next
        if cursor is None:
            break
        assert len(page.people) == 7
    assert len(found) == len({p.uid for p in found}) == layer.people
    assert [(-p.monetary, p.uid) for p in found] == sorted((-p.monetary, p.uid) for p in found)
    assert sum(p.monetary for p in found) == layer.revenue
    assert sum(p.frequency for p in found) == layer.orders
    assert all(p.distinct_ids[0].kind == "id" for p in found)
    everyone = [p for key in keys(made) for p in segments.layer_people(made.id, key, limit=200).people]
    assert [p.name for p in everyone if p.distinct_ids[0].id == "c1"] == ["王小明"]


def test_equal_spenders_are_paged_without_gaps_or_repeats(workspace: Workspace) -> None:
    fill(workspace, [(f"c{i}", i * 1_000, "purchase", 500) for i in range(23)])
    made = workspace.segments.layering("pareto")
    assert made.id is not None
    (layer,) = made.layers
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(8):
        page = workspace.segments.layer_people(made.id, layer.key, cursor, 4)
        seen += [p.uid for p in page.people]
        cursor = page.next
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 23


@pytest.mark.parametrize("cursor", ["x", "1", "1:x", ":"])
def test_a_made_up_cursor_is_refused(workspace: Workspace, cursor: str) -> None:
    fill(workspace, [("a", 0, "purchase", 100)])
    made = workspace.segments.layering("pareto")
    assert made.id is not None
    with pytest.raises(InvalidInput):
        workspace.segments.layer_people(made.id, made.layers[0].key, cursor)


def test_a_layer_or_layering_that_is_not_there_is_not_found(workspace: Workspace) -> None:
    fill(workspace, [("a", 0, "purchase", 100)])
    made = workspace.segments.layering("rfm")
    assert made.id is not None
    with pytest.raises(NotFound):
        workspace.segments.layer_uids(made.id, "nobility")
    for id in (999, "999", "x", "-1", "１"):
        with pytest.raises(NotFound):
            workspace.segments.layer_uids(id, "champions")


def test_the_layers_uids_are_everyone_once(workspace: Workspace) -> None:
    company(workspace, 200)
    made = workspace.segments.layering("stage")
    assert made.id is not None
    uids = np.concatenate([workspace.segments.layer_uids(made.id, layer.key) for layer in made.layers])
    assert sorted(uids.tolist()) == workspace.people.everyone().tolist()


# -- comparing -------------------------------------------------------------------------------------


def test_a_layering_compared_with_itself_is_the_same(any_workspace: Workspace) -> None:
    company(any_workspace, 150)
    made = any_workspace.segments.layering("rfm")
    assert made.id is not None
    same = any_workspace.segments.compare(made.id, str(made.id))
    assert same.adjusted_rand == 1.0
    assert same.mutual_information == pytest.approx(1.0)
    assert all(f.source == f.target for f in same.flows)
    assert same.a == same.b


def test_comparing_two_days_shows_who_came_in_between(workspace: Workspace) -> None:
    company(workspace, 200)
    segments = workspace.segments
    early, late = segments.layering("rfm", as_of="2024-09-01"), segments.layering("rfm")
    assert early.id is not None
    assert late.id is not None
    found = segments.compare(early.id, late.id)
    assert sum(f.people for f in found.flows) == late.people
    assert sum(f.people for f in found.flows if f.source == UNKNOWN_BEFORE) == late.people - early.people
    assert found.people_in_both == early.people
    assert (found.a.as_of, found.b.as_of) == ("2024-09-01", late.as_of)
    assert -0.5 < found.adjusted_rand < 1


# -- exporting -------------------------------------------------------------------------------------


def test_an_exported_layer_has_its_people_and_is_safe_to_open(workspace: Workspace) -> None:
    uids = fill(workspace, [("=cmd|'/C calc'!A0", 0, "purchase", 123_456), ("b", 3 * DAY, "purchase", 99)])
    first = uids["=cmd|'/C calc'!A0"]
    workspace.people.set_traits([first], {"name": ["@SUM(1)"], "phone": ["+44 1632 960001"]})
    workspace.save_settings(msgspec.structs.replace(workspace.settings, language="en"))
    with Workspace.open(workspace.folder, read_only=True) as reader:
        made = reader.segments.layering("pareto")
        assert made.id is not None
        name, pieces = reader.segments.export_layer(made.id, None, "csv")
        assert name == "pareto-all-2024-01-04.csv"
        rows = list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))
        assert rows[0] == {
            "uid": str(first),
            "id": "'=cmd|'/C calc'!A0",
            "phone": "'+44 1632 960001",
            "email": "",
            "name": "'@SUM(1)",
            "layer": "Head (make the first 80 %)",
            "recency_days": "3",
            "orders": "1",
            "revenue": "1234.56",
            "last_purchase_day": "2024-01-01",
        }
        name, pieces = reader.segments.export_layer(made.id, "head", "xlsx")
        assert name == "pareto-head-2024-01-04.xlsx"
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(pieces))).active
        values = [[c.value for c in row] for row in sheet.iter_rows()]
        assert values[1][:2] == [first, "=cmd|'/C calc'!A0"]
        assert sheet.cell(2, 2).data_type == "s"
        assert values[1][8] == 1234.56
        with pytest.raises(InvalidInput):
            reader.segments.export_layer(made.id, None, "pdf")
        with pytest.raises(NotFound):
            reader.segments.export_layer(made.id, "nobility", "csv")


def test_an_export_in_chinese_has_chinese_headers_and_layers(workspace: Workspace) -> None:
    company(workspace, 60)
    made = workspace.segments.layering("stage")
    assert made.id is not None
    text = b"".join(workspace.segments.export_layer(made.id, None)[1]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == made.people
    names = {layer.name.zh: layer.people for layer in made.layers}
    for name, people in names.items():
        assert sum(r["分层"] == name for r in rows) == people


# -- static segments -------------------------------------------------------------------------------


def test_a_layer_saved_as_a_segment_keeps_its_people(any_workspace: Workspace) -> None:
    company(any_workspace, 150)
    segments = any_workspace.segments
    made = segments.layering("pareto")
    assert made.id is not None
    head = segments.layer_uids(made.id, "head")
    saved = segments.save_segment(made.id, "head", "top-customers", "最好的客户", "ada@example.org")
    assert (saved.key, saved.name, saved.kind, saved.people, saved.by) == (
        "top-customers", "最好的客户", "static", len(head), "ada@example.org",
    )  # fmt: skip
    assert saved.origin is not None
    assert (saved.origin.kind, saved.origin.layer, saved.origin.as_of) == ("pareto", "head", made.as_of)
    assert segments.members("top-customers") == BitMap64(head.tolist())
    assert segments.member_uids("top-customers").tolist() == head.tolist()
    assert segments.segments() == [saved] == [segments.segment("top-customers")]
    fill(any_workspace, [("c1", 450 * DAY, "purchase", 99_999_999)], "later")
    segments.layering("pareto")
    assert segments.member_uids("top-customers").tolist() == head.tolist()
    segments.delete(made.id)
    assert segments.segment("top-customers") == saved
    page = segments.segment_people("top-customers", limit=5)
    assert page.total == len(head)
    assert page.people[0].monetary == max(p.monetary for p in page.people)
    name, pieces = segments.export_segment("top-customers")
    assert name == "segment-top-customers.csv"
    assert b"".join(pieces).count(b"\r\n") == len(head) + 1
    segments.delete_segment("top-customers")
    assert segments.segments() == []
    with pytest.raises(NotFound):
        segments.members("top-customers")
    with pytest.raises(NotFound):
        segments.delete_segment("top-customers")


def test_a_taken_or_malformed_key_is_refused_and_changes_nothing(workspace: Workspace) -> None:
    fill(workspace, [("a", 0, "purchase", 100)])
    segments = workspace.segments
    made = segments.layering("pareto")
    assert made.id is not None
    layer = made.layers[0].key
    segments.save_segment(made.id, layer, "mine", "Mine", "me")
    with pytest.raises(Conflict):
        segments.save_segment(made.id, layer, "mine", "Another", "you")
    assert segments.segment("mine").name == "Mine"
    for key in ("", "Ä", "a b", "-x", "x" * 65, "A"):
        with pytest.raises(InvalidInput) as caught:
            segments.save_segment(made.id, layer, key, "Name", "me")
        assert caught.value.field == "key"
    with pytest.raises(InvalidInput) as caught:
        segments.save_segment(made.id, layer, "ok", "  ", "me")
    assert caught.value.field == "name"


def test_erased_people_leave_layerings_and_segments_and_the_segment_says_so(any_workspace: Workspace) -> None:
    uids = fill(any_workspace, [(f"c{i}", i * DAY, "purchase", 100 * i) for i in range(1, 9)])
    segments = any_workspace.segments
    made = segments.layering("pareto")
    assert made.id is not None
    segments.save_segment(made.id, "head", "top", "Top", "me")
    gone = uids["c8"]
    assert gone in segments.members("top")
    any_workspace.lake.erase([gone])
    any_workspace.people.forget(gone)
    segments.forget([gone])
    assert gone not in segments.members("top")
    assert gone not in segments.layer_uids(made.id, "head")
    assert [(v.version, v.reason) for v in segments.segment_versions("top")] == [(2, "people erased"), (1, "saved")]
    assert segments.segment("top").people == len(segments.members("top"))
    assert gone not in [p.uid for p in segments.layer_people(made.id, "head").people]
    # Nobody else's versions grow.
    segments.forget([gone])
    assert segments.segment("top").version == 2


def test_layers_nobody_acts_on_are_pointed_out_after_a_month(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    company(workspace, 120)
    segments = workspace.segments
    made = segments.layering("pareto")
    assert made.id is not None
    assert "idle_layers" not in [w.key for w in segments.get(made.id).quality.warnings]
    now = time.time_ns()
    monkeypatch.setattr("tilth.segments.saved.time.time_ns", lambda: now + 31 * DAY * 1_000)
    segments.export_layer(made.id, "head")
    warning = next(w for w in segments.get(made.id).quality.warnings if w.key == "idle_layers")
    assert "Tail" in warning.text.en
    assert "Head" not in warning.text.en


# -- a person --------------------------------------------------------------------------------------


def test_a_person_has_a_layer_in_each_kind_since_the_day_they_moved_there(any_workspace: Workspace) -> None:
    history, _ = known_groups(each=60)
    rows = [
        (f"c{u}", t, "purchase", a)
        for u, t, a in zip(history.uid.tolist(), history.ts.tolist(), history.amount.tolist(), strict=True)
    ]
    # One who spends a fortune on day 500 and so joins the head on that very day.
    uids = fill(any_workspace, [*rows, ("late", 100 * DAY, "purchase", 5), ("late", 500 * DAY, "purchase", 90_000_000)])
    segments = any_workspace.segments
    for kind in KINDS:
        segments.layering(kind)
    found = {layer.kind: layer for layer in segments.layers_of(uids["late"])}
    assert set(found) == set(KINDS)
    joined = (dt.date(2024, 1, 1) + dt.timedelta(days=500)).isoformat()
    assert (found["pareto"].layer, found["pareto"].since) == ("head", joined)
    assert found["matrix"].layer == "casual_repeat"
    assert found["matrix"].since == joined
    assert all(layer.since <= layer.as_of for layer in found.values())
    assert found["rfm"].layer_name.zh
    assert segments.layers_of(999_999) == []


def test_since_when_a_value_tier_lasts_is_told_from_the_layerings_saved(workspace: Workspace) -> None:
    uids = company(workspace, 300)
    segments = workspace.segments
    days = ["2024-10-01", "2024-11-01", "2024-12-01", "2025-01-01"]
    made = [segments.layering("value", as_of=day, parameters={"model": "rhythm"}) for day in days]
    known = workspace.segments.layer_uids(made[-1].id or 0, "long_tail").tolist()[:15]
    known += workspace.segments.layer_uids(made[-1].id or 0, "whale").tolist()[:15]
    assert set(known) <= set(uids.values())
    for uid in known:
        tiers = {}
        for day, answer in zip(days, made, strict=True):
            assert answer.id is not None
            for layer in answer.layers:
                if uid in segments.layer_uids(answer.id, layer.key):
                    tiers[day] = layer.key
        (found,) = segments.layers_of(uid)
        since = days[-1]
        for day in reversed(days):
            if tiers.get(day) != found.layer:
                break
            since = day
        assert found.since == since


# -- CLV -------------------------------------------------------------------------------------------


def test_the_same_clv_question_is_answered_from_memory_until_the_data_changes(workspace: Workspace) -> None:
    company(workspace, 200)
    request = CLVRequest(model="bgnbd", time_unit="week")
    first = workspace.segments.clv(request)
    assert workspace.segments.clv(CLVRequest(model="bgnbd", time_unit="week")) is first
    fill(workspace, [("c1", 401 * DAY, "purchase", 5)], "later")
    assert workspace.segments.clv(request) is not first


def test_where_clv_cannot_be_learned_value_tiers_fall_back_and_say_so(workspace: Workspace) -> None:
    fill(workspace, [(f"c{i}", i * DAY, "purchase", 1_000 * i) for i in range(1, 30)])
    answer = workspace.segments.layering("value")
    assert "value_by_rhythm" in [w.key for w in answer.quality.warnings]
    assert sum(layer.people for layer in answer.layers) == 29
