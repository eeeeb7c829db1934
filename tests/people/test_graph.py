"""The pure fold of links into persons: its rules, and that arrival does not matter."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tilth.people.graph import Link, Node, Persons, fold


def person(*values: str) -> frozenset[Node]:
    return frozenset(("id", v) for v in values)


def identify(at: int, anonymous: str, user: str) -> Link:
    return Link(at, f"{at}-{anonymous}-{user}", "identify", ("id", user), ("id", anonymous), a_signs=True)


def groups(*links: Link, caps: dict[str, int] | None = None) -> set[frozenset[Node]]:
    persons = Persons(caps or {"id": 100})
    fold(links, persons)
    return set(persons.groups())


def test_a_device_joins_the_person_that_signs_in_on_it() -> None:
    assert groups(identify(1, "anon", "lin"), identify(2, "phone", "lin")) == {person("anon", "lin", "phone")}


def test_a_second_person_on_the_same_device_stays_a_second_person() -> None:
    persons = Persons()
    refused = fold([identify(1, "tablet", "lin"), identify(2, "tablet", "wang")], persons)
    assert set(persons.groups()) == {person("tablet", "lin"), person("wang")}
    assert list(refused.values()) == ["both_identified:id"]


def test_a_forced_alias_joins_even_two_identified_persons() -> None:
    alias = Link(3, "k", "alias", ("id", "lin"), ("id", "wang"), a_signs=True, forced=True)
    assert groups(identify(1, "a", "lin"), identify(2, "b", "wang"), alias) == {person("a", "lin", "b", "wang")}


def test_a_cap_stops_a_shared_tablet_from_swallowing_a_city() -> None:
    links = [identify(n, f"anon{n}", "shop") for n in range(50)]
    persons = Persons({"id": 10})
    refused = fold(links, persons)
    assert max(len(p) for p in persons.groups()) == 10
    assert len(refused) == 41
    assert set(refused.values()) == {"cap:id"}


def test_an_unbound_id_leaves_and_the_others_stay_together() -> None:
    unbind = Link(3, "u", "unbind", ("id", "phone"), None)
    assert groups(identify(1, "anon", "lin"), identify(2, "phone", "lin"), unbind) == {
        person("anon", "lin"),
        person("phone"),
    }


def test_what_was_kept_apart_by_hand_stays_apart_unless_forced() -> None:
    apart = [frozenset((("id", "anon"), ("id", "lin")))]
    persons = Persons(apart=apart)
    assert fold([identify(1, "anon", "lin")], persons) == {"1-anon-lin": "kept_apart"}
    forced = Link(2, "f", "alias", ("id", "lin"), ("id", "anon"), forced=True)
    assert fold([forced], persons) == {}
    assert set(persons.groups()) == {person("anon", "lin")}


NODES = st.tuples(st.sampled_from(["id", "phone"]), st.sampled_from("abcdef"))


@st.composite
def links(draw: st.DrawFn) -> list[Link]:
    made = []
    for n in range(draw(st.integers(1, 14))):
        a, b = draw(NODES), draw(NODES)
        at = draw(st.integers(0, 5))
        if draw(st.integers(0, 9)) == 0:
            made.append(Link(at, f"{n}", "unbind", a, None))
        elif a != b:
            made.append(
                Link(at, f"{n}", "identify", a, b, a_signs=draw(st.booleans()), forced=draw(st.integers(0, 9)) == 0)
            )
    return made


@given(links(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_same_links_in_any_order_give_the_same_persons(said: list[Link], rng: random.Random, cap: int) -> None:
    shuffled = list(said)
    rng.shuffle(shuffled)
    one, other = Persons({"id": cap, "phone": cap}), Persons({"id": cap, "phone": cap})
    assert fold(said, one) == fold(shuffled, other)
    assert one.groups() == other.groups()
    assert all(sum(kind == "id" for kind, _ in ids) <= cap for ids in one.groups())
