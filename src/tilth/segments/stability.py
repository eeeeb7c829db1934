"""Would the same people land in the same layers again?

Under the bootstrap: the layering is fitted anew on people drawn with replacement, and its layers are
compared with the original ones for the same people by the adjusted Rand index (1: the same, 0: as
alike as two random layerings). Month to month: where people were a month earlier by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.segments.blocks import Interval
from tilth.segments.days import day_text
from tilth.segments.layering import NO_PURCHASE, Assignment
from tilth.segments.standing import Standing

__all__ = [
    "UNKNOWN_BEFORE",
    "Flow",
    "Migration",
    "Stability",
    "adjusted_rand",
    "flows",
    "migration",
    "mutual_information",
    "refit_agreement",
]

Codes = npt.NDArray[Any]
UNKNOWN_BEFORE = "not_known_yet"  # where a flow comes from whose people we did not know then
_SAMPLE, _REFITS = 10_000, 12


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """adjusted_rand: agreement of refits on resampled people with the original; low and high are the range of
    95 % of the refits. month_to_month: adjusted Rand of today's layers with those at previous_as_of."""

    adjusted_rand: Interval | None
    previous_as_of: str | None
    month_to_month: float | None


class Flow(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from", "target": "to"}):
    """People that went from layer `from` to layer `to` (the same for those who stayed)."""

    source: str
    target: str
    people: int


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """Where people were at from_as_of and are at to_as_of, both by the rule of to_as_of, so that only people
    moved, not the rule. People first known in between come from `not_known_yet`. moved_share: of those known
    on both days."""

    from_as_of: str
    to_as_of: str
    flows: list[Flow]
    moved_share: float


def adjusted_rand(a: Codes, b: Codes) -> float:
    """Hubert and Arabie's adjusted Rand index of two labellings of the same rows, from the contingency table.

    1 for the same partition, also when both put everyone in one group; 0 expected for unrelated ones.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = _contingency(a, b)
    pairs = _pairs(table).sum()
    rows, columns = _pairs(table.sum(axis=1)).sum(), _pairs(table.sum(axis=0)).sum()
    total = _pairs(np.array([float(len(a))])).sum()
    if total == 0:
        return 1.0
    expected = rows * columns / total
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((pairs - expected) / (most - expected))


def mutual_information(a: Codes, b: Codes) -> float:
    """Mutual information over the mean of both entropies: 0 unrelated, 1 the same partition."""
    table = _contingency(a, b)
    if table.size == 0:
        return 1.0
    joint = table / table.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    shared = _entropy(rows) + _entropy(columns) - _entropy(joint.ravel())
    mean = (_entropy(rows) + _entropy(columns)) / 2
    return 1.0 if mean == 0 else float(min(max(shared / mean, 0.0), 1.0))


def flows(before: Codes, after: Codes, before_keys: list[str], after_keys: list[str]) -> list[Flow]:
    """The non-empty cells of the contingency table, largest first."""
    k = len(after_keys)
    cells = np.bincount(np.asarray(before, np.int64) * k + after, minlength=len(before_keys) * k)
    places = np.flatnonzero(cells)
    ranked = places[np.argsort(-cells[places], kind="stable")]
    return [Flow(source=before_keys[p // k], target=after_keys[p % k], people=int(cells[p])) for p in ranked.tolist()]


def refit_agreement(
    standing: Standing, assignment: Assignment, refit: Callable[[Standing], Assignment], seed: int = 6
) -> Interval | None:
    """Agreement of 12 refits, each on up to 10,000 people drawn with replacement, with the assignment.

    People without a purchase are left out where they are a layer of their own: that layer never moves.
    """
    trivial = [i for i, layer in enumerate(assignment.layers) if layer.key == NO_PURCHASE.key]
    rows = np.flatnonzero(~np.isin(assignment.codes, trivial))
    if len(rows) < 10:
        return None
    random = np.random.default_rng(seed)
    found = []
    for _ in range(_REFITS):
        # Sorted, so that equal rows lie together and nothing depends on the order of the draw.
        drawn = np.sort(rows[random.integers(0, len(rows), min(len(rows), _SAMPLE))])
        found.append(adjusted_rand(assignment.codes[drawn], refit(standing.take(drawn)).codes))
    low, high = np.quantile(found, (0.025, 0.975))
    return Interval(value=float(np.mean(found)), low=float(low), high=float(high))


def migration(
    before: Standing, before_assignment: Assignment, after: Standing, after_assignment: Assignment
) -> tuple[Migration, float | None]:
    """The flows between two days and the adjusted Rand index of the people known on both."""
    place = np.searchsorted(before.uid, after.uid)
    place[place == len(before.uid)] = 0
    known = before.uid[place] == after.uid if len(before) else np.zeros(len(after), bool)
    keys = [layer.key for layer in before_assignment.layers]
    came_from = np.full(len(after), len(keys), np.int64)
    came_from[known] = before_assignment.codes[place[known]]
    after_keys = [layer.key for layer in after_assignment.layers]
    found = flows(came_from, after_assignment.codes, [*keys, UNKNOWN_BEFORE], after_keys)
    both = sum(f.people for f in found if f.source != UNKNOWN_BEFORE)
    stayed = sum(f.people for f in found if f.source == f.target)
    result = Migration(
        from_as_of=day_text(before.as_of),
        to_as_of=day_text(after.as_of),
        flows=found,
        moved_share=(both - stayed) / both if both else 0.0,
    )
    return result, adjusted_rand(came_from[known], after_assignment.codes[known]) if both > 1 else None


def _contingency(a: Codes, b: Codes) -> npt.NDArray[np.float64]:
    a, b = np.asarray(a), np.asarray(b)
    if len(a) != len(b):
        raise ValueError(f"two labellings of different lengths, {len(a)} and {len(b)}")
    if len(a) == 0:
        return np.zeros((0, 0))
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    return np.bincount(a.astype(np.int64) * columns + b, minlength=rows * columns).reshape(rows, columns).astype(float)


def _pairs(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return counts * (counts - 1) / 2


def _entropy(shares: npt.NDArray[np.float64]) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
