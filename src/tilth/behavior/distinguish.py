"""What distinguishes those who converted: values of properties and other events, with odds ratios.

A property counts with its value at the first step of a person's attempt; an event counts when it lies
after the first step and before the conversion (of those who did not convert: before the window ended).
Each is a two-by-two table; the odds ratio has 0.5 added to every cell where one is empty (Haldane,
Anscombe), its interval is Woolf's, and p is corrected for looking at many (Benjamini and Hochberg, 1995).
It shows what goes together, not what causes what.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.feed import Atom, Step, feed_of, over_buckets
from tilth.behavior.filters import Name
from tilth.behavior.kernels.did import walk_did
from tilth.behavior.question import Question

__all__ = ["Difference", "corrected", "differences_of", "events_between", "odds_ratio"]

Int64 = npt.NDArray[np.int64]
MIN_PEOPLE = 10
SHOWN = 20
_Z = 1.959963984540054


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """kind: property or event. with_it, with_it_converted: people who had it, and those of them who converted;
    without likewise. odds_ratio: over 1 where it goes with converting; low, high: 95 %; p: corrected."""

    kind: str
    name: str
    value: Any
    with_it: int
    with_it_converted: int
    without: int
    without_converted: int
    odds_ratio: float
    low: float
    high: float
    p: float


def odds_ratio(a: int, b: int, c: int, d: int) -> tuple[float, float, float, float]:
    """(ratio, low, high, p) of a two-by-two table: had it and converted, had it only, converted only, neither.

    `odds_ratio(20, 10, 10, 20)` is (4.0, 1.367…, 11.703…, 0.0114…).
    """
    cells = [float(x) for x in (a, b, c, d)]
    if min(cells) == 0:
        cells = [x + 0.5 for x in cells]
    a_, b_, c_, d_ = cells
    log = math.log(a_ * d_ / (b_ * c_))
    error = math.sqrt(1 / a_ + 1 / b_ + 1 / c_ + 1 / d_)
    p = math.erfc(abs(log) / error / math.sqrt(2))
    return math.exp(log), math.exp(log - _Z * error), math.exp(log + _Z * error), p


def corrected(p: list[float]) -> list[float]:
    """Benjamini and Hochberg's step-up adjusted p-values, in the order given."""
    order = sorted(range(len(p)), key=lambda i: p[i], reverse=True)
    out = [0.0] * len(p)
    least = 1.0
    for rank, i in enumerate(order):
        least = min(least, p[i] * len(p) / (len(p) - rank))
        out[i] = least
    return out


def events_between(
    question: Question, uid: Int64, begins: Int64, ends: Int64, converted: npt.NDArray[np.bool_], threads: int
) -> tuple[list[str], Int64]:
    """(event names, int64[2, names] people who did not and who did convert with each inside their time)."""
    name = Name("column", "event")
    strands = [s for b in question.buckets() for s in question.strands(b)]
    values = [question.codes(s, [name])[1] for s in strands]
    names = [str(v) for v in values[0].values] if values else []
    order = np.argsort(uid, kind="stable")
    people, begins, ends, side = uid[order], begins[order], ends[order], converted[order].astype(np.int64)
    anything = Step("", (Atom(None, question.filters),))

    def work(bucket: int) -> Int64:
        feed = feed_of(question, bucket, [(anything, 1)], codes=lambda s: question.codes(s, [name])[0].astype(np.int64))
        found: Int64 = walk_did(feed.feed, people, begins, ends, side, len(names))
        return found

    parts = over_buckets(question, work, threads)
    return names, np.sum(parts, axis=0)


def differences_of(tables: list[tuple[str, str, Any, int, int]], entered: int, converted: int) -> list[Difference]:
    """The clearest differences. tables: (kind, name, value, people who had it, those of them who converted)."""
    kept = [t for t in tables if t[3] >= MIN_PEOPLE and entered - t[3] >= MIN_PEOPLE]
    ratios = [odds_ratio(did, had - did, converted - did, entered - had - converted + did) for *_, had, did in kept]
    adjusted = corrected([r[3] for r in ratios])
    found = [
        Difference(
            kind=kind,
            name=name,
            value=value,
            with_it=had,
            with_it_converted=did,
            without=entered - had,
            without_converted=converted - did,
            odds_ratio=ratio[0],
            low=ratio[1],
            high=ratio[2],
            p=p,
        )
        for (kind, name, value, had, did), ratio, p in zip(kept, ratios, adjusted, strict=True)
    ]
    return sorted(found, key=lambda d: (d.p, -abs(math.log(d.odds_ratio)), d.kind, d.name, str(d.value)))[:SHOWN]
