"""2F1(1, b; c; z) for 0 <= z < 1 and 0 < b <= c - 1, with its derivatives, by Gauss' continued fraction.

    2F1(1, b; c; z) = 1/(1 - e1 z/(1 - e2 z/(1 - …)))
    e_{2n+1} = (b+n)(c-1+n) / ((c-1+2n)(c+2n)),   e_{2n} = n(c-1-b+n) / ((c-2+2n)(c-1+2n))

(NIST Digital Library of Mathematical Functions, 15.7). All e are positive, so evaluating it from the
tail upwards neither cancels nor overflows, and each level gains the factor (1-√(1-z))/(1+√(1-z)),
where the power series gains only z. Derivatives are carried along the same recursion.
"""

from __future__ import annotations

import math

from tilth.compiled import njit

__all__ = ["gauss_fraction"]

# Reached only where 1 - z < 1e-5; the limiting tail keeps the error small even there.
DEEPEST = 6000


@njit(cache=True, nogil=True)
def gauss_fraction(b: float, c: float, z: float) -> tuple[float, float, float, float]:
    """(F, ∂F/∂b, ∂F/∂c, ∂F/∂z) at F = 2F1(1, b; c; z)."""
    root = math.sqrt(1.0 - z)
    gain = (1.0 - root) / (1.0 + root)
    levels = DEEPEST
    if gain < 0.9935:
        levels = 8 if gain <= 0.0 else min(DEEPEST, int(-39.0 / math.log(max(gain, 1e-9))) + 8)
    # Far down every e is 1/4 and the fraction is the root of h = 1/(1 - z h/4).
    h = 2.0 / (1.0 + root)
    by_b = 0.0
    by_c = 0.0
    by_z = h * h / 4.0 / root
    for m in range(levels, 0, -1):
        n = m // 2
        if m % 2 == 1:
            first = c - 1.0 + 2.0 * n
            if n == 0:
                e = b / c
                e_b = 1.0 / c
                e_c = -e / c
            else:
                e = (b + n) * (c - 1.0 + n) / (first * (first + 1.0))
                e_b = e / (b + n)
                e_c = e * (1.0 / (c - 1.0 + n) - 1.0 / first - 1.0 / (first + 1.0))
        else:
            first = c - 2.0 + 2.0 * n
            scale = n / (first * (first + 1.0))
            e = scale * (c - 1.0 - b + n)
            e_b = -scale
            e_c = scale - e * (1.0 / first + 1.0 / (first + 1.0))
        up = 1.0 / (1.0 - e * z * h)
        square = up * up
        by_b = square * z * (e_b * h + e * by_b)
        by_c = square * z * (e_c * h + e * by_c)
        by_z = square * e * (h + z * by_z)
        h = up
    return h, by_b, by_c, by_z
