"""Numbers as people write them, read exactly: `¥1,234.50`, `(12.00)`, `１２．５`, `1.234,56`, `1e3`.

A number is an integer mantissa and a decimal scale, never a binary float, so money adds up to the
cent. Rounding to the minor unit is half away from zero, as on an invoice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilth.collect.imports.spans import Spans
from tilth.collect.imports.symbols import EURO, POUND, RUPEE, WON, YEN, symbol
from tilth.compiled import njit

__all__ = ["BAD", "EMPTY", "OK", "Decimals", "decimal_text", "multiply_to_minor", "parse_decimals", "to_scaled"]

OK, EMPTY, BAD = 0, 1, 2
_DOLLAR = 36
_LIMIT = 922337203685477579  # (2^63 - 10) / 10: one more digit always fits below this


@dataclass(frozen=True)
class Decimals:
    """value i = mantissa[i] * 10^-scale[i] where status[i] == OK (EMPTY: nothing there, BAD: not a number).

    currency[i]: 0 for none, a sign's code (`symbols`), 36 for a dollar, or three letters packed big-endian.
    """

    mantissa: npt.NDArray[np.int64]
    scale: npt.NDArray[np.int8]
    status: npt.NDArray[np.uint8]
    currency: npt.NDArray[np.int32]


@njit(cache=True, nogil=True)
def _parse_one(data, at, end, comma):  # type: ignore[no-untyped-def]
    """(mantissa, scale, status, currency) of one range; comma: the decimal mark is a comma."""
    mantissa, scale, exponent = 0, 0, 0
    currency = 0
    negative, bracket, closed, seen, done, point = False, False, False, False, False, False
    signed = False
    group, groups = 0, 0  # digits since the last separator; separators so far
    blank = True
    digits = 0
    mark, other = (44, 46) if comma else (46, 44)
    while at < end:
        code, width = symbol(data, at, end)
        if code == 32:
            # A blank groups thousands only between digits; elsewhere it is padding.
            inside = False
            if seen and not done and not point and at + width < end:
                following, _ = symbol(data, at + width, end)
                inside = 48 <= following <= 57
            if not inside:
                at += width
                if seen:
                    done = True
                continue
            code = other
        blank = False
        if 48 <= code <= 57:
            if done:
                return 0, 0, BAD, 0
            seen = True
            group += 1
            digit = code - 48
            if mantissa < _LIMIT and digits < 18:
                mantissa = mantissa * 10 + digit
                if mantissa != 0:
                    digits += 1
                if point:
                    scale += 1
            elif not point:
                return 0, 0, BAD, 0
            at += width
            continue
        if code == mark and not done and not point:
            if groups and group != 3:
                return 0, 0, BAD, 0
            point = True
            group = 0
            at += width
            continue
        if (code == other or code == 39) and seen and not done and not point:
            if group == 0 or group > 3 or (groups and group < 2):
                return 0, 0, BAD, 0
            groups += 1
            group = 0
            at += width
            continue
        if (code == 101 or code == 69) and seen and not done:  # exponent
            at += width
            sign = 1
            if at < end and (data[at] == 45 or data[at] == 43):
                sign = -1 if data[at] == 45 else 1
                at += 1
            value, some = 0, False
            while at < end and 48 <= data[at] <= 57:
                value = min(value * 10 + (data[at] - 48), 1000)
                some = True
                at += 1
            if not some:
                return 0, 0, BAD, 0
            exponent = sign * value
            done = True
            continue
        if code == 45 or code == 43:
            if signed or (seen and bracket):
                return 0, 0, BAD, 0
            signed = True
            negative = code == 45
            if seen:
                done = True
            at += width
            continue
        if code == 40 and not seen and not bracket:
            bracket = True
            at += width
            continue
        if code == 41 and seen and bracket and not closed:
            closed = True
            done = True
            at += width
            continue
        if code in (_DOLLAR, YEN, EURO, POUND, WON, RUPEE):
            # `US$` keeps the letters' meaning out: the sign is enough to know it is dollars of some kind.
            if currency > 255 and code == _DOLLAR:
                currency = 0
            if currency != 0 and currency != code:
                return 0, 0, BAD, 0
            currency = code
            if seen:
                done = True
            at += width
            continue
        if (65 <= code <= 90) or (97 <= code <= 122):
            packed, length = 0, 0
            while at < end:
                letter, taken = symbol(data, at, end)
                if 97 <= letter <= 122:
                    letter -= 32
                if not 65 <= letter <= 90:
                    break
                packed = packed * 256 + letter
                length += 1
                if length > 3:
                    return 0, 0, BAD, 0
                at += taken
            dollar = length < 3 and at < end and data[at] == _DOLLAR  # HK$, NT$, A$
            if not dollar and length != 3:
                return 0, 0, BAD, 0
            if not dollar:
                if currency != 0:
                    return 0, 0, BAD, 0
                currency = packed
            if seen:
                done = True
            continue
        return 0, 0, BAD, 0
    if blank:
        return 0, 0, EMPTY, 0
    if not seen or (bracket and not closed) or (groups and not point and group != 3):
        return 0, 0, BAD, 0
    scale -= exponent
    while scale < 0:
        if mantissa >= _LIMIT:
            return 0, 0, BAD, 0
        mantissa *= 10
        scale += 1
        if mantissa == 0:
            scale = 0
    if scale > 100:
        mantissa, scale = 0, 0
    if negative or bracket:
        mantissa = -mantissa
    return mantissa, scale, OK, currency


@njit(cache=True, nogil=True)
def _parse(data, starts, ends, comma, mantissa, scale, status, currency):  # type: ignore[no-untyped-def]
    for i in range(len(starts)):
        at, end = starts[i], ends[i]
        # The usual case first: plain ASCII digits with at most one point.
        value, places, point, plain = 0, 0, False, end - at <= 17 and end > at and not comma
        j = at
        negative = False
        if plain and data[j] == 45:
            negative = True
            j += 1
            plain = j < end
        while plain and j < end:
            c = data[j]
            if 48 <= c <= 57:
                value = value * 10 + (c - 48)
                places += point
            elif c == 46 and not point and j > at + negative and j + 1 < end:
                point = True
            else:
                plain = False
            j += 1
        if plain:
            mantissa[i] = -value if negative else value
            scale[i] = places
            status[i] = OK
            currency[i] = 0
            continue
        mantissa[i], scale[i], status[i], currency[i] = _parse_one(data, at, end, comma)


@njit(cache=True, nogil=True)
def _shift(value, scale, digits):  # type: ignore[no-untyped-def]
    """(value * 10^-scale) in units of 10^-digits, half away from zero, and whether it fits."""
    drop = scale - digits
    if drop <= 0:
        for _ in range(-drop):
            if value > _LIMIT or value < -_LIMIT:
                return 0, False
            value *= 10
        return value, True
    if drop > 18:
        return 0, True
    power = 1
    for _ in range(drop):
        power *= 10
    magnitude = abs(value)
    whole = magnitude // power
    if (magnitude - whole * power) * 2 >= power:
        whole += 1
    return (whole if value >= 0 else -whole), True


@njit(cache=True, nogil=True)
def _to_scaled(mantissa, scale, status, digits, out, good):  # type: ignore[no-untyped-def]
    for i in range(len(mantissa)):
        if status[i] == OK:
            out[i], good[i] = _shift(mantissa[i], np.int64(scale[i]), digits)
        else:
            out[i], good[i] = 0, False


@njit(cache=True, nogil=True)
def _multiply(am, ascale, bm, bscale, both, digits, out, good):  # type: ignore[no-untyped-def]
    for i in range(len(am)):
        good[i] = False
        out[i] = 0
        if not both[i]:
            continue
        a, b = am[i], bm[i]
        sa, sb = np.int64(ascale[i]), np.int64(bscale[i])
        while sa > 0 and a % 10 == 0:
            a //= 10
            sa -= 1
        while sb > 0 and b % 10 == 0:
            b //= 10
            sb -= 1
        if abs(float(a) * float(b)) < 9.0e18:
            out[i], good[i] = _shift(a * b, sa + sb, digits)


def parse_decimals(column: Spans, comma: bool = False) -> Decimals:
    """Read a column of numbers; comma: `1.234,56` rather than `1,234.56`."""
    n = len(column)
    result = Decimals(np.empty(n, np.int64), np.empty(n, np.int8), np.empty(n, np.uint8), np.empty(n, np.int32))
    _parse(
        column.data, column.starts, column.ends, comma, result.mantissa, result.scale, result.status, result.currency
    )
    return result


def to_scaled(numbers: Decimals, digits: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Numbers in units of 10^-digits, rounded half away from zero, and which of them fit and were numbers."""
    out = np.empty(len(numbers.mantissa), np.int64)
    good = np.empty(len(out), np.bool_)
    _to_scaled(numbers.mantissa, numbers.scale, numbers.status, digits, out, good)
    return out, good


def multiply_to_minor(a: Decimals, b: Decimals, digits: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """a * b in units of 10^-digits, exact and rounded once. False where a factor is missing or it overflows."""
    both = (a.status == OK) & (b.status == OK)
    out = np.empty(len(a.mantissa), np.int64)
    good = np.empty(len(out), np.bool_)
    _multiply(a.mantissa, a.scale, b.mantissa, b.scale, both, digits, out, good)
    return out, good


def decimal_text(minor: int, digits: int) -> str:
    """Minor units as decimal text: 123450, 2 -> `1234.50`."""
    sign, size = ("-" if minor < 0 else ""), abs(minor)
    if digits == 0:
        return f"{sign}{size}"
    return f"{sign}{size // 10**digits}.{size % 10**digits:0{digits}d}"
