"""Formulas over series: `A / B`, `(A + B) * 100`. A is the first series, B the second, and so on."""

from __future__ import annotations

import ast
import string
from collections.abc import Callable, Sequence

from tilth.errors import InvalidInput

__all__ = ["Formula", "parse_formula"]

Number = float | int | None
Formula = Callable[[Sequence[Number]], Number]
_MAX_LENGTH = 500


def parse_formula(text: str, series: int, path: str) -> Formula:
    """A function of one value of each series. What is missing or divided by nothing is None.

    Only the letters of the series, numbers, + - * / and parentheses are taken; nothing is evaluated as code.
    """
    if not text.strip() or len(text) > _MAX_LENGTH:
        raise InvalidInput(path, f"must be a formula such as A / B, at most {_MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidInput(path, f"{text[:60]!r} is not a formula; write for example A / B") from None
    return _compiled(tree, series, path)


def _compiled(node: ast.expr, series: int, path: str) -> Formula:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        number = node.value
        return lambda values: number
    if isinstance(node, ast.Name):
        index = string.ascii_uppercase.find(node.id)
        if len(node.id) != 1 or not 0 <= index < series:
            raise InvalidInput(path, f"{node.id[:20]!r} is not a series", list(string.ascii_uppercase[:series]))
        return lambda values: values[index]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _compiled(node.operand, series, path)
        sign = -1 if isinstance(node.op, ast.USub) else 1
        return lambda values: None if (x := inner(values)) is None else sign * x
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
        return _binary(node.op, _compiled(node.left, series, path), _compiled(node.right, series, path))
    raise InvalidInput(path, "may hold series, numbers, + - * / and parentheses only")


def _binary(op: ast.operator, left: Formula, right: Formula) -> Formula:
    def of(values: Sequence[Number]) -> Number:
        a, b = left(values), right(values)
        if a is None or b is None:
            return None
        if isinstance(op, ast.Div):
            return None if b == 0 else a / b
        if isinstance(op, ast.Add):
            return a + b
        return a - b if isinstance(op, ast.Sub) else a * b

    return of
