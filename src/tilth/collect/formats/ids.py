"""Ids as they come over the wire: text, numbers of any size, sometimes worse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tilth.collect.formats.contract import Refusal
from tilth.collect.formats.json_body import encode_text
from tilth.people.directory import is_refused

__all__ = ["MAX_NAME", "event_key", "id_text", "name_text", "person_id_text", "write_key"]

MAX_NAME = 255


def write_key(value: Any) -> str | None:
    """A write key as some part of a request gives it; None for what cannot be one."""
    if isinstance(value, str) and len(value) <= MAX_NAME and value.isascii() and value.isprintable():
        return value.strip() or None
    return None


def id_text(value: Any, field: str) -> str | None:
    """The id as text; None where there is none (null or empty).

    A number becomes its exact decimal text, however large. Raises `Refusal` for a list or an object.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    raise Refusal(field, "must be a text or a number")


def person_id_text(value: Any, field: str) -> str | None:
    """As `id_text`, for the id of a person. Raises `Refusal` for a value that names nobody."""
    text = value if isinstance(value, str) else id_text(value, field)
    if not text:
        return None
    if is_refused(text):
        raise Refusal(field, f"{text[:40]!r} names nobody or is over 255 characters")
    if "\0" in text:
        raise Refusal(field, "holds a NUL character")
    return text


def name_text(value: Any, field: str) -> str:
    """The name of an event, a group or an item: 1 to 255 characters."""
    if not isinstance(value, str) or not value.strip():
        raise Refusal(field, "must be a text and not empty")
    if len(value) > MAX_NAME:
        raise Refusal(field, f"is longer than {MAX_NAME} characters")
    if "\0" in value:
        raise Refusal(field, "holds a NUL character")
    return value


def event_key(value: Any, field: str, otherwise: str) -> str:
    """The key of de-duplication the client gave, or `otherwise`. Lists and objects count as their JSON."""
    if isinstance(value, (dict, list)):
        value = encode_text(value)
    text = id_text(value, field)
    if text is None:
        return otherwise
    if len(text) > MAX_NAME or "\0" in text:
        raise Refusal(field, f"must have at most {MAX_NAME} characters and no NUL")
    return text
