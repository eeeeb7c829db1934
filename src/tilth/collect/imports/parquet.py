"""Parquet tables, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tilth.collect.imports.chunks import Chunk, RowText, TableFormat, whole_rows
from tilth.collect.imports.files import InputFile, reading
from tilth.collect.imports.spans import Spans
from tilth.errors import InvalidInput

__all__ = ["ParquetReader"]

_ROWS = 262_144
# A page states its unpacked size; no column of a real table unpacks to this much at once.
_MAX_GROUP = 8 << 30


class ParquetReader:
    """A Parquet file; nested columns are shown as JSON text, binary ones as UTF-8."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        with reading(file.name):
            try:
                opened = pq.ParquetFile(file.path)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
                raise InvalidInput("file", f"{file.name} is damaged or was cut off: {_first(error)}") from None
        self.columns = opened.schema_arrow.names
        groups = range(opened.metadata.num_row_groups)
        if any(opened.metadata.row_group(g).total_byte_size > _MAX_GROUP for g in groups):
            raise InvalidInput("file", f"{file.name} unpacks to more than any table would")
        opened.close()
        self.format = TableFormat(
            kind="parquet", compression="none", encoding="UTF-8", delimiter="", sheet="", header=True
        )

    def chunks(
        self, wanted: set[int], *, start: int = 0, line: int = 0, rows: int | None = None, size: int | None = None
    ) -> Iterator[Chunk]:
        chosen = [c for c in sorted(wanted) if c < len(self.columns)]
        with reading(self.file.name):
            opened = pq.ParquetFile(self.file.path)
        total = max(opened.metadata.num_rows, 1)
        done = 0
        try:
            with opened:
                # All columns are read so that a bad row can be shown whole.
                for batch in opened.iter_batches(batch_size=min(_ROWS, rows or _ROWS)):
                    if done + batch.num_rows <= start:
                        done += batch.num_rows
                        continue
                    part = batch.slice(max(start - done, 0))
                    done += batch.num_rows
                    yield self._chunk(part, chosen, done, done * self.file.bytes // total)
                    if rows is not None and done - start >= rows:
                        return
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise InvalidInput("file", f"{self.file.name} is damaged or was cut off: {_first(error)}") from None

    def _chunk(self, batch: pa.RecordBatch, chosen: list[int], end: int, consumed: int) -> Chunk:
        first = end - batch.num_rows
        columns: list[Spans | None] = [None] * len(self.columns)
        typed: dict[int, Spans] = {}
        for c in chosen:
            column = batch.column(c)
            columns[c] = Spans.of(_as_text(column))
            if not _is_text(column.type):
                typed[c] = Spans.of(_as_json(column))

        def row_text(rows: npt.NDArray[np.int64]) -> list[RowText]:
            shown = batch.take(pa.array(rows))
            texts = [_as_text(c).to_pylist() for c in shown.columns]
            result = []
            for i, row in enumerate(rows.tolist()):
                cells = [t[i] or "" for t in texts]
                result.append(RowText(first + row + 1, "\t".join(cells), cells))
            return result

        return Chunk(
            rows=batch.num_rows,
            columns=columns,
            shape=whole_rows(batch.num_rows),
            end=end,
            next_line=end + 1,
            consumed=consumed,
            row_text=row_text,
            typed=typed,
        )


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_timestamp(kind)
                or pa.types.is_date(kind) or pa.types.is_binary(kind))  # fmt: skip


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind):
        text = pc.strftime(column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(
            pa.timestamp("us", tz="UTC" if kind.tz else None)), "%Y-%m-%d %H:%M:%S")  # fmt: skip
        return pc.binary_join_element_wise(text, "+00:00", "") if kind.tz else text
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raw = column.to_pylist()
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in raw], pa.large_string())
    if pa.types.is_nested(kind):
        return _as_json(column)
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 9e15))
        if pc.all(whole, min_count=0).as_py():
            # Whole numbers that became floats because of a missing value: 17850.0 is 17850.
            return column.cast(pa.int64()).cast(pa.large_string())
    return column.cast(pa.large_string())


def _as_json(column: pa.Array) -> pa.Array:
    import msgspec

    values = column.to_pylist()
    return pa.array([None if v is None else msgspec.json.encode(v).decode() for v in values], pa.large_string())


def _first(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
