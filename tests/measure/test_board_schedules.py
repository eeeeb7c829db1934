"""Boards as pages and files, sent at their time, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.measure.made import filled
from tilth.behavior.boards import Board, Everywhere, Tile
from tilth.behavior.calendar import zone_of
from tilth.errors import InvalidInput, NotFound
from tilth.measure.board_schedules import BoardSchedule, next_after
from tilth.measure.board_tiles import asked_of
from tilth.measure.metric import Metric
from tilth.notify import Destination, Message
from tilth.workspace import Workspace

RANGE = {"from": "2026-06-01", "to": "2026-06-10"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with filled(tmp_path_factory.mktemp("boards") / "w", lambda _: 20, 35) as made:
        made.metrics.make(Metric(key="rate", name="转化率", kind="proportion", event="purchase"), "a")
        yield made


@pytest.fixture(scope="module")
def board(workspace: Workspace) -> Board:
    tiles = [
        Tile(kind="text", title="每周", text="先看 <转化>"),
        Tile(kind="metric", question={"metric": "rate", "range": RANGE, "compare": True}),
        Tile(kind="trends", title="Visits", question={"event": "visit", "interval": "day", "range": RANGE}),
        Tile(kind="funnel", title="Funnel", question={"steps": ["visit", "purchase"], "range": RANGE}),
        Tile(kind="lifecycle", title="Life", question={"range": RANGE}),
        Tile(kind="trends", title="Broken", question={"event": "nothing"}),
    ]
    return workspace.boards.make("周报", tiles, "a", "给团队")


def test_a_page_shows_every_tile_and_says_what_cannot_be_answered(workspace: Workspace, board: Board) -> None:
    page = workspace.board_schedules.file(board.id, "html").content.decode()
    for text in ("周报", "给团队", "先看 &lt;转化&gt;", "转化率", "25.0%", "Visits", "there is no event"):
        assert text in page, text
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", ""), "nothing is loaded from elsewhere"


def test_a_pdf_is_one(workspace: Workspace, board: Board) -> None:
    made = workspace.board_schedules.file(board.id, "pdf")
    assert made.content.startswith(b"%PDF-")
    assert (made.name, made.kind) == ("周报.pdf", "application/pdf")
    with pytest.raises(InvalidInput, match="format"):
        workspace.board_schedules.file(board.id, "docx")
    with pytest.raises(NotFound):
        workspace.board_schedules.file(99, "pdf")


def test_what_holds_everywhere_replaces_the_range_and_adds_filters() -> None:
    own = {"property": "a", "op": "=", "value": 1}
    more = {"property": "b", "op": "=", "value": 2}
    tile = Tile(kind="trends", question={"event": "x", "range": {"last": "7d"}, "filters": own})
    asked = asked_of(tile, Everywhere(range={"last": "30d"}, segment="s", filters=more))
    assert asked == {"event": "x", "range": {"last": "30d"}, "segment": "s", "filters": {"all": [own, more]}}


SHANGHAI = zone_of("Asia/Shanghai")


@pytest.mark.parametrize(
    ("schedule", "now", "expected"),
    [
        ({"every": "day", "at": "08:00"}, "2026-06-10 07:59", "2026-06-10 08:00"),
        ({"every": "day", "at": "08:00"}, "2026-06-10 08:00", "2026-06-11 08:00"),
        ({"every": "week", "at": "08:00", "weekday": 1}, "2026-06-10 07:00", "2026-06-15 08:00"),
        ({"every": "month", "at": "23:30", "day": 28}, "2026-01-29 00:00", "2026-02-28 23:30"),
    ],
)
def test_the_next_time_is_the_zones(schedule: dict[str, Any], now: str, expected: str) -> None:
    made = BoardSchedule(**schedule, destinations=[1])
    moment = SHANGHAI.instant(dt.datetime.fromisoformat(now))
    assert next_after(made, SHANGHAI, moment) == SHANGHAI.instant(dt.datetime.fromisoformat(expected))


def test_a_board_goes_out_once_when_it_is_due_and_missed_ones_once(workspace: Workspace, board: Board) -> None:
    to = workspace.destinations.make(Destination(name="team", kind="email", address="a@example.com"), "a")
    schedules = workspace.board_schedules
    kept = schedules.set(board.id, BoardSchedule(every="day", at="08:00", destinations=[to.id]), "a")
    assert schedules.send_due(kept.next_at - 1) == 0
    # Five days nobody was there: one board, not five.
    assert schedules.send_due(kept.next_at + 5 * 86_400_000_000) == 1
    assert schedules.send_due(kept.next_at + 5 * 86_400_000_000) == 0
    held = schedules.get(board.id)
    assert held is not None
    assert held.next_at > kept.next_at + 5 * 86_400_000_000
    (waiting,) = workspace.outbox.recent()
    assert (waiting.title, waiting.key) == ("周报", f"board:{board.id}:{kept.next_at}:{to.id}")
    schedules.clear(board.id)
    assert schedules.get(board.id) is None


def test_only_mail_carries_a_board(workspace: Workspace, board: Board) -> None:
    hook = workspace.destinations.make(Destination(name="hook", kind="webhook", address="https://example.com"), "a")
    for destinations, field in (([hook.id], "destinations[0]"), ([], "destinations"), ([99], "destinations[0]")):
        with pytest.raises(InvalidInput) as refused:
            workspace.board_schedules.set(board.id, BoardSchedule(destinations=destinations), "a")
        assert refused.value.field == field
    with pytest.raises(InvalidInput, match="08:00"):
        workspace.board_schedules.set(board.id, BoardSchedule(at="8", destinations=[hook.id]), "a")


def test_a_metric_tile_is_checked(workspace: Workspace) -> None:
    for question, field in (({}, "tiles[0].question.metric"), ({"metric": "x", "interval": 3}, "tiles[0].question")):
        with pytest.raises(InvalidInput) as refused:
            workspace.boards.make("x", [Tile(kind="metric", question=question)], "a")
        assert refused.value.field.startswith(field)
    assert Message(title="a", text="b", link="c").whole == "a\nb\nc"
