"""Delimited text (CSV, TSV, blank-separated) in any encoding, as chunks of spans."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tilth.collect.imports.chunks import Chunk, RowText, TableFormat
from tilth.collect.imports.encodings import Encoding, detect_encoding
from tilth.collect.imports.files import InputFile, OpenStream, open_stream
from tilth.collect.imports.layout import Layout, split_line
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.tokens import any_high, collapse_blanks, count_byte, tokenize
from tilth.errors import InvalidInput

__all__ = ["DelimitedReader", "TextStream"]

CHUNK_BYTES = 16 << 20
MAX_RECORD = 64 << 20
_PIECE = 1 << 20


def _broken(error: UnicodeError) -> tuple[str, int]:
    # A lone surrogate: its bytes are not UTF-8, so the row is recognised as broken and quarantined.
    assert isinstance(error, UnicodeDecodeError), "only decoding uses this handler"
    return "\udcff" * (error.end - error.start), error.end


codecs.register_error("tilth-broken", _broken)


class TextStream:
    """A file's text as UTF-8 bytes, whatever its encoding.

    While only ASCII has been seen the encoding is open; the first other bytes decide it.
    """

    def __init__(self, stream: OpenStream, encoding: Encoding) -> None:
        self._stream = stream
        self.encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._ready = b""
        self._ended = False
        if encoding.name != "utf-8":
            self._use(encoding.name)
        if encoding.bom:
            stream.skip(encoding.bom)

    def _use(self, name: str) -> None:
        self._decoder = codecs.getincrementaldecoder(name)("tilth-broken")

    def readinto(self, view: memoryview) -> int:
        """Fill as much of `view` as there is; 0 at the end."""
        if self._decoder is None:
            got = self._stream.readinto(view)
            if self.encoding.certain or got == 0:
                return got
            piece = np.frombuffer(view[:got], np.uint8)
            if not any_high(piece, 0, got):
                return got
            at = int(np.flatnonzero(piece >= 0x80)[0])
            found = detect_encoding(bytes(view[at:got]), self._stream.file.name)
            self.encoding = Encoding(found.name, 0)
            if found.name == "utf-8":
                return got
            self._use(found.name)
            assert self._decoder is not None, "just set"
            self._ready = self._encoded(bytes(view[at:got]), got < len(view))
            return at + self._drain(view[at:])
        return self._drain(view)

    def _encoded(self, raw: bytes, final: bool) -> bytes:
        assert self._decoder is not None, "only with a decoder"
        return self._decoder.decode(raw, final).encode("utf-8", "surrogatepass")

    def _drain(self, view: memoryview) -> int:
        filled = 0
        while filled < len(view):
            if not self._ready:
                if self._ended:
                    break
                raw = bytearray(_PIECE)
                got = self._stream.readinto(memoryview(raw))
                self._ended = got < len(raw)
                self._ready = self._encoded(bytes(raw[:got]), self._ended)
                continue
            take = min(len(self._ready), len(view) - filled)
            view[filled : filled + take] = self._ready[:take]
            self._ready = self._ready[take:]
            filled += take
        return filled

    def skip(self, count: int) -> None:
        """Go on `count` UTF-8 bytes further on."""
        if self._decoder is None and self.encoding.certain:
            self._stream.skip(count)
            return
        scratch = memoryview(bytearray(_PIECE))
        while count > 0:
            got = self.readinto(scratch[: min(count, len(scratch))])
            if got == 0:
                raise InvalidInput("file", f"{self._stream.file.name} is shorter than when its import began")
            count -= got

    @property
    def position(self) -> int:
        return self._stream.position


class DelimitedReader:
    """A delimited text file with a known layout and encoding."""

    def __init__(self, file: InputFile, layout: Layout, encoding: Encoding) -> None:
        self.file = file
        self.layout = layout
        self.columns = layout.columns
        self._encoding = encoding
        self.format = TableFormat(
            kind=layout.kind,
            compression=file.compression,
            encoding={"gb18030": "GB18030"}.get(encoding.name, encoding.name.upper()),
            delimiter=layout.delimiter,
            sheet="",
            header=layout.header,
        )

    def chunks(
        self, wanted: set[int], *, start: int = 0, line: int = 0, rows: int | None = None, size: int | None = None
    ) -> Iterator[Chunk]:
        with open_stream(self.file) as stream:
            text = TextStream(stream, self._encoding)
            if start:
                text.skip(start)
            else:
                start, line = self._skip_lines(text)
                text = self._reopened(stream, text, start)
            yield from self._cut(text, wanted, start, line, rows, size or CHUNK_BYTES)

    def _skip_lines(self, text: TextStream) -> tuple[int, int]:
        """(bytes, 1-based line) where the data begins."""
        skip = self.layout.skip
        if skip == 0:
            return 0, 1
        newline = ord(self.layout.newline)
        buffer = bytearray()
        found = 0
        position = 0
        while found < skip:
            place = buffer.find(newline, position)
            if place < 0:
                piece = bytearray(1 << 16)
                got = text.readinto(memoryview(piece))
                if got == 0:
                    return len(buffer), skip + 1
                position = len(buffer)
                buffer += piece[:got]
                continue
            found += 1
            position = place + 1
        return position, skip + 1

    def _reopened(self, stream: OpenStream, text: TextStream, start: int) -> TextStream:
        if self.layout.skip == 0:
            return text
        stream.rewind()
        fresh = TextStream(stream, self._encoding)
        fresh.skip(start)
        return fresh

    def _cut(
        self, text: TextStream, wanted: set[int], position: int, line: int, rows: int | None, size: int
    ) -> Iterator[Chunk]:
        newline = ord(self.layout.newline)
        blank = self.layout.delimiter == " "
        left = np.empty(0, np.uint8)
        done = 0
        # The first chunk shows how much larger unescaping needs; later chunks are alike.
        while True:
            capacity = max(size, len(left) * 2)
            block = np.empty(capacity * 2, np.uint8)
            block[: len(left)] = left
            got = text.readinto(block.data[len(left) : capacity])
            filled = len(left) + got
            final = filled < capacity
            if filled == 0:
                return
            chunk, used = self._chunk(block, filled, final, wanted, position, line, newline, blank, text.position)
            if chunk is None and not final:
                if filled >= MAX_RECORD:
                    raise InvalidInput(
                        "file", f"{self.file.name}, line {line}: a row of more than {MAX_RECORD >> 20} MB"
                    )
                left = block[:filled].copy()
                continue
            if chunk is not None:
                yield chunk
                done += chunk.rows
                position, line = chunk.end, chunk.next_line
            left = block[used:filled].copy()
            if final or (rows is not None and done >= rows):
                return

    def _chunk(
        self,
        block: npt.NDArray[np.uint8],
        filled: int,
        final: bool,
        wanted: set[int],
        position: int,
        line: int,
        newline: int,
        blank: bool,
        consumed: int,
    ) -> tuple[Chunk | None, int]:
        data, size, whole = block, filled, final
        original = block
        used = filled
        if blank:
            # Cut at a line's end, so that what is rewritten holds whole lines only.
            ends = filled if final else _last(block, filled, newline)
            if ends == 0:
                return None, 0
            data = np.empty(ends * 2 + 16, np.uint8)
            size = int(collapse_blanks(block, ends, data, newline))
            whole, used = True, ends
        width = len(self.columns)
        slots = np.full(max(width, 1), -1, np.int64)
        chosen = sorted(c for c in wanted if c < width)
        for slot, column in enumerate(chosen):
            slots[column] = slot
        capacity = int(count_byte(data, 0, size, newline)) + 1
        starts = np.empty((len(chosen), capacity), np.int64)
        ends_ = np.empty((len(chosen), capacity), np.int64)
        records, shape = np.empty(capacity, np.int64), np.empty(capacity, np.uint8)
        delimiter = 9 if blank else ord(self.layout.delimiter)
        n, cut, _ = tokenize(data, size, whole, delimiter, newline, width, slots, starts, ends_, records, shape, size)
        if not blank:
            used = int(cut)
        if n == 0 and used == 0:
            return None, 0
        columns: list[Spans | None] = [None] * width
        for slot, column in enumerate(chosen):
            columns[column] = Spans(data, starts[slot, :n], ends_[slot, :n])
        places = records[:n]
        lines = int(count_byte(original, 0, used, newline))

        def row_text(rows: npt.NDArray[np.int64]) -> list[RowText]:
            return self._row_text(rows, data, places, int(cut), original, used, line, newline, blank)

        return (
            Chunk(
                rows=int(n),
                columns=columns,
                shape=shape[:n],
                end=position + used,
                next_line=line + lines,
                consumed=consumed,
                row_text=row_text,
            ),
            used,
        )

    def _row_text(
        self,
        rows: npt.NDArray[np.int64],
        data: npt.NDArray[np.uint8],
        places: npt.NDArray[np.int64],
        cut: int,
        original: npt.NDArray[np.uint8],
        used: int,
        line: int,
        newline: int,
        blank: bool,
    ) -> list[RowText]:
        result = []
        before, number = 0, line
        line_starts = None
        if blank and len(rows):
            breaks = np.flatnonzero(original[:used] == newline)
            line_starts = np.concatenate(([0], breaks + 1, [used]))
        for row in rows.tolist():
            begin = int(places[row])
            end = int(places[row + 1]) if row + 1 < len(places) else cut
            number += int(count_byte(data, before, begin, newline))
            before = begin
            piece = data[begin:end]
            if line_starts is not None:
                at = number - line
                piece = original[line_starts[at] : line_starts[at + 1]]
            raw = piece.tobytes().decode("utf-8", "replace").rstrip("\r\n")
            result.append(RowText(number, raw, split_line(raw, self.layout.delimiter)))
        return result


def _last(block: npt.NDArray[np.uint8], filled: int, byte: int) -> int:
    """One past the last such byte, or 0."""
    return block[:filled].tobytes().rfind(bytes([byte])) + 1
