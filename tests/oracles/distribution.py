"""Gini by all pairs, the top share by counting out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["gini", "top_share"]


def gini(numbers: Sequence[int]) -> float | None:
    """The mean difference of all pairs, relative to twice the mean."""
    total = sum(numbers)
    if not numbers or total == 0:
        return None
    differences = sum(abs(a - b) for a in numbers for b in numbers)
    return float(Fraction(differences, 2 * len(numbers) * total))


def top_share(numbers: Sequence[int], top: Fraction) -> float | None:
    """What the top part of the people hold, each person being cut into a hundred equal slices."""
    total = sum(numbers)
    if not numbers or total == 0:
        return None
    slices = sorted((Fraction(n, 100) for n in numbers for _ in range(100)), reverse=True)
    return float(sum(slices[: int(top * len(slices))]) / total)
