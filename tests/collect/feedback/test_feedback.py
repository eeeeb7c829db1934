"""Feedback: from an event to a line of work, and every way a line may move."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.collect.surveys.made import TEA, events, known
from tilth.collect import Event
from tilth.collect.feedback import Filters
from tilth.collect.model import Id, Identify
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.server.erasure import erase
from tilth.settings import Settings
from tilth.workspace import Workspace

DAY = 86_400_000_000
NOW = 1_790_000_000_000_000


def told(workspace: Workspace, *texts: Any, who: str = "lin", at: int = NOW, **properties: Any) -> None:
    workspace.collect.append(
        [
            Event(
                distinct_id=who,
                event="feedback",
                ts=at + n,
                event_id=f"{who}-{at}-{n}",
                properties={"text": text, **properties},
            )
            for n, text in enumerate(texts)
        ],
        "shop",
    )
    workspace.collect.catch_up()


def test_a_feedback_event_is_a_line_of_work_once(any_workspace: Workspace) -> None:
    told(any_workspace, "茶太苦", topic="口味", rating=2, channel="wechat")
    told(any_workspace, "茶太苦", topic="口味", rating=2, channel="wechat")
    any_workspace.collect.flush()
    told(any_workspace, "茶太苦", topic="口味", rating=2, channel="wechat")
    page = any_workspace.collect.feedback.page()
    (item,) = page.items
    assert (page.total, item.text, item.topic, item.rating, item.channel) == (1, "茶太苦", "口味", 2, "wechat")
    assert (item.status, item.uid, item.source) == ("open", any_workspace.people.find("lin"), "shop")


def test_what_says_nothing_is_no_work_and_what_says_too_much_is_cut(any_workspace: Workspace) -> None:
    told(any_workspace, "", None, {"a": 1}, ["x"], "\0 ")
    assert any_workspace.collect.feedback.page().total == 0
    told(any_workspace, "长" * 100_000, 42, "a\0b", who="wang", topic={"x": 1}, rating="five")
    items = any_workspace.collect.feedback.page(Filters(status="open")).items
    assert [len(i.text) for i in items] == [8000, 2, 2]
    assert (items[0].text[-1], items[2].text, items[0].topic, items[0].rating) == ("…", "ab", "", None)


def test_a_survey_text_that_is_feedback_is_work_with_the_score_beside_it(any_workspace: Workspace) -> None:
    surveys = any_workspace.collect.surveys
    surveys.create(TEA)
    surveys.open("tea-2026")
    (lin,) = known(any_workspace, "lin")
    token = surveys.links("tea-2026", [lin])[0].path.split("?t=")[1]
    surveys.submit(surveys.stand("tea-2026", token), {"recommend": 3, "more": "太贵"})
    any_workspace.collect.catch_up()
    (item,) = any_workspace.collect.feedback.page().items
    assert (item.text, item.rating, item.channel, item.uid) == ("太贵", 3, "survey", lin)


def test_an_answer_is_on_the_persons_timeline(any_workspace: Workspace) -> None:
    feedback = any_workspace.collect.feedback
    told(any_workspace, "茶太苦", topic="口味")
    (item,) = feedback.page().items
    answered = feedback.answer(item.id, "试试白茶", "zhou", now=NOW + 2 * 3_600_000_000)
    assert (answered.status, answered.first_answer_at) == ("answered", NOW + 7_200_000_000)
    (event,) = events(any_workspace, "feedback_answered")
    assert (event[0], event[3]) == (
        item.uid,
        {"feedback": item.id, "topic": "口味", "text": "试试白茶", "seconds": 7200},
    )
    feedback.answer(item.id, "再试试", "zhou")
    assert feedback.get(item.id)[0].first_answer_at == NOW + 7_200_000_000
    assert [e.kind for e in feedback.get(item.id)[1]] == ["answer", "answer"]


def test_an_answer_whose_event_was_not_sent_is_told_later_and_once(
    any_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback = any_workspace.collect.feedback
    told(any_workspace, "茶太苦")
    (item,) = feedback.page().items
    with monkeypatch.context() as patched:
        patched.setattr(type(feedback), "tell", lambda _: 0)
        feedback.answer(item.id, "好的", "zhou")
    assert events(any_workspace, "feedback_answered") == []
    assert feedback.tell() == 1
    assert feedback.tell() == 0
    assert len(events(any_workspace, "feedback_answered")) == 1


def test_filters_pages_and_figures(any_workspace: Workspace) -> None:
    feedback = any_workspace.collect.feedback
    told(any_workspace, *"abcde", at=NOW - 3 * DAY, topic="口味")
    told(any_workspace, "new", who="wang", at=NOW - DAY // 2)
    items = feedback.page(Filters(status="open")).items
    assert [i.text for i in items] == [*"abcde", "new"]
    feedback.assign(items[0].id, "zhou", "chen")
    for n, hours in enumerate((1, 2, 3, 4)):
        feedback.answer(items[n].id, "ok", "zhou", now=items[n].at + hours * 3_600_000_000)
    assert feedback.page(Filters(assignee="zhou")).total == 1
    assert feedback.page(Filters(assignee="-")).total == 5
    assert feedback.page(Filters(topic="口味")).total == 5
    assert feedback.page(Filters(older_days=2), now=NOW).total == 5
    first = feedback.page(limit=4)
    rest = feedback.page(cursor=first.next, limit=4)
    assert (len(first.items), len(rest.items), rest.next) == (4, 2, None)
    assert {i.id for i in (*first.items, *rest.items)} == {i.id for i in items}
    with pytest.raises(InvalidInput):
        feedback.page(cursor="9" * 30 + "-1")
    figures = feedback.stats(now=NOW)
    assert (figures.open, figures.answered, figures.received, figures.answered_of) == (2, 4, 6, 4)
    # 1, 2, 3, 4 hours: the median is 2.5, the 90th percentile 3.7.
    assert figures.median_seconds == pytest.approx(2.5 * 3600)
    assert figures.p90_seconds == pytest.approx(3.7 * 3600)
    assert figures.oldest_open_at == NOW - 3 * DAY + 4
    assert (figures.topics[0].topic, figures.topics[0].items, figures.assignees) == ("口味", 5, ["zhou"])


def test_feedback_follows_its_person_through_a_merge_and_goes_with_them(any_workspace: Workspace) -> None:
    feedback = any_workspace.collect.feedback
    told(any_workspace, "匿名时说的", who="web-1")
    told(any_workspace, "别人说的", who="wang")
    any_workspace.collect.receive(
        [Identify(ids=(Id("id", "lin"), Id("id", "web-1", True)), ts=NOW, event_id="i1")], "shop"
    )
    any_workspace.collect.catch_up()
    mine = next(i for i in feedback.page().items if i.text == "匿名时说的")
    assert mine.uid == any_workspace.people.find("lin")
    feedback.note(mine.id, "记下", "zhou")
    erase(any_workspace, "lin")
    assert [i.text for i in feedback.page().items] == ["别人说的"]
    with pytest.raises(NotFound):
        feedback.get(mine.id)


def test_bad_input_is_named(any_workspace: Workspace) -> None:
    feedback = any_workspace.collect.feedback
    told(any_workspace, "x")
    number = feedback.page().items[0].id
    for bad in ("", " \0", "x" * 9000):
        with pytest.raises(InvalidInput, match="text"):
            feedback.answer(number, bad, "zhou")
    with pytest.raises(InvalidInput, match="assignee"):
        feedback.assign(number, "x" * 101, "zhou")
    with pytest.raises(InvalidInput, match="ids"):
        feedback.move([], "closed", "zhou")
    for work in (feedback.answer, feedback.note, feedback.assign):
        with pytest.raises(NotFound):
            work(999, "x", "zhou")
    with pytest.raises(Conflict, match="no answer"):
        feedback.move([number], "answered", "zhou")


class Work(RuleBasedStateMachine):
    """Whatever is done in whatever order, a line is where a plain model says, and its history tells how."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.workspace = Workspace.create(Path(self._folder.name) / "w", Settings())
        self.feedback = self.workspace.collect.feedback
        told(self.workspace, "a", "b")
        self.ids = sorted(i.id for i in self.feedback.page().items)
        self.status = dict.fromkeys(self.ids, "open")
        self.answers = dict.fromkeys(self.ids, 0)
        self.moves = dict.fromkeys(self.ids, 0)

    @rule(which=st.integers(0, 1))
    def answer(self, which: int) -> None:
        number = self.ids[which]
        if self.status[number] == "closed":
            with pytest.raises(Conflict):
                self.feedback.answer(number, "x", "z")
        else:
            self.feedback.answer(number, "x", "z")
            self.status[number] = "answered"
            self.answers[number] += 1

    @rule(status=st.sampled_from(["open", "answered", "closed"]), both=st.booleans())
    def move(self, status: Any, both: bool) -> None:
        numbers = self.ids if both else self.ids[:1]
        may = [n for n in numbers if self.status[n] != status and (status != "answered" or self.answers[n])]
        if not may and len(numbers) == 1 and status == "answered" and self.status[numbers[0]] != "answered":
            with pytest.raises(Conflict):
                self.feedback.move(numbers, status, "z")
            return
        moved = self.feedback.move(numbers, status, "z")
        assert [(m.id, m.was) for m in moved] == [(n, self.status[n]) for n in may]
        for number in may:
            self.status[number] = status
            self.moves[number] += 1

    @rule()
    def close_and_undo(self) -> None:
        before = dict(self.status)
        moved = self.feedback.move(self.ids, "closed", "z")
        for one in moved:
            assert [m.was for m in self.feedback.move([one.id], one.was, "z")] == ["closed"]
            self.moves[one.id] += 2
        assert {i.id: i.status for i in self.feedback.page().items} == before

    @invariant()
    def holds(self) -> None:
        for number in self.ids:
            item, entries = self.feedback.get(number)
            assert item.status == self.status[number]
            assert (item.closed_at is not None) == (item.status == "closed")
            assert (item.first_answer_at is not None) == bool(self.answers[number])
            assert sum(e.kind == "answer" for e in entries) == self.answers[number]
            assert sum(e.kind == "status" for e in entries) == self.moves[number]

    def teardown(self) -> None:
        assert len(events(self.workspace, "feedback_answered")) == sum(self.answers.values())
        self.workspace.close()
        self._folder.cleanup()


TestWork = Work.TestCase
TestWork.settings = settings(
    max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
