"""Bootstrap of a million people in milliseconds: random blocks and their sums.

Everybody is put into one of at most 200 random blocks. Any mean, variance or share is a function of
sums, and sums over a resample are sums over resampled blocks, so the whole bootstrap is a product of
two small matrices. With blocks assigned at random this is the ordinary bootstrap up to the number of
blocks; below 200 people each is a block of their own and it is the ordinary bootstrap exactly.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Blocks", "Interval", "interval", "resample"]

Float64 = npt.NDArray[np.float64]
_MOST = 200


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


class Blocks:
    """n rows in random blocks of (nearly) the same size, the same for the same seed."""

    def __init__(self, n: int, seed: int = 1) -> None:
        self.count = min(n, _MOST)
        self.of = np.random.default_rng(seed).permutation(n) % max(self.count, 1)

    def sums(self, codes: npt.NDArray[Any], k: int, values: npt.NDArray[Any] | None = None) -> Float64:
        """float64[blocks, k]: the sum of `values` (or the number of rows) of each block and code."""
        place = self.of * k + codes
        return np.bincount(place, values, self.count * k).reshape(self.count, k).astype(np.float64)


def resample(blocks: int, draws: int, seed: int = 2) -> Float64:
    """float64[draws, blocks]: how often each block is drawn when `blocks` are drawn with replacement."""
    if blocks == 0:
        return np.zeros((draws, 0))
    random = np.random.default_rng(seed)
    return random.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=draws).astype(np.float64)


def interval(value: float, draws: Float64) -> Interval | None:
    """The 95 % percentile interval of the draws that are numbers; None where there is no value."""
    usable = draws[np.isfinite(draws)]
    if not np.isfinite(value) or len(usable) < 10:
        return None
    low, high = np.quantile(usable, (0.025, 0.975))
    return Interval(value=value, low=float(min(low, value)), high=float(max(high, value)))
