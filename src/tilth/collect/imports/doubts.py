"""What a file leaves open: the things that are asked about and never guessed."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np

from tilth.collect.imports import instants
from tilth.collect.imports.chunks import TableReader
from tilth.collect.imports.facts import ColumnFacts
from tilth.collect.imports.orders import same_currency
from tilth.collect.imports.plan import currency_codes, currency_named
from tilth.collect.imports.shapes import Choice, Options, Question, Text, say
from tilth.collect.imports.vocabulary import plain

__all__ = ["ask_currency", "ask_missing", "date_order", "repeated_totals"]

# How far a doubtful date order is followed into the file before asking.
_SEARCH_ROWS = 2_000_000


def repeated_totals(
    facts: list[ColumnFacts],
    found: dict[str, str],
    options: dict[str, Any] | None,
    given: dict[str, str],
    warnings: list[Text],
    questions: list[Question],
) -> str:
    """What an amount is of: `row`, or `order` where every line repeats its order's total, which is not added up.

    Where the lines have a price and a quantity, such a total is taken out of `found` instead.
    """
    by_name = {c.name: c for c in facts}
    order, amount = by_name.get(found.get("order", "")), by_name.get(found.get("amount", ""))
    if order is None or amount is None or (options or {}).get("amount_per") or order.distinct >= 0.98 * order.filled:
        return "row"
    both = (order.codes >= 0) & (amount.codes >= 0)
    lines = np.bincount(order.codes[both])
    pairs = np.unique(order.codes[both].astype(np.int64) << 32 | amount.codes[both]) >> 32
    values = np.bincount(pairs, minlength=len(lines))
    several = lines > 1
    if several.sum() < 5 or (values[several] == 1).mean() < 0.95 or amount.distinct < 5:
        return "row"
    if "price" in found and "quantity" in found and given.get("amount") != found["amount"]:
        name = found.pop("amount")
        warnings.append(
            say(
                f"“{name}”在同一订单的每一行都相同，看来是订单总额；金额按单价×数量计算",
                f"{name!r} is the same on every line of an order, so it is the order's total; "
                "amounts are price × quantity",
            )
        )
        return "row"
    name = found["amount"]
    if re.search(r"order|total|订单|总|合计", plain(name)):
        warnings.append(
            say(
                f"“{name}”在同一订单的每一行都相同，看来是订单总额；每个订单只计一次",
                f"{name!r} is the same on every line of an order, so it is the order's total and counts once an order",
            )
        )
        return "order"
    questions.append(
        Question(
            field="options.amount_per",
            reason=say(
                f"“{name}”在同一订单的每一行都相同：它是整单的金额，还是每行的金额？",
                f"{name!r} is the same on every line of an order: is it the whole order's amount or each line's?",
            ),
            choices=[
                Choice(value="order", label=say("整单的金额，每单计一次", "the whole order's, counted once")),
                Choice(value="row", label=say("每行各自的金额，相加", "each line's own, added up")),
            ],
        )
    )
    return "row"


def ask_currency(facts: list[ColumnFacts], found: dict[str, str], currency: str) -> list[Question]:
    """Most amounts in the sample are in another currency than the workspace's."""
    allowed = set(currency_codes(currency))
    by_name = {c.name: c for c in facts}
    for role in ("amount", "price"):
        column = by_name.get(found.get(role, ""))
        if column is None or not column.filled:
            continue
        wrong = {code: n for code, n in column.currencies.items() if code not in allowed}
        if sum(wrong.values()) > 0.5 * column.filled:
            sign = currency_named(max(wrong, key=lambda c: wrong[c]))
            return [_currency_question(column.name, sign, currency)]
    column = by_name.get(found.get("currency", ""))
    if column is not None and column.filled:
        others = [(w, n) for w, n in column.top if not same_currency(w, currency)]
        if sum(n for _, n in others) > 0.5 * column.filled:
            return [_currency_question(column.name, others[0][0], currency)]
    return []


def _currency_question(column: str, sign: str, currency: str) -> Question:
    return Question(
        field="options.currency",
        reason=say(
            f"“{column}”的金额是 {sign}，而这个工作区的货币是 {currency}；请先更改工作区的货币",
            f"amounts of {column!r} are in {sign}, but this workspace keeps money in {currency}; "
            "change the workspace's currency first",
        ),
        choices=[],
    )


def date_order(
    reader: TableReader, facts: list[ColumnFacts], found: dict[str, str], options: Options
) -> tuple[Options, list[Question]]:
    """The order of day and month that the dates themselves show, or the question."""
    if options.date_order is not None or "time" not in found:
        return options, []
    time = next(c for c in facts if c.name == found["time"])
    feasible, differ, only = time.orders, time.differ, dict(time.only)
    if sum(only.values()) == 0 and differ == 0 and feasible == 0:
        return options, []
    names = [name for name, bit in instants.ORDERS.items() if feasible & bit]
    if len(names) != 1 and differ and feasible:
        feasible, only = _search_order(reader, found["time"], options.timezone, feasible, only)
        names = [name for name, bit in instants.ORDERS.items() if feasible & bit]
    if len(names) == 1:
        return msgspec.structs.replace(options, date_order=names[0]), []
    seen = [f"{count:,} {name}" for name, count in only.items() if count]
    if feasible == 0:
        names = [name for name, count in only.items() if count] or list(instants.ORDERS)
        reason = say(
            f"“{time.name}”里混有不同顺序的日期（只能读作 {'、'.join(seen)}）；请指明以哪种为准，其余进入隔离区",
            f"the dates of {time.name!r} are in several orders (readable only as {', '.join(seen)}); "
            "say which is meant, the others go to quarantine",
        )
    else:
        example = next((s for s in time.samples), "")
        reason = say(
            f"“{time.name}”里的日期（如 {example}）可以有不同读法；请指明日、月、年的顺序",
            f"the dates of {time.name!r} (such as {example}) can be read in several ways; say which order is meant",
        )
    labels = {"ymd": say("年/月/日", "year/month/day"), "dmy": say("日/月/年", "day/month/year"),
              "mdy": say("月/日/年", "month/day/year")}  # fmt: skip
    choices = [Choice(value=n, label=labels[n]) for n in names]
    return options, [Question(field="options.date_order", reason=reason, choices=choices)]


def _search_order(
    reader: TableReader, column: str, timezone: str, feasible: int, only: dict[str, int]
) -> tuple[int, dict[str, int]]:
    """Look further into the file for a date that leaves one reading."""
    at = reader.columns.index(column)
    seen = 0
    for chunk in reader.chunks({at}, rows=_SEARCH_ROWS):
        cells = chunk.columns[at]
        assert cells is not None, "the column was asked for"
        parsed = instants.parse_instants(cells.trimmed(), timezone)
        doubtful = parsed.orders[(parsed.status == instants.OK) & (parsed.orders > 0)]
        if len(doubtful):
            feasible &= int(np.bitwise_and.reduce(doubtful))
            only = {k: only[k] + int((doubtful == bit).sum()) for k, bit in instants.ORDERS.items()}
        seen += chunk.rows
        if feasible.bit_count() <= 1 or seen >= _SEARCH_ROWS:
            break
    return feasible, only


def ask_missing(kind: str, found: dict[str, str], columns: list[str]) -> list[Question]:
    needs: list[tuple[set[str], str, Text]] = []
    who = say("没有识别出客户列，请指定", "no column is recognised as the customer; say which one is")
    if kind in ("orders", "events"):
        needs.append(
            (
                {"time"},
                "time",
                say("没有识别出时间列，请指定", "no column holds dates or times; say which one is the time"),
            )
        )
    if kind == "events":
        needs.append(({"person", "anonymous"}, "person", who))
        needs.append(
            (
                {"event"},
                "event",
                say("没有识别出事件名列，请指定", "no column is recognised as the event's name; say which one is"),
            )
        )
    else:
        needs.append(({"customer", "phone", "email"}, "customer", who))
    if kind == "orders":
        needs.append(
            (
                {"amount", "price"},
                "amount",
                say("没有识别出金额列，请指定", "no column is recognised as an amount or a price; say which one is"),
            )
        )
    free = [Choice(value=c, label=say(c, c)) for c in columns if c not in found.values()]
    return [
        Question(field=f"map.{name}", reason=reason, choices=free)
        for roles, name, reason in needs
        if not roles & set(found)
    ]
