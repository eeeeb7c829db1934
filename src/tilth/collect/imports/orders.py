"""Order rows validated a chunk at a time: customer, time, amounts, and what each row counts as.

Every row ends as exactly one of: kept (a purchase or a refund line), skipped by a rule, or in quarantine.
Rules are looked at in this order: no customer, unreadable values, zero price, unpaid, cancelled, returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.imports import instants
from tilth.collect.imports.chunks import Chunk
from tilth.collect.imports.decimals import BAD, OK, Decimals, multiply_to_minor, parse_decimals, to_scaled
from tilth.collect.imports.hashing import CodeTable, hash_column
from tilth.collect.imports.identifiers import NAMED, NOBODY, REFUSED, canonical_ids
from tilth.collect.imports.plan import MAX_AMOUNT, Plan, currency_codes
from tilth.collect.imports.rows import Faults, Validated, blank_rows, encoded, shape_faults
from tilth.collect.imports.spans import Spans
from tilth.collect.imports.vocabulary import TRAIT_ROLES, status_class
from tilth.errors import InvalidInput
from tilth.lake import NULL_INT

__all__ = ["PURCHASE", "REFUND", "Clock", "validate_orders"]

PURCHASE, REFUND = 0, 1
_KEPT = -1
_DAY_US = 86_400_000_000
_EARLIEST = _DAY_US  # 1970-01-01 is what a missing date turns into, not a day anything was sold

_CURRENCY_WORDS = {
    "CNY": ["RMB", "人民币", "元", "¥", "￥", "CNH"],
    "USD": ["美元", "$", "US$"],
    "EUR": ["欧元", "€"],
    "GBP": ["英镑", "£"],
    "HKD": ["港币", "港元", "HK$"],
    "JPY": ["日元", "¥", "円"],
    "TWD": ["新台币", "NT$"],
}

# Columns stored as they are, role -> column of the staged table.
_TEXTS = {"order": "order", "product": "product", "product_name": "name", "category": "category",
          "channel": "channel", "store": "store"}  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """The instant after which a date lies in the future, UTC µs."""

    latest: int


@dataclass(frozen=True)
class _Money:
    amount: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.float64]
    price: npt.NDArray[np.int64]
    negative: npt.NDArray[np.bool_]
    free: npt.NDArray[np.bool_]


def validate_orders(plan: Plan, columns: list[str], chunk: Chunk, clock: Clock) -> Validated:
    """Sort the chunk's rows into kept, skipped and bad. columns: the file's column names.

    Raises `InvalidInput` for dates in two orders, which are asked about, never guessed.
    """
    n = chunk.rows
    index = {name: i for i, name in enumerate(columns)}

    def column(role: str) -> Spans | None:
        name = plan.roles.get(role)
        return chunk.columns[index[name]] if name is not None and name in index else None

    faults = Faults(n)
    shape_faults(faults, chunk)
    broken_text(faults, chunk, columns)
    misshapen = faults.bad.copy()
    who_role = next(r for r in ("customer", "phone", "email") if r in plan.roles)
    who = column(who_role)
    assert who is not None, "the plan was checked against the file"
    ids, state = canonical_ids(who)
    when_column = column("time")
    assert when_column is not None, "the plan was checked against the file"
    parsed = read_time(plan, when_column, column("clock"))
    outcome = np.full(n, _KEPT, np.int16)
    rules: list[str] = []

    def skip(where: npt.NDArray[np.bool_], rule: str) -> None:
        free = where & (outcome == _KEPT) & ~faults.bad
        if free.any():
            if rule not in rules:
                rules.append(rule)
            outcome[free] = rules.index(rule)

    empty = (state == NOBODY) & (parsed.status == instants.EMPTY)
    suspects = (empty | misshapen) & (state != NAMED)
    for role in ("order", "amount", "price"):
        cells = column(role)
        if cells is not None:
            suspects &= cells.trimmed().lengths() == 0
    if suspects.any():
        blank = blank_rows(chunk, suspects)
        faults.clear(blank)
        skip(blank, "blank")
    nobody = state == NOBODY
    then = plan.rules.get("no_customer", "skip")
    if then == "skip":
        skip(nobody, "no_customer")
    else:
        faults.add(nobody & (outcome == _KEPT), plan.roles[who_role], "no_customer")
    free = outcome == _KEPT
    faults.add((state == REFUSED) & free, plan.roles[who_role], "refused_id")
    time_faults(faults, plan, parsed, free, clock)
    money = _money(plan, column, faults, free)
    _currency_column(plan, column("currency"), faults, free)
    status = _statuses(plan, column("status"), n)
    cancelled = _prefixed(column("order"), plan.cancel_prefix, n) | (status == "cancelled")
    returned = money.negative | (status == "refund")
    if plan.rules.get("zero_price", "keep") == "skip":
        skip(money.free, "zero_price")
    if plan.rules.get("unpaid", "skip") == "skip":
        skip(status == "unpaid", "unpaid")
    kind = np.full(n, PURCHASE, np.uint8)
    decided = np.zeros(n, np.bool_)
    for rule, where in (("cancelled", cancelled), ("returns", returned)):
        then = plan.rules.get(rule, "refund")
        if then == "skip":
            skip(where & ~decided, rule)
        elif then == "refund":
            kind[where & ~decided] = REFUND
        if then != "keep":
            decided |= where
    stands = money.negative & (kind == PURCHASE)
    faults.add(stands & (outcome == _KEPT), plan.roles.get("amount") or plan.roles["price"], "negative_amount")
    kept = np.flatnonzero((outcome == _KEPT) & ~faults.bad)
    understood = ~faults.bad & (state == NAMED)
    if "blank" in rules:
        understood &= outcome != rules.index("blank")
    people = np.flatnonzero(understood)
    place = np.cumsum(understood) - 1
    table: dict[str, pa.Array] = {
        "ts": pa.array(parsed.ts[kept]),
        "kind": pa.array(kind[kept]),
        "quantity": pa.array(np.abs(money.quantity[kept])),
        "price": pa.array(np.where(money.price[kept] == NULL_INT, NULL_INT, np.abs(money.price[kept]))),
        "amount": pa.array(np.abs(money.amount[kept])),
    }
    for role, name in _TEXTS.items():
        cells = column(role)
        if cells is not None:
            table[name] = encoded(cells, kept)
    counts = np.bincount(outcome[(outcome != _KEPT) & ~faults.bad], minlength=len(rules))
    return Validated(
        rows=n,
        table=pa.table(table),
        customers=ids.take(people),
        kept=place[kept],
        skipped={rule: int(counts[i]) for i, rule in enumerate(rules) if counts[i]},
        bad=faults.rows(chunk, columns),
        traits={
            role: cells.take(people)
            for role in (*TRAIT_ROLES, "phone", "email")
            if role != who_role and (cells := column(role)) is not None
        },
    )


def broken_text(faults: Faults, chunk: Chunk, columns: list[str]) -> None:
    """Rows with bytes that are not text in the file's encoding."""
    if chunk.utf8_checked:
        return
    for name, column in zip(columns, chunk.columns, strict=True):
        if column is not None:
            faults.add(column.not_utf8(), name, "encoding")


def read_time(plan: Plan, days: Spans, clock: Spans | None) -> instants.Parsed:
    """The time column, with the clock column's time of day where there is one."""
    if clock is not None:
        date_text, clock_text = days.trimmed().to_arrow(), clock.trimmed().to_arrow()
        days = Spans.of(pc.binary_join_element_wise(date_text.cast(pa.string()), clock_text.cast(pa.string()), " "))
    parsed = instants.parse_instants(days, plan.timezone, plan.date_order)
    if not plan.asked:
        _ask_about_order(plan, parsed)
    return parsed


def _ask_about_order(plan: Plan, parsed: instants.Parsed) -> None:
    conflicts = parsed.status == instants.CONFLICT
    if plan.date_order is None:
        conflicts = (parsed.status == instants.OK) & parsed.differs
    count = int(conflicts.sum())
    if count:
        possible = int(np.bitwise_or.reduce(parsed.orders[parsed.orders > 0]))
        choices = [name for name, bit in instants.ORDERS.items() if possible & bit or name == plan.date_order]
        column = plan.roles["time"]
        how = (
            f"are written {_order_words(plan.date_order)} and others are not"
            if plan.date_order
            else "can be read in two ways"
        )
        raise InvalidInput(
            "options.date_order", f"dates of the column {column!r} {how}; say which order is meant", choices
        )


def _order_words(order: str) -> str:
    return {"ymd": "year/month/day", "dmy": "day/month/year", "mdy": "month/day/year"}[order]


def time_faults(faults: Faults, plan: Plan, parsed: instants.Parsed, free: npt.NDArray[np.bool_], clock: Clock) -> None:
    """Dates that are missing, unreadable, in another order, in the future, or before anything was sold."""
    name = plan.roles["time"]
    faults.add((parsed.status == instants.EMPTY) & free, name, "missing_time")
    faults.add((parsed.status == instants.BAD) & free, name, "bad_time")
    faults.add((parsed.status == instants.CONFLICT) & free, name, "date_order")
    good = (parsed.status == instants.OK) & free
    faults.add(good & (parsed.ts > clock.latest), name, "future")
    faults.add(good & (parsed.ts < _EARLIEST), name, "too_old")


def _money(plan: Plan, read: Callable[[str], Spans | None], faults: Faults, free: npt.NDArray[np.bool_]) -> _Money:
    """Amounts in minor units, quantities, prices in 1/10000, which amounts take money back, which are nothing.

    A price of 0.001 is not zero, though its amount may round to nothing.
    """
    n = len(free)
    comma = plan.decimal == ","
    parsed: dict[str, Decimals] = {}
    for role in ("quantity", "price", "amount"):
        cells = read(role)
        if cells is None:
            continue
        numbers = parse_decimals(cells, comma)
        parsed[role] = numbers
        faults.add((numbers.status == BAD) & free, plan.roles[role], f"bad_{role}")
        _wrong_currency(plan, numbers, faults, free, plan.roles[role])
    quantity, price, amount = parsed.get("quantity"), parsed.get("price"), parsed.get("amount")
    if amount is not None:
        missing = amount.status != OK
        faults.add(missing & free, plan.roles["amount"], "missing_amount")
        minor, good = to_scaled(amount, plan.digits)
        faults.add(~good & ~missing & free, plan.roles["amount"], "too_large")
        source = plan.roles["amount"]
        free_of_charge = amount.mantissa == 0
    else:
        assert price is not None, "the plan was checked: an amount or a price"
        source = plan.roles["price"]
        faults.add((price.status != OK) & free, source, "missing_price")
        free_of_charge = price.mantissa == 0
        if quantity is not None:
            faults.add((quantity.status != OK) & free, plan.roles["quantity"], "missing_quantity")
            minor, good = multiply_to_minor(price, quantity, plan.digits)
            free_of_charge |= quantity.mantissa == 0
            faults.add(~good & (price.status == OK) & (quantity.status == OK) & free, source, "too_large")
        else:
            minor, good = to_scaled(price, plan.digits)
            faults.add(~good & (price.status == OK) & free, source, "too_large")
    faults.add((np.abs(minor) > MAX_AMOUNT) & free, source, "too_large")
    units = np.full(n, np.nan)
    if quantity is not None:
        scale = np.power(10.0, quantity.scale.astype(np.float64))
        units = np.where(quantity.status == OK, quantity.mantissa / scale, np.nan)
    each = np.full(n, NULL_INT, np.int64)
    if price is not None:
        scaled, fits = to_scaled(price, 4)
        each = np.where(fits & (np.abs(scaled) <= MAX_AMOUNT), scaled, NULL_INT)
    with np.errstate(invalid="ignore"):
        negative = (minor < 0) | (units < 0)
    return _Money(minor, units, each, negative, free_of_charge)


def _wrong_currency(plan: Plan, numbers: Decimals, faults: Faults, free: npt.NDArray[np.bool_], name: str) -> None:
    if not numbers.currency.any():
        return
    allowed = np.isin(numbers.currency, [0, *currency_codes(plan.currency)])
    faults.add((numbers.status == OK) & ~allowed & free, name, "currency")


def _currency_column(plan: Plan, cells: Spans | None, faults: Faults, free: npt.NDArray[np.bool_]) -> None:
    if cells is None:
        return
    codes, words = _coded(cells)
    wrong = np.array([not same_currency(w, plan.currency) for w in words] + [False], np.bool_)
    faults.add(wrong[codes] & free, plan.roles["currency"], "currency")


def same_currency(word: str, currency: str) -> bool:
    """Whether a word in a currency column means this currency."""
    text = word.strip().upper()
    return text in ("", currency) or text in _CURRENCY_WORDS.get(currency, [])


def _statuses(plan: Plan, cells: Spans | None, n: int) -> npt.NDArray[np.str_]:
    """Per row purchase, refund, cancelled or unpaid."""
    if cells is None:
        return np.full(n, "purchase")
    codes, words = _coded(cells)
    kinds = [plan.statuses.get(word) or status_class(word) for word in words]
    return np.array([*kinds, "purchase"])[codes]


def _coded(cells: Spans) -> tuple[npt.NDArray[np.int32], list[str]]:
    """(a code per value, -1 for an empty one; the words)."""
    trimmed = cells.trimmed()
    high, low = hash_column(trimmed)
    codes, first = CodeTable(len(trimmed)).codes(high, low, trimmed.lengths() > 0)
    return codes, [trimmed.value(int(i)) for i in first]


def _prefixed(cells: Spans | None, prefix: str, n: int) -> npt.NDArray[np.bool_]:
    """Orders whose number begins with the prefix of cancellations, in either case."""
    if cells is None or not prefix:
        return np.zeros(n, np.bool_)
    trimmed = cells.trimmed()
    result = trimmed.lengths() > len(prefix)
    for i, letter in enumerate(prefix.encode()):
        at = np.minimum(trimmed.starts + i, len(trimmed.data) - 1)
        byte = trimmed.data[at]
        other = letter ^ 32 if chr(letter).isalpha() else letter
        result &= (byte == letter) | (byte == other)
    following = trimmed.data[np.minimum(trimmed.starts + len(prefix), len(trimmed.data) - 1)]
    return result & (following >= 48) & (following <= 57)
