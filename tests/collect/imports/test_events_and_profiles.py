"""Click streams become events with properties, tables of people become profiles."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collect.imports.conftest import adds_up
from tilth.errors import InvalidInput
from tilth.lake.sql import SqlDoor
from tilth.workspace import Workspace

Write = Callable[..., Path]


def events(workspace: Workspace) -> list[tuple[str, str, str | None]]:
    found = [
        row
        for t in workspace.lake.scan(["ts", "distinct_id", "event", "props"])
        for row in zip(*(t.column(c).to_pylist() for c in ("ts", "distinct_id", "event", "props")), strict=True)
    ]
    return [row[1:] for row in sorted(found, key=lambda r: (r[0], r[1], r[2], r[3] or ""))]


def test_the_other_columns_become_properties_and_numbers_stay_numbers(workspace: Workspace, write: Write) -> None:
    path = write(
        "a.csv",
        'user_id,event,timestamp,page,weight,zip\n1,view,2024-01-05 10:00:00,"say ""hi"" \\ bye",2.50,00123\n'
        "1,buy,2024-01-05 10:01:00,,30,00124\n",
    )
    summary = workspace.imports.run_files("events", [path])
    assert events(workspace) == [
        ("1", "view", '{"page":"say \\"hi\\" \\\\ bye","weight":2.50,"zip":"00123"}'),
        ("1", "buy", '{"weight":30,"zip":"00124"}'),
    ]
    assert next(json.loads(p or "") for _, _, p in events(workspace))["page"] == 'say "hi" \\ bye'
    assert (summary.events, summary.people, summary.orders) == (2, 1, 0)
    assert workspace.imports.run_files("events", [path]).rows_duplicate == 2


def test_properties_with_a_column_of_their_own_go_there_as_from_an_sdk(workspace: Workspace, write: Write) -> None:
    path = write(
        "a.csv",
        "user_id,event,timestamp,channel,amount,quantity,note\n1,pay,2024-01-05 10:00:00,ads,2.505,3,x\n"
        "1,view,2024-01-05 10:01:00,,,,y\n",
    )
    workspace.imports.run_files("events", [path])
    door = SqlDoor(workspace.lake)
    found = door.run("SELECT event, p_channel, p_amount, p_quantity, p_currency, props FROM events ORDER BY ts").rows
    assert found == [
        ["pay", "ads", 251, 3.0, "GBP", '{"note":"x"}'],
        ["view", None, None, None, None, '{"note":"y"}'],
    ]


def test_json_lines_keep_their_types(workspace: Workspace, write: Write) -> None:
    lines = '{"user":"u1","event":"view","time":"2024-01-05T10:00:00Z","n":1,"ok":true,"tags":["a","b"],"code":"7"}\n'
    workspace.imports.run_files("events", [write("a.jsonl", lines)])
    assert events(workspace) == [("u1", "view", '{"n":1,"ok":true,"tags":["a","b"],"code":"7"}')]


def test_an_anonymous_id_seen_beside_a_signed_in_one_is_that_person(workspace: Workspace, write: Write) -> None:
    path = write(
        "a.csv",
        "user_id,anonymous_id,event,time\n,dev1,view,2024-01-05 10:00\nu1,dev1,sign_in,2024-01-05 10:01\n"
        ",dev2,view,2024-01-05 10:02\n,,view,2024-01-05 10:03\n",
    )
    summary = workspace.imports.run_files("events", [path])
    assert (summary.rows_accepted, summary.quarantined, summary.people) == (3, {"no_customer": 1}, 2)
    assert workspace.people.find("dev1") == workspace.people.find("u1")
    assert adds_up(summary)


def test_a_given_event_id_is_kept_and_makes_twins(workspace: Workspace, write: Write) -> None:
    path = write(
        "a.csv", "user_id,event,time,event_id\nu1,view,2024-01-05,e-1\nu1,view,2024-01-06,e-1\nu1,view,2024-01-07,\n"
    )
    summary = workspace.imports.run_files("events", [path])
    assert (summary.rows_accepted, summary.rows_duplicate) == (2, 1)
    ids = [i for t in workspace.lake.scan(["event_id"]) for i in t.column("event_id").to_pylist()]
    assert "e-1" in ids
    assert workspace.imports.run_files("events", [path]).rows_accepted == 0


def test_events_need_a_person_a_time_and_a_name(workspace: Workspace, write: Write) -> None:
    path = write("a.csv", "who,what,at\nx,view,2024-01-05\ny,view,2024-01-06\n")
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.run_files("events", [path], {"person": "who"})
    assert caught.value.field == "map.event"
    summary = workspace.imports.run_files("events", [path], {"person": "who", "event": "what", "time": "at"})
    assert summary.events == 2


def test_profiles_set_traits_and_join_ids(chinese: Workspace, write: Write) -> None:
    path = write(
        "会员.csv",
        "会员编号,手机号,邮箱,姓名,所在城市,等级,积分\nm1,13800000001,a@x.cn,张三,杭州,金卡,120\nm2,13800000002,,李四,,银卡,5\n"
        ",13800000003,,王五,苏州,,7\n,,,无名,,,1\n",
        "gbk",
    )
    summary = chinese.imports.run_files("profiles", [path])
    assert (summary.rows_accepted, summary.quarantined, summary.people, summary.new_people) == (
        3,
        {"no_customer": 1},
        3,
        3,
    )
    person = chinese.people.get("a@x.cn")
    assert {(d.kind, d.id) for d in person.distinct_ids} == {
        ("id", "m1"),
        ("phone", "13800000001"),
        ("email", "a@x.cn"),
    }
    assert {t.name: t.value for t in person.traits} == {"name": "张三", "city": "杭州", "等级": "金卡", "积分": 120}
    again = chinese.imports.run_files("profiles", [path])
    assert (again.rows_accepted, again.rows_duplicate, again.new_people) == (0, 3, 0)
    assert chinese.people.count() == 3


def test_a_changed_profile_is_accepted_and_the_rest_are_duplicates(chinese: Workspace, write: Write) -> None:
    chinese.imports.run_files("profiles", [write("a.csv", "会员编号,姓名,城市\nm1,张三,杭州\nm2,李四,苏州\n")])
    summary = chinese.imports.run_files(
        "profiles", [write("b.csv", "会员编号,姓名,城市\nm1,张三,上海\nm2,李四,苏州\n")]
    )
    assert (summary.rows_accepted, summary.rows_duplicate) == (1, 1)
    assert {t.name: t.value for t in chinese.people.get("m1").traits}["city"] == "上海"


def test_a_dry_run_of_profiles_writes_nothing(chinese: Workspace, write: Write) -> None:
    path = write("a.csv", "会员编号,姓名,城市\nm1,张三,杭州\nm2,李四,苏州\nm1,张三,杭州\n")
    summary = chinese.imports.run_files("profiles", [path], dry_run=True)
    assert (summary.rows_accepted, summary.rows_duplicate, summary.new_people) == (2, 1, 2)
    assert chinese.people.count() == 0
