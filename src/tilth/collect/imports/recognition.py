"""Which column is what: header words weighed with what the values look like.

Every candidate (role, column) gets a score from its header, corrected by its content; roles are given
out from the surest down, a column to one role. Content alone decides only where no header does and one
column stands out: a file without a header line is recognised by its values.
"""

from __future__ import annotations

from dataclasses import dataclass

from tilth.collect.imports.facts import ColumnFacts, determines
from tilth.collect.imports.shapes import Text, say
from tilth.collect.imports.vocabulary import EVENT_ROLES, ORDER_ROLES, PROFILE_ROLES, header_score
from tilth.errors import InvalidInput

__all__ = ["Recognised", "recognise", "roles_of"]

_ACCEPTED = 0.45
_NUMERIC = ("quantity", "price", "amount")


@dataclass(frozen=True)
class Recognised:
    """role -> column; per column its role, how sure (0..1) and why."""

    map: dict[str, str]
    found: dict[str, tuple[str, float, Text]]


def roles_of(kind: str) -> tuple[str, ...]:
    """The roles a column can have in an import of this kind."""
    kinds = {"orders": ORDER_ROLES, "events": EVENT_ROLES, "profiles": PROFILE_ROLES}
    if kind not in kinds:
        raise InvalidInput("kind", f"{kind!r} is not a kind of import", list(kinds))
    return kinds[kind]


def recognise(kind: str, facts: list[ColumnFacts], header: bool, given: dict[str, str]) -> Recognised:
    """Give roles to columns. given: role -> column, decided by a person; it is kept as it is."""
    roles = roles_of(kind)
    found: dict[str, tuple[str, float, Text]] = {
        column: (role, 1.0, say("由你指定", "given by you")) for role, column in given.items() if column
    }
    taken = {role for role, column in given.items()}
    candidates: list[tuple[float, int, int, str, Text]] = []
    for r, role in enumerate(roles):
        for c, column in enumerate(facts):
            score, why = _score(role, column) if header else (0.0, {})
            if score >= _ACCEPTED:
                candidates.append((score, -r, -c, role, why))
    for score, _, c, role, why in sorted(candidates, key=lambda x: (-x[0], -x[1], -x[2])):
        name = facts[-c].name
        if role in taken or name in found:
            continue
        taken.add(role)
        found[name] = (role, round(score, 2), why)
    _by_content(kind, facts, found, taken)
    _tidy(kind, found, given)
    return Recognised({role: column for column, (role, _, _) in found.items()}, found)


def _score(role: str, column: ColumnFacts) -> tuple[float, Text]:
    base = header_score(role, column.name)
    if base == 0.0:
        return 0.0, {}
    header = (f"列名“{column.name}”", f"the header {column.name!r}")
    share, zh, en = _content(role, column)
    if share < 0.3 and column.filled:
        return 0.0, {}
    score = base * (0.4 + 0.6 * share)
    return score, say(f"{header[0]}{zh}", f"{header[1]}{en}")


def _content(role: str, c: ColumnFacts) -> tuple[float, str, str]:
    """How well the values fit the role, and how to say so."""
    if c.filled == 0:
        return 0.5, "（没有值）", " (no values)"
    if role in ("time", "birthday"):
        dates = c.dates
        return dates, f"，{dates:.0%} 的值是日期", f", {dates:.0%} of values are dates"
    if role in _NUMERIC:
        return c.numbers, f"，{c.numbers:.0%} 的值是数字", f", {c.numbers:.0%} of values are numbers"
    if role == "clock":
        return c.clocks, "，值是钟点", ", values are clock times"
    if role == "email":
        return c.emails, f"，{c.emails:.0%} 的值是邮箱", f", {c.emails:.0%} of values are e-mail addresses"
    if role == "phone":
        digits = max(c.phones, 0.7 if c.whole > 0.8 and c.largest > 1e6 else 0.0, 0.5 if c.letters < 0.2 else 0.0)
        return digits, f"，{c.phones:.0%} 的值像手机号", f", {c.phones:.0%} of values look like phone numbers"
    if role in ("customer", "order", "person", "product"):
        fit = 1.0 - c.fractions
        if c.dates - c.stamps > 0.5:
            fit = 0.0
        return fit, f"，{c.distinct:,} 个不同的值", f", {c.distinct:,} different values"
    if role in ("product_name", "name", "city", "province", "country", "category", "event", "store", "channel"):
        fit = 1.0 if c.letters > 0.5 else 0.55
        return fit, f"，{c.distinct:,} 个不同的值", f", {c.distinct:,} different values"
    return 1.0, f"，{c.distinct:,} 个不同的值", f", {c.distinct:,} different values"


def _by_content(
    kind: str, facts: list[ColumnFacts], found: dict[str, tuple[str, float, Text]], taken: set[str]
) -> None:
    """Roles that no header gave, where the values leave one choice."""

    def free() -> list[ColumnFacts]:
        return [c for c in facts if c.name not in found and c.filled]

    def give(role: str, column: ColumnFacts, confidence: float, zh: str, en: str) -> None:
        taken.add(role)
        found[column.name] = (role, confidence, say(zh, en))

    if kind == "profiles":
        return
    if "time" not in taken:
        dates = [c for c in free() if c.dates >= 0.95 and (c.stamps < 0.5 or _dense_days(c))]
        if len(dates) == 1:
            give("time", dates[0], 0.6, "唯一一列全是日期", "the only column of dates")
    if kind == "events":
        if "person" not in taken:
            ids = _identifiers(free())
            if len(ids) == 1:
                give("person", ids[0], 0.5, "唯一一列像标识", "the only column like an id")
        return
    if not taken & {"amount", "price"}:
        money = [c for c in free() if c.numbers >= 0.95 and c.fractions >= 0.3 and c.dates < 0.9]
        if len(money) == 1:
            give("amount", money[0], 0.55, "唯一一列带小数的数字", "the only column of numbers with decimals")
    if "quantity" not in taken and taken & {"amount", "price"}:
        small = [
            c
            for c in free()
            if c.whole >= 0.98 and c.largest < 100_000 and not c.lead_zero and c.distinct < 0.05 * c.rows + 20
        ]
        if len(small) == 1:
            give("quantity", small[0], 0.5, "唯一一列小整数", "the only column of small whole numbers")
    if not taken & {"customer", "phone", "email"}:
        ids = _identifiers(free())
        # Two numberings of the same people (a master and a sample number): the first stands for both.
        if ids and all(determines(ids[0], c) and determines(c, ids[0]) for c in ids[1:]):
            give("customer", ids[0], 0.5, "像标识且会重复出现", "values like ids that come back")


def _dense_days(c: ColumnFacts) -> bool:
    """Digits-only dates: many rows to a day, or all of one length, which ids of that length rarely are."""
    return all(len(s) in (8, 14, 10, 13) or "." in s for s in c.samples)


def _identifiers(columns: list[ColumnFacts]) -> list[ColumnFacts]:
    """Columns that could number people: not money, not dates, coming back, and more than a few of them."""
    return [
        c
        for c in columns
        if c.fractions < 0.01
        and c.dates - c.stamps < 0.5
        and c.filled > 0.5 * c.rows
        and (c.whole > 0.95 or c.letters > 0.5)
        and 0.02 * c.rows < c.distinct < 0.98 * c.rows
    ]


def _tidy(kind: str, found: dict[str, tuple[str, float, Text]], given: dict[str, str]) -> None:
    """Second thoughts that need several columns at once."""
    if kind != "orders":
        return
    where = {role: column for column, (role, _, _) in found.items()}
    if "price" in where and "quantity" not in where and "amount" not in where and "price" not in given:
        # A price without a quantity is what was paid.
        column = where["price"]
        found[column] = ("amount", found[column][1], found[column][2])
