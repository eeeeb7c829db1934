"""The sample run through the validation it would meet, row by row, for the preview."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable

import msgspec
import numpy as np

from tilth.collect.imports.chunks import Chunk, sliced
from tilth.collect.imports.decimals import decimal_text
from tilth.collect.imports.orders import REFUND, Clock
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.rows import Validated
from tilth.collect.imports.shapes import PreviewRow, Proposal
from tilth.lake import NULL_INT

__all__ = ["Check", "previewed"]

PREVIEW_ROWS = 20
Check = Callable[[Plan, list[str], Chunk, Clock], Validated]


def previewed(
    proposal: Proposal, plan: Plan, columns: list[str], sample: Chunk, check: Check, clock: Clock
) -> Proposal:
    """The proposal with its first rows as they will be understood, and how many rows each rule meets."""
    whole = check(plan, columns, sample, clock)
    applied = dict(whole.skipped)
    if proposal.kind == "orders":
        # Refunds are kept rows, so what a rule turns into refunds is counted by validating without it.
        for key in ("cancelled", "returns"):
            if plan.rules.get(key) == "refund":
                trial = msgspec.structs.replace(plan, rules={**plan.rules, key: "skip"})
                applied[key] = check(trial, columns, sample, clock).skipped.get(key, 0)
    rules = [msgspec.structs.replace(r, rows_in_sample=applied.get(r.key, 0)) for r in proposal.options.rules]
    rows = [
        _preview_row(plan, columns, check, sliced(sample, i, i + 1), clock)
        for i in range(min(PREVIEW_ROWS, sample.rows))
    ]
    return msgspec.structs.replace(
        proposal, options=msgspec.structs.replace(proposal.options, rules=rules), preview_rows=rows
    )


def _preview_row(plan: Plan, columns: list[str], check: Check, row: Chunk, clock: Clock) -> PreviewRow:
    result = check(plan, columns, row, clock)
    text = row.row_text(np.zeros(1, np.int64))[0]
    cells = dict(zip(columns, text.cells, strict=False))

    def shown(role: str) -> str:
        return cells.get(plan.roles.get(role, ""), "").strip()

    values = {
        "customer": shown("customer") or shown("person") or shown("phone") or shown("email") or shown("anonymous"),
        "order": shown("order"),
        "time": shown("time"),
        "quantity": shown("quantity"),
        "price": shown("price"),
        "amount": shown("amount"),
        "product": shown("product_name") or shown("product"),
        "event": shown("event"),
    }
    if result.bad:
        return PreviewRow(line=text.line, kind="quarantined", why=result.bad[0].reason, **values)
    if result.skipped:
        return PreviewRow(line=text.line, kind="skipped", why=next(iter(result.skipped)), **values)
    kind = {"orders": "purchase", "events": "event", "profiles": "profile"}[plan.kind]
    table = result.table
    if plan.kind == "orders" and table.num_rows:
        if table.column("kind")[0].as_py() == REFUND:
            kind = "refund"
        amount = table.column("amount")[0].as_py()
        price = table.column("price")[0].as_py()
        values["amount"] = decimal_text(amount, plan.digits)
        values["price"] = "" if price == NULL_INT else decimal_text(price, 4).rstrip("0").rstrip(".")
        units = table.column("quantity")[0].as_py()
        values["quantity"] = "" if units is None or units != units else f"{units:g}"
    if plan.kind != "profiles" and table.num_rows:
        values["time"] = _local_text(table.column("ts")[0].as_py(), plan.timezone)
    values["customer"] = result.customers.value(0) if len(result.customers) else values["customer"]
    return PreviewRow(line=text.line, kind=kind, **values)


def _local_text(ts: int, timezone: str) -> str:
    """An instant as ISO text in a zone."""
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=ts)
    return moment.astimezone(zoneinfo.ZoneInfo(timezone)).isoformat()
