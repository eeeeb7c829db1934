"""A question being answered: the lake's snapshot, the range, the filters, and what rows are worth under them."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tilth.behavior.calendar import Periods, Span, Zone, parse_range, periods_of, zone_of
from tilth.behavior.cluster import Cluster, NeedNumbers
from tilth.behavior.columns import Column, property_keys
from tilth.behavior.filters import Filter, Leaf, Name, evaluate, leaves, parse_filters, parse_name
from tilth.behavior.parameters import Asked
from tilth.behavior.people_values import PersonValues, TagReader, trait_names, trait_values
from tilth.behavior.room import Room
from tilth.behavior.strands import PROMOTED_NAMES, Kept, Snapshot, Strand
from tilth.errors import InvalidInput, LimitReached, NotFound
from tilth.people import People

__all__ = ["Question", "Sources", "Values", "token_of"]

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
MAX_VALUES = 2_000_000
OTHER = "(other)"


class Values:
    """Distinct values of a property, numbered as they are met; numbers stay as long as the service lives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._lock = threading.Lock()
        self._closed: tuple[Name, ...] | None = None

    def close(self, names: tuple[Name, ...]) -> None:
        """Number no further values here: somebody else does. names: of the properties."""
        self._closed = names

    def number(self, value: Any) -> int:
        """The value's number; raises `NeedNumbers` where somebody else must give it."""
        key = value if isinstance(value, str) else (type(value).__name__, repr(value))
        found = self._numbers.get(key)
        if found is not None:
            return found
        with self._lock:
            found = self._numbers.get(key)
            if found is None:
                if self._closed is not None:
                    raise NeedNumbers(self._closed)
                if len(self.values) >= MAX_VALUES:
                    raise LimitReached(
                        f"{self.name} has more than {MAX_VALUES:,} different values; use another property"
                    )
                self.values.append(value)
                found = self._numbers[key] = len(self.values) - 1
            return found


@dataclass
class Sources:
    """Where questions look besides the lake, what they keep between them, and the memory they share.

    segment: key -> uids of its members now (any order), None where there is no such segment.
    """

    people: People
    kept: Kept
    currency: str
    tags: TagReader | None = None
    segment: Callable[[str], Iterable[int] | Int64 | None] | None = None
    known_properties: set[str] = field(default_factory=set)
    values: dict[str, Values] = field(default_factory=dict)
    room: Room = field(default_factory=lambda: Room(1_000_000_000))
    cluster: Cluster | None = None


class Question:
    """One question's common parameters, checked, over one snapshot. now: UTC µs."""

    def __init__(self, asked: Asked, snapshot: Snapshot, sources: Sources, timezone: str, now: int) -> None:
        self.snapshot = snapshot
        self.sources = sources
        # Traits and tags the question looks at.
        self.of_people: set[Name] = set()
        # Facts about people change without the lake changing.
        self.about_people = False
        self.allow_unknown = asked.allow_unknown
        self.zone: Zone = zone_of(asked.timezone or timezone)
        self.now = now
        self.span: Span = parse_range(asked.range, self.zone, now)
        self.filters = self.parse(asked.filters, "filters")
        self.people = None if asked.segment is None else self.members(asked.segment)
        self.breakdown = self._breakdown(asked.breakdown)
        self.limit = asked.limit
        self._traits: dict[Name, PersonValues] = {}

    # -- names -----------------------------------------------------------------------------------

    def parse(self, raw: object, path: str) -> Filter | None:
        """Filters at `path`, their names checked."""
        tree = parse_filters(raw, path, self.zone, self.now)
        for leaf in leaves(tree):
            self.check_property(leaf.name, f"{leaf.path}.property")
        return tree

    def event(self, name: object, path: str) -> str:
        """An event's name, known or allowed to be unknown."""
        if not isinstance(name, str) or not name.strip():
            raise InvalidInput(path, "must be an event's name")
        if name not in self.snapshot.names:
            self.unknown_unless_allowed("event", name, path, self.snapshot.names)
        return name

    def unknown_unless_allowed(self, what: str, name: str, path: str, known: Iterable[str]) -> None:
        """Refuse a name nothing has, with the nearest known ones."""
        if not self.allow_unknown:
            self._unknown(what, name, path, known)

    def property(self, text: object, path: str) -> Name:
        name = parse_name(text, path)
        self.check_property(name, path)
        return name

    def check_property(self, name: Name, path: str) -> None:
        """Raises `InvalidInput` where nothing has the property."""
        if name.scope in ("profile", "tag"):
            self.of_people.add(name)
            self.about_people = True
        if self.allow_unknown or name.scope == "column":
            return
        if name.scope == "profile":
            known = trait_names(self.sources.people)
            if name.key not in known:
                self._unknown("trait", name.key, path, known)
        elif name.scope == "tag":
            if self.sources.tags is None or self.sources.tags(name.key) is None:
                self._unknown("tag", name.key, path, [])
        elif not (name.scope == "event" and name.key in PROMOTED_NAMES) and not self.seen(name):
            known = [*(PROMOTED_NAMES if name.scope == "event" else ()), *self._some_keys(_scope(name))]
            self._unknown("property", name.key, path, known)

    def seen(self, name: Name) -> bool:
        """True when some event has the property; those in the range are looked at first."""
        token = f"{name.scope}.{name.key}"
        if token in self.sources.known_properties:
            return True
        strands = [s for row in self.snapshot.strands for s in row]
        strands.sort(key=lambda s: not (s.last >= self.span.first and s.first < self.span.end))
        for strand in strands:
            if not self.column(strand, name).empty:
                self.sources.known_properties.add(token)
                return True
        return False

    def _some_keys(self, scope: str) -> set[str]:
        found: set[str] = set()
        for row in self.snapshot.strands:
            for strand in row[-6:]:
                found |= property_keys(strand.raw(scope))
        return found

    def _unknown(self, what: str, name: str, path: str, known: Iterable[str]) -> None:
        folded = {k.casefold(): k for k in sorted(known, reverse=True)}
        near = [folded[k] for k in difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.5)]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise InvalidInput(path, f"there is no {what} {name[:60]!r}{hint}", near)

    def _breakdown(self, asked: str | list[str] | None) -> list[Name]:
        if asked is None or asked == []:
            return []
        if isinstance(asked, str):
            return [self.property(asked, "breakdown")]
        if len(asked) > 5:
            raise InvalidInput("breakdown", "takes at most 5 properties")
        return [self.property(name, f"breakdown[{i}]") for i, name in enumerate(asked)]

    def members(self, key: str, path: str = "segment") -> Int64:
        """uids of a segment's members now, ascending. Raises `InvalidInput`, `NotFound`."""
        if not isinstance(key, str) or not key:
            raise InvalidInput(path, "must be the key of a segment")
        self.about_people = True
        members = self.sources.segment(key) if self.sources.segment is not None else None
        if members is None:
            raise NotFound("segment", key)
        found = np.asarray(members if isinstance(members, np.ndarray) else list(members), np.int64)
        return np.unique(found)

    # -- time ------------------------------------------------------------------------------------

    def bounds(self) -> tuple[int, int]:
        """The range's first instant and end, with open ends closed at the first and last event known."""
        first = self.span.first if self.span.first != Span.OPEN_FIRST else (self.snapshot.first or 0)
        end = self.span.end if self.span.end != Span.OPEN_END else (self.snapshot.last or 0) + 1
        return first, max(end, first + 1)

    def periods(self, interval: str, week_starts: str = "monday") -> Periods:
        """The periods of the range."""
        return periods_of(interval, *self.bounds(), self.zone, week_starts)

    # -- rows ------------------------------------------------------------------------------------

    def strands(self, bucket: int, *, all_time: bool = False) -> list[Strand]:
        """The bucket's strands with events in the range (or all)."""
        if all_time:
            return self.snapshot.strands[bucket]
        return self.snapshot.of_bucket(bucket, self.span.first, self.span.end)

    def buckets(self) -> Iterator[int]:
        yield from range(len(self.snapshot.strands))

    def column(self, strand: Strand, name: Name) -> Column:
        """The values of a property of the event for the rows of a strand."""
        key = (strand.key, "column", name.scope, name.key)
        found: Column | None = self.sources.kept.get(key)
        if found is None:
            found = _column(strand, name)
            size = sum(a.nbytes for a in (found.codes, found.numbers) if a is not None) + 80 * len(found.words)
            self.sources.kept.put(key, found, size)
        return found

    def mask(self, strand: Strand, tree: Filter) -> npt.NDArray[np.uint8]:
        """uint8[n]: 1 where a row of the strand meets the filter."""
        lasting = all(leaf.name.scope not in ("profile", "tag") for leaf in leaves(tree))
        key = (strand.key, "mask", tree.key)
        found: npt.NDArray[np.uint8] | None = self.sources.kept.get(key) if lasting else None
        if found is None:
            made = evaluate(tree, len(strand), lambda leaf: self._leaf(strand, leaf))
            found = np.ascontiguousarray(made).view(np.uint8)
            if lasting:
                self.sources.kept.put(key, found, found.nbytes)
        return found

    def _leaf(self, strand: Strand, leaf: Leaf) -> npt.NDArray[np.bool_]:
        if leaf.name.scope not in ("profile", "tag"):
            return leaf.of_column(self.column(strand, leaf.name))
        held = self.person_values(leaf.name)
        meets = leaf.of_values([*held.values, None])
        return meets[_person_rows(strand, held)]

    def person_values(self, name: Name) -> PersonValues:
        """A trait or tag of everyone."""
        found = self._traits.get(name)
        if found is None:
            if name.scope == "profile":
                found = trait_values(self.sources.people, name.key)
            else:
                held = self.sources.tags(name.key) if self.sources.tags is not None else None
                found = held or PersonValues(np.empty(0, np.int64), [])
            self._traits[name] = found
        return found

    def codes(self, strand: Strand, names: list[Name]) -> tuple[Int32, Values]:
        """int32[n]: the number of each row's value (of several properties, a tuple); -1 where it is missing."""
        token = token_of(names)
        lasting = all(n.scope not in ("profile", "tag") for n in names)
        values = self.values_of(names)
        key = (strand.key, "codes", token)
        found: Int32 | None = self.sources.kept.get(key) if lasting else None
        if found is None:
            found = self.number_into(strand, names, values)
            if lasting:
                self.sources.kept.put(key, found, found.nbytes)
        return found, values

    def number_into(self, strand: Strand, names: list[Name], values: Values) -> Int32:
        """As `codes`, with numbers of these values; nothing is kept."""
        parts = [self._codes(strand, n) for n in names]
        return _combined(parts, values) if len(parts) > 1 else _numbered(*parts[0], values)

    def know(self, names: list[Name]) -> Values:
        """The values of some properties, those of the range's rows among them."""
        if self.sources.cluster is not None:
            self.sources.cluster.know(self, names)
        else:
            for bucket in self.buckets():
                for strand in self.strands(bucket):
                    self.codes(strand, names)
        return self.values_of(names)

    def values(self) -> Values:
        """The values of the breakdown met so far, by number."""
        return self.values_of(self.breakdown)

    def values_of(self, names: list[Name]) -> Values:
        """The values of some properties met so far, by number."""
        return self.sources.values.setdefault(token_of(names), Values(", ".join(str(n) for n in names)))

    def _codes(self, strand: Strand, name: Name) -> tuple[Int32, list[Any]]:
        """Codes of the strand's own and what they stand for; -1 is missing."""
        if name.scope in ("profile", "tag"):
            held = self.person_values(name)
            seen: dict[str, int] = {}
            table = np.full(len(held.values) + 1, -1, np.int32)
            words: list[Any] = []
            for i, value in enumerate(held.values):
                number = seen.setdefault(repr(value), len(words))
                if number == len(words):
                    words.append(value)
                table[i] = number
            return table[_person_rows(strand, held)], words
        column = self.column(strand, name)
        codes = np.full(column.size, -1, np.int32) if column.codes is None else column.codes.copy()
        words = list(column.words)
        if column.numbers is not None:
            there = ~np.isnan(column.numbers)
            distinct, inverse = np.unique(column.numbers[there], return_inverse=True)
            codes[there] = inverse + len(words)
            words += [_plain(x / column.scale) for x in distinct.tolist()]
        return codes, words

    def keys(self, strand: Strand, names: list[Name]) -> Int64:
        """int64[n]: a number that is the same for equal values of the properties; the least int64 where one is missing.

        Equal in this process only; two different values share one with a chance of 1 in 2^64.
        """
        lasting = all(n.scope not in ("profile", "tag") for n in names)
        token = (strand.key, "keys", token_of(names))
        found: Int64 | None = self.sources.kept.get(token) if lasting else None
        if found is not None:
            return found
        out = np.zeros(len(strand), np.int64)
        missing = np.zeros(len(strand), bool)
        for name in names:
            codes, words = self._codes(strand, name)
            table = np.fromiter(
                (hash(w if isinstance(w, (str, int, float)) else repr(w)) for w in [*words, None]),
                np.int64,
                len(words) + 1,
            )
            with np.errstate(over="ignore"):
                out = (out * np.int64(-7046029254386353131)) ^ table[codes]
            missing |= codes < 0
        out[missing] = np.iinfo(np.int64).min
        if lasting:
            self.sources.kept.put(token, out, out.nbytes)
        return out


def token_of(names: list[Name]) -> str:
    """A text that stands for some properties."""
    return "\0".join(f"{n.scope}.{n.key}" for n in names)


def _scope(name: Name) -> str:
    return "props" if name.scope == "event" else "context"


def _column(strand: Strand, name: Name) -> Column:
    if name.scope == "column":
        if name.key == "event":
            return Column(len(strand), strand.code, strand.names, None)
        return strand.stored(name.key)
    if name.scope == "event" and name.key in PROMOTED_NAMES:
        return strand.stored(f"p_{name.key}")
    return strand.json(_scope(name), name.key)


def _person_rows(strand: Strand, held: PersonValues) -> Int64:
    """For each row, where its person is in `held` (its length: not there)."""
    uid = strand.uid
    if len(uid) == 0:
        return np.empty(0, np.int64)
    starts = np.flatnonzero(np.concatenate(([True], uid[1:] != uid[:-1])))
    lengths = np.diff(np.concatenate((starts, [len(uid)])))
    return np.repeat(held.positions(uid[starts]), lengths)


def _plain(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _numbered(codes: Int32, words: list[Any], values: Values) -> Int32:
    used = np.unique(codes[codes >= 0])
    table = np.full(len(words) + 1, -1, np.int32)
    for code in used.tolist():
        table[code] = values.number(words[code])
    return table[codes]


def _combined(parts: list[tuple[Int32, list[Any]]], values: Values) -> Int32:
    """Numbers of the tuples of several properties' values; a part that is missing is None in the tuple."""
    together = np.zeros(len(parts[0][0]), np.int64)
    for codes, _ in parts:
        _, together = np.unique(together * (int(codes.max(initial=-1)) + 2) + codes + 1, return_inverse=True)
    _, first, inverse = np.unique(together, return_index=True, return_inverse=True)
    table = np.empty(len(first), np.int32)
    for i, row in enumerate(first.tolist()):
        table[i] = values.number(tuple(words[codes[row]] if codes[row] >= 0 else None for codes, words in parts))
    return table[inverse]
