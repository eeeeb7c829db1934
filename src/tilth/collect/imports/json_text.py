"""JSON objects made from columns of text, a column at a time."""

from __future__ import annotations

import re

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["json_objects", "json_strings"]

_NUMBER = r"^-?(0|[1-9]\d{0,14})(\.\d+)?$"


def json_strings(text: pa.Array) -> pa.Array:
    """Each value as a JSON string; null stays null."""
    text = text.cast(pa.string())
    if len(text) == 0:
        return text
    if pc.any(pc.match_substring_regex(text, r"[\x00-\x1f]"), min_count=0).as_py():
        values = [None if v is None else msgspec.json.encode(v).decode() for v in text.to_pylist()]
        return pa.array(values, pa.string())
    text = pc.replace_substring(text, "\\", "\\\\")
    text = pc.replace_substring(text, '"', '\\"')
    return pc.binary_join_element_wise('"', text, '"', "")


def json_values(text: pa.Array, numeric: bool) -> pa.Array:
    """Each value as JSON: numbers as numbers where the column holds numbers, everything else as text; empty is null."""
    text = text.cast(pa.string())
    text = pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), pa.scalar(None, pa.string()), text)
    if not numeric:
        return json_strings(text)
    trimmed = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.match_substring_regex(trimmed, _NUMBER), trimmed, json_strings(text))


def json_objects(fields: list[tuple[str, pa.Array]], rows: int) -> pa.Array:
    """One object a row from (key, JSON values); a null value leaves its key out, a row of nulls is null."""
    items = [pc.binary_join_element_wise(msgspec.json.encode(key).decode() + ":", values, "") for key, values in fields]
    if not items:
        return pa.nulls(rows, pa.string())
    inner = pc.binary_join_element_wise(*items, ",", null_handling="skip")
    whole = pc.binary_join_element_wise("{", inner, "}", "")
    return pc.if_else(pc.equal(inner, ""), pa.scalar(None, pa.string()), whole)


def key_name(header: str) -> str:
    """A property's or trait's name from a header: trimmed, inner blanks as underscores."""
    return re.sub(r"\s+", "_", header.strip())
