"""JSON lines (one object a line) and arrays of objects, numbers kept as they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.collect.imports.chunks import Chunk, RowText, TableFormat
from tilth.collect.imports.delimited import MAX_RECORD, TextStream
from tilth.collect.imports.encodings import Encoding
from tilth.collect.imports.files import InputFile, open_stream
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.tokens import FEW, WHOLE
from tilth.errors import InvalidInput

__all__ = ["JsonReader"]

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_CHUNK_BYTES = 8 << 20
_MAX_ARRAY = 256 << 20


class JsonReader:
    """A file of JSON objects. columns: the keys of the first objects, in order of appearance."""

    def __init__(self, file: InputFile, encoding: Encoding, array: bool, sample: str) -> None:
        self.file = file
        self._encoding = encoding
        self._array = array
        self.columns = self._find_columns(sample)
        self.format = TableFormat(
            kind="jsonl",
            compression=file.compression,
            encoding=encoding.name.upper(),
            delimiter="",
            sheet="",
            header=True,
        )

    def _find_columns(self, sample: str) -> list[str]:
        names: dict[str, None] = {}
        lines = self._objects_of_array(sample.encode()) if self._array else sample.encode().split(b"\n")
        good = 0
        for line in lines[:2000]:
            try:
                names.update(dict.fromkeys(_OBJECT.decode(line)))
                good += 1
            except msgspec.DecodeError:
                continue
        if not good:
            raise InvalidInput("file", f"{self.file.name} looks like JSON, but no line of it is a JSON object")
        return list(names)

    def _objects_of_array(self, raw: bytes) -> list[bytes]:
        """The objects of a sample of an array that is cut off somewhere."""
        found: list[bytes] = []
        depth, start, quoted, escaped = 0, 0, False, False
        for at, byte in enumerate(raw):
            if quoted:
                quoted, escaped = (byte != 34 or escaped), (byte == 92 and not escaped)
            elif byte == 34:
                quoted = True
            elif byte == 123:
                start = at if depth == 0 else start
                depth += 1
            elif byte == 125:
                depth -= 1
                if depth == 0:
                    found.append(raw[start : at + 1])
        return found

    def chunks(
        self, wanted: set[int], *, start: int = 0, line: int = 0, rows: int | None = None, size: int | None = None
    ) -> Iterator[Chunk]:
        with open_stream(self.file) as stream:
            text = TextStream(stream, self._encoding)
            if self._array:
                yield from self._array_chunks(text, wanted, start, rows)
                return
            if start:
                text.skip(start)
            number, done, left = line or 1, 0, b""
            piece = bytearray(size or _CHUNK_BYTES)
            while True:
                got = text.readinto(memoryview(piece))
                final = got < len(piece)
                raw = left + bytes(piece[:got])
                cut = len(raw) if final else raw.rfind(b"\n") + 1
                left = raw[cut:]
                if len(left) > MAX_RECORD:
                    raise InvalidInput("file", f"{self.file.name}, line {number}: longer than {MAX_RECORD >> 20} MB")
                if cut:
                    lines = raw[:cut].split(b"\n")
                    if lines[-1] == b"":
                        lines.pop()
                    numbered = [(number + i, one) for i, one in enumerate(lines) if one.strip()]
                    number += raw.count(b"\n", 0, cut)
                    start += cut
                    chunk = self._chunk(numbered, wanted, start, number, text.position)
                    done += chunk.rows
                    yield chunk
                if final or (rows is not None and done >= rows):
                    return

    def _array_chunks(self, text: TextStream, wanted: set[int], start: int, rows: int | None) -> Iterator[Chunk]:
        whole = io.BytesIO()
        piece = bytearray(1 << 20)
        while got := text.readinto(memoryview(piece)):
            whole.write(piece[:got])
            if whole.tell() > _MAX_ARRAY:
                raise InvalidInput(
                    "file", f"{self.file.name} is one JSON array of more than {_MAX_ARRAY >> 20} MB; use JSON lines"
                )
        try:
            objects = _ARRAY.decode(whole.getvalue())
        except msgspec.DecodeError as error:
            raise InvalidInput("file", f"{self.file.name} is not whole JSON: {error}") from None
        for begin in range(start, len(objects), 50_000):
            part = [(begin + i + 1, bytes(o)) for i, o in enumerate(objects[begin : begin + 50_000])]
            yield self._chunk(part, wanted, begin + len(part), begin + len(part) + 1, text.position)
            if rows is not None and begin + len(part) - start >= rows:
                return

    def _chunk(
        self, lines: list[tuple[int, bytes]], wanted: set[int], end: int, next_line: int, consumed: int
    ) -> Chunk:
        n = len(lines)
        shape = np.full(n, WHOLE, np.uint8)
        chosen = [(c, self.columns[c]) for c in sorted(wanted) if c < len(self.columns)]
        texts: dict[int, list[str | None]] = {c: [None] * n for c, _ in chosen}
        typed: dict[int, list[str | None]] = {c: [None] * n for c, _ in chosen}
        for i, (_, line) in enumerate(lines):
            try:
                found = _OBJECT.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                shape[i] = FEW
                continue
            for c, name in chosen:
                raw = found.get(name)
                if raw is None:
                    continue
                value = bytes(raw)
                if value == b"null":
                    continue
                fragment = value.decode("utf-8", "replace")
                texts[c][i] = _TEXT.decode(value) if value[:1] == b'"' else fragment
                typed[c][i] = fragment
        columns: list[Spans | None] = [None] * len(self.columns)
        for c, _ in chosen:
            columns[c] = Spans.of(pa.array(texts[c], pa.large_string()))

        def row_text(rows: npt.NDArray[np.int64]) -> list[RowText]:
            return [self._text(*lines[row]) for row in rows.tolist()]

        return Chunk(
            rows=n,
            columns=columns,
            shape=shape,
            end=end,
            next_line=next_line,
            consumed=consumed,
            row_text=row_text,
            typed={c: Spans.of(pa.array(typed[c], pa.large_string())) for c, _ in chosen},
            utf8_checked=True,
        )

    def _text(self, number: int, line: bytes) -> RowText:
        raw = line.decode("utf-8", "replace").strip()
        try:
            found: dict[str, Any] = msgspec.json.decode(line)
            cells = [_cell(found.get(name)) for name in self.columns]
        except (msgspec.DecodeError, AttributeError, UnicodeDecodeError):
            cells = []
        return RowText(number, raw, cells)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
