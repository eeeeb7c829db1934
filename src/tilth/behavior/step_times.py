"""Mean, median and ninetieth percentile of the time to each step of a funnel, over all buckets."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tilth.behavior.kernels.spread import SIZES, SUM_SHIFT, sizes_of_steps, values_of_sizes

__all__ = ["StepTime", "StepTimes", "step_times"]

Int64 = npt.NDArray[np.int64]
_QUANTILES = (("median", 0.5), ("p90", 0.9))


class StepTime(NamedTuple):
    """people: who reached the step. from_previous, from_first: mean, median, p90 in seconds; empty where nobody did."""

    people: int
    from_previous: dict[str, float]
    from_first: dict[str, float]


class StepTimes(NamedTuple):
    """What one bucket adds: see `kernels.spread.sizes_of_steps`."""

    people: Int64
    sums: Int64
    counts: Int64

    @classmethod
    def of(cls, reach: npt.NDArray[np.int8], ts: Int64, steps: int) -> StepTimes:
        return cls(*sizes_of_steps(reach, ts, steps))


def step_times(
    parts: Sequence[tuple[npt.NDArray[np.int8], Int64, StepTimes]], steps: int, threads: int
) -> list[StepTime]:
    """One entry a step. parts: (reach, ts, what they add) of each bucket. Quantiles are exact, as `quantiles` gives."""
    people = np.sum([t.people for _, _, t in parts], axis=0) if parts else np.zeros(steps, np.int64)
    counts = np.sum([t.counts for _, _, t in parts], axis=0) if parts else np.zeros((2, steps, SIZES), np.int64)
    below = np.cumsum(counts, axis=2)
    wanted = np.zeros((2, steps, SIZES), np.uint8)
    ranks: dict[tuple[int, int], list[int]] = {}
    for kind in (0, 1):
        for k in range(1, steps):
            n = int(people[k])
            places = [(n - 1) * q for _, q in _QUANTILES] if n else []
            ranks[kind, k] = [i for w in places for i in (int(w), min(int(w) + 1, n - 1))]
            wanted[kind, k, np.searchsorted(below[kind, k], ranks[kind, k], side="right")] = 1

    def looked(part: tuple[npt.NDArray[np.int8], Int64, StepTimes]) -> Any:
        return values_of_sizes(part[0], part[1], wanted)

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        found = list(pool.map(looked, parts)) if steps > 1 else []
    which = np.concatenate([f[0] for f in found]) if found else np.empty(0, np.int32)
    us = np.concatenate([f[1] for f in found]) if found else np.empty(0, np.int64)

    def spread(kind: int, k: int) -> dict[str, float]:
        n = int(people[k])
        if k == 0 or n == 0:
            return {}
        held = np.sort(us[which == 2 * k + kind])
        # The values looked into are whole sizes: their ranks among all begin where the sizes before them end.
        sizes = np.flatnonzero(wanted[kind, k])
        begins = np.concatenate([below[kind, k, s] - counts[kind, k, s] + np.arange(counts[kind, k, s]) for s in sizes])
        at = np.searchsorted(begins, ranks[kind, k])
        high, low = (sum(int(t.sums[kind, k, i]) for _, _, t in parts) for i in (0, 1))
        answer = {"mean": ((high << SUM_SHIFT) + low) / n / 1e6}
        for (name, q), (a, b) in zip(_QUANTILES, [(at[0], at[1]), (at[2], at[3])], strict=True):
            w = (n - 1) * q
            answer[name] = (float(held[a]) + (w - int(w)) * float(held[b] - held[a])) / 1e6
        return answer

    return [StepTime(int(people[k]), spread(0, k), spread(1, k)) for k in range(steps)]
