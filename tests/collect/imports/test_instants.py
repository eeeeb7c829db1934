"""Dates of every usual form, read in the zone of the import."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.collect.imports.instants import BAD, CONFLICT, DMY, EMPTY, MDY, OK, YMD, parse_instants
from tilth.collect.imports.spans import Spans

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str, zone: str = "UTC", order: str | None = None) -> dt.datetime | None:
    read = parse_instants(Spans.of([text]), zone, order)
    return EPOCH + dt.timedelta(microseconds=int(read.ts[0])) if read.status[0] == OK else None


@pytest.mark.parametrize(
    "text",
    [
        "2011-02-03 16:05:07",
        "2011-02-03T16:05:07",
        "2011/2/3 16:05:07",
        "2011.02.03 16:05:07",
        "2011-02-03T16:05:07Z",
        "2011-02-04T00:05:07+08:00",
        "2011-02-03 11:05:07-0500",
        "20110203160507",
        "20110203 16:05:07",
        "20110203T160507",
        "3 February 2011 16:05:07",
        "03-Feb-2011 16:05:07",
        "03-Feb-11 4:05:07 PM",
        "Feb 3, 2011 4:05:07 pm",
        "February 3rd, 2011 16:05:07",
        "Thu Feb  3 16:05:07 2011",
        "Thu, 03 Feb 2011 16:05:07 +0000",
        "Thu, 03 Feb 2011 16:05:07 GMT",
        "2011年2月3日 16:05:07",
        "2011年02月03日 16时05分07秒",
        "2011年2月3日 下午4:05:07",
        "2011年2月3日 下午4点5分7秒",
        "２０１１－０２－０３　１６：０５：０７",
        "2011/2/3 星期四 16:05:07",
        "1296749107",
        "1296749107000",
        "1296749107000000",
        "40577.67021990741",
    ],
)
def test_one_instant_written_in_every_usual_way_is_one_instant(text: str) -> None:
    assert moment(text) == dt.datetime(2011, 2, 3, 16, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["19970101", "1997-01-01", "1997/1/1", "1997年1月1日", "1 Jan 1997", "35431", "Jan 1, 1997"]
)
def test_a_day_is_its_first_moment_in_the_zone(text: str) -> None:
    assert moment(text, "Asia/Shanghai") == dt.datetime(1996, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "2011-02-30",
            "2011-13-01",
            "abc",
            "12:30",
            "2011-05",
            "2011-01-01 25:00",
            "2011-01-01T",
            "536365",
            "17850.0",
        ],
        *["2011-01-01 10:61", "1/2/3/4", "20111301", "99999999", "32-Jan-2011", "5 PM", "1-1-1-1", "2011-01-01 x"],
    ],
)
def test_what_is_not_a_date_is_bad(text: str) -> None:
    assert parse_instants(Spans.of([text]), "UTC").status[0] == BAD


def test_nothing_is_empty() -> None:
    assert parse_instants(Spans.of(["", " "]), "UTC").status.tolist() == [EMPTY, EMPTY]


def test_a_doubtful_date_says_in_which_orders_it_can_be_read() -> None:
    read = parse_instants(Spans.of(["03/04/2011", "13/04/2011", "04/13/2011", "05/05/2011", "2011-04-03"]), "UTC")
    assert read.orders.tolist() == [DMY | MDY, DMY, MDY, DMY | MDY, 0]
    assert read.differs.tolist() == [True, False, False, False, False]


def test_a_given_order_decides_and_what_does_not_fit_it_conflicts() -> None:
    assert moment("03/04/2011", order="dmy") == dt.datetime(2011, 4, 3, tzinfo=UTC)
    assert moment("03/04/2011", order="mdy") == dt.datetime(2011, 3, 4, tzinfo=UTC)
    assert parse_instants(Spans.of(["13/04/2011"]), "UTC", "mdy").status[0] == CONFLICT
    assert parse_instants(Spans.of(["11/02/03"]), "UTC").orders[0] == YMD | DMY | MDY


@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2090, 1, 1)), st.sampled_from(["-", "/", "."]))
def test_iso_like_text_agrees_with_python(when: dt.datetime, sep: str) -> None:
    text = f"{when.year}{sep}{when.month:02d}{sep}{when.day:02d} {when.time().isoformat()}"
    assert moment(text) == when.replace(tzinfo=UTC)


@given(
    st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2036, 1, 1)),
    st.sampled_from(["America/New_York", "Europe/London", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_wall_clock_time_in_a_zone_agrees_with_python(when: dt.datetime, zone: str) -> None:
    when = when.replace(microsecond=0)
    expected = when.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)
    assert moment(when.isoformat(" "), zone) == expected


@pytest.mark.parametrize(
    ("text", "utc_hour"),
    [("2024-11-03 01:30:00", 5), ("2024-03-10 02:30:00", 7)],
    ids=["a time that occurs twice is the first", "a time that does not occur keeps the offset before"],
)
def test_clock_changes_are_read_as_python_reads_them(text: str, utc_hour: int) -> None:
    read = moment(text, "America/New_York")
    assert read is not None
    assert read.hour == utc_hour


@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2090, 1, 1)))
def test_day_first_and_month_first_agree_with_python(when: dt.datetime) -> None:
    assert moment(when.strftime("%d/%m/%Y %H:%M"), order="dmy") == when.replace(second=0, microsecond=0, tzinfo=UTC)
    assert moment(when.strftime("%m/%d/%Y %I:%M %p"), order="mdy") == when.replace(second=0, microsecond=0, tzinfo=UTC)
    assert moment(when.strftime("%d %B %Y")) == dt.datetime(when.year, when.month, when.day, tzinfo=UTC)


@given(st.text(max_size=30))
def test_no_text_crashes_the_reader(text: str) -> None:
    assert parse_instants(Spans.of([text]), "UTC").status[0] in (OK, EMPTY, BAD, CONFLICT)


@given(st.text("0123456789-/:. TZ年月日PMam+", max_size=24))
def test_text_of_date_characters_never_crashes_and_a_date_read_is_a_real_one(text: str) -> None:
    read = parse_instants(Spans.of([text]), "UTC")
    if read.status[0] == OK:
        assert abs(int(read.ts[0])) < 300_000_000_000_000_000
