"""Maximum likelihood for a handful of positive parameters.

The search runs over the logarithms of the parameters (L-BFGS-B with analytic gradients and a wide
box), is finished by Newton steps with the curvature there, and says honestly whether what it ended
on is a maximum: the Newton decrement gᵀH⁻¹g measures how far, in standard errors, the end is from it.

With very many people the search is done on a sample of them. Its maximum is within a few standard
errors of everybody's and its curvature nearly the same, so three or four Newton steps on everybody
then do what dozens of evaluations would. The result is everybody's maximum all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import scipy

from tilth.segments.clv.base import Estimate

__all__ = ["LogLikelihood", "maximise"]

Float64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LogLikelihood = Callable[[Float64], tuple[float, Float64]]
Factor = tuple[Float64, bool]

# The end may be off the maximum by the root of this many standard errors.
DECREMENT = 1e-6
# A standard error of ln(parameter) above this means the data hardly speaks of the parameter.
WEAK = 1.0
# Within this share of its limit a parameter is at it.
EDGE = 1e-3


def maximise(
    log_likelihood: LogLikelihood,
    *,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    lower: Sequence[float],
    upper: Sequence[float],
    people: float,
    sample: LogLikelihood | None = None,
    sample_people: float = 1.0,
) -> Estimate:
    """The parameters at which `log_likelihood` is largest.

    log_likelihood(values) gives the total log-likelihood and its gradient, both in the parameters
    themselves (not their logarithms). starts: the search begins at the best of these. lower, upper:
    the permitted range of each parameter, positive. people: how many the total is over. sample: the
    same of a sample of `sample_people` of them, where that is much quicker.
    """
    low, high = np.log(np.asarray(lower, float)), np.log(np.asarray(upper, float))
    whole = _Hill(log_likelihood, people, low, high)
    logs = None
    if sample is not None:
        part = _Hill(sample, sample_people, low, high)
        near = part.search(part.best_of(starts))
        free = whole.inside(near)
        factor = _factor(part.curvature(near, free)) if free.all() else None
        if factor is not None:
            logs, decrement = whole.newton(near, free, factor, steps=8, enough=DECREMENT)
            if decrement > DECREMENT:
                logs = None
        if logs is None:
            logs = whole.search(near)
    else:
        logs = whole.search(whole.best_of(starts))

    free = whole.inside(logs)
    factor = _factor(whole.curvature(logs, free))
    decrement = np.inf
    if factor is not None:
        logs, decrement = whole.newton(logs, free, factor, steps=4, enough=DECREMENT * 1e-4)
    values = np.exp(logs)
    errors: list[float | None] = [None] * len(values)
    weak: list[str] = []
    if factor is not None:
        spread = np.sqrt(np.diag(scipy.linalg.cho_solve(factor, np.eye(int(free.sum())))) / people)
        for place, sigma in zip(np.flatnonzero(free), spread, strict=True):
            errors[place] = float(sigma * values[place])
            if sigma > WEAK:
                weak.append(names[int(place)])
    return Estimate(
        values={name: float(v) for name, v in zip(names, values, strict=True)},
        standard_errors=dict(zip(names, errors, strict=True)),
        log_likelihood=-whole(logs)[0] * people,
        converged=bool(free.all() and factor is not None and decrement <= DECREMENT),
        at_limit=tuple(name for name, inside in zip(names, free, strict=True) if not inside),
        weak=tuple(weak),
        evaluations=whole.evaluations,
    )


class _Hill:
    """The negative mean log-likelihood over logarithms of parameters, and the ways down it."""

    def __init__(self, log_likelihood: LogLikelihood, people: float, low: Float64, high: Float64) -> None:
        self.log_likelihood = log_likelihood
        self.people = people
        self.low = low
        self.high = high
        self.evaluations = 0
        self.latest: tuple[bytes, tuple[float, Float64]] | None = None

    def __call__(self, logs: Float64) -> tuple[float, Float64]:
        # The end of one stage is the beginning of the next; its value need not be computed again.
        key = logs.tobytes()
        if self.latest is not None and self.latest[0] == key:
            return self.latest[1]
        self.evaluations += 1
        values = np.exp(logs)
        total, gradient = self.log_likelihood(values)
        if np.isfinite(total) and np.isfinite(gradient).all():
            answer = (-total / self.people, -gradient * values / self.people)
        else:
            # A step that overflows is a bad step, not the end of the search.
            answer = (1e300, np.zeros(len(values)))
        self.latest = (key, answer)
        return answer

    def best_of(self, starts: Sequence[Sequence[float]]) -> Float64:
        candidates = [np.clip(np.log(np.asarray(start, float)), self.low, self.high) for start in starts]
        return min(candidates, key=lambda logs: self(logs)[0])

    def search(self, start: Float64) -> Float64:
        found = scipy.optimize.minimize(
            self,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(self.low, self.high, strict=True)),
            options={"maxiter": 1000, "maxfun": 2000, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 20},
        )
        return np.asarray(found.x, float)

    def inside(self, logs: Float64) -> Flags:
        """Which parameters are off the edges of their range, by more than a search on a flat ridge may stop short."""
        return (logs > self.low + EDGE) & (logs < self.high - EDGE)

    def curvature(self, logs: Float64, free: Flags) -> Float64:
        """Second derivatives in the free logarithms, by central differences of the gradient."""
        places = np.flatnonzero(free)
        rows = []
        for place in places:
            step = np.zeros(len(logs))
            step[place] = 1e-4
            rows.append((self(logs + step)[1] - self(logs - step)[1])[places] / 2e-4)
        matrix = np.array(rows).reshape(len(places), len(places))
        return (matrix + matrix.T) / 2

    def newton(self, logs: Float64, free: Flags, factor: Factor, *, steps: int, enough: float) -> tuple[Float64, float]:
        """Newton steps with one fixed curvature until the decrement is `enough`: where it ends and the decrement."""
        value, gradient = self(logs)
        step = scipy.linalg.cho_solve(factor, gradient[free])
        decrement = float((gradient[free] * step).sum()) * self.people
        for _ in range(steps):
            if decrement <= enough:
                break
            tried = logs.copy()
            tried[free] = np.clip(tried[free] - step, self.low[free], self.high[free])
            tried_value, tried_gradient = self(tried)
            # At the very end rounding may take the value up by its last digits.
            if not tried_value <= value + 1e-14 * abs(value):
                break
            logs, value, gradient = tried, tried_value, tried_gradient
            step = scipy.linalg.cho_solve(factor, gradient[free])
            decrement = float((gradient[free] * step).sum()) * self.people
        return logs, decrement


def _factor(matrix: Float64) -> Factor | None:
    """Cholesky factor, or None where the point is no maximum (or a flat one)."""
    if matrix.size == 0 or not np.isfinite(matrix).all():
        return None
    try:
        factor = scipy.linalg.cho_factor(matrix)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.abs(np.diag(factor[0]))
    return factor if diagonal.min() > 1e-7 * diagonal.max() else None
