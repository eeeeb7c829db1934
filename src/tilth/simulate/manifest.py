"""The exact totals of what was written, to check an import against to the last row.

They are counted on what the writers put down, in the importer's terms: a status word of refund makes a
row a refund, a negative row too, a cancelled order is neither; an order number seen before makes a row
a duplicate. For every file of orders

    rows = purchase_rows + refund_rows + cancelled_rows + duplicate_rows + no_customer_rows
           + sum(malformed) + total_rows
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

__all__ = ["EventFile", "Manifest", "MemberFile", "OrderFile", "OrderTotals", "load_manifest"]


class OrderFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of orders.

    layout: files with the same layout have the same columns and habits. level: line or order. rows:
    without header and blank rows. Amounts are fen, refunds positive. purchases, refunds: different
    orders. no_customer_rows: sales to nobody known (no_customer_amount). malformed: rows by reason
    (no_time, bad_time, bad_quantity, bad_amount). total_rows: 合计. first, last: UTC µs of accepted rows as
    written (some files keep only minutes).
    """

    path: str
    layout: str
    level: str
    format: str
    encoding: str
    rows: int
    blank_rows: int
    purchase_rows: int
    purchases: int
    purchase_amount: int
    refund_rows: int
    refunds: int
    refund_amount: int
    cancelled_rows: int
    duplicate_rows: int
    no_customer_rows: int
    no_customer_amount: int
    malformed: dict[str, int]
    total_rows: int
    people: int
    first: int
    last: int


class OrderTotals(msgspec.Struct, frozen=True, kw_only=True):
    """All files of orders together; fen. people: with a purchase or a refund."""

    purchases: int
    purchase_amount: int
    refunds: int
    refund_amount: int
    people: int
    buyers: int


class MemberFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file of members. rows = people + duplicate_rows + sum(malformed)."""

    path: str
    rows: int
    people: int
    duplicate_rows: int
    malformed: dict[str, int]
    with_phone: int


class EventFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of behaviour. rows = events + duplicate_rows + sum(malformed); by_name adds up to events.

    doubled: events of the day of double traffic that are there a second time under another id (they
    are among events). malformed: no_person, reserved_person, no_time, no_event, future_time, and
    broken_json in JSON lines.
    """

    path: str
    format: str
    rows: int
    events: int
    by_name: dict[str, int]
    duplicate_rows: int
    doubled: int
    malformed: dict[str, int]
    people: int
    bots: int
    first: int
    last: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `write_company` wrote. first_day, last_day: local dates of the window, both included."""

    company: str
    seed: int
    people: int
    days: int
    first_day: dt.date
    last_day: dt.date
    timezone: str
    currency: str
    order_files: list[OrderFile]
    orders: OrderTotals
    members: MemberFile
    events: EventFile
    stories: list[str]

    def import_plan(self, folder: str | Path) -> list[tuple[str, list[Path]]]:
        """What to import in which order: (profiles | orders | events, files of one layout)."""
        folder = Path(folder)
        plan: list[tuple[str, list[Path]]] = [("profiles", [folder / self.members.path])]
        layouts: dict[str, list[Path]] = {}
        for file in self.order_files:
            layouts.setdefault(file.layout, []).append(folder / file.path)
        plan += [("orders", paths) for paths in layouts.values()]
        plan.append(("events", [folder / self.events.path]))
        return plan

    def save(self, path: str | Path) -> None:
        encoded = msgspec.json.format(msgspec.json.encode(self), indent=1)
        Path(path).write_bytes(encoded + b"\n")


def load_manifest(path: str | Path) -> Manifest:
    """Read what `Manifest.save` wrote."""
    return msgspec.json.decode(Path(path).read_bytes(), type=Manifest)
