"""One reading of characters for numbers and dates: full-width forms and Chinese date words as plain codes.

Kernels read UTF-8 bytes. `symbol` turns what stands at a position into one code: ASCII stays itself,
full-width digits and signs become their ASCII twins, a few characters get codes of their own (below),
everything else is OTHER.
"""

from __future__ import annotations

from tilth.compiled import njit

__all__ = ["AFTERNOON", "DAY", "EURO", "HOUR", "MINUTE", "MONTH", "MORNING", "OTHER", "POUND", "RUPEE", "SECOND",
           "SKIPPED", "WON", "YEAR", "YEN", "symbol"]  # fmt: skip

YEN, EURO, POUND, WON, RUPEE = 130, 131, 132, 133, 134
YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = 140, 141, 142, 143, 144, 145
MORNING, AFTERNOON, SKIPPED = 146, 147, 148
OTHER = 255

_SPACE, _MINUS = 32, 45


@njit(cache=True, nogil=True)
def _three(a, b, c):  # type: ignore[no-untyped-def]
    """Code of a three-byte character, or OTHER."""
    if a == 0xEF and b == 0xBC and c >= 0x81:  # U+FF01.. full-width ASCII, first half
        return c - 0x81 + 0x21
    if a == 0xEF and b == 0xBD and c <= 0x9E:  # second half
        return c - 0x80 + 0x60
    if a == 0xEF and b == 0xBF:
        return YEN if c == 0xA5 else POUND if c == 0xA1 else WON if c == 0xA6 else OTHER
    if a == 0xE3 and b == 0x80 and c == 0x80:
        return _SPACE
    if a == 0xE2:
        if b == 0x82:
            return EURO if c == 0xAC else WON if c == 0xA9 else RUPEE if c == 0xB9 else OTHER
        if b == 0x88 and c == 0x92:
            return _MINUS
        if b == 0x80:
            return _SPACE if (0x80 <= c <= 0x8B or c == 0xAF) else 39 if c == 0x99 else OTHER
        return OTHER
    if a == 0xE5:
        if b == 0xB9 and c == 0xB4:
            return YEAR
        if b == 0x8F and c == 0xB7:
            return DAY
        if b == 0x88 and c == 0x86:
            return MINUTE
        if (b == 0x85 and c == 0x83) or (b == 0x9C and c == 0x86) or (b == 0x86 and c == 0x86):
            return YEN
        return OTHER
    if a == 0xE6:
        if b == 0x9C and c == 0x88:
            return MONTH
        if b == 0x97 and c == 0xA5:
            return DAY
        if b == 0x97 and c == 0xB6:
            return HOUR
        if b == 0x99 and c == 0x82:  # traditional form of the hour
            return HOUR
        return OTHER
    if a == 0xE7:
        if b == 0x82 and c == 0xB9:
            return HOUR
        if b == 0xA7 and c == 0x92:
            return SECOND
    return OTHER


@njit(cache=True, nogil=True)
def symbol(data, at, end):  # type: ignore[no-untyped-def]
    """(code, bytes taken) of the character at `at`; the range must not be empty."""
    a = data[at]
    if a < 0x80:
        return (_SPACE if a == 9 else int(a)), 1
    if at + 1 >= end:
        return OTHER, 1
    b = data[at + 1]
    if a < 0xE0:
        if a == 0xC2:
            if b == 0xA0:
                return _SPACE, 2
            if b == 0xA5:
                return YEN, 2
            if b == 0xA3:
                return POUND, 2
        return OTHER, 2
    if at + 2 >= end:
        return OTHER, 1
    c = data[at + 2]
    if at + 5 < end:
        d, e, f = data[at + 3], data[at + 4], data[at + 5]
        if a == 0xE4 and b == 0xB8 and d == 0xE5 and e == 0x8D and f == 0x88:
            if c == 0x8A:
                return MORNING, 6
            if c == 0x8B:
                return AFTERNOON, 6
        if a == 0xE6 and b == 0x98 and c == 0x9F and d == 0xE6 and e == 0x9C and f == 0x9F and at + 8 < end:
            return SKIPPED, 9  # 星期五
        if a == 0xE5 and b == 0x91 and c == 0xA8:
            return SKIPPED, 6  # 周五
    if a >= 0xF0:
        return OTHER, 4 if at + 3 < end else 1
    return _three(a, b, c), 3
