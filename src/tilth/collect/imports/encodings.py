"""Which encoding a text file is in, from its first bytes: UTF-8, UTF-16, GB18030 (and so GBK), Windows-1252."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from tilth.errors import InvalidInput

__all__ = ["ENCODINGS", "Encoding", "detect_encoding", "named_encoding"]

# What may be asked for by name, with the spellings people use.
ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "utf-16": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "big5": "big5hkscs",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1": "cp1252",
}

_BOMS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]


@dataclass(frozen=True)
class Encoding:
    """name: the codec. bom: bytes to leave out at the start. certain: False while only ASCII was seen."""

    name: str
    bom: int = 0
    certain: bool = True


def named_encoding(name: str, sample: bytes) -> Encoding:
    """The encoding somebody asked for."""
    codec = ENCODINGS.get(name.strip().lower())
    if codec is None:
        raise InvalidInput("options.encoding", f"there is no encoding {name!r}", sorted(ENCODINGS))
    bom = next((len(mark) for mark, of in _BOMS if of == codec and sample.startswith(mark)), 0)
    return Encoding(codec, bom)


def detect_encoding(sample: bytes, name: str = "file") -> Encoding:
    """The encoding of a text whose first bytes are `sample`. Raises `InvalidInput` for what is not text."""
    for mark, codec in _BOMS:
        if sample.startswith(mark):
            return Encoding(codec, len(mark))
    wide = _without_bom_utf16(sample)
    if wide:
        return Encoding(wide)
    controls = sum(sample.count(bytes([c])) for c in range(32) if c not in (9, 10, 12, 13, 26))
    # A stray NUL in an export is a bad row; many are another kind of file.
    if sample.count(0) > len(sample) // 100 or controls > len(sample) // 20:
        raise InvalidInput("file", f"{name} is not a table of text (it holds binary data)")
    if sample.isascii():
        return Encoding("utf-8", certain=False)
    if _decodes(sample, "utf-8"):
        return Encoding("utf-8")
    if _decodes(sample, "gb18030") and _looks_chinese(sample):
        return Encoding("gb18030")
    # One stray byte does not make a UTF-8 file something else: its rows go to quarantine.
    if _mostly_utf8(sample):
        return Encoding("utf-8")
    if _decodes(sample, "cp1252"):
        return Encoding("cp1252")
    raise InvalidInput(
        "options.encoding", f"the encoding of {name} is not clear; say which it is", ["utf-8", "gb18030", "cp1252"]
    )


def _without_bom_utf16(sample: bytes) -> str | None:
    head = sample[:4096]
    half = len(head) // 2
    if half < 8:
        return None
    even, odd = head[0 : half * 2 : 2].count(0), head[1 : half * 2 : 2].count(0)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _decodes(sample: bytes, codec: str) -> bool:
    """Whether the bytes are text in this codec; a character cut off at the end does not count."""
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(sample, False)
    except UnicodeDecodeError:
        return False
    return True


def _looks_chinese(sample: bytes) -> bool:
    """Most two-byte characters are in GB2312's plane (both bytes from 0xA1), as in any Chinese text."""
    common = rare = 0
    at = 0
    while at < len(sample) - 1:
        if sample[at] < 0x80:
            at += 1
            continue
        if 0xA1 <= sample[at] <= 0xF7 and sample[at + 1] >= 0xA1:
            common += 1
        else:
            rare += 1
        at += 2
    return common > 4 * rare


def _mostly_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    broken = text.count("�")
    return sum(1 for c in text if ord(c) > 127) > 20 * broken
