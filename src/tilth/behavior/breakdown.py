"""Breakdowns: the largest values by themselves, the rest as "(other)", missing as null."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tilth.behavior.feed import Step, feed_of, over_buckets
from tilth.behavior.filters import Name
from tilth.behavior.kernels.cohorts import walk_values
from tilth.behavior.kernels.walk import ROW
from tilth.behavior.question import OTHER, Question, Values
from tilth.behavior.strands import Strand

__all__ = ["Groups", "group_codes", "groups_of", "people_groups", "shown_value", "values_of_rows"]

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Groups:
    """Which group each value number belongs to: of[number], of[-1] for missing; labels in order of size."""

    of: npt.NDArray[np.int64]
    labels: list[Any]

    def __len__(self) -> int:
        return len(self.labels)


def groups_of(sizes: Int64, missing: int, values: Values, limit: int) -> Groups:
    """sizes: int64[values], what makes a value large (people, events); missing: the same of null.

    Groups are ordered by size (ties by the value's text), then "(other)", then null; empty ones are left out.
    """
    present = np.flatnonzero(sizes)
    order = sorted(present.tolist(), key=lambda v: (-int(sizes[v]), str(values.values[v])))
    shown = order[:limit]
    of = np.full(len(sizes) + 1, -1, np.int64)
    labels = [shown_value(values.values[v]) for v in shown]
    of[shown] = np.arange(len(shown))
    if len(order) > limit:
        # Also values nobody has here: another range may have them.
        of[:-1][of[:-1] < 0] = len(labels)
        labels.append(OTHER)
    if missing > 0:
        of[-1] = len(labels)
        labels.append(None)
    return Groups(of, labels)


def people_groups(question: Question, names: list[Name], step: Step, threads: int) -> Groups:
    """The groups of a breakdown, a value being as large as there are people with it among a step's events in the range.

    Without a breakdown: one group, everyone.
    """
    if not names:
        return Groups(np.zeros(1, np.int64), [None])
    values = question.know(names)
    known = len(values.values)

    def count(bucket: int) -> Int64:
        feed = feed_of(question, bucket, [(step, 1)], codes=lambda s: question.codes(s, names)[0].astype(np.int64))
        counted: Int64 = walk_values(feed.feed, known)
        return counted

    sizes = np.sum(over_buckets(question, count, threads), axis=0)
    return groups_of(sizes[:-1], int(sizes[-1]), values, question.limit)


def group_codes(question: Question, names: list[Name], groups: Groups) -> Callable[[Strand], Int64] | None:
    """For `feed_of`: the group of each row of a strand; a value that has none is "(other)", or -1 without that."""
    if not names:
        return None
    table = groups.of
    rest = groups.labels.index(OTHER) if OTHER in groups.labels else -1

    def codes(strand: Strand) -> Int64:
        # A value first met outside the range has a number past the table's.
        found = question.codes(strand, names)[0]
        known = found < len(table) - 1
        return np.where(known, table[np.where(known, found, 0)], rest)

    return codes


def shown_value(value: Any) -> Any:
    """A value as JSON carries it: several properties' values are a list."""
    return list(value) if isinstance(value, tuple) else value


def values_of_rows(ref: Int64, codes: list[Int32]) -> Int64:
    """The value numbers of rows named by `strand << 40 | row`; codes: of each strand."""
    if len(ref) == 0:
        return np.empty(0, np.int64)
    base = np.cumsum([0, *(len(c) for c in codes[:-1])], dtype=np.int64)
    found: Int64 = np.concatenate(codes)[base[ref >> 40] + (ref & ROW)].astype(np.int64)
    return found
