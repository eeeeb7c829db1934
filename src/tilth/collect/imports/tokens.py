"""Cutting a block of delimited text into cells: byte ranges, no copies.

RFC 4180 with the liberties real files take: CR, LF or CRLF; quotes that begin a cell but never end it
(they are then text); text after a closing quote; blank lines. A record that is not whole at the end of
the block is left for the next one.
"""

from __future__ import annotations

import numpy as np

from tilth.compiled import njit

__all__ = ["FEW", "MANY", "WHOLE", "collapse_blanks", "tokenize"]

# What is wrong with a record's width.
WHOLE, FEW, MANY = 0, 1, 2
_MAX_LINES_IN_CELL = 500


@njit(cache=True, nogil=True)
def tokenize(data, size, final, delimiter, newline, width, slots, starts, ends, records, shape, extra):  # type: ignore[no-untyped-def]
    """Cut data[0:size] into records.

    slots[c]: where to put column c's ranges, or -1. starts, ends: [slots, capacity]. records: where each
    record begins (and one more). shape: WHOLE, FEW or MANY. extra: where unescaped text may be put in
    data. Returns (records, bytes consumed, next free byte for unescaped text).
    """
    capacity = len(shape)
    n = 0
    at = 0
    n_slots = starts.shape[0]
    while at < size and n < capacity:
        # Blank lines are not records.
        if data[at] == newline:
            at += 1
            continue
        if data[at] == 13 and at + 1 < size and data[at + 1] == newline:
            at += 2
            continue
        begin = at
        for s in range(n_slots):
            starts[s, n] = 0
            ends[s, n] = 0
        column = 0
        surplus = False
        whole = False
        while True:
            start = at
            stop = -1
            if at < size and data[at] == 34:
                # A quoted cell: to its closing quote, or else a plain one that happens to begin with a quote.
                j = at + 1
                doubled, lines = False, 0
                closed = -1
                while j < size:
                    c = data[j]
                    if c == 34:
                        if j + 1 < size and data[j + 1] == 34:
                            doubled = True
                            j += 2
                            continue
                        if j + 1 >= size and not final:
                            break  # the next block may double it
                        closed = j
                        break
                    if c == newline:
                        lines += 1
                        if lines > _MAX_LINES_IN_CELL:
                            break
                    j += 1
                if closed >= 0:
                    j = closed + 1
                    if j >= size or data[j] == delimiter or data[j] == newline or data[j] == 13:
                        start, stop = at + 1, closed
                        if doubled:
                            place = extra
                            k = start
                            while k < closed:
                                data[extra] = data[k]
                                extra += 1
                                k += 2 if data[k] == 34 else 1
                            start, stop = place, extra
                        at = j
                        if at < size and data[at] == 13 and (at + 1 < size or final):
                            at += 1
                elif lines <= _MAX_LINES_IN_CELL and not final:
                    return n, begin, extra
            if stop < 0:
                while at < size and data[at] != delimiter and data[at] != newline:
                    at += 1
                stop = at
                if stop > start and data[stop - 1] == 13 and (at >= size or data[at] == newline):
                    stop -= 1
            if at >= size and not final:
                return n, begin, extra
            if column < width:
                s = slots[column]
                if s >= 0:
                    starts[s, n] = start
                    ends[s, n] = stop
            elif stop > start:
                surplus = True
            column += 1
            if at >= size or data[at] == newline:
                whole = True
                at += 1
                break
            at += 1
        if whole:
            records[n] = begin
            shape[n] = MANY if surplus else FEW if column < width else WHOLE
            n += 1
    return n, min(at, size), extra


@njit(cache=True, nogil=True)
def collapse_blanks(data, size, out, newline):  # type: ignore[no-untyped-def]
    """Rewrite blank-separated text with one tab between cells and none around them; same lines. Returns its size."""
    n = 0
    gap = False
    started = False
    for i in range(size):
        c = data[i]
        if c == newline:
            out[n] = c
            n += 1
            gap, started = False, False
        elif c == 32 or c == 9 or c == 13:
            gap = True
        else:
            if gap and started:
                out[n] = 9
                n += 1
            out[n] = c
            n += 1
            gap, started = False, True
    return n


@njit(cache=True, nogil=True)
def count_byte(data, start, end, byte):  # type: ignore[no-untyped-def]
    count = 0
    for i in range(start, end):
        count += data[i] == byte
    return count


@njit(cache=True, nogil=True)
def any_high(data, start, end):  # type: ignore[no-untyped-def]
    """Whether any byte is not ASCII."""
    seen = np.uint8(0)
    for i in range(start, end):
        seen |= data[i]
    return seen >= 128
