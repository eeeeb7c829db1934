"""From the first rows of a file to a proposal: columns, options, questions, and a preview of what would happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tilth.collect.imports.activity import validate_events
from tilth.collect.imports.chunks import Chunk, TableReader, sliced
from tilth.collect.imports.doubts import ask_currency, ask_missing, date_order, repeated_totals
from tilth.collect.imports.facts import ColumnFacts, column_facts
from tilth.collect.imports.options import check_map, options_of
from tilth.collect.imports.orders import Clock, validate_orders
from tilth.collect.imports.plan import Plan, check_roles, rule_then
from tilth.collect.imports.previewing import Check, previewed
from tilth.collect.imports.profiles import validate_profiles
from tilth.collect.imports.recognition import Recognised, recognise
from tilth.collect.imports.shapes import Column, Format, Proposal, Question, Text, options_from
from tilth.collect.imports.spans import Spans
from tilth.errors import InvalidInput
from tilth.settings import Settings, check_timezone

__all__ = ["SAMPLE_ROWS", "Sampled", "plan_of", "propose", "sample", "validator"]

SAMPLE_ROWS = 5_000
_SAMPLE_BYTES = 2 << 20


@dataclass(frozen=True)
class Sampled:
    """The first rows of a table."""

    reader: TableReader
    chunk: Chunk


def sample(reader: TableReader) -> Sampled:
    """Up to SAMPLE_ROWS rows of the table, all columns."""
    wanted = set(range(len(reader.columns)))
    for chunk in reader.chunks(wanted, rows=SAMPLE_ROWS, size=_SAMPLE_BYTES):
        if chunk.rows:
            return Sampled(reader, sliced(chunk, 0, SAMPLE_ROWS))
    raise InvalidInput("file", f"{reader.file.name} holds no rows below its header")


def validator(kind: str) -> Check:
    """What checks a chunk of this kind of import."""
    return {"orders": validate_orders, "events": validate_events, "profiles": validate_profiles}[kind]


def propose(
    kind: str,
    sampled: Sampled,
    settings: Settings,
    clock: Clock,
    given_map: dict[str, str] | None,
    given_options: dict[str, Any] | None,
) -> Proposal:
    """How the sampled file would be imported. Raises `InvalidInput` for a map or options that cannot be."""
    reader, chunk = sampled.reader, sampled.chunk
    given = check_map(kind, reader.columns, given_map or {})
    timezone = check_timezone(str(options_from(given_options).get("timezone", settings.timezone)), "options.timezone")
    facts = [column_facts(name, _filled(c), timezone) for name, c in zip(reader.columns, chunk.columns, strict=True)]
    recognised = recognise(kind, facts, reader.format.header, given)
    found = dict(recognised.map)
    warnings: list[Text] = []
    questions: list[Question] = []
    amount_per = "row"
    if kind == "orders":
        amount_per = repeated_totals(facts, found, given_options, given, warnings, questions)
    options = options_of(kind, facts, found, settings, given_options, amount_per)
    if kind == "orders":
        questions += ask_currency(facts, found, options.currency)
    options, order_question = date_order(reader, facts, found, options)
    proposal = Proposal(
        kind=kind,
        format=Format(**{f: getattr(reader.format, f) for f in Format.__struct_fields__}),
        level=options.level,
        columns=_columns(facts, recognised, found),
        map=found,
        options=options,
        questions=ask_missing(kind, found, reader.columns) + order_question + questions,
        warnings=warnings,
        preview_rows=[],
        rows_sampled=chunk.rows,
    )
    if any(q.field.startswith("map.") for q in proposal.questions):
        return proposal
    return previewed(proposal, _plan(proposal, asked=True), reader.columns, chunk, validator(kind), clock)


def _filled(column: Spans | None) -> Spans:
    assert column is not None, "a sample has every column"
    return column


def _columns(facts: list[ColumnFacts], recognised: Recognised, found: dict[str, str]) -> list[Column]:
    result = []
    for c in facts:
        role, confidence, why = recognised.found.get(c.name, (None, 0.0, {}))
        if role is not None and found.get(role) != c.name:
            role, confidence, why = None, 0.0, {}
        result.append(Column(column=c.name, samples=c.samples, role=role, confidence=confidence, why=why))
    return result


def plan_of(proposal: Proposal, given_options: dict[str, Any] | None) -> Plan:
    """The proposal as a decided plan. Raises `InvalidInput` with its first open question."""
    for question in proposal.questions:
        raise InvalidInput(question.field, question.reason["en"], [c.value for c in question.choices])
    check_roles(proposal.kind, proposal.map)
    return _plan(proposal, asked=bool(options_from(given_options).get("date_order")))


def _plan(proposal: Proposal, asked: bool) -> Plan:
    o = proposal.options
    return Plan(
        kind=proposal.kind,
        roles=proposal.map,
        timezone=o.timezone,
        currency=o.currency,
        date_order=o.date_order,
        asked=asked,
        decimal=o.decimal,
        level=o.level,
        amount_per=o.amount_per,
        cancel_prefix=o.cancel_prefix,
        id_kind=o.id_kind,
        statuses=o.statuses,
        rules=rule_then(o.rules),
        numeric=o.numeric,
        encoding=o.encoding,
        delimiter=o.delimiter,
        sheet=o.sheet,
        header=o.header,
    )
