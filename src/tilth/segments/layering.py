"""What a layering is: everyone in exactly one of a few named layers.

A kind of layering (one file each: rfm, value, pareto, …) is a function from a `Standing` to an
`Assignment`: a code per person, the layers the codes stand for, and the fitted rule (`model`).
Given the model again, the function applies the same rule to another day instead of fitting anew;
that is what tells people who moved from thresholds that moved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text

__all__ = [
    "NO_PURCHASE",
    "Assignment",
    "Average",
    "Cell",
    "Kind",
    "Layer",
    "LayerName",
    "Matrix",
    "MatrixCell",
    "describe",
]

Codes = npt.NDArray[np.int16]


class LayerName(msgspec.Struct, frozen=True, kw_only=True):
    """A layer's key (stable, used in addresses and exports), its name, and in words how one gets in."""

    key: str
    name: Text
    rule: Text


NO_PURCHASE = LayerName(
    key="no_purchase",
    name=Text("未购买", "No purchase yet"),
    rule=Text("已认识但还没有任何一笔购买", "known, but without a single purchase"),
)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One of the 5×5×5 RFM codes. revenue in minor units."""

    r: int
    f: int
    m: int
    people: int
    revenue: int


class MatrixCell(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a two-way layering. revenue in minor units."""

    row: str
    column: str
    layer: str
    people: int
    revenue: int


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """A two-way layering as a table; rows and columns in reading order."""

    rows: list[LayerName]
    columns: list[LayerName]
    cells: list[MatrixCell]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assignment:
    """Who is in which layer.

    codes: int16[n], for each person of the standing the index of the layer in `layers`.
    model: the rule as fitted, a msgspec Struct. dimensions: how many numbers of a person decide.
    cells, matrix: the layering's own picture where it has one. notices: what the reader must know.
    """

    codes: Codes
    layers: list[LayerName]
    model: msgspec.Struct
    dimensions: int
    cells: list[Cell] | None = None
    matrix: Matrix | None = None
    notices: list[Notice] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        keys = [layer.key for layer in self.layers]
        if len(set(keys)) != len(keys):
            raise ValueError(f"two layers share a key: {keys}")
        if len(self.codes) and (int(self.codes.min()) < 0 or int(self.codes.max()) >= len(keys)):
            raise ValueError("a person is in no layer: a layering covers everyone exactly once")

    def covering(self, people: int) -> Assignment:
        """This, having made sure that it says one layer for each of `people` persons."""
        if len(self.codes) != people:
            raise ValueError(f"{len(self.codes)} layer codes for {people} people: a layering covers everyone once")
        return self


class Average(msgspec.Struct, frozen=True, kw_only=True):
    """The average person of a layer; None where nobody in it has bought.

    recency_days, tenure_days: days since the last and first purchase. frequency: orders a person.
    monetary: minor units a person; order_value: minor units an order. usual_gap_days: median of
    people's own usual days between purchases. expected_value: money expected in the coming horizon
    in minor units, where the layering works it out. active_days: days seen in the activity window.
    """

    recency_days: float | None
    frequency: float
    monetary: float
    order_value: float | None
    tenure_days: float | None
    usual_gap_days: float | None
    expected_value: float | None
    active_days: float


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer's numbers. revenue and refunds in minor units; shares of the whole layering, 0..1.
    color_index: the layer's place in its kind's full list, so that it keeps its colour."""

    key: str
    name: Text
    rule: Text
    color_index: int
    people: int
    people_share: float
    orders: int
    revenue: int
    revenue_share: float
    refunds: int
    average: Average
    suggestion: Text = Text("", "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A built-in kind of layering.

    assign(standing, parameters, model): see `Assignment`; model None means fit. about_parameters:
    what each field of `parameters` means. needs: what the standing must carry beyond the orders
    ("activity": engagement columns, "value": expected money). refit(standing, parameters, model): fit
    again to other people, the model telling where to start and what was chosen (such as the number of clusters);
    None: `assign` without a model. model: its type.
    """

    key: str
    name: Text
    about: Text
    parameters: type[msgspec.Struct]
    about_parameters: dict[str, Text]
    assign: Callable[[Standing, Any, Any], Assignment]
    refit: Callable[[Standing, Any, Any], Assignment] | None = None
    needs: frozenset[str] = frozenset()
    model: type[msgspec.Struct] = msgspec.Struct


def describe(standing: Standing, assignment: Assignment, usual_gap: npt.NDArray[np.float64]) -> list[Layer]:
    """The numbers of every layer that has people, in the kind's order. usual_gap: days per person, NaN without one."""
    codes = assignment.codes
    k = len(assignment.layers)
    bought = standing.buyers

    def total(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(codes, values, k).astype(np.float64)

    people = np.bincount(codes, minlength=k)
    buyers = total(bought)
    orders, revenue, refunds = total(standing.orders), total(standing.revenue), total(standing.refunds)
    recency = total(np.where(bought, standing.recency, 0))
    tenure = total(np.where(bought, standing.tenure, 0))
    active = total(standing.active_days)
    valued = np.bincount(codes, ~np.isnan(standing.value), k)
    value = total(np.nan_to_num(standing.value))
    gaps = _medians(codes, usual_gap, k)
    all_people, all_revenue = int(people.sum()), float(revenue.sum())
    return [
        Layer(
            key=layer.key,
            name=layer.name,
            rule=layer.rule,
            color_index=i,
            people=int(people[i]),
            people_share=float(people[i] / all_people),
            orders=round(orders[i]),
            revenue=round(revenue[i]),
            revenue_share=float(revenue[i] / all_revenue) if all_revenue else 0.0,
            refunds=round(refunds[i]),
            average=Average(
                recency_days=float(recency[i] / buyers[i]) if buyers[i] else None,
                frequency=float(orders[i] / people[i]),
                monetary=float(revenue[i] / people[i]),
                order_value=float(revenue[i] / orders[i]) if orders[i] else None,
                tenure_days=float(tenure[i] / buyers[i]) if buyers[i] else None,
                usual_gap_days=None if np.isnan(gaps[i]) else float(gaps[i]),
                expected_value=float(value[i] / valued[i]) if valued[i] else None,
                active_days=float(active[i] / people[i]),
            ),
        )
        for i, layer in enumerate(assignment.layers)
        if people[i]
    ]


def _medians(codes: Codes, values: npt.NDArray[np.float64], k: int, sample: int = 100_000) -> npt.NDArray[np.float64]:
    """The median of each layer's values that are not NaN; of an even spread of rows where there are very many."""
    rows = np.flatnonzero(~np.isnan(values))
    if len(rows) > sample:
        rows = rows[np.linspace(0, len(rows) - 1, sample).astype(np.int64)]
    order = rows[np.lexsort((values[rows], codes[rows]))]
    sizes = np.bincount(codes[order], minlength=k)
    starts = np.cumsum(sizes) - sizes
    medians = np.full(k, np.nan)
    full = sizes > 0
    middle = starts + (sizes - 1) // 2
    upper = starts + sizes // 2
    ordered = values[order]
    medians[full] = (ordered[middle[full]] + ordered[upper[full]]) / 2
    return medians
