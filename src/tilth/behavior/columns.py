"""Columns of a strand: promoted ones as they are, and properties taken out of the JSON columns.

A JSON property may be a number in one event and a text in the next, so it is two arrays: numbers
(NaN where it is none) and codes into distinct other values (-1 where it is a number or missing).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.lake import NULL_INT

__all__ = ["Column", "concatenated", "extract", "json_column_names", "property_keys", "taken"]

_EXACT = 2**53
_MISSING = object()


@dataclass(frozen=True)
class Column:
    """Values of one property for the rows of a strand.

    codes: int32[n] into `words` (distinct values that are no numbers: text, True, False, lists,
    objects), -1 otherwise; None when there are no such values. numbers: float64[n], NaN where it is
    no number; None when there are none. scale: numbers are stored as so many units of 1 (money in
    minor units has 10 or 100 or 1000), and they are whole.
    """

    size: int
    codes: npt.NDArray[np.int32] | None
    words: list[Any]
    numbers: npt.NDArray[np.float64] | None
    scale: int = 1

    @property
    def empty(self) -> bool:
        """True when no row has a value."""
        return (self.codes is None or not bool((self.codes >= 0).any())) and (
            self.numbers is None or bool(np.isnan(self.numbers).all())
        )


def promoted(values: npt.NDArray[Any], words: list[str] | None, scale: int = 1) -> Column:
    """A column of the event table as `lake.Run` holds it."""
    if words is not None:
        return Column(len(values), values.astype(np.int32, copy=False), words, None)
    numbers = values.astype(np.float64)
    if values.dtype == np.int64:
        numbers[values == NULL_INT] = np.nan
    return Column(len(values), None, [], numbers, scale)


def taken(column: Column, order: npt.NDArray[np.int64]) -> Column:
    """The column with its rows in another order."""
    return Column(
        len(order),
        None if column.codes is None else column.codes[order],
        column.words,
        None if column.numbers is None else column.numbers[order],
        column.scale,
    )


def concatenated(columns: list[Column]) -> Column:
    """Columns of consecutive parts as one, with common words."""
    words: list[Any] = []
    known: dict[bytes, int] = {}
    codes: list[npt.NDArray[np.int32]] = []
    numbers: list[npt.NDArray[np.float64]] = []
    for column in columns:
        if column.codes is None:
            codes.append(np.full(column.size, -1, np.int32))
        else:
            mapping = np.empty(len(column.words) + 1, np.int32)
            mapping[-1] = -1
            for i, word in enumerate(column.words):
                key = word.encode() if isinstance(word, str) else b"\0" + msgspec.json.encode(word)
                code = known.get(key)
                if code is None:
                    code = known[key] = len(words)
                    words.append(word)
                mapping[i] = code
            codes.append(mapping[column.codes])
        numbers.append(np.full(column.size, np.nan) if column.numbers is None else column.numbers)
    return Column(
        sum(c.size for c in columns),
        np.concatenate(codes) if any(c.codes is not None for c in columns) else None,
        words,
        np.concatenate(numbers) if any(c.numbers is not None for c in columns) else None,
        columns[0].scale if columns else 1,
    )


def json_column_names(scope: str, key: str) -> tuple[str, str]:
    """Names under which a property's two arrays are kept in the sequence cache."""
    token = hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest()[:24]
    return f"{scope}-{token}", f"{scope}-{token}-n"


def extract(column: pa.ChunkedArray, key: str) -> pa.Table:
    """The values of `key` in a column of JSON objects, as the table the sequence cache keeps.

    Two columns, `words` (dictionary of JSON texts) and `numbers`. A key with dots is looked for as
    it is, then as a path into objects.
    """
    coded = pc.dictionary_encode(column.cast(pa.string())) if not pa.types.is_dictionary(column.type) else column
    coded = coded.unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0) if coded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    rows = pc.fill_null(coded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    texts = coded.dictionary.to_pylist()
    codes = np.full(len(texts) + 1, -1, np.int32)
    numbers = np.full(len(texts) + 1, np.nan)
    words: dict[bytes, int] = {}
    read = _reader(key)
    for i, text in enumerate(texts):
        value = read(text)
        if value is _MISSING or value is None:
            continue
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _EXACT:
            numbers[i] = value
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # a number this long is an id; a float would round it
        codes[i] = words.setdefault(msgspec.json.encode(value), len(words))
    held = pa.array(codes[rows], pa.int32(), mask=codes[rows] < 0)
    names = pa.array([w.decode() for w in words], pa.string())
    return pa.table(
        {"words": pa.DictionaryArray.from_arrays(held, names), "numbers": pa.array(numbers[rows], pa.float64())}
    )


def _reader(key: str) -> Any:
    """A function JSON text -> the value of key, or _MISSING. Only what is asked for is built."""
    parts = key.split(".")
    field = msgspec.defstruct("One", [("value", Any, msgspec.field(name=key, default=_MISSING))])
    decode = msgspec.json.Decoder(field).decode
    if len(parts) == 1:

        def read(text: str | None) -> Any:
            return _MISSING if not text else _attempt(decode, text)

        return read
    path = msgspec.json.Decoder(dict[str, Any]).decode

    def walk(text: str | None) -> Any:
        if not text:
            return _MISSING
        value = _attempt(decode, text)
        if value is not _MISSING or parts[0] not in text:
            return value
        try:
            node: Any = path(text)
        except (msgspec.DecodeError, RecursionError):
            return _MISSING
        for part in parts:
            if not isinstance(node, dict) or part not in node:
                return _MISSING
            node = node[part]
        return node

    return walk


def _attempt(decode: Any, text: str) -> Any:
    try:
        return decode(text).value
    except (msgspec.DecodeError, RecursionError):
        # A row another program wrote that is no JSON object has no properties.
        return _MISSING


def property_keys(column: pa.ChunkedArray, rows: int = 2_000) -> set[str]:
    """Names of the properties in the first rows of a column of JSON objects."""
    names: set[str] = set()
    for text in pc.unique(column.slice(0, rows).cast(pa.string())).to_pylist():
        if text:
            try:
                found = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                continue
            if isinstance(found, dict):
                names.update(found)
    return names


def of_table(table: pa.Table) -> Column:
    """The column of an extracted table that is kept nowhere."""
    held = table.column("words").combine_chunks()
    held = held.chunk(0) if isinstance(held, pa.ChunkedArray) else held
    codes = pc.fill_null(held.indices, -1).to_numpy(zero_copy_only=False)
    return of_arrays(codes, held.dictionary.to_pylist(), table.column("numbers").to_numpy())


def of_arrays(codes: npt.NDArray[np.int32], words: list[str], numbers: npt.NDArray[np.float64]) -> Column:
    """The column of extracted arrays; words are JSON texts. Arrays without a value are let go."""
    return Column(
        len(numbers),
        codes.astype(np.int32, copy=False) if words else None,
        [msgspec.json.decode(w) for w in words],
        None if bool(np.isnan(numbers).all()) else numbers,
    )
