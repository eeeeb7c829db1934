"""Retention, lifecycle and stickiness on events one can follow by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.behavior.made import at, behavior_of, happened
from tilth.behavior import Behavior
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput, LimitReached

JUNE = {"from": "2026-06-01", "to": "2026-06-04"}
# Ann comes on the 1st, 2nd and 4th; Bob on the 1st only; Cid on the 2nd and 3rd.
VISITS = [
    (1, "2026-06-01 10:00", "visit", {"channel": "ads"}),
    (1, "2026-06-02 10:00", "visit", {"channel": "ads"}),
    (1, "2026-06-04 10:00", "visit", {"channel": "ads"}),
    (2, "2026-06-01 12:00", "visit", {"channel": "mail"}),
    (3, "2026-06-02 09:00", "visit", {"channel": "mail"}),
    (3, "2026-06-03 09:00", "visit", {"channel": "mail"}),
]


def asked(tmp_path: Path, rows: list[tuple[Any, ...]] = VISITS, now: str = "2026-06-04 23:00") -> Behavior:
    return behavior_of(tmp_path, happened(rows), now=at(now))


def test_a_cell_that_has_not_come_is_null_and_never_zero(tmp_path: Path) -> None:
    answer = asked(tmp_path).retention(start="visit", interval="day", periods=3, range=JUNE)
    assert [(r.period, r.people, r.returned) for r in answer.rows] == [
        ("2026-06-01", 2, [2, 1, 0, 1]),
        ("2026-06-02", 2, [2, 1, 1, None]),
        ("2026-06-03", 1, [1, 0, None, None]),
        ("2026-06-04", 1, [1, None, None, None]),
    ]
    # The 4th is not over: its cells are in no average.
    assert [r.partial for r in answer.rows] == [3, 2, 1, 0]
    assert answer.average == [1.0, 0.5, 0.0, None]
    assert answer.n_day == {"D1": 0.5}


def test_returns_after_the_range_count_as_far_as_there_is_data(tmp_path: Path) -> None:
    answer = asked(tmp_path).retention(
        start="visit", interval="day", periods=3, range={"from": "2026-06-01", "to": "2026-06-02"}
    )
    assert [r.returned for r in answer.rows] == [[2, 1, 0, 1], [2, 1, 1, None]]


def test_rolling_counts_who_came_then_or_later(tmp_path: Path) -> None:
    answer = asked(tmp_path).retention(start="visit", interval="day", periods=2, kind="rolling", range=JUNE)
    assert [r.returned for r in answer.rows] == [[2, 1, 1], [2, 2, 1], [1, 0, None], [1, None, None]]


def test_first_time_puts_each_person_in_the_cohort_of_the_first_day_only(tmp_path: Path) -> None:
    answer = asked(tmp_path).retention(start="visit", interval="day", periods=1, first="first_time", range=JUNE)
    assert [r.people for r in answer.rows] == [2, 1, 0, 0]
    later = asked(tmp_path / "later").retention(
        start="visit", interval="day", periods=1, first="first_time", range={"from": "2026-06-02", "to": "2026-06-04"}
    )
    assert [r.people for r in later.rows] == [1, 0, 0]


def test_filters_never_make_a_first_time_out_of_a_second(tmp_path: Path) -> None:
    mail = {"event": "visit", "filters": [{"property": "channel", "value": "mail"}]}
    rows = [(1, "2026-06-01", "visit", {"channel": "ads"}), (1, "2026-06-02", "visit", {"channel": "mail"})]
    both = asked(tmp_path, rows)
    first_time = both.retention(start=mail, first="first_time", interval="day", periods=1, range=JUNE)
    matching = both.retention(start=mail, first="first_matching", interval="day", periods=1, range=JUNE)
    assert [r.people for r in first_time.rows] == [0, 0, 0, 0]
    assert [r.people for r in matching.rows] == [0, 1, 0, 0]


def test_at_least_wants_the_event_so_often_in_the_period(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01", "visit"), *[(1, f"2026-06-02 1{h}:00", "visit") for h in range(3)]]
    answer = asked(tmp_path, rows).retention(start="visit", interval="day", periods=1, at_least=3, range=JUNE)
    assert answer.rows[0].returned == [1, 1]
    answer = asked(tmp_path / "four", rows).retention(start="visit", interval="day", periods=1, at_least=4, range=JUNE)
    assert answer.rows[0].returned == [1, 0]


def test_a_day_is_local(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 15:59", "visit"), (1, "2026-06-01 16:00", "visit")]
    shanghai = asked(tmp_path, rows).retention(
        start="visit", interval="day", periods=1, range=JUNE, timezone="Asia/Shanghai"
    )
    assert shanghai.rows[0].returned == [1, 1]


def test_weeks_begin_on_the_day_asked_for(tmp_path: Path) -> None:
    rows = [(1, "2026-06-06", "visit"), (1, "2026-06-07", "visit")]  # a Saturday and a Sunday
    monday = asked(tmp_path, rows).retention(start="visit", interval="week", periods=1)
    assert [(r.period, r.returned) for r in monday.rows] == [("2026-06-01", [1, None])]
    sunday = asked(tmp_path / "s", rows).retention(start="visit", interval="week", periods=1, week_starts="sunday")
    assert [(r.period, r.returned) for r in sunday.rows] == [("2026-05-31", [1, 1]), ("2026-06-07", [1, None])]


def test_a_breakdown_gives_each_value_its_own_triangle(tmp_path: Path) -> None:
    answer = asked(tmp_path).retention(start="visit", interval="day", periods=1, range=JUNE, breakdown="channel")
    assert {v.value: [r.returned for r in v.rows] for v in answer.breakdown} == {
        "ads": [[1, 1], [1, 0], [0, 0], [1, None]],
        "mail": [[1, 0], [1, 1], [1, 0], [0, None]],
    }


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert wilson(0, 20) == (0.0, pytest.approx(0.1611, abs=5e-5))
    assert wilson(0, 0) is None


def test_in_each_period_a_person_is_one_thing(tmp_path: Path) -> None:
    answer = asked(tmp_path).lifecycle(interval="day", range=JUNE)
    assert answer.periods == ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"]
    assert answer.new == [2, 1, 0, 0]
    assert answer.returning == [0, 1, 1, 0]
    assert answer.resurrecting == [0, 0, 0, 1]
    assert answer.dormant == [0, -1, -1, -1]


def test_the_period_before_the_range_is_looked_at(tmp_path: Path) -> None:
    answer = asked(tmp_path).lifecycle(interval="day", range={"from": "2026-06-02", "to": "2026-06-02"})
    assert (answer.new, answer.returning, answer.dormant) == ([1], [1], [-1])


def test_a_range_that_begins_inside_a_week_shows_the_whole_week(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 10:00", "visit"), (1, "2026-06-09 10:00", "visit"), (2, "2026-05-20 10:00", "visit")]
    rows += [(2, "2026-06-02 10:00", "visit"), (3, "2026-06-10 10:00", "visit")]
    answer = behavior_of(tmp_path, happened(rows)).lifecycle(
        interval="week", range={"from": "2026-06-04", "to": "2026-06-10"}
    )
    # Monday's people are of Thursday's week: they come back in the next, they are not raised from the dead.
    assert answer.periods == ["2026-06-01", "2026-06-08"]
    assert (answer.new, answer.returning) == ([1, 1], [0, 1])
    assert (answer.resurrecting, answer.dormant) == ([1, 0], [0, -1])


def test_a_breakdown_loses_nobody_of_the_period_before(tmp_path: Path) -> None:
    rows = [(1, "2026-06-09 10:00", "visit", {"channel": "ads"}), (2, "2026-06-02 10:00", "visit", {"channel": "mail"})]
    behavior = behavior_of(tmp_path, happened(rows))
    plain = {"interval": "week", "range": {"from": "2026-06-08", "to": "2026-06-10"}}
    alone, broken = behavior.lifecycle(plain), behavior.lifecycle({**plain, "breakdown": "channel"})
    assert (alone.new, alone.dormant) == (broken.new, broken.dormant) == ([1], [-1])
    assert {v.value: v.dormant for v in broken.breakdown} == {"ads": [0], "mail": [-1]}


def test_a_day_that_is_not_over_is_in_no_average(tmp_path: Path) -> None:
    rows = [(uid, "2026-06-01 10:00", "visit") for uid in (1, 2)] + [
        (uid, "2026-06-02 09:00", "visit") for uid in (1, 2, 3)
    ]
    rows += [(1, "2026-06-03 09:00", "visit")]
    behavior = behavior_of(tmp_path, happened(rows), now=at("2026-06-03 12:00"))
    answer = behavior.retention(start="visit", periods=2, range={"from": "2026-06-01", "to": "2026-06-03"})
    assert [row.partial for row in answer.rows] == [2, 1, 0]
    assert answer.rows[1].returned == [3, 1, None]
    # The second day of the first cohort and the first day of the second are today, and today is not over.
    assert answer.average[1:] == [1.0, None]


def test_a_lifecycle_can_be_broken_down(tmp_path: Path) -> None:
    answer = asked(tmp_path).lifecycle(interval="day", range=JUNE, breakdown="channel")
    assert {v.value: (v.new, v.dormant) for v in answer.breakdown} == {
        "ads": ([1, 0, 0, 0], [0, 0, -1, 0]),
        "mail": ([1, 1, 0, 0], [0, -1, 0, -1]),
    }


def test_stickiness_counts_people_by_active_days(tmp_path: Path) -> None:
    behavior = asked(tmp_path)
    answer = behavior.stickiness(event="visit", interval="day", range=JUNE)
    assert (answer.active_periods, answer.people) == ([1, 2, 3, 4], [1, 1, 1, 0])
    assert behavior.stickiness(event="visit", interval="day", range=JUNE, cumulative=True).people == [3, 2, 1, 0]
    assert [
        p.uid for p in behavior.stickiness_people(event="visit", interval="day", range=JUNE, active_periods=2).people
    ] == [3]


def test_hours_are_counted_by_the_clock(tmp_path: Path) -> None:
    rows = [(1, "2026-06-01 10:59", "visit"), (1, "2026-06-01 11:00", "visit")]
    answer = asked(tmp_path, rows).retention(start="visit", interval="hour", periods=1, timezone="Asia/Kolkata")
    # 16:29 and 16:30 in Kolkata: one hour there, two in UTC.
    assert [(r.period, r.people) for r in answer.rows] == [("2026-06-01T16:00+05:30", 1)]
    utc = asked(tmp_path / "utc", rows).retention(start="visit", interval="hour", periods=1, timezone="UTC")
    assert [r.returned for r in utc.rows] == [[1, 1], [1, None]]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"kind": "unbounded"}, "kind"),
        ({"first": "second"}, "first"),
        ({"periods": 0}, "periods"),
        ({"at_least": 0}, "at_least"),
        ({"return": "vist"}, "return"),
        ({"interval": "decade"}, "interval"),
        ({"week_starts": "someday", "interval": "week"}, "week_starts"),
    ],
)
def test_wrong_parameters_are_refused(tmp_path: Path, parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked(tmp_path).retention({"start": "visit", **parameters})
    assert refused.value.field == field


def test_too_many_periods_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match="longer interval"):
        asked(tmp_path).retention(start="visit", interval="hour", range={"from": "1990-01-01", "to": "2026-01-01"})
