"""Reading arrays by address, and growing arrays, inside kernels.

A bucket is a varying number of runs. Numba would compile a kernel again for each number of arrays,
each of them writable or not; addresses keep it at one signature and copy nothing. The caller keeps the arrays alive
and contiguous (`feed.py` is the only one that makes addresses).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["grown", "load_f64", "load_i32", "load_i64", "load_u8", "top_bit"]


def _loader(width: int, result: Any) -> Any:
    def typing(context: Any, address: Any, index: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = ir.IntType(width) if width else ir.DoubleType()
            pointer = builder.inttoptr(args[0], kind.as_pointer())
            return builder.load(builder.gep(pointer, [args[1]]))

        return result(types.int64, types.int64), code

    return typing


load_i64: Any = intrinsic(_loader(64, types.int64))
load_i32: Any = intrinsic(_loader(32, types.int32))
load_f64: Any = intrinsic(_loader(0, types.float64))
load_u8: Any = intrinsic(_loader(8, types.uint8))


def _top_bit(context: Any, bits: Any) -> Any:
    """The number of the highest bit that is set; bits must not be 0."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        zeros = builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(word, 63), zeros)

    return types.int64(types.int64), code


top_bit: Any = intrinsic(_top_bit)


@njit(cache=True, nogil=True)
def grown(values: Any, size: int) -> Any:
    """A copy of a 1-d array with room for at least `size` values, at least doubled."""
    larger = np.empty(max(size, 2 * len(values)), values.dtype)
    larger[: len(values)] = values
    return larger
