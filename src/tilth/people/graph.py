"""Who is who, as a pure fold over what sources said of ids.

`fold` takes links (these two ids are one person) and separations (this id belongs to nobody known) and
gives the persons. It looks at them in the order of when they happened, not of when they arrived, so
the same set in any order gives the same people:

- a link joins two persons, unless both have a sign-in id of one kind (then only a forced link does), or
  the person would have more ids of a kind than its cap, or somebody undid a link of these two ids;
- what is refused is a conflict: shown, not applied;
- links of one instant come in the order of their verb (alias, bind, identify, seen, unbind) and ids.

A link said many times counts when it was first and when it was last said (the last matters after an
unbind); mere appearance together (`seen`) counts at its first time only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["DEFAULT_CAPS", "UNLISTED_CAP", "Link", "Node", "Persons", "Verb", "fold"]

# (kind, value)
Node = tuple[str, str]
Verb = Literal["identify", "alias", "bind", "seen", "unbind"]

# How many ids of a kind one person may have. `id` counts sign-in ids and ids made by browsers alike.
DEFAULT_CAPS: Mapping[str, int] = {
    "id": 200,
    "device": 50,
    "phone": 5,
    "email": 10,
    "wechat_openid": 20,
    "wechat_unionid": 2,
    "wecom_external_userid": 5,
    "store_card": 10,
}
UNLISTED_CAP = 20


@dataclass(frozen=True, order=True)
class Link:
    """Something said of two ids (of one, in an unbind); ordered by `at` (UTC µs), then verb, then ids.

    key: names the link among conflicts. a_signs, b_signs: the id is a sign-in id in this link: proof of
    a person, not made up by a device.
    """

    at: int
    key: str = field(compare=False)
    verb: Verb
    a: Node
    b: Node | None
    a_signs: bool = field(default=False, compare=False)
    b_signs: bool = field(default=False, compare=False)
    forced: bool = field(default=False, compare=False)


class _Person:
    __slots__ = ("counts", "ids", "signs")

    def __init__(self) -> None:
        self.ids: set[Node] = set()
        self.counts: dict[str, int] = {}
        # Kinds of which the person has a sign-in id, and which ids those are.
        self.signs: dict[str, set[str]] = {}

    def add(self, node: Node) -> None:
        self.ids.add(node)
        self.counts[node[0]] = self.counts.get(node[0], 0) + 1


class Persons:
    """The state of the fold. `take` applies one link and says why it was refused, "" where it was not."""

    def __init__(self, caps: Mapping[str, int] = DEFAULT_CAPS, apart: Iterable[frozenset[Node]] = ()) -> None:
        self._caps = caps
        self._apart = frozenset(apart)
        self._of: dict[Node, _Person] = {}

    def seed(self, ids: Iterable[Node], signs: Iterable[Node] = ()) -> None:
        """Start with a person that is known already."""
        person = _Person()
        for node in ids:
            person.add(node)
            self._of[node] = person
        for kind, value in signs:
            person.signs.setdefault(kind, set()).add(value)

    def _person(self, node: Node) -> _Person:
        person = self._of.get(node)
        if person is None:
            person = self._of[node] = _Person()
            person.add(node)
        return person

    def take(self, link: Link) -> str:
        a = self._person(link.a)
        if link.verb == "unbind":
            self._separate(link.a)
            return ""
        assert link.b is not None
        b = self._person(link.b)
        if link.a_signs:
            a.signs.setdefault(link.a[0], set()).add(link.a[1])
        if link.b_signs:
            b.signs.setdefault(link.b[0], set()).add(link.b[1])
        if a is b:
            return ""
        reason = self._refusal(link, a, b)
        if not reason:
            self._join(a, b)
        return reason

    def _refusal(self, link: Link, a: _Person, b: _Person) -> str:
        assert link.b is not None
        if not link.forced:
            if frozenset((link.a, link.b)) in self._apart:
                return "kept_apart"
            both = sorted(a.signs.keys() & b.signs.keys())
            if both:
                return f"both_identified:{both[0]}"
        small, large = (a, b) if len(a.counts) < len(b.counts) else (b, a)
        for kind in sorted(small.counts):
            if small.counts[kind] + large.counts.get(kind, 0) > self._caps.get(kind, UNLISTED_CAP):
                return f"cap:{kind}"
        return ""

    def _join(self, a: _Person, b: _Person) -> None:
        if len(a.ids) < len(b.ids):
            a, b = b, a
        a.ids |= b.ids
        for kind, count in b.counts.items():
            a.counts[kind] = a.counts.get(kind, 0) + count
        for kind, values in b.signs.items():
            a.signs.setdefault(kind, set()).update(values)
        for node in b.ids:
            self._of[node] = a

    def _separate(self, node: Node) -> None:
        person = self._of[node]
        if len(person.ids) == 1:
            return
        kind, value = node
        person.ids.discard(node)
        person.counts[kind] -= 1
        alone = self._of[node] = _Person()
        alone.add(node)
        if value in person.signs.get(kind, ()):
            person.signs[kind].discard(value)
            if not person.signs[kind]:
                del person.signs[kind]
            alone.signs[kind] = {value}

    def groups(self) -> list[frozenset[Node]]:
        """The persons as sets of ids, in a fixed order."""
        unique = {id(p): frozenset(p.ids) for p in self._of.values()}
        return sorted(unique.values(), key=lambda ids: min(ids))

    def signs(self) -> set[Node]:
        """All sign-in ids."""
        return {(kind, value) for p in self._of.values() for kind, values in p.signs.items() for value in values}


def fold(links: Iterable[Link], into: Persons) -> dict[str, str]:
    """Take the links in the order they happened; returns key -> why, for links whose last word was a refusal."""
    refused: dict[str, str] = {}
    for link in sorted(links):
        reason = into.take(link)
        if reason:
            refused[link.key] = reason
        else:
            refused.pop(link.key, None)
    return refused
