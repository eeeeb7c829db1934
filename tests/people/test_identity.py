"""Identity through the whole product: merges and undo at once in every answer, whatever the order of arrival."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilth.collect.model import Alias, Bind, Group, Id, Identify, Item, Message, Operation, Profile, Track, Unbind
from tilth.errors import NotFound
from tilth.lake.sql import SqlDoor
from tilth.people import identity as identity_module
from tilth.people.tables import thing_trait
from tilth.settings import Settings
from tilth.workspace import Workspace

T0 = 1_780_000_000_000_000
_numbers = itertools.count()


def track(who: str, event: str, at: int, **properties: object) -> Track:
    return Track(ids=(Id("id", who),), ts=T0 + at, event_id=f"t{next(_numbers)}", event=event, properties=properties)


def identify(anonymous: str, user: str, at: int) -> Identify:
    ids = (Id("id", user), Id("id", anonymous, True))
    return Identify(ids=ids, ts=T0 + at, event_id=f"i{next(_numbers)}")


def timeline(workspace: Workspace, any_id: str) -> list[str]:
    """Activity of a person in order, as three roads to the lake tell it; they must agree."""
    workspace.collect.catch_up()
    uid = workspace.people.find(any_id)
    (table,) = [t for t in workspace.lake.scan(["uid", "event"], uids=[uid]) if t.num_rows] or [pa.table({"event": []})]
    scanned = [e for e in table.column("event").to_pylist() if not e.startswith("$")]
    rows = (
        SqlDoor(workspace.lake)
        .run(f"SELECT event FROM events WHERE uid = {uid} AND event NOT LIKE '$%' ORDER BY ts")
        .rows
    )
    assert [r[0] for r in rows] == scanned
    run_events = [
        (int(run.ts[i]), run.names[run.code[i]])
        for run in workspace.lake.runs(uid % workspace.lake.buckets)
        for i in range(len(run))
        if run.uid[i] == uid and not run.names[run.code[i]].startswith("$")
    ]
    assert [e for _, e in sorted(run_events)] == scanned
    walked = [e.event for e in workspace.behavior.timeline(person=any_id).events if not e.event.startswith("$")]
    assert sorted(walked) == sorted(scanned)
    return scanned


def people_of_funnel(workspace: Workspace, *steps: str) -> list[int]:
    return [s.people for s in workspace.behavior.funnel(steps=list(steps), allow_unknown=True, window="30d").steps]


@pytest.mark.parametrize("flush", ["none", "before", "between", "after", "all"])
def test_a_merge_is_in_every_answer_at_once(any_workspace: Workspace, flush: str) -> None:
    collect = any_workspace.collect
    collect.receive([track("anon", "view", 1), track("lin", "home", 0), track("wang", "view", 2)], "web")
    if flush in ("before", "all"):
        collect.flush()
    assert people_of_funnel(any_workspace, "view", "buy") == [2, 0]
    collect.receive([track("lin", "buy", 5)], "web")
    if flush in ("between", "all"):
        collect.flush()
    assert people_of_funnel(any_workspace, "view", "buy") == [2, 0]
    collect.receive([identify("anon", "lin", 6)], "web")
    if flush in ("after", "all"):
        collect.flush()
    assert people_of_funnel(any_workspace, "view", "buy") == [2, 1]
    assert timeline(any_workspace, "anon") == timeline(any_workspace, "lin") == ["home", "view", "buy"]
    assert any_workspace.people.count() == 2


def test_compaction_writes_rows_under_their_present_persons_and_answers_stay(any_workspace: Workspace) -> None:
    collect = any_workspace.collect
    collect.receive([track(f"a{n}", "view", n) for n in range(20)], "web")
    collect.flush()
    collect.receive([identify(f"a{n}", f"u{n % 4}", 100 + n) for n in range(20)], "web")
    collect.receive([track(f"u{n}", "buy", 200 + n) for n in range(4)], "web")
    before = [timeline(any_workspace, f"u{n}") for n in range(4)]
    assert [len(b) for b in before] == [6] * 4
    assert any_workspace.identity.overrides()
    assert collect.squash() == 16  # each person's earliest anonymous id kept its own uid
    assert not any_workspace.identity.overrides()
    assert [timeline(any_workspace, f"u{n}") for n in range(4)] == before
    collect.flush()
    any_workspace.lake.compact()
    assert [timeline(any_workspace, f"u{n}") for n in range(4)] == before
    with Workspace.open(any_workspace.folder, read_only=True) as again:
        assert [timeline(again, f"u{n}") for n in range(4)] == before


@pytest.mark.parametrize("squashed", [False, True])
def test_an_undone_merge_gives_each_person_its_events_back(any_workspace: Workspace, squashed: bool) -> None:
    collect = any_workspace.collect
    collect.receive([track("anon", "view", 1), track("lin", "home", 0)], "web")
    collect.flush()
    collect.receive([identify("anon", "lin", 5), track("anon", "late view", 6), track("lin", "buy", 7)], "web")
    assert timeline(any_workspace, "lin") == ["home", "view", "late view", "buy"]
    old = {any_workspace.people.find(x) for x in ("anon", "lin")}
    assert len(old) == 1
    if squashed:
        collect.flush()
        collect.squash()
    (link,) = any_workspace.identity.graph(old.pop()).links
    assert any_workspace.identity.undo(link.key, "test")
    assert timeline(any_workspace, "anon") == ["view", "late view"]
    assert timeline(any_workspace, "lin") == ["home", "buy"]
    assert people_of_funnel(any_workspace, "view", "buy") == [1, 0]
    # Saying it again changes nothing: a person decided. Writing all rows anew neither.
    collect.receive([identify("anon", "lin", 9)], "web")
    collect.flush()
    collect.squash()
    assert timeline(any_workspace, "anon") == ["view", "late view"]
    assert timeline(any_workspace, "lin") == ["home", "buy"]
    with pytest.raises(NotFound):
        any_workspace.identity.undo("no such link", "test")


def test_two_identified_persons_are_a_conflict_that_is_shown(workspace: Workspace) -> None:
    workspace.collect.receive([identify("tablet", "lin", 1), identify("tablet", "wang", 2)], "web")
    workspace.collect.catch_up()
    assert workspace.people.find("tablet") == workspace.people.find("lin") != workspace.people.find("wang")
    page = workspace.identity.conflicts()
    assert page.reasons == {"both_identified:id": 1}
    (conflict,) = page.conflicts
    assert {conflict.a_uid, conflict.b_uid} == {workspace.people.find("lin"), workspace.people.find("wang")}
    forced = Alias(ids=(Id("id", "lin"),), previous=Id("id", "wang"), forced=True, ts=T0 + 9, event_id="f")
    workspace.collect.receive([forced], "web")
    workspace.collect.catch_up()
    assert workspace.people.find("wang") == workspace.people.find("lin")


def test_a_merge_storm_is_stopped_by_the_cap_and_shown(workspace: Workspace) -> None:
    for start in range(0, 3_000, 500):
        workspace.collect.receive([identify(f"anon{n}", "shop", n) for n in range(start, start + 500)], "web")
    workspace.collect.catch_up()
    ids = workspace.people.distinct_ids([workspace.people.find("shop")])
    assert [len(found) for found in ids.values()] == [200]
    assert workspace.identity.conflicts().reasons == {"cap:id": 2_801}


def test_bound_ids_of_other_kinds_lead_to_the_person_until_unbound(workspace: Workspace) -> None:
    bind = Bind(ids=(Id("id", "lin"), Id("phone", "13900000000")), ts=T0, event_id="b")
    workspace.collect.receive([track("lin", "view", 1), bind], "mini")
    workspace.collect.catch_up()
    assert workspace.people.find("13900000000") == workspace.people.find("lin")
    workspace.collect.receive([Unbind(ids=(Id("phone", "13900000000"),), ts=T0 + 9, event_id="u")], "mini")
    workspace.collect.catch_up()
    assert workspace.people.find("13900000000") != workspace.people.find("lin")


def test_traits_are_applied_once_and_survive_a_merge_by_strength_and_age(any_workspace: Workspace) -> None:
    plus = Operation("increment", {"visits": 1})
    who = (Id("id", "anon"),)
    retried = Profile(ids=who, ts=T0, event_id="p", operations=(plus, Operation("set", {"city": "杭州"})))
    any_workspace.collect.receive([retried], "web")
    any_workspace.collect.flush()
    any_workspace.collect.receive([retried, Profile(ids=who, ts=T0 + 1, event_id="q", operations=(plus,))], "web")
    any_workspace.collect.receive([track("lin", "view", 0), identify("anon", "lin", 5)], "web")
    any_workspace.collect.catch_up()
    traits = {t.name: t.value for t in any_workspace.people.get("lin").traits}
    assert traits == {"visits": 2, "city": "杭州"}


def test_a_repetition_is_in_no_answer_also_after_a_flush_and_with_another_clock(any_workspace: Workspace) -> None:
    once = track("lin", "view", 0)
    any_workspace.collect.receive([once], "web")
    any_workspace.collect.flush()
    with Workspace.open(any_workspace.folder, read_only=True) as other:
        shifted = Track(ids=once.ids, ts=once.ts + 3_000_000, event_id=once.event_id, event="view")
        other.collect.receive([shifted], "web")
        other.collect.receive([shifted], "another source")
        assert timeline(other, "lin") == ["view", "view"]
    assert timeline(any_workspace, "lin") == ["view", "view"]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, str, str, str]]:
    """(verb, time, one id, kind of the other, the other)."""
    return [
        (
            "identify" if draw(st.integers(0, 4)) else "alias",
            draw(st.integers(0, 6)),
            draw(st.sampled_from("uvw")),
            draw(st.sampled_from(["id", "phone"])),
            draw(st.sampled_from("xyz")),
        )
        for _ in range(draw(st.integers(2, 8)))
    ]


def message(said: tuple[str, int, str, str, str], prefix: str) -> Message:
    verb, at, a, kind, b = said
    event_id = f"{prefix}{next(_numbers)}"
    if verb == "alias":
        return Alias(ids=(Id("id", prefix + a),), previous=Id("id", prefix + b), ts=T0 + at, event_id=event_id)
    return Identify(
        ids=(Id("id", prefix + a), Id(kind, f"{prefix}{kind[:-2]}{b}", True)), ts=T0 + at, event_id=event_id
    )


@pytest.fixture(scope="module")
def one_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.create(tmp_path_factory.mktemp("identity") / "ws", Settings(currency="CNY")) as made:
        yield made


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 8))
def test_the_same_messages_in_any_order_give_the_same_people(
    one_workspace: Workspace, said: list[tuple[str, int, str, str, str]], rng: random.Random, flush: int
) -> None:
    shuffled = list(said)
    rng.shuffle(shuffled)
    seen = []
    for order in (said, shuffled):
        # Ids of its own for each try, so that one workspace serves them all.
        prefix = f"{next(_numbers)}-"
        one_workspace.collect.receive([track(prefix + x, f"did {x}", 50 + n) for n, x in enumerate("uvwxyz")], "web")
        for n, one in enumerate(order):
            one_workspace.collect.receive([message(one, prefix)], "web")
            one_workspace.collect.catch_up()
            if n == flush:
                one_workspace.collect.flush()
                one_workspace.collect.squash()
        people: dict[int, list[str]] = {}
        for x in "uvwxyz":
            people.setdefault(one_workspace.people.find(prefix + x), []).append(x)
        for members in people.values():
            found = timeline(one_workspace, f"{prefix}{members[0]}")
            # The page of a person reads slices of decoded columns, every other answer scans: the same rows.
            uid = one_workspace.people.find(f"{prefix}{members[0]}")
            (scanned,) = one_workspace.lake.scan(["ts", "event", "source"], uids=[uid])
            sliced = one_workspace.lake.person(uid, ["source"])
            assert sliced.ts.tolist() == scanned["ts"].cast("int64").to_pylist()
            assert sorted(zip(sliced.ts.tolist(), sliced.event, strict=True)) == sorted(
                zip(sliced.ts.tolist(), scanned["event"].to_pylist(), strict=True)
            )
            assert set(sliced.columns["source"]) == {"web"}
            assert found == [f"did {x}" for x in "uvwxyz" if x in members]
        seen.append(sorted(people.values()))
    assert seen[0] == seen[1]


def test_late_links_in_a_part_too_large_to_fold_anew_count_from_their_arrival(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_module, "LARGEST_FOLD", 10)
    workspace.collect.receive([identify(f"anon{n}", "shop", 100 + n) for n in range(20)], "web")
    workspace.collect.receive([identify("early", "shop", 0)], "web")
    workspace.collect.catch_up()
    assert workspace.people.find("early") == workspace.people.find("shop")


def test_what_only_keeps_the_books_is_no_activity(workspace: Workspace) -> None:
    day = 86_400_000_000
    workspace.collect.receive([track("lin", "view", 0)], "web")
    told = Profile(ids=(Id("id", "lin"),), ts=T0 + 5 * day, event_id="p", operations=(Operation("set", {"age": 30}),))
    workspace.collect.receive([told], "web")
    from tilth.segments import portrait

    uid = workspace.people.find("lin") if workspace.collect.tail().num_rows else -1
    record = workspace.people.get(f"uid:{uid}")
    assert portrait.portrait(portrait.person_rows(workspace.lake, uid), record, []).active_days == 1
    (series,) = workspace.behavior.trends(event="*").series
    assert sum(point.value or 0 for point in series.points) == 1


def test_what_is_said_of_groups_and_things_is_kept(any_workspace: Workspace) -> None:
    tea = Item(item_kind="product", item_id="龙井", ts=T0, event_id="i", operations=(Operation("set", {"price": 88}),))
    firm = Group(group_kind="company", group_id="qh", ts=T0, event_id="g", operations=(Operation("set", {"size": 9}),))
    later = Item(
        item_kind="product", item_id="龙井", ts=T0 + 1, event_id="j", operations=(Operation("set", {"price": 90}),)
    )
    any_workspace.collect.receive([tea, firm, later], "shop")
    any_workspace.collect.flush()
    with any_workspace.database.read() as connection:
        rows = connection.execute(sa.select(thing_trait).order_by(thing_trait.c.kind)).all()
    assert [(r.kind, r.id, r.name, r.value) for r in rows] == [
        ("group:company", "qh", "size", "9"),
        ("item:product", "龙井", "price", "90"),
    ]
