"""Links and submissions: who may answer, once, under whom, and with which traits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collect.surveys.made import TEA, events, known, tea
from tilth.collect.model import Alias, Id, Identify
from tilth.collect.surveys import LinkRefused
from tilth.errors import InvalidInput, NotFound
from tilth.server.erasure import erase
from tilth.workspace import Workspace

DAY = 86_400_000_000
NOW = 1_790_000_000_000_000
ANSWERS: dict[str, Any] = {"recommend": 9, "favourite": "green"}


@pytest.fixture
def surveys(any_workspace: Workspace) -> Any:
    made = any_workspace.collect.surveys
    made.create(TEA)
    made.open("tea-2026")
    return made


def token_of(surveys: Any, uid: int, key: str = "tea-2026", **more: Any) -> str:
    (link,) = surveys.links(key, [uid], **more)
    return str(link.path.split("?t=")[1])


def reason(surveys: Any, token: str | None, key: str = "tea-2026", now: int | None = None) -> str:
    with pytest.raises(LinkRefused) as caught:
        surveys.stand(key, token, now)
    return str(caught.value.reason)


def test_a_link_lets_its_person_answer_once(any_workspace: Workspace, surveys: Any) -> None:
    (lin,) = known(any_workspace, "lin")
    token = token_of(surveys, lin)
    standing = surveys.stand("tea-2026", token)
    assert standing.uid == lin
    surveys.opened(standing)
    assert surveys.submit(standing, ANSWERS) == ""
    assert [(e[0], e[1], e[3]["answers"]) for e in events(any_workspace, "survey_answered")] == [(lin, "lin", ANSWERS)]
    assert reason(surveys, token) == "answered"
    funnel = surveys.funnel("tea-2026")
    assert (funnel.invited, funnel.opened, funnel.answered) == (1, 1, 1)
    (trait,) = any_workspace.people.traits([lin])[lin]
    assert (trait.name, trait.value, trait.source) == ("favourite_tea", "green", "self_declared")


def test_a_client_cannot_overwrite_what_the_person_declared(any_workspace: Workspace, surveys: Any) -> None:
    (lin,) = known(any_workspace, "lin")
    surveys.submit(surveys.stand("tea-2026", token_of(surveys, lin)), ANSWERS)
    any_workspace.people.set_traits([lin], {"favourite_tea": ["black"]}, "imported")
    any_workspace.collect.catch_up()
    assert any_workspace.people.traits([lin])[lin][0].value == "green"


def test_the_same_form_sent_twice_counts_once(any_workspace: Workspace, surveys: Any) -> None:
    (lin,) = known(any_workspace, "lin")
    standing = surveys.stand("tea-2026", token_of(surveys, lin))
    assert surveys.submit(standing, ANSWERS) == ""
    assert surveys.submit(standing, {"recommend": 0}) == ""
    (kept,) = events(any_workspace, "survey_answered")
    assert kept[3]["answers"] == ANSWERS


def test_a_survey_may_be_answered_again_after_its_days(any_workspace: Workspace, surveys: Any) -> None:
    surveys.save(tea(again_after_days=30))
    (lin,) = known(any_workspace, "lin")
    token = token_of(surveys, lin, days=365, now=NOW)
    surveys.submit(surveys.stand("tea-2026", token, NOW), ANSWERS, now=NOW)
    assert reason(surveys, token, now=NOW + 30 * DAY - 1) == "answered"
    again = NOW + 30 * DAY
    surveys.submit(surveys.stand("tea-2026", token, again), {"recommend": 3}, now=again)
    assert len(events(any_workspace, "survey_answered")) == 2


def test_tokens_that_are_not_ours_say_why(any_workspace: Workspace, surveys: Any) -> None:
    surveys.create(tea(key="other"))
    surveys.open("other")
    lin, wang = known(any_workspace, "lin", "wang")
    token = token_of(surveys, lin, now=NOW)
    body, tag = token.split(".")
    other_body, _ = token_of(surveys, wang, now=NOW).split(".")
    for forged in ("", "x", ".", "a.b.c", f"{body}.", f"{other_body}.{tag}", token + "A", token[:-1], "é.é", "A" * 999):
        assert reason(surveys, forged, now=NOW) == "forged", forged
    assert reason(surveys, token, key="other", now=NOW) == "forged"
    assert surveys.stand("tea-2026", token, NOW + 30 * DAY - 1_000_000).uid == lin
    assert reason(surveys, token, now=NOW + 30 * DAY) == "expired"
    assert reason(surveys, None, now=NOW) == "missing"
    surveys.close("tea-2026")
    assert reason(surveys, token, now=NOW) == "closed"
    with pytest.raises(NotFound):
        surveys.stand("nothing", token)
    with pytest.raises(InvalidInput):
        surveys.links("tea-2026", [lin], days=0)


def test_whoever_was_merged_answers_as_the_person_they_are_now(any_workspace: Workspace, surveys: Any) -> None:
    collect = any_workspace.collect
    web, lin = known(any_workspace, "web-1", "lin")
    web_token, lin_token = token_of(surveys, web), token_of(surveys, lin)
    collect.receive([Identify(ids=(Id("id", "lin"), Id("id", "web-1", True)), ts=NOW, event_id="i1")], "shop")
    collect.catch_up()
    now_uid = any_workspace.people.find("lin")
    assert any_workspace.people.find("web-1") == now_uid
    standing = surveys.stand("tea-2026", web_token)
    assert standing.uid == now_uid
    surveys.submit(standing, ANSWERS)
    assert {e[0] for e in events(any_workspace, "survey_answered")} == {now_uid}
    # Either link is theirs, and they have answered.
    assert reason(surveys, lin_token) == "answered"
    assert reason(surveys, web_token) == "answered"


def test_an_answer_given_before_the_merge_counts_after_it(any_workspace: Workspace, surveys: Any) -> None:
    collect = any_workspace.collect
    web, lin = known(any_workspace, "web-1", "lin")
    web_token, lin_token = token_of(surveys, web), token_of(surveys, lin)
    surveys.submit(surveys.stand("tea-2026", web_token), ANSWERS)
    alias = Alias(ids=(Id("id", "lin"),), ts=NOW, event_id="a1", previous=Id("id", "web-1", True))
    collect.receive([alias], "shop")
    collect.catch_up()
    assert reason(surveys, lin_token) == "answered"


def test_visitors_of_a_public_survey_are_told_apart_by_their_form(any_workspace: Workspace, surveys: Any) -> None:
    surveys.save(tea(public=True))
    for once in ("a" * 32, "a" * 32, "b" * 32):
        surveys.submit(surveys.stand("tea-2026", None), ANSWERS, once)
    assert len(events(any_workspace, "survey_answered")) == 2


def test_an_erased_persons_link_is_gone(any_workspace: Workspace, surveys: Any) -> None:
    (lin,) = known(any_workspace, "lin")
    token = token_of(surveys, lin)
    surveys.submit(surveys.stand("tea-2026", token), ANSWERS)
    erase(any_workspace, "lin")
    assert surveys.funnel("tea-2026").invited == 0
    assert events(any_workspace, "survey_answered") == []
    assert reason(surveys, token) == "gone"
