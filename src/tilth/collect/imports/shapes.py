"""What goes in and out of an import: the same structs are the API's JSON and the console's types.

Text for people is a pair, `{"zh-CN": …, "en": …}`. Instants are UTC; `rows` are rows of the source file.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "Choice",
    "Column",
    "Failure",
    "FileInfo",
    "Format",
    "Import",
    "Imported",
    "Money",
    "Options",
    "PreviewRow",
    "Progress",
    "Proposal",
    "Quarantine",
    "QuarantineRow",
    "Question",
    "ReasonCount",
    "Replayed",
    "Rule",
    "Summary",
    "Text",
    "say",
]

Text = dict[str, str]


def say(zh: str, en: str) -> Text:
    return {"zh-CN": zh, "en": en}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule about which rows count. on: whether it is applied; then: what becomes of its rows.

    `then` is refund, skip, keep or quarantine; a rule that is off leaves its rows as they stand.
    """

    key: str
    on: bool
    then: str
    description: Text
    rows_in_sample: int = 0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is read.

    timezone: IANA name of wall-clock times without an offset. currency: ISO 4217. date_order: ymd, dmy
    or mdy, None while it follows from the dates. decimal: `.` or `,`. encoding, delimiter, sheet, header:
    None to find out. level: line (a row is an order line) or order. amount_per: row, or order where every
    line repeats its order's total. cancel_prefix: orders whose number begins so are cancellations.
    id_kind: the kind of id in the customer column. statuses: status word -> purchase, refund, cancelled
    or unpaid. numeric: columns stored as numbers when they become properties or traits.
    """

    timezone: str
    currency: str
    date_order: str | None = None
    decimal: str = "."
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: bool | None = None
    level: str = "line"
    amount_per: str = "row"
    cancel_prefix: str = ""
    id_kind: str = "id"
    statuses: dict[str, str] = {}
    numeric: list[str] = []
    rules: list[Rule] = []


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the file: what it seems to be, how sure that is (0..1), and why."""

    column: str
    samples: list[str]
    role: str | None
    confidence: float
    why: Text


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How the file is stored. kind: csv, tsv, blank, jsonl, xlsx (or another workbook) or parquet."""

    kind: str
    compression: str
    encoding: str
    delimiter: str
    sheet: str
    header: bool


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    value: str
    label: Text


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is never guessed: the import does not start until `field` is given."""

    field: str
    reason: Text
    choices: list[Choice]


class PreviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A first row as it will be understood. kind: purchase, refund, event, profile, skipped or quarantined."""

    line: int
    kind: str
    why: str = ""
    customer: str = ""
    order: str = ""
    time: str = ""
    quantity: str = ""
    price: str = ""
    amount: str = ""
    product: str = ""
    event: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """How a file would be imported; nothing is written for it."""

    kind: str
    format: Format
    level: str
    columns: list[Column]
    map: dict[str, str]
    options: Options
    questions: list[Question]
    warnings: list[Text]
    preview_rows: list[PreviewRow]
    rows_sampled: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """phase: reading or writing. rate: rows a second. seconds_left: None until it can be told."""

    phase: str
    rows_read: int
    bytes_done: int
    bytes_total: int
    rate: float
    seconds_left: float | None


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """amount: decimal text in the currency's unit; minor: the same in minor units."""

    amount: str
    currency: str
    minor: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did (or, with dry_run, would do).

    rows_read = rows_accepted + rows_duplicate + rows_quarantined + rows_skipped. people: different
    people in the rows understood, those with nothing but cancellations or rows skipped for their price
    among them; new_people: of these, not known before. buyers, orders, revenue (gross purchases),
    refund_orders, refunds, first, last: of what was accepted, not of duplicates.
    """

    kind: str
    rows_read: int
    rows_accepted: int
    rows_duplicate: int
    rows_quarantined: int
    rows_skipped: int
    skipped: dict[str, int]
    quarantined: dict[str, int]
    people: int
    new_people: int
    buyers: int
    orders: int
    refund_orders: int
    revenue: Money
    refunds: Money
    events: int
    first: str | None
    last: str | None
    seconds: float
    dry_run: bool


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    bytes: int


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    field: str
    reason: str
    choices: list[str] = []


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One import. status: preview, running, done, failed, cancelled or interrupted."""

    id: str
    kind: str
    status: str
    files: list[FileInfo]
    created_at: str
    started_at: str | None
    finished_at: str | None
    by: str
    proposal: Proposal | None
    progress: Progress | None
    summary: Summary | None
    error: Failure | None
    dry_run: bool


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A page of imports, newest first; `next` continues."""

    imports: list[Import]
    next: str | None


class QuarantineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be taken. state: open, replayed or dismissed. detail: the offending value."""

    id: int
    import_id: str
    file: str
    line: int
    column: str
    reason: str
    detail: str
    raw: str
    state: str
    at: str


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    rows: int


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """A page of quarantined rows. reasons: how many of each among all that match but for the reason filter."""

    rows: list[QuarantineRow]
    reasons: list[ReasonCount]
    total: int
    next: str | None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a replay: replayed = accepted + duplicate + skipped."""

    replayed: int
    accepted: int
    duplicate: int
    skipped: int
    still_quarantined: int


def options_from(given: dict[str, Any] | None) -> dict[str, Any]:
    """A copy of the options somebody gave, without what was left empty."""
    return {k: v for k, v in (given or {}).items() if v is not None and v != ""}
