"""A board's tiles asked, as titles, numbers and tables: what a page that is sent or printed is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from tilth.behavior import Behavior, questions
from tilth.behavior.boards import Board, Everywhere, Tile
from tilth.behavior.parameters import converted
from tilth.behavior.tables import table
from tilth.errors import InvalidInput, TilthError
from tilth.measure.kept_answers import KeptAnswer, KeptAnswers
from tilth.measure.metric_values import MetricAnswer, MetricAsked
from tilth.measure.metrics import Metrics

__all__ = ["MetricTile", "Panel", "answer_of", "asked_of", "check_metric_tile", "panels"]


class MetricTile(MetricAsked, frozen=True, kw_only=True):
    """The question of a tile of kind `metric`: which metric, and what it is asked of."""

    metric: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A tile as it is shown. columns, rows: of its answer; series: points of a line over time, by label. error: why
    there is none. range: the days, as asked."""

    title: str
    kind: str
    text: str = ""
    columns: list[str] = msgspec.field(default_factory=list)
    rows: list[list[Any]] = msgspec.field(default_factory=list)
    series: list[tuple[str, list[tuple[str, float | None]]]] = msgspec.field(default_factory=list)
    unit: str = ""
    error: str = ""
    range: str = ""
    as_of: int = 0


def check_metric_tile(question: Mapping[str, Any]) -> MetricTile:
    """The question of a metric tile. Raises `InvalidInput`."""
    if not isinstance(question.get("metric"), str) or not question["metric"]:
        raise InvalidInput("metric", "is missing")
    return converted(MetricTile, question, {})


def asked_of(tile: Tile, everywhere: Everywhere) -> dict[str, Any]:
    """A tile's question under what holds for the whole board: range and segment replace, filters are added."""
    asked = dict(tile.question or {})
    if everywhere.range is not None:
        asked["range"] = everywhere.range
    if everywhere.segment is not None:
        asked["segment"] = everywhere.segment
    if everywhere.filters is not None:
        held = asked.get("filters")
        asked["filters"] = everywhere.filters if held is None else {"all": [held, everywhere.filters]}
    return asked


def answer_of(
    tile: Tile, everywhere: Everywhere, behavior: Behavior, metrics: Metrics, kept: KeptAnswers
) -> KeptAnswer:
    """A tile's answer, the one kept where there is one. Raises `InvalidInput` for a text, or as the question."""
    if tile.kind == "text":
        raise InvalidInput("tile", "is a text, not a question")
    asked = asked_of(tile, everywhere)
    if tile.kind == "metric":
        key = check_metric_tile(asked).metric
        version = metrics.get(key).version
        rest = {name: value for name, value in asked.items() if name != "metric"}
        return kept.get(_name("metric", [key, version], rest), lambda: metrics.values(key, rest))
    return kept.get(_name(tile.kind, [], asked), lambda: questions[tile.kind].ask(behavior, asked))


def _name(*parts: Any) -> str:
    """All that says what is asked."""
    return msgspec.json.encode(parts, order="deterministic").decode()


def panels(board: Board, behavior: Behavior, metrics: Metrics) -> list[Panel]:
    """Every tile with its answer; a tile that cannot be answered says why."""
    return [_panel(tile, board.everywhere, behavior, metrics) for tile in board.tiles]


def _panel(tile: Tile, everywhere: Everywhere, behavior: Behavior, metrics: Metrics) -> Panel:
    if tile.kind == "text":
        return Panel(title=tile.title, kind="text", text=tile.text)
    asked = asked_of(tile, everywhere)
    title = tile.title or tile.kind
    shown = _range(asked.get("range"))
    try:
        if tile.kind == "metric":
            key = asked.pop("metric")
            return _of_metric(tile.title, metrics.values(key, asked), shown)
        answer = questions[tile.kind].ask(behavior, asked)
    except TilthError as error:
        return Panel(title=title, kind=tile.kind, error=error.message, range=shown)
    columns, rows = table(answer)
    return Panel(
        title=title,
        kind=tile.kind,
        columns=list(columns),
        rows=[list(row) for row in rows],
        series=_series(tile.kind, answer),
        range=shown,
        as_of=answer.as_of,
    )


def _of_metric(title: str, answer: MetricAnswer, shown: str) -> Panel:
    broken = len(answer.series) > 1 or answer.series[0].breakdown is not None if answer.series else False
    columns = [*(["value"] if broken else []), "total", "numerator", "denominator", "low", "high", "previous"]
    rows = [
        [
            *([s.breakdown] if broken else []),
            s.total.value,
            s.total.numerator,
            s.total.denominator,
            s.total.low,
            s.total.high,
            s.previous.value if s.previous is not None else None,
        ]
        for s in answer.series
    ]
    return Panel(
        title=title or answer.name,
        kind="metric",
        columns=columns,
        rows=rows,
        series=[
            (str(s.breakdown) if broken else answer.name, [(p.period, _float(p.value)) for p in s.points])
            for s in answer.series[:6]
        ],
        unit=answer.unit,
        range=shown,
        as_of=answer.as_of,
    )


def _series(kind: str, answer: Any) -> list[tuple[str, list[tuple[str, float | None]]]]:
    if kind == "trends":
        return [
            (s.label if s.breakdown is None else str(s.breakdown), [(p.period, _float(p.value)) for p in s.points])
            for s in answer.series[:6]
        ]
    if kind == "funnel":
        return [("funnel", [(step.label, float(step.people)) for step in answer.steps])]
    if kind == "lifecycle":
        return [
            (name, list(zip(answer.periods, map(float, getattr(answer, name)), strict=True)))
            for name in ("new", "returning", "resurrecting", "dormant")
        ]
    if kind == "sessions":
        return [("sessions", [(p.period, float(p.numbers.sessions)) for p in answer.periods])]
    return []


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _range(asked: Any) -> str:
    if asked is None:
        return ""
    if isinstance(asked, Mapping):
        return f"{asked.get('from', '')} – {asked.get('to', '')}" if "last" not in asked else str(asked["last"])
    return json.dumps(asked)
