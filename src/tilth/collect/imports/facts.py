"""What the values of a column look like: the evidence that recognition weighs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilth.collect.imports import decimals, instants
from tilth.collect.imports.hashing import CodeTable, hash_column
from tilth.collect.imports.spans import Spans

__all__ = ["ColumnFacts", "column_facts", "determines"]

_PHONE = re.compile(r"(\+?\d{1,3}[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|\+\d{7,15}|\d{3}-\d{3}-\d{4}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?")


@dataclass(frozen=True)
class ColumnFacts:
    """Shares are of the filled values. distinct: different filled values. codes: a number per value (-1: empty).

    numbers, whole, negative, fractions, dates, stamps (digits-only dates), phones, emails, clocks, letters:
    shares. lead_zero: some whole number begins with a zero. comma: numbers read better with a decimal comma.
    orders: date orders every doubtful date can be read in (0: none is doubtful). differ: how many dates
    depend on it. only: dates that can be read in one order only, per order.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    numbers: float
    whole: float
    negative: float
    fractions: float
    dates: float
    stamps: float
    phones: float
    emails: float
    clocks: float
    letters: float
    lead_zero: bool
    comma: bool
    orders: int
    differ: int
    only: dict[str, int]
    largest: float
    codes: npt.NDArray[np.int32]
    samples: list[str]
    currencies: dict[int, int]
    top: list[tuple[str, int]]


def column_facts(name: str, column: Spans, timezone: str) -> ColumnFacts:
    """The facts of a sample of a column."""
    column = column.trimmed()
    n = len(column)
    filled = column.lengths() > 0
    count = int(filled.sum())
    share = max(count, 1)
    with_point = decimals.parse_decimals(column)
    with_comma = decimals.parse_decimals(column, comma=True)
    good_point, good_comma = (int((d.status == decimals.OK).sum()) for d in (with_point, with_comma))
    # `1,50` is bad with a point, `1.50` with a comma; where both read all, the point is the usual one.
    comma = good_comma > good_point
    numbers = with_comma if comma else with_point
    is_number = numbers.status == decimals.OK
    high, low = hash_column(column)
    codes, first = CodeTable(n).codes(high, low, filled)
    parsed = instants.parse_instants(column, timezone)
    is_date = parsed.status == instants.OK
    digits = _digits_only(column)
    doubtful = parsed.orders[is_date & (parsed.orders > 0)]
    values = numbers.mantissa.astype(np.float64) / np.power(10.0, numbers.scale.astype(np.float64))
    texts = [column.value(int(i)) for i in first[:400]]
    whole = is_number & (values == np.floor(values))
    counted = Counter(codes[filled].tolist()).most_common(50)
    return ColumnFacts(
        name=name,
        rows=n,
        filled=count,
        distinct=len(first),
        numbers=float(is_number.sum()) / share,
        whole=float(whole.sum()) / share,
        negative=float((is_number & (numbers.mantissa < 0)).sum()) / share,
        fractions=float((is_number & ~whole).sum()) / share,
        dates=float(is_date.sum()) / share,
        stamps=float((is_date & digits).sum()) / share,
        phones=_share(_PHONE, texts),
        emails=_share(_EMAIL, texts),
        clocks=_share(_CLOCK, texts),
        letters=sum(1 for t in texts if any(c.isalpha() for c in t)) / max(len(texts), 1),
        lead_zero=any(len(t) > 1 and t[0] == "0" and t.isdigit() for t in texts),
        comma=comma,
        orders=int(np.bitwise_and.reduce(doubtful)) if len(doubtful) else 0,
        differ=int(parsed.differs.sum()),
        only={k: int((doubtful == bit).sum()) for k, bit in instants.ORDERS.items()},
        largest=float(np.abs(values[is_number]).max()) if is_number.any() else 0.0,
        codes=codes,
        samples=list(dict.fromkeys(texts))[:5],
        currencies=dict(Counter(int(c) for c in numbers.currency[is_number & (numbers.currency != 0)])),
        top=[(column.value(int(first[c])), times) for c, times in counted],
    )


def _digits_only(column: Spans) -> npt.NDArray[np.bool_]:
    """Values without a separator: numbers that may also be dates."""
    return np.array(
        [bool(re.fullmatch(r"\d+(\.\d+)?", column.value(i))) for i in range(len(column))], np.bool_
    )  # fmt: skip


def _share(pattern: re.Pattern[str], texts: list[str]) -> float:
    return sum(1 for t in texts if pattern.fullmatch(t)) / max(len(texts), 1)


def determines(a: ColumnFacts, b: ColumnFacts) -> bool:
    """Whether each value of `a` goes with one value of `b` (in all but 1 % of values)."""
    both = (a.codes >= 0) & (b.codes >= 0)
    if not both.any():
        return False
    pairs = np.unique(a.codes[both].astype(np.int64) << 32 | b.codes[both])
    values = len(np.unique(a.codes[both]))
    return len(pairs) - values <= 0.01 * values
