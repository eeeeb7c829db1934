"""The contract of a purchase model, and the parts all of them share.

A purchase model describes how often people buy and when they silently stop. It sees of a person only
(x, tx, T): x repeat transactions, the last of them tx after the first transaction, watched for T.
Times are whole days; parameters are in the time unit of the question (`unit_days` days).

People with the same (x, tx, T) are the same to the model, so all work is done once per distinct
triple. What the future holds for somebody who is still active depends on (x, T) alone: such a pair is
called a cell, and there are far fewer cells than triples.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.clv.distinct import distinct

__all__ = [
    "DAYS_PER_UNIT",
    "Estimate",
    "FutureCounts",
    "PurchaseModel",
    "Triples",
    "chunks",
    "each_chunk",
    "positive_parameters",
    "worker_threads",
]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Part = TypeVar("Part")

# A month is the mean month of the Julian year, so that a fractional month means the same all year.
DAYS_PER_UNIT = {"day": 1.0, "week": 7.0, "month": 30.4375}

# Rows per piece of work, where a row takes some ten nanoseconds. Fixed, so that sums come out the same on
# any number of processors.
CHUNK = 65_536
# People in a sample that a search for the maximum starts on.
SAMPLE = 25_000


@dataclass(frozen=True, kw_only=True)
class Triples:
    """The distinct (x, tx, T) of a group of people, sorted by (x, T, tx).

    x: int64[k] repeat transactions. tx, T: int64[k] days. people: int64[k] how many share the
    triple. person: int64[n] the triple of each person, in the order given. unit_days: days in one time
    unit. cell: int64[k] the cell (x, T) of each triple; cell_x, cell_end: int64[c] the x and T of each cell;
    cell_start: int64[c + 1], the triples of cell i are those from cell_start[i] up to cell_start[i + 1].
    last: int64[k] the distinct (x, tx) of each triple; last_x, last_days: int64[l] their x and tx.
    """

    x: Int64
    tx: Int64
    T: Int64
    people: Int64
    person: Int64
    unit_days: float
    cell: Int64
    cell_x: Int64
    cell_end: Int64
    cell_start: Int64
    last: Int64
    last_x: Int64
    last_days: Int64

    @classmethod
    def of(cls, x: Int64, tx: Int64, T: Int64, unit_days: float) -> Triples:
        """De-duplicate the people's (x, tx, T): int64[n] each, times in days.

        Raises `InvalidInput` where there is nobody or where a person's numbers contradict each other.
        """
        x, tx, T = (np.ascontiguousarray(v, dtype=np.int64) for v in (x, tx, T))
        if not len(x) == len(tx) == len(T):
            raise InvalidInput("history", "x, tx and T must have one value a person")
        if len(x) == 0:
            raise InvalidInput("history", "there is nobody with a purchase in the calibration period")
        if not np.isfinite(unit_days) or unit_days <= 0:
            raise InvalidInput("time_unit", "must last longer than no time")
        wrong = (x < 0) | (tx < 0) | (tx > T) | ((x == 0) != (tx == 0))
        if wrong.any():
            raise InvalidInput("history", f"{int(wrong.sum())} people have a last purchase outside the time watched")
        days = int(T.max()) + 1
        if (int(x.max()) + 1) * days * days >= 2**62:
            raise InvalidInput("history", f"a history of {days} days with {int(x.max())} purchases is too long")
        keys, person, people = distinct((x * days + T) * days + tx)
        # Keys are in order, so each cell's triples are neighbours.
        of_cell = keys // days
        start = np.flatnonzero(np.diff(of_cell, prepend=-1))
        cells, sizes = of_cell[start], np.diff(start, append=len(keys))
        kept_x, kept_tx = keys // (days * days), keys % days
        lasts, last, _ = distinct(kept_x * days + kept_tx)
        return cls(
            x=kept_x,
            tx=kept_tx,
            T=keys // days % days,
            people=people,
            person=person,
            unit_days=float(unit_days),
            cell=np.repeat(np.arange(len(cells)), sizes),
            cell_x=cells // days,
            cell_end=cells % days,
            cell_start=np.append(start, len(keys)),
            last=last,
            last_x=lasts // days,
            last_days=lasts % days,
        )

    @property
    def population(self) -> float:
        """How many people there are."""
        return float(self.people.sum())

    @property
    def mean_watched(self) -> float:
        """The mean T in time units, at least one day: the natural scale of the rate parameters."""
        return max(float(self.people @ self.T) / self.population, 1.0) / self.unit_days

    def sample(self) -> Triples | None:
        """About 25,000 of the people, evenly taken; None where there are too few for that to save work."""
        every = len(self.person) // SAMPLE
        if every < 4:
            return None
        some = self.person[::every]
        part = Triples.of(self.x[some], self.tx[some], self.T[some], self.unit_days)
        return part if int(part.x.max()) > 0 else None

    def people_by_x(self) -> Float64:
        """float64[max x + 1]: how many people have each number of repeat transactions."""
        return np.asarray(np.bincount(self.x, weights=self.people), dtype=np.float64)


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Maximum-likelihood estimates.

    values: by parameter name, all positive. standard_errors: from the curvature at the maximum; None
    where the data does not tell. log_likelihood: at the estimates, natural logarithm, summed over people.
    converged: a proper interior maximum was found. at_limit: parameters that ran to the edge of the
    permitted range (the data favours an extreme case of the model). weak: parameters known to less than
    a factor of e. evaluations: how often the likelihood was computed.
    """

    values: dict[str, float]
    standard_errors: dict[str, float | None]
    log_likelihood: float
    converged: bool
    at_limit: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    evaluations: int = 0


@dataclass(frozen=True, kw_only=True)
class FutureCounts:
    """The distribution of the number of purchases in the horizon given that a person is active now.

    One row a cell. mean: float64[c]. start: int64[c + 1] and more: float64[·]: `more[start[i] + k]` is
    P(N > k) for k = 0, 1, … up to the first k where it is at most the probability asked for.
    """

    mean: Float64
    start: Int64
    more: Float64


@dataclass(frozen=True, kw_only=True)
class PurchaseModel:
    """One purchase model: its name, its parameters in the paper's order, and what it can do.

    fit(triples) gives the `Estimate`. p_alive(triples, values) gives float64[k], the probability that
    each triple's people are still active at T. future(values, x, T, unit_days, horizon, least) gives
    the `FutureCounts` of the cells (x, T) over `horizon` time units, with P(N > k) down to `least`.
    """

    name: str
    parameters: tuple[str, ...]
    fit: Callable[[Triples], Estimate]
    p_alive: Callable[[Triples, dict[str, float]], Float64]
    future: Callable[[dict[str, float], Int64, Int64, float, float, float], FutureCounts]


def positive_parameters(values: dict[str, float], names: Sequence[str]) -> list[float]:
    """The parameters in order; `InvalidInput` where one is missing, not finite or not positive."""
    chosen = []
    for name in names:
        value = values.get(name)
        if value is None or not np.isfinite(value) or value <= 0:
            raise InvalidInput(f"parameters.{name}", "must be a positive number")
        chosen.append(float(value))
    return chosen


@contextmanager
def worker_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for kernels that release the GIL, one a processor; gone when the block ends."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(max_workers=processors) as pool:
        yield pool


def chunks(rows: int, size: int = CHUNK) -> list[tuple[int, int]]:
    """(low, high) of consecutive slices of at most `size` of the `rows`."""
    return [(low, min(low + size, rows)) for low in range(0, rows, size)]


def each_chunk(pool: ThreadPoolExecutor, pieces: list[tuple[int, int]], work: Callable[[int, int], Part]) -> list[Part]:
    """`work(low, high)` for every piece, in parallel; results in order."""
    if len(pieces) == 1:
        return [work(*pieces[0])]
    return list(pool.map(lambda piece: work(*piece), pieces))
