"""Wilson's score interval for a share (E. B. Wilson, JASA 22, 1927)."""

from __future__ import annotations

import math

__all__ = ["wilson"]

_Z = 1.959963984540054  # two-sided 95 %


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % interval of a share; None of nothing. `wilson(8, 10)` is (0.4902, 0.9433)."""
    if trials == 0:
        return None
    share = successes / trials
    z2 = _Z * _Z / trials
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z / (1 + z2) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials))
    # At the ends the bound is the share itself; rounding must not put it beside it.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return low, 1.0 if successes == trials else min(1.0, middle + half)
