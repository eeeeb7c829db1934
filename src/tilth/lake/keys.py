"""De-duplication keys as numbers: a 64-bit hash of (source, event_id), to find the few rows worth comparing.

A hash only narrows the search; whether two rows are twins is decided on the text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.compiled import njit

__all__ = ["hashes", "twin_key", "twin_keys"]


def twin_key(source: str | None, event_id: str) -> str:
    """The text two rows share when one is a repetition of the other."""
    return f"{source or ''}\x1f{event_id}"


def twin_keys(source: pa.ChunkedArray | pa.Array, event_id: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """`twin_key` of whole columns."""
    return pc.binary_join_element_wise(pc.fill_null(source.cast(pa.string()), ""), event_id.cast(pa.string()), "\x1f")


@njit(cache=True, nogil=True)
def _hash_all(data, ends, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        h = np.uint64(14695981039346656037)
        for at in range(ends[i], ends[i + 1]):
            h = (h ^ np.uint64(data[at])) * np.uint64(1099511628211)
        h ^= h >> np.uint64(32)
        h *= np.uint64(0xD6E8FEB86659FD93)
        out[i] = h ^ (h >> np.uint64(32))


def hashes(texts: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.uint64]:
    """uint64[n], one a text (no nulls)."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
        if isinstance(texts, pa.ChunkedArray):
            texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string())
    texts = texts.cast(pa.large_string())
    out = np.empty(len(texts), np.uint64)
    if len(texts):
        _, ends, data = texts.buffers()
        offsets = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        payload = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
        _hash_all(payload, offsets, out)
    return out
