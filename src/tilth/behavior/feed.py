"""From a question's steps to what a kernel walks: bits per event name, filters as masks, arrays as addresses."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tilth.behavior.calendar import Span
from tilth.behavior.filters import Filter, Name, both
from tilth.behavior.kernels.walk import FORKED, Feed
from tilth.behavior.leaving import look, watching
from tilth.behavior.question import Question
from tilth.behavior.room import bytes_of
from tilth.behavior.strands import Strand
from tilth.errors import InvalidInput
from tilth.lake import BOOKKEEPING

__all__ = ["Atom", "BucketFeed", "Step", "address", "feed_of", "over_buckets", "parse_step"]

T = TypeVar("T")
_NO_UIDS = np.zeros(0, np.int64)
ANY_EVENT = "*"


@dataclass(frozen=True)
class Atom:
    """Events of one name (None: any) that meet a filter."""

    event: str | None
    filter: Filter | None


@dataclass(frozen=True)
class Step:
    """What a question asks to have happened: any of some atoms. label: how it is shown."""

    label: str
    atoms: tuple[Atom, ...]

    def restricted(self, extra: Filter | None) -> Step:
        """The same step with a further filter on every atom."""
        return Step(self.label, tuple(Atom(a.event, both(a.filter, extra)) for a in self.atoms))

    def bare(self) -> Step:
        """The same step without filters."""
        return Step(self.label, tuple(Atom(a.event, None) for a in self.atoms))


def parse_step(raw: object, path: str, question: Question) -> Step:
    """A step: a name, `"*"`, `{"event", "filters", "label"}` or `{"any_of": […], "label"}` (or a plain list)."""
    if isinstance(raw, list):
        raw = {"any_of": raw}
    if isinstance(raw, str):
        return Step(raw, (Atom(_event(raw, path, question), None),))
    if not isinstance(raw, dict):
        raise InvalidInput(path, 'must be an event\'s name or {"event": …, "filters": …}')
    known = ["any_of", "event", "filters", "label"]
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise InvalidInput(f"{path}.{unknown[0]}", "is not a part of a step", known)
    if ("event" in raw) == ("any_of" in raw):
        raise InvalidInput(path, "must have either event or any_of")
    label = raw.get("label")
    if label is not None and not isinstance(label, str):
        raise InvalidInput(f"{path}.label", "must be a text")
    own = question.parse(raw.get("filters"), f"{path}.filters")
    if "event" in raw:
        atom = Atom(_event(raw["event"], f"{path}.event", question), own)
        return Step(label or str(raw["event"]), (atom,))
    listed = raw["any_of"]
    if not isinstance(listed, list) or not listed:
        raise InvalidInput(f"{path}.any_of", "must be a list of events")
    parts = [parse_step(part, f"{path}.any_of[{i}]", question) for i, part in enumerate(listed)]
    atoms = tuple(Atom(a.event, both(a.filter, own)) for part in parts for a in part.atoms)
    return Step(label or " / ".join(part.label for part in parts), atoms)


def _event(name: object, path: str, question: Question) -> str | None:
    return None if name == ANY_EVENT else question.event(name, path)


@dataclass
class BucketFeed:
    """A kernel's feed and the strands it walks, those without any event asked for left out.

    rows: events of all strands looked at. keep: arrays that must outlive the kernel's call.
    """

    feed: Feed
    strands: list[Strand]
    rows: int
    keep: list[Any]


def address(values: npt.NDArray[Any], kind: type[np.generic], keep: list[Any]) -> int:
    """Where an array lies in memory, contiguous and of that type; it is added to `keep`."""
    held = np.ascontiguousarray(values, kind)
    keep.append(held)
    return int(held.__array_interface__["data"][0])


def feed_of(
    question: Question,
    bucket: int,
    bits: Sequence[tuple[Step, int]],
    *,
    unit: list[Name] | None = None,
    hold: list[Name] | None = None,
    span: Span | None = None,
    timeless: int = 0,
    codes: Callable[[Strand], npt.NDArray[np.int64]] | None = None,
    hold_codes: Callable[[Strand], npt.NDArray[np.int64]] | None = None,
    values: Callable[[Strand], npt.NDArray[np.float64]] | None = None,
) -> BucketFeed:
    """What a kernel needs of one bucket: events that meet a step get its bits (a power of two or more).

    span: other instants than the question's range. timeless: bits that count at any instant.
    unit, hold: properties whose values make the keys; codes, hold_codes: the keys directly. values:
    a number for each row.
    """
    span = span or question.span
    if timeless:
        strands = question.strands(bucket, all_time=True)
    else:
        strands = question.snapshot.of_bucket(bucket, span.first, span.end)
    tests = list(dict.fromkeys(a.filter for step, _ in bits for a in step.atoms if a.filter is not None))
    rows = sum(len(s) for s in strands)
    taken = rows * _bytes_of_row(len(tests), unit, hold, codes is not None, hold_codes is not None, values is not None)
    question.sources.room.take(taken)
    try:
        made = _feed(
            question, bucket, strands, rows, bits, tests, unit, hold, span, timeless, codes, hold_codes, values
        )
    except BaseException:
        question.sources.room.give_back(taken)
        raise
    # The arrays live as long as the feed.
    weakref.finalize(made, question.sources.room.give_back, taken)
    return made


def _bytes_of_row(tests: int, unit: Any, hold: Any, codes: bool, hold_codes: bool, values: bool) -> int:
    """What is made for a row at most: keys with the codes and marks they come from, masks, numbers."""
    keyed = 24 * (len(unit or ()) + len(hold or ())) + 16 * (codes + hold_codes)
    return keyed + 16 * values + 10 * tests


def _feed(
    question: Question,
    bucket: int,
    strands: list[Strand],
    rows: int,
    bits: Sequence[tuple[Step, int]],
    tests: list[Filter],
    unit: list[Name] | None,
    hold: list[Name] | None,
    span: Span,
    timeless: int,
    codes: Callable[[Strand], npt.NDArray[np.int64]] | None,
    hold_codes: Callable[[Strand], npt.NDArray[np.int64]] | None,
    values: Callable[[Strand], npt.NDArray[np.float64]] | None,
) -> BucketFeed:
    named = [(s, *_bits_of_names(s.names, bits, tests)) for s in strands if len(s)]
    named = [(s, plain, forked) for s, plain, forked in named if plain.any() or forked.any()]
    keep: list[Any] = []
    count = len(named)
    table = {
        name: np.zeros(count, np.int64)
        for name in (
            "slot",
            "ts",
            "code",
            "narrow",
            "whole",
            "unit",
            "hold",
            "value",
            "blocks",
            "parts",
            "table",
            "names_from",
        )
    }
    test_at = np.zeros((len(tests), count), np.int64)
    total = 0
    stride = len(question.snapshot.strands)
    for r, (strand, plain, forked) in enumerate(named):
        table["slot"][r] = address(strand.slots(stride), np.uint8, keep)
        table["ts"][r] = address(strand.ts, np.int64, keep)
        narrow = strand.narrow
        table["code"][r] = address(strand.code, np.int32, keep) if narrow is None else address(narrow, np.uint8, keep)
        table["narrow"][r] = narrow is not None
        table["whole"][r] = span.first <= strand.first and strand.last < span.end and not forked.any()
        blocks = strand.blocks(stride)
        table["blocks"][r], table["parts"][r] = address(blocks, np.int64, keep), len(blocks) // 2
        table["names_from"][r] = total
        total += len(strand.names)
        table["table"][r] = address(np.where(forked.any(axis=0), plain | FORKED, plain), np.int64, keep)
        for f, test in enumerate(tests):
            if forked[f].any():
                test_at[f, r] = address(question.mask(strand, test), np.uint8, keep)
        if unit:
            table["unit"][r] = address(question.keys(strand, unit), np.int64, keep)
        if codes is not None:
            table["unit"][r] = address(codes(strand), np.int64, keep)
        if hold:
            table["hold"][r] = address(question.keys(strand, hold), np.int64, keep)
        if hold_codes is not None:
            table["hold"][r] = address(hold_codes(strand), np.int64, keep)
        if values is not None:
            table["value"][r] = address(values(strand), np.float64, keep)
    branch = [forked for _, _, forked in named]
    feed = Feed(
        **table,
        branch=np.concatenate(branch, axis=1) if branch else np.zeros((len(tests), 0), np.int64),
        tests=test_at,
        allowed=question.people if question.people is not None else _NO_UIDS,
        restricted=question.people is not None,
        lo=span.first,
        hi=span.end,
        timeless=timeless,
        keyed=bool(unit or hold or codes is not None or hold_codes is not None),
        stride=stride,
        rest=bucket,
    )
    return BucketFeed(feed, [s for s, _, _ in named], rows, keep)


def _bits_of_names(
    names: list[str], bits: Sequence[tuple[Step, int]], tests: list[Filter]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(bits of each name without a filter, bits of each name by filter)."""
    plain = np.zeros(len(names), np.int64)
    activity = np.array([name not in BOOKKEEPING for name in names], bool)
    forked = np.zeros((len(tests), len(names)), np.int64)
    position = {name: i for i, name in enumerate(names)}
    at_test = {test: f for f, test in enumerate(tests)}
    for step, value in bits:
        for atom in step.atoms:
            target = plain if atom.filter is None else forked[at_test[atom.filter]]
            if atom.event is None:
                target[activity] |= value
            elif atom.event in position:
                target[position[atom.event]] |= value
    return plain, forked


def over_buckets(question: Question, work: Callable[[int], T], threads: int) -> list[T]:
    """`work` of each bucket, in bucket order, several at a time; the first error is raised.

    Raises `Cancelled` between buckets once the asker has gone, and `LimitReached` as soon as the answers
    of some buckets say that all together would not fit in memory.
    """
    if question.sources.cluster is not None:
        return question.sources.cluster.over_buckets(question, work)
    buckets = list(question.buckets())
    gone = watching()
    found: list[T] = []
    held = 0

    def one(bucket: int) -> T:
        look(gone)
        return work(bucket)

    def kept(part: T) -> None:
        nonlocal held
        held += bytes_of(part)
        found.append(part)
        # Buckets are alike: people are dealt to them by number.
        question.sources.room.check(held * len(buckets) // len(found), "for its answer")

    if threads <= 1 or len(buckets) <= 1:
        for b in buckets:
            kept(one(b))
        return found
    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting = [pool.submit(one, b) for b in buckets]
        try:
            for part in waiting:
                kept(part.result())
        except BaseException:
            for part in waiting:
                part.cancel()
            raise
    return found
