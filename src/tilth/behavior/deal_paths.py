"""CSPDD (渠道→场景→产品→决定→成交): a funnel whose first four stages have a value, and the cells that stand out.

Stages: the channel somebody came by, the scene they landed in, the product they looked at, what made them
decide, the deal. Each person's furthest attempt counts, as in a funnel, with the value of each stage's event. A
cell is a channel, a scene and a product; what it should convert is predicted from these three apart (a logistic model
of main effects), so a cell stands out only by what the three do *together*.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import shown_value, values_of_rows
from tilth.behavior.calendar import NO_WINDOW, parse_duration
from tilth.behavior.distinguish import corrected
from tilth.behavior.feed import feed_of, over_buckets, parse_step
from tilth.behavior.filters import Name
from tilth.behavior.kernels.funnel import ORDERED, Plan, walk_funnel
from tilth.behavior.newcomers import Share
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import Question
from tilth.errors import InvalidInput, LimitReached

__all__ = ["DealCell", "DealPathsAnswer", "DealPathsParameters", "Stage", "StageValue", "deal_paths"]

Int64 = npt.NDArray[np.int64]
STAGES = ("channel", "scene", "product", "decision", "deal")
# Rows of the model at most: values of the three stages shown, each with one for the rest.
_MOST_VALUES = 40


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stage is: an event, and the property whose value it has (none for the deal)."""

    event: Any
    property: str | None = None


class DealPathsParameters(Asked, frozen=True, kw_only=True):
    """channel, scene, product, decision, deal: the stages. window: how long the way may take, from the channel on.

    at_least: smallest number of people of a cell that is judged. values: how many of a stage's largest values are
    told apart, the rest being "(other)".
    """

    channel: Stage
    scene: Stage
    product: Stage
    decision: Stage
    deal: Stage
    window: str | None = "14d"
    at_least: int = 50
    values: int = 12


class StageValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a stage. on: of its people, those who reached the next stage; deals: those who bought."""

    value: Any
    people: int
    on: Share
    deals: Share


class StageLine(msgspec.Struct, frozen=True, kw_only=True):
    """A stage with its largest values. people: who reached it."""

    stage: str
    people: int
    on: Share | None
    values: list[StageValue]


class DealCell(msgspec.Struct, frozen=True, kw_only=True):
    """People who came by a channel, landed in a scene and looked at a product; how many bought, and how many the three
    apart would make expect. lift: bought by expected, with 95 % bounds. p: of the difference, corrected for all cells
    judged (Benjamini and Hochberg 1995). verdict: better, worse, or nothing to say."""

    channel: Any
    scene: Any
    product: Any
    people: int
    deals: Share
    expected: float
    lift: float | None
    low: float | None
    high: float | None
    p: float
    verdict: str


class DealPathsAnswer(Answer, frozen=True, kw_only=True):
    """cells: those judged, what stands out most first. judged, small: how many cells were and were not large enough."""

    stages: list[StageLine]
    cells: list[DealCell]
    judged: int
    small: int


class _Ways(NamedTuple):
    """One bucket: the furthest stage of each person, and the value numbers of four stages (-1 missing)."""

    reach: npt.NDArray[np.int8]
    values: Int64
    rows: int


def deal_paths(question: Question, asked: DealPathsParameters, threads: int) -> DealPathsAnswer:
    """Answer CSPDD. Raises `InvalidInput` with the path of what is wrong."""
    if asked.at_least < 10:
        raise InvalidInput("at_least", "must be at least 10; fewer people say nothing")
    if not 1 <= asked.values <= _MOST_VALUES:
        raise InvalidInput("values", f"must be between 1 and {_MOST_VALUES}")
    stages = [getattr(asked, name) for name in STAGES]
    bits = []
    for k, (name, stage) in enumerate(zip(STAGES, stages, strict=True)):
        bits.append((parse_step(stage.event, f"{name}.event", question).restricted(question.filters), 1 << k))
    names: list[Name | None] = []
    for name, stage in zip(STAGES[:-1], stages, strict=False):
        names.append(None if stage.property is None else question.property(stage.property, f"{name}.property"))
    window = NO_WINDOW if asked.window is None else parse_duration(asked.window, "window")
    none = np.empty(0, np.int64)
    plan = Plan(
        steps=len(STAGES), order=ORDERED, length=window.us, months=window.months, changes=question.zone.changes,
        offsets=question.zone.offsets, excluded=none, after=none, before=none, by_unit=False, by_hold=False, refs=True,
    )  # fmt: skip

    def work(bucket: int) -> _Ways:
        feed = feed_of(question, bucket, bits)
        _, reach, _, ref = walk_funnel(feed.feed, plan)
        length = reach.astype(np.int64) + 1
        start = np.cumsum(length) - length
        values = np.full((4, len(reach)), -1, np.int64)
        for k, name in enumerate(names):
            if name is not None:
                there = np.flatnonzero(reach >= k)
                codes = [question.codes(s, [name])[0] for s in feed.strands]
                values[k, there] = values_of_rows(ref[start[there] + k], codes)
        return _Ways(reach, values, feed.rows)

    parts = over_buckets(question, work, threads)
    reach = np.concatenate([p.reach for p in parts]).astype(np.int64)
    values = np.concatenate([p.values for p in parts], axis=1)
    labels: list[list[Any]] = []
    lines: list[StageLine] = []
    for k, name in enumerate(STAGES):
        there = reach >= k
        people = int(there.sum())
        if k == len(STAGES) - 1:
            lines.append(StageLine(stage=name, people=people, on=None, values=[]))
            break
        held = question.values_of([one]).values if (one := names[k]) is not None else []
        values[k], shown = _largest(values[k], there, held, asked.values)
        labels.append(shown)
        on = Share.made(int((reach > k).sum()), people)
        lines.append(StageLine(stage=name, people=people, on=on, values=_stage_values(values[k], reach, k, shown)))
    cells, small = _cells(values[:3], reach, labels, asked.at_least)
    return DealPathsAnswer(
        scanned=sum(p.rows for p in parts), stages=lines, cells=cells, judged=len(cells), small=small
    )


def _largest(codes: Int64, there: npt.NDArray[np.bool_], held: list[Any], most: int) -> tuple[Int64, list[Any]]:
    """(codes of the largest values, "(other)" and missing after them; their labels)."""
    sizes = np.bincount(codes[there & (codes >= 0)], minlength=len(held))
    order = [v for v in np.argsort(-sizes, kind="stable").tolist() if sizes[v]]
    table = np.full(len(held) + 1, -1, np.int64)
    shown = order[:most]
    table[shown] = np.arange(len(shown))
    labels: list[Any] = [shown_value(held[v]) for v in shown]
    if len(order) > most:
        table[:-1][table[:-1] < 0] = len(labels)
        labels.append("(other)")
    table[-1] = len(labels)
    labels.append(None)
    return table[codes], labels


def _stage_values(codes: Int64, reach: Int64, k: int, labels: list[Any]) -> list[StageValue]:
    there = reach >= k
    size = len(labels)
    people = np.bincount(codes[there], minlength=size)
    on = np.bincount(codes[reach > k], minlength=size)
    deals = np.bincount(codes[reach == len(STAGES) - 1], minlength=size)
    return [
        StageValue(
            value=label,
            people=int(people[v]),
            on=Share.made(int(on[v]), int(people[v])),
            deals=Share.made(int(deals[v]), int(people[v])),
        )
        for v, label in enumerate(labels)
        if people[v]
    ]


def _cells(values: Int64, reach: Int64, labels: list[list[Any]], at_least: int) -> tuple[list[DealCell], int]:
    there = reach >= 2  # a cell has a channel, a scene and a product
    shape = tuple(len(one) for one in labels[:3])
    if math.prod(shape) > 4_000_000:
        raise LimitReached("there would be more than 4,000,000 cells; tell fewer values apart")
    flat = np.ravel_multi_index(tuple(values[:, there]), shape)
    people = np.bincount(flat, minlength=math.prod(shape))
    deals = np.bincount(flat[reach[there] == len(STAGES) - 1], minlength=math.prod(shape))
    used = np.flatnonzero(people)
    if len(used) == 0:
        return [], 0
    index = np.array(np.unravel_index(used, shape))
    n, c = people[used].astype(np.float64), deals[used].astype(np.float64)
    expected = n * main_effects(index, n, c, shape)
    large = np.flatnonzero(n >= at_least)
    # The cell's own people helped to predict it; leaving that out makes the test a little careful.
    variance = np.maximum(expected * (1 - expected / n), 1e-9)
    z = (c - expected) / np.sqrt(variance)
    p = corrected([math.erfc(abs(x) / math.sqrt(2)) for x in z[large].tolist()])
    cells = []
    for at, adjusted in zip(large.tolist(), p, strict=True):
        deal = Share.made(int(c[at]), int(n[at]))
        want = float(expected[at])
        per = want / n[at]
        verdict = "nothing" if adjusted >= 0.05 else ("better" if c[at] > want else "worse")
        channel, scene, product = (labels[d][index[d, at]] for d in range(3))
        cells.append(
            DealCell(
                channel=channel,
                scene=scene,
                product=product,
                people=int(n[at]),
                deals=deal,
                expected=want,
                lift=float(c[at]) / want if want > 0 else None,
                low=deal.low / per if per > 0 and deal.low is not None else None,
                high=deal.high / per if per > 0 and deal.high is not None else None,
                p=adjusted,
                verdict=verdict,
            )
        )
    cells.sort(key=lambda cell: (cell.p, -cell.people))
    return cells, len(used) - len(large)


def main_effects(
    index: Int64, people: npt.NDArray[np.float64], deals: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """float64[cells]: the share of deals a logistic model of the stages' main effects predicts.

    index: int64[stages, cells]. Fitted by Newton's method with a ridge as light as one person, so that a value without
    deals stays finite.
    """
    columns = [np.ones((1, len(people)))]
    for d, size in enumerate(shape):
        columns.append((index[d] == np.arange(size)[:, None]).astype(np.float64))
    design = np.concatenate(columns).T
    weights = np.zeros(design.shape[1])
    overall = np.clip(deals.sum() / people.sum(), 1e-9, 1 - 1e-9)
    weights[0] = math.log(overall / (1 - overall))
    ridge = np.full(len(weights), 1.0)
    ridge[0] = 1e-6
    for _ in range(50):
        share = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (deals - people * share) - ridge * np.concatenate(([0.0], weights[1:]))
        curvature = (design.T * (people * share * (1 - share))) @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if float(np.abs(step).max()) < 1e-9:
            break
    found: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
    return found
