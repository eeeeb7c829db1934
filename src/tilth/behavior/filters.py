"""Filters of a question: parsed once with field paths, evaluated over distinct values.

`{"property": "amount", "op": ">=", "value": 100}`; `{"all": […]}`, `{"any": […]}`, `{"not": …}` nest; a
plain list is "all". The negative operators are the exact opposites of the positive ones, so a
missing value satisfies `!=`, `not_in` and `not_contains`. Text is compared exactly unless
`"ignore_case": true`. A number also meets the text that writes it ("12" = 12): files bring numbers as
text. Money is given in major units (yuan, not fen). `matches` is RE2, so no pattern is slow.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.behavior.calendar import Zone, parse_duration
from tilth.behavior.columns import Column
from tilth.errors import InvalidInput

__all__ = [
    "COLUMNS",
    "OPERATORS",
    "Filter",
    "Group",
    "Leaf",
    "Name",
    "both",
    "leaves",
    "parse_filters",
    "parse_name",
    "text_of",
]

Mask = npt.NDArray[np.bool_]
OPERATORS = (
    *("=", "!=", ">", ">=", "<", "<=", "between", "in", "not_in", "contains", "not_contains"),
    *("starts_with", "ends_with", "matches", "is_set", "is_not_set", "before", "after"),
)
# Bare names of what every event has; `event.source` is a property of that name.
COLUMNS = ("event", "source", "session", "distinct_id")
_NEGATIVE = {"!=": "=", "not_in": "in", "not_contains": "contains", "is_not_set": "is_set"}
_MAX_DEPTH = 20
_MAX_LEAVES = 200
_MAX_VALUES = 100_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Name:
    """What a property name means. scope: event, context, profile, tag, or column (of the event table itself)."""

    scope: str
    key: str

    def __str__(self) -> str:
        return self.key if self.scope in ("event", "column") else f"{self.scope}.{self.key}"


def parse_name(text: object, path: str) -> Name:
    """`event.x`, `profile.x`, `tag.x`, `context.x`; a bare name is one of COLUMNS or a property of the event."""
    if not isinstance(text, str) or not text.strip() or len(text) > 255:
        raise InvalidInput(path, "must be a property's name")
    if text in COLUMNS:
        return Name("column", text)
    scope, dot, key = text.partition(".")
    if dot and scope in ("event", "profile", "tag", "context"):
        if not key:
            raise InvalidInput(path, f"{text!r} names no property after the dot")
        return Name(scope, key)
    return Name("event", text)


@dataclass(frozen=True)
class Leaf:
    """One comparison. value is normalised by its operator (see `_value`)."""

    name: Name
    op: str
    value: Any
    ignore_case: bool
    path: str = field(compare=False)

    @property
    def key(self) -> str:
        return json.dumps([str(self.name), self.name.scope, self.op, self.value, self.ignore_case], default=str)

    def of_column(self, column: Column) -> Mask:
        """bool[n]: which rows of the column meet the comparison."""
        positive = _NEGATIVE.get(self.op, self.op)
        out = np.zeros(column.size, bool)
        if column.codes is not None and column.words:
            table = np.zeros(len(column.words) + 1, bool)  # the last is for code -1
            table[:-1] = _words(positive, self, column.words)
            out = table[column.codes]
        if column.numbers is not None:
            out |= _numbers(positive, self, column.numbers, column.scale)
        return ~out if self.op in _NEGATIVE else out

    def of_values(self, values: list[Any]) -> Mask:
        """bool[n] of plain values (traits); None is missing."""
        numbers = np.array([float(v) if _is_number(v) else math.nan for v in values], np.float64)
        words = [v for v in values if v is not None and not _is_number(v)]
        codes = np.full(len(values), -1, np.int32)
        codes[[i for i, v in enumerate(values) if v is not None and not _is_number(v)]] = np.arange(len(words))
        return self.of_column(Column(len(values), codes, words, numbers))


@dataclass(frozen=True)
class Group:
    """kind: all, any or not (of one part)."""

    kind: str
    parts: tuple[Filter, ...]

    @property
    def key(self) -> str:
        return f"{self.kind}({','.join(p.key for p in self.parts)})"


Filter = Leaf | Group


def leaves(tree: Filter | None) -> Iterator[Leaf]:
    if isinstance(tree, Leaf):
        yield tree
    elif tree is not None:
        for part in tree.parts:
            yield from leaves(part)


def both(left: Filter | None, right: Filter | None) -> Filter | None:
    """A filter that holds where both do."""
    if left is None or right is None:
        return left or right
    return Group("all", (left, right))


def evaluate(tree: Filter, size: int, leaf: Callable[[Leaf], Mask]) -> Mask:
    """bool[size] of a tree, given its leaves' masks."""
    if isinstance(tree, Leaf):
        return leaf(tree)
    if tree.kind == "not":
        return ~evaluate(tree.parts[0], size, leaf)
    out = np.full(size, tree.kind == "all", bool)
    for part in tree.parts:
        if tree.kind == "all":
            out &= evaluate(part, size, leaf)
        else:
            out |= evaluate(part, size, leaf)
    return out


# -- parsing -------------------------------------------------------------------------------------


def parse_filters(raw: object, path: str, zone: Zone, now: int) -> Filter | None:
    """The filter written as JSON, or None where there is none. now: UTC µs, for relative dates."""
    if raw is None or raw == [] or raw == {}:
        return None
    tree = _parse(raw, path, zone, now, 0)
    if sum(1 for _ in leaves(tree)) > _MAX_LEAVES:
        raise InvalidInput(path, f"has more than {_MAX_LEAVES} comparisons")
    return tree


def _parse(raw: object, path: str, zone: Zone, now: int, depth: int) -> Filter:
    if depth > _MAX_DEPTH:
        raise InvalidInput(path, f"is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(raw, list):
        return Group("all", tuple(_parse(r, f"{path}[{i}]", zone, now, depth + 1) for i, r in enumerate(raw)))
    if not isinstance(raw, dict):
        raise InvalidInput(path, 'must be a filter such as {"property": "amount", "op": ">=", "value": 100}')
    for kind in ("all", "any", "not"):
        if kind in raw:
            if len(raw) > 1:
                raise InvalidInput(path, f"{kind!r} cannot stand beside {', '.join(sorted(set(raw) - {kind}))}")
            return _group(kind, raw[kind], f"{path}.{kind}", zone, now, depth)
    return _leaf(raw, path, zone, now)


def _group(kind: str, raw: object, path: str, zone: Zone, now: int, depth: int) -> Group:
    if kind == "not":
        return Group("not", (_parse(raw, path, zone, now, depth + 1),))
    if not isinstance(raw, list):
        raise InvalidInput(path, "must be a list of filters")
    return Group(kind, tuple(_parse(r, f"{path}[{i}]", zone, now, depth + 1) for i, r in enumerate(raw)))


def _leaf(raw: dict[str, Any], path: str, zone: Zone, now: int) -> Leaf:
    unknown = sorted(set(raw) - {"property", "op", "value", "ignore_case"})
    if unknown:
        raise InvalidInput(
            f"{path}.{unknown[0]}", "is not a part of a filter", ["property", "op", "value", "ignore_case"]
        )
    if "property" not in raw:
        raise InvalidInput(f"{path}.property", "is missing")
    name = parse_name(raw["property"], f"{path}.property")
    op = raw.get("op", "=")
    if not isinstance(op, str) or op not in OPERATORS:
        raise InvalidInput(f"{path}.op", f"{str(op)[:40]!r} is not an operator", list(OPERATORS))
    ignore = raw.get("ignore_case", False)
    if not isinstance(ignore, bool):
        raise InvalidInput(f"{path}.ignore_case", "must be true or false")
    if op in ("is_set", "is_not_set"):
        if raw.get("value") is not None:
            raise InvalidInput(f"{path}.value", f"{op} takes no value")
        return Leaf(name, op, None, ignore, path)
    if raw.get("value") is None:
        raise InvalidInput(f"{path}.value", "is missing; to look for missing values use is_not_set")
    return Leaf(name, op, _value(op, raw["value"], ignore, f"{path}.value", zone, now), ignore, path)


def _value(op: str, value: Any, ignore: bool, path: str, zone: Zone, now: int) -> Any:
    """The comparison's value, checked: scalars as they are, in: a list, dates: an instant in UTC µs."""
    if op in ("in", "not_in"):
        if not isinstance(value, list) or len(value) > _MAX_VALUES:
            raise InvalidInput(path, f"must be a list of at most {_MAX_VALUES:,} values")
        return tuple(_scalar(v, f"{path}[{i}]") for i, v in enumerate(value))
    if op == "between":
        if not isinstance(value, list) or len(value) != 2:
            raise InvalidInput(path, "must be a list of two values, lowest first")
        low, high = (_scalar(v, f"{path}[{i}]") for i, v in enumerate(value))
        if isinstance(low, str) != isinstance(high, str):
            raise InvalidInput(path, "must be two numbers or two texts")
        if low > high:
            raise InvalidInput(path, "is backwards: the lowest value comes first")
        return (low, high)
    if op in ("before", "after"):
        return _moment(op, value, path, zone, now)
    value = _scalar(value, path)
    if op in ("starts_with", "ends_with", "matches") and not isinstance(value, str):
        raise InvalidInput(path, "must be a text")
    if op == "matches":
        try:
            pc.match_substring_regex(pa.array([""]), value, ignore_case=ignore)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InvalidInput(path, f"is not a regular expression RE2 takes: {str(error)[:200]}") from None
    return value


def _scalar(value: Any, path: str) -> Any:
    if not isinstance(value, (str, int, float, bool)) or (isinstance(value, float) and not math.isfinite(value)):
        raise InvalidInput(path, "must be a text, a number or true/false")
    return value


def _moment(op: str, value: Any, path: str, zone: Zone, now: int) -> int:
    """The instant a value must lie before, or at or after: a day, an instant, or `7d` (so long ago)."""
    if not isinstance(value, str):
        raise InvalidInput(path, "must be a day (2026-06-01), an instant, or how long ago (7d)")
    text = value.strip()
    if text and text[-1] in "smhdwo" and text.lstrip("-")[:1].isdigit() and "T" not in text:
        length = parse_duration(text.lstrip("-"), path)
        return zone.add_months(now, -length.months) if length.months else now - length.us
    try:
        if len(text) == 10:
            day = dt.date.fromisoformat(text)
            return zone.start(day if op == "before" else day + dt.timedelta(days=1))
        moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise InvalidInput(
            path, f"{value[:40]!r} is not a day (2026-06-01), an instant, or how long ago (7d)"
        ) from None
    at = zone.instant(moment) if moment.tzinfo is None else (moment - _EPOCH) // dt.timedelta(microseconds=1)
    return at if op == "before" else at + 1


# -- evaluation ----------------------------------------------------------------------------------


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numbertext_of(value: float) -> str:
    """A number as a person writes it: 12 rather than 12.0."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _numbers(op: str, leaf: Leaf, numbers: npt.NDArray[np.float64], scale: int) -> Mask:
    """Rows whose number meets the (positive) comparison; NaN never does."""
    value = leaf.value
    if op == "is_set":
        return ~np.isnan(numbers)
    if op in ("=", "in"):
        wanted = [w for v in (value if op == "in" else [value]) if (w := _as_number(v)) is not None]
        return (
            np.isin(numbers, np.array([_scaled(w, scale) for w in wanted])) if wanted else np.zeros(len(numbers), bool)
        )
    if op in (">", ">=", "<", "<=", "between"):
        low, high = value if op == "between" else (value, value)
        a, b = _as_number(low), _as_number(high)
        if a is None or b is None:
            return np.zeros(len(numbers), bool)
        a, b = _scaled(a, scale), _scaled(b, scale)
        with np.errstate(invalid="ignore"):
            found: Mask = {
                ">": numbers > a, ">=": numbers >= a, "<": numbers < b, "<=": numbers <= b,
                "between": (numbers >= a) & (numbers <= b),
            }[op]  # fmt: skip
        return found
    if op in ("before", "after"):
        # Seconds or, for what would be later than the year 5138, milliseconds since 1970.
        with np.errstate(invalid="ignore", over="ignore"):
            instant = np.where(np.abs(numbers) < 1e11, numbers * 1e6, numbers * 1e3)
            return instant < value if op == "before" else instant >= value
    distinct, inverse = np.unique(numbers, return_inverse=True)
    texts = ["" if math.isnan(x) else numbertext_of(x / scale) for x in distinct.tolist()]
    table = _words(op, leaf, texts) & ~np.isnan(distinct)
    return table[inverse]


def _scaled(value: float, scale: int) -> float:
    # 0.29 * 100 is 28.999…: what is stored is whole.
    return value if scale == 1 else round(value * scale, 6)


def _as_number(value: Any) -> float | None:
    if _is_number(value):
        return float(value)
    if isinstance(value, str) and value.strip() and value.strip()[0] in "+-.0123456789":
        try:
            number = float(value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


def _words(op: str, leaf: Leaf, words: list[Any]) -> Mask:
    """Which distinct values meet the (positive) comparison."""
    value = leaf.value
    fold = str.casefold if leaf.ignore_case else str
    if op == "is_set":
        return np.ones(len(words), bool)
    if op in ("=", "in"):
        wanted = value if op == "in" else [value]
        texts = {fold(text_of(v)) for v in wanted}
        numbers = {float(v) for v in wanted if _is_number(v)}
        return np.fromiter(
            (fold(text_of(w)) in texts or (bool(numbers) and _as_number(w) in numbers) for w in words), bool, len(words)
        )
    if op in (">", ">=", "<", "<=", "between"):
        low, high = value if op == "between" else (value, value)
        if isinstance(low, str):
            return _ordered(op, [fold(w) if isinstance(w, str) else None for w in words], fold(low), fold(high))
        return _ordered(op, [_as_number(w) for w in words], float(low), float(high))
    if op in ("before", "after"):
        moments = [_instant_of(w) for w in words]
        return np.array([m is not None and (m < value if op == "before" else m >= value) for m in moments], bool)
    if op == "matches":
        texts_of = pa.array([text_of(w) for w in words], pa.string())
        return pc.match_substring_regex(texts_of, value, ignore_case=leaf.ignore_case).to_numpy(zero_copy_only=False)
    wanted_text = fold(text_of(value))
    if op == "contains":
        return np.array(
            [
                any(fold(text_of(x)) == wanted_text for x in w)
                if isinstance(w, list)
                else wanted_text in fold(text_of(w))
                for w in words
            ],
            bool,
        )
    if op == "starts_with":
        return np.array([fold(text_of(w)).startswith(wanted_text) for w in words], bool)
    return np.array([fold(text_of(w)).endswith(wanted_text) for w in words], bool)


def _ordered(op: str, values: list[Any], low: Any, high: Any) -> Mask:
    tests: dict[str, Callable[[Any], bool]] = {
        ">": lambda v: v > low,
        ">=": lambda v: v >= low,
        "<": lambda v: v < high,
        "<=": lambda v: v <= high,
        "between": lambda v: low <= v <= high,
    }
    test = tests[op]
    return np.array([v is not None and test(v) for v in values], bool)


def text_of(value: Any) -> str:
    """A value as text comparisons see it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        return str(value) if isinstance(value, int) else numbertext_of(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _instant_of(value: Any) -> int | None:
    """A text that is a day or an instant as UTC µs; without an offset it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)
