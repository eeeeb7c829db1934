"""Quantiles of large arrays: exact, linear between the two neighbours (as numpy and most spreadsheets)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["quantiles"]

_SAMPLE = 997


def quantiles(values: npt.NDArray[Any], wanted: Sequence[float]) -> list[float]:
    """The quantiles (0..1) of a 1-d array that has at least one value."""
    n = len(values)
    places = [(n - 1) * q for q in wanted]
    kth = sorted({i for w in places for i in (int(w), min(int(w) + 1, n - 1))})
    some = values[:: max(1, n // _SAMPLE)]
    # Partitioning an array of mostly equal numbers can take a hundred times as long as sorting it.
    repeated = n > 10_000 and len(np.unique(some)) < 0.9 * len(some)
    held = np.sort(values) if repeated else np.partition(values, kth)
    found = []
    for w in places:
        low, high = held[int(w)], held[min(int(w) + 1, n - 1)]
        found.append(float(low) + (w - int(w)) * float(high - low))
    return found
