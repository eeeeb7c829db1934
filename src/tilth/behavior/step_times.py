"""Mean, median and ninetieth percentile of the time to each step of a funnel, over all buckets.

Two looks at each bucket: how many durations there are of each size, then the durations of the sizes that the quantiles
lie in. So no bucket hands all its durations on, and the quantiles are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tilth.behavior.kernels.spread import SIZES, SUM_SHIFT, sizes_of_steps

__all__ = ["StepTime", "StepTimes", "Wanted", "step_times"]

Int64 = npt.NDArray[np.int64]
# uint8[2, steps, SIZES]: the sizes whose durations are asked for.
Wanted = npt.NDArray[np.uint8]
Values = tuple[npt.NDArray[np.int32], Int64]
_QUANTILES = (("median", 0.5), ("p90", 0.9))


class StepTime(NamedTuple):
    """people: who reached the step. from_previous, from_first: mean, median, p90 in seconds; empty where nobody did."""

    people: int
    from_previous: dict[str, float]
    from_first: dict[str, float]


class StepTimes(NamedTuple):
    """What one bucket adds: see `kernels.spread.sizes_of_steps`. Of the counts only those that are not 0 are kept:
    where they are in the flat array, and how many."""

    people: Int64
    sums: Int64
    sizes: npt.NDArray[np.int32]
    many: npt.NDArray[np.int32]
    extremes: Int64

    @classmethod
    def of(cls, reach: npt.NDArray[np.int8], ts: Int64, steps: int) -> StepTimes:
        people, sums, counts, extremes = sizes_of_steps(reach, ts, steps)
        flat = counts.reshape(-1)
        at = np.flatnonzero(flat)
        return cls(people, sums, at.astype(np.int32), flat[at].astype(np.int32), extremes)


def step_times(parts: Sequence[StepTimes], steps: int, look: Callable[[Wanted], Sequence[Values]]) -> list[StepTime]:
    """One entry a step. look: the second look at all buckets, what
    `kernels.spread.values_of_sizes` gives of each. Quantiles are exact, as `quantiles` gives."""
    people = np.sum([t.people for t in parts], axis=0) if parts else np.zeros(steps, np.int64)
    flat = np.zeros(2 * steps * SIZES, np.int64)
    for part in parts:
        flat[part.sizes] += part.many
    counts = flat.reshape(2, steps, SIZES)
    below = np.cumsum(counts, axis=2)
    wanted = np.zeros((2, steps, SIZES), np.uint8)
    ranks: dict[tuple[int, int], list[int]] = {}
    for kind in (0, 1):
        for k in range(1, steps):
            n = int(people[k])
            places = [(n - 1) * q for _, q in _QUANTILES] if n else []
            ranks[kind, k] = [i for w in places for i in (int(w), min(int(w) + 1, n - 1))]
            wanted[kind, k, np.searchsorted(below[kind, k], ranks[kind, k], side="right")] = 1
    found = look(wanted)
    which = np.concatenate([np.empty(0, np.int32), *(f[0] for f in found)])
    us = np.concatenate([np.empty(0, np.int64), *(f[1] for f in found)])

    def spread(kind: int, k: int) -> dict[str, float]:
        n = int(people[k])
        if k == 0 or n == 0:
            return {}
        held = np.sort(us[which == 2 * k + kind])
        # The values looked into are whole sizes: their ranks among all begin where the sizes before them end.
        sizes = np.flatnonzero(wanted[kind, k])
        begins = np.concatenate([below[kind, k, s] - counts[kind, k, s] + np.arange(counts[kind, k, s]) for s in sizes])
        at = np.searchsorted(begins, ranks[kind, k])
        high, low = (sum(int(t.sums[kind, k, i]) for t in parts) for i in (0, 1))
        answer = {"mean": ((high << SUM_SHIFT) + low) / n / 1e6}
        for (name, q), (a, b) in zip(_QUANTILES, [(at[0], at[1]), (at[2], at[3])], strict=True):
            w = (n - 1) * q
            answer[name] = (float(held[a]) + (w - int(w)) * float(held[b] - held[a])) / 1e6
        return answer

    return [StepTime(int(people[k]), spread(0, k), spread(1, k)) for k in range(steps)]
