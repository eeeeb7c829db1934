"""A property as numbers, for sums, means and distributions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tilth.behavior.filters import Name
from tilth.behavior.question import Question
from tilth.behavior.strands import Strand
from tilth.errors import InvalidInput
from tilth.settings import currency_digits

__all__ = ["numbers_of", "scale_of"]


def numbers_of(question: Question, strand: Strand, name: Name) -> npt.NDArray[np.float64]:
    """float64[n]: the property of each row in stored units (`scale_of` of them make one); NaN where it is no number.

    Text that writes a number counts as one: files bring numbers as text.
    """
    column = question.column(strand, name)
    if column.codes is None or not column.words:
        return column.numbers if column.numbers is not None else np.full(column.size, math.nan)
    table = np.array([*(_number(w) for w in column.words), math.nan], np.float64)
    out = table[column.codes]
    if column.numbers is not None:
        there = ~np.isnan(column.numbers)
        out[there] = column.numbers[there]
    return out


def _number(word: object) -> float:
    if not isinstance(word, str):
        return math.nan
    try:
        value = float(word)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def scale_of(question: Question, name: Name | None) -> int:
    """How many stored units make one of what people see: minor units of money, else 1."""
    if name is None:
        return 1
    if name.scope in ("profile", "tag", "column"):
        raise InvalidInput("property", f"{name} is not a property of events")
    if name.scope == "event" and name.key == "amount":
        return 10 ** currency_digits(question.sources.currency)
    return 1
