"""Open a file as a table, whatever it is."""

from __future__ import annotations

import codecs

from tilth.collect.imports.chunks import TableReader
from tilth.collect.imports.delimited import DelimitedReader
from tilth.collect.imports.encodings import detect_encoding, named_encoding
from tilth.collect.imports.excel import ExcelReader
from tilth.collect.imports.files import InputFile, open_stream
from tilth.collect.imports.json_lines import JsonReader
from tilth.collect.imports.layout import find_layout
from tilth.collect.imports.parquet import ParquetReader
from tilth.errors import InvalidInput

__all__ = ["open_table"]

_SAMPLE = 4 << 20
_NAMED_DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "blank": " ", "\\t": "\t"}


def open_table(
    file: InputFile,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    header: bool | None = None,
) -> TableReader:
    """A reader for the file; what is not given is found out. Raises `InvalidInput`."""
    if file.kind == "excel":
        return ExcelReader(file, sheet, header)
    if file.kind == "parquet":
        return ParquetReader(file)
    if delimiter is not None:
        delimiter = _NAMED_DELIMITERS.get(delimiter, delimiter)
        if len(delimiter) != 1 or ord(delimiter) > 127 or delimiter in '"\r\n':
            raise InvalidInput(
                "options.delimiter", f"{delimiter!r} is not a separator", [",", "tab", ";", "|", "blank"]
            )
    raw = bytearray(_SAMPLE)
    with open_stream(file) as stream:
        got = stream.readinto(memoryview(raw))
    sample = bytes(raw[:got])
    if not sample.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise InvalidInput("file", f"{file.name} holds no rows" if sample else f"{file.name} is empty")
    found = named_encoding(encoding, sample) if encoding else detect_encoding(sample, file.name)
    decoder = codecs.getincrementaldecoder(found.name)("replace")
    text = decoder.decode(sample[found.bom :], False)
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html", "<?xml")):
        raise InvalidInput("file", f"{file.name} is a web page or XML, not a table; save it as xlsx or CSV")
    try:
        layout = find_layout(text, got < _SAMPLE, delimiter, header)
    except InvalidInput as error:
        raise InvalidInput(error.field, f"{file.name}: {error.reason}", error.choices) from None
    if layout.kind == "jsonl":
        return JsonReader(file, found, layout.array, text)
    return DelimitedReader(file, layout, found)
