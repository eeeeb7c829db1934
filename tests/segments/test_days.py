"""Local days: an instant belongs to the day its zone's calendar says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.layerings import local_day
from tilth.errors import InvalidInput
from tilth.segments.days import LocalDays, day_text, parse_day

ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"]
YEARS = st.integers(0, 2_000_000_000_000_000)


@given(st.sampled_from(ZONES), st.lists(YEARS, min_size=1, max_size=20))
def test_days_are_those_of_the_zone_calendar(zone: str, instants: list[int]) -> None:
    assert LocalDays(zone).of(np.array(instants)).tolist() == [local_day(t, zone) for t in instants]


@given(st.sampled_from([*ZONES, "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo"]), st.integers(0, 23_000))
def test_a_day_starts_at_its_first_instant_also_where_clocks_skip_midnight(zone: str, day: int) -> None:
    days = LocalDays(zone)
    start = days.start(day)
    assert local_day(start, zone) == day
    assert local_day(start - 1, zone) == day - 1
    assert days.end(day) == days.start(day + 1)


def test_days_read_and_write_as_text() -> None:
    assert day_text(parse_day("2011-12-09")) == "2011-12-09"
    assert parse_day("1970-01-02") == 1


@pytest.mark.parametrize("text", ["2011-13-01", "yesterday", "", "2011/12/09"])
def test_what_is_no_day_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_day(text, "as_of")
    assert caught.value.field == "as_of"
