"""What all questions have in common: their parameters, their answers' stamp, and reading them from JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec
import pyarrow as pa

from tilth.behavior.calendar import Range
from tilth.errors import InvalidInput

__all__ = ["Answer", "Asked", "PeopleBehind", "PersonLine", "converted"]

MAX_BREAKDOWN = 1_000


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of every question.

    range: which days (default: all there are). timezone: IANA name (default: the workspace's).
    filters: applied to every event of the question (see `filters.py`). segment: only people in it
    now. breakdown: one property or several; limit: how many of its largest values are shown before
    "(other)". allow_unknown: accept event and property names never seen.
    """

    range: Range | None = None
    timezone: str | None = None
    filters: Any = None
    segment: str | None = None
    breakdown: str | list[str] | None = None
    limit: int = 25
    allow_unknown: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer carries.

    as_of: the intake number it includes. took_ms: milliseconds. scanned: events looked at.
    cached: it was worked out before and nothing has changed since. answered_at: when it was worked out (UTC);
    stale: something has changed since, or the range has moved on; only given to who asks for it (`Behavior.kept`).

    In a notebook an answer is shown as a table, and can be had as a data frame; `tables.py` says with
    which columns. to_pandas and to_polars raise `InvalidInput` where that package is not installed.
    """

    as_of: int = 0
    took_ms: float = 0.0
    scanned: int = 0
    cached: bool = False
    answered_at: str = ""
    stale: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The whole answer as plain values, as HTTP sends it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def to_arrow(self) -> pa.Table:
        """The answer's table as Arrow."""
        from tilth.behavior.tables import arrow

        return arrow(self)

    def to_pandas(self) -> Any:
        """The answer's table as a `pandas.DataFrame`."""
        from tilth.behavior.tables import need

        need("pandas", "to_pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """The answer's table as a `polars.DataFrame`."""
        from tilth.behavior.tables import need

        return need("polars", "to_polars").from_arrow(self.to_arrow())

    def _repr_html_(self) -> str:
        from tilth.behavior.tables import html_table

        return html_table(self)


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a list: number and the ids sources know them by."""

    uid: int
    distinct_ids: list[str]


class PeopleBehind(Answer, frozen=True, kw_only=True):
    """A page of people, ascending by uid. total: all of them; next: cursor of the next page, empty on the last."""

    people: list[PersonLine]
    total: int
    next: str


P = TypeVar("P", bound=msgspec.Struct)


def converted(kind: type[P], asked: P | Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> P:
    """Parameters as a struct: given so, or as JSON or keyword arguments (`return_` stands for `return`).

    Raises `InvalidInput` with the path of the field that is wrong.
    """
    if isinstance(asked, kind):
        if not keywords:
            return asked
        asked = cast("Mapping[str, Any]", msgspec.to_builtins(asked))
    elif asked is not None and not isinstance(asked, Mapping):
        raise InvalidInput("body", "must be an object")
    given: Mapping[str, Any] = asked or {}
    values = {**given, **{k.rstrip("_"): msgspec.to_builtins(v) for k, v in keywords.items()}}
    known = {f.encode_name for f in msgspec.structs.fields(kind)}
    for name in values:
        if name not in known:
            raise InvalidInput(str(name), "is not a parameter of this question", sorted(known))
    try:
        made = msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        field = re.sub(r"^\$\.?", "", path.rstrip("`")).replace("[...]", "") or "body"
        raise InvalidInput(field, reason[:1].lower() + reason[1:]) from None
    if isinstance(made, Asked) and not 1 <= made.limit <= MAX_BREAKDOWN:
        raise InvalidInput("limit", f"must be between 1 and {MAX_BREAKDOWN}")
    return made
