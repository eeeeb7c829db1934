"""A large, clean file of order lines, written as fast as the disk takes it.

Only what the benchmark of imports and layerings needs: customers with gamma rates and beta dropout
(so a few buy a lot and BG/NBD fits), orders in order of time, about `lines / orders` lines each.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.catalog import PRODUCTS, prices
from tilth.simulate.draws import begin, beta, exponential, gamma, poisson, uniform

__all__ = ["BenchFile", "bench_orders_csv"]

_STREAM, _LINE_STREAM = 40, 41
_HEADER = b"order_id,customer_id,order_time,product,quantity,unit_price\n"
_WIDEST = 96  # bytes of a line, at most
_BLOCK = 500_000


class BenchFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: revenue in minor units, bytes of the file."""

    lines: int
    orders: int
    people: int
    revenue: int
    bytes: int


@njit(cache=True, nogil=True)
def _orders(people: int, seed: int, seconds: int, rate_mean: float, who: Any, at: Any) -> int:
    """Everybody's orders; writes as many as there is room for and returns how many there are."""
    state = np.empty(1, np.uint64)
    n = 0
    for i in range(people):
        begin(state, seed, _STREAM, i)
        # A heavy tail: shape below one.
        rate = gamma(state, 0.7) / 0.7 * rate_mean
        drop = beta(state, 1.0, 6.0)
        first = uniform(state) * seconds * 0.85
        t = first
        while t < seconds:
            if n < who.shape[0]:
                who[n], at[n] = i, np.int64(t)
            n += 1
            if t > first and uniform(state) < drop:
                break
            t += exponential(state) / max(rate, 1e-9) * seconds
    return n


@njit(cache=True, nogil=True)
def _line_counts(who: Any, at: Any, seed: int, mean: float, out: Any) -> int:
    state = np.empty(1, np.uint64)
    total = 0
    for k in range(who.shape[0]):
        begin(state, seed, _LINE_STREAM, np.int64(who[k]) << 32 | at[k])
        out[k] = 1 + poisson(state, mean - 1.0)
        total += out[k]
    return total


@njit(cache=True, nogil=True)
def _number(out: Any, at: int, value: int, width: int) -> int:
    """Decimal digits, at least `width` of them."""
    digits = 1
    power = 10
    while value >= power or digits < width:
        digits += 1
        power *= 10
    for k in range(digits):
        out[at + digits - 1 - k] = 48 + value % 10
        value //= 10
    return at + digits


@njit(cache=True, nogil=True)
def _write(
    low: int, high: int, who: Any, at: Any, lines: Any, seed: int, codes: Any, price: Any, dates: Any, out: Any
) -> tuple[int, int]:
    """The lines of orders `low..high` as text; returns bytes and revenue (minor units)."""
    state = np.empty(1, np.uint64)
    n, revenue = 0, 0
    products = codes.shape[0]
    for k in range(low, high):
        begin(state, seed, _LINE_STREAM + 1, np.int64(who[k]) << 32 | at[k])
        day = at[k] // 86_400
        clock = at[k] - day * 86_400
        for _ in range(lines[k]):
            out[n] = 81  # Q
            n = _number(out, n + 1, k + 1, 9)
            out[n] = 44
            out[n + 1] = 67  # C
            n = _number(out, n + 2, who[k] + 1, 8)
            out[n] = 44
            n += 1
            for c in range(10):
                out[n + c] = dates[day, c]
            out[n + 10] = 32
            n = _number(out, n + 11, clock // 3600, 2)
            out[n] = 58
            n = _number(out, n + 1, clock // 60 % 60, 2)
            out[n] = 58
            n = _number(out, n + 1, clock % 60, 2)
            out[n] = 44
            n += 1
            u = uniform(state)
            product = np.int64(u * u * products)
            for c in range(5):
                out[n + c] = codes[product, c]
            out[n + 5] = 44
            quantity = 1 + min(int(1.3 * exponential(state)), 40)
            n = _number(out, n + 6, quantity, 1)
            out[n] = 44
            n = _number(out, n + 1, price[product] // 100, 1)
            out[n] = 46
            n = _number(out, n + 1, price[product] % 100, 2)
            out[n] = 10
            n += 1
            revenue += quantity * price[product]
    return n, revenue


def bench_orders_csv(
    path: str | Path,
    lines: int = 10_000_000,
    people: int = 1_000_000,
    seed: int = 1,
    *,
    days: int = 730,
    until: dt.date = dt.date(2025, 12, 31),
) -> BenchFile:
    """Write exactly `lines` order lines of exactly `people` customers, by time.

    Columns: order_id, customer_id, order_time (local), product, quantity, unit_price. Needs lines ≥
    people (everybody orders at least once).
    """
    if lines < people or people < 1:
        raise ValueError("there must be at least one line for each of at least one person")
    path, seconds = Path(path), days * 86_400
    rate_mean = _rate_for(lines / people / 4.0, seed, seconds)
    room = int(2.0 * lines / 4.0) + 3 * people + 1000
    who, at = np.empty(room, np.int32), np.empty(room, np.int64)
    count = _orders(people, seed, seconds, rate_mean, who, at)
    if count > room:
        who, at = np.empty(count, np.int32), np.empty(count, np.int64)
        _orders(people, seed, seconds, rate_mean, who, at)
    order = np.argsort(at[:count], kind="stable")
    who, at = who[order], at[order]
    if count > lines:  # too few lines for the orders: keep everybody's first
        who, at = _thinned(who, at, lines)
        count = len(who)
    each = np.empty(count, np.int64)
    total = _line_counts(who, at, seed, max(lines / count, 1.0), each)
    _adjust(each, lines - total)
    first_day = until - dt.timedelta(days=days - 1)
    texts = [(first_day + dt.timedelta(days=d)).isoformat().encode() for d in range(days)]
    dates = np.frombuffer(b"".join(texts), np.uint8).reshape(days, 10)
    codes = np.frombuffer(b"".join(p.code.encode() for p in PRODUCTS), np.uint8).reshape(len(PRODUCTS), 5)
    price = np.ascontiguousarray(prices().reshape(-1))
    ends = np.cumsum(each)
    out = np.empty((_BLOCK + int(each.max())) * _WIDEST, np.uint8)
    revenue = 0
    with path.open("wb") as file:
        file.write(_HEADER)
        low = 0
        while low < count:
            done = int(ends[low - 1]) if low else 0
            high = max(int(np.searchsorted(ends, done + _BLOCK, side="right")), low + 1)
            size, money = _write(low, high, who, at, each, seed, codes, price, dates, out)
            file.write(out[:size].data)
            revenue += money
            low = high
        written = file.tell()
    return BenchFile(lines=lines, orders=count, people=len(np.unique(who)), revenue=revenue, bytes=written)


def _rate_for(orders: float, seed: int, seconds: int) -> float:
    """The mean rate at which people place this many orders on average, as near as dropout allows."""
    none = np.empty(0, np.int32), np.empty(0, np.int64)
    low, high = 0.001, 1000.0
    for _ in range(20):
        middle = float(np.sqrt(low * high))
        placed = _orders(20_000, seed, seconds, middle, *none) / 20_000
        low, high = (middle, high) if placed < orders else (low, middle)
    return low


def _thinned(who: NDArray[Any], at: NDArray[Any], lines: int) -> tuple[NDArray[Any], NDArray[Any]]:
    _, firsts = np.unique(who, return_index=True)
    rest = np.setdiff1d(np.arange(len(who)), firsts)[: lines - len(firsts)]
    kept = np.sort(np.concatenate([firsts, rest]))
    return who[kept], at[kept]


def _adjust(each: NDArray[np.int64], missing: int) -> None:
    """Make the lines add up exactly: one more or one less for orders spread over the whole time."""
    while missing != 0:
        able = np.arange(len(each)) if missing > 0 else np.flatnonzero(each > 1)
        picked = able[np.linspace(0, len(able) - 1, min(abs(missing), len(able))).astype(np.int64)]
        picked = np.unique(picked)
        each[picked] += 1 if missing > 0 else -1
        missing -= len(picked) if missing > 0 else -len(picked)
