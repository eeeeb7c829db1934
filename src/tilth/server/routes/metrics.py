"""Metrics: one definition of a number, its values, its versions, its uses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.measure.metric import Metric
from tilth.measure.metric_values import MetricAnswer
from tilth.measure.metrics import KeptMetric, MetricUse
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant

__all__ = ["ROUTES"]


class ShownMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric as it is now. unit: as shown, the usual one of its kind where it names none. uses: where it is used."""

    metric: Metric
    unit: str
    version: int
    by: str
    created_at: datetime
    changed_at: datetime
    uses: list[MetricUse]


class MetricList(msgspec.Struct, frozen=True, kw_only=True):
    metrics: list[ShownMetric]


class ShownVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric was from changed_at on."""

    metric: Metric
    version: int
    by: str
    changed_at: datetime


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    versions: list[ShownVersion]


class MetricToChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """version: the one that was changed; refused when it is not the one there is."""

    metric: Metric
    version: int | None = None


class MetricToTry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A definition that need not be kept; asked: range, interval and so on, as for a kept one."""

    metric: Metric
    asked: dict[str, Any] = msgspec.field(default_factory=dict)


def _shown(held: KeptMetric, uses: list[MetricUse]) -> ShownMetric:
    return ShownMetric(
        metric=held.metric,
        unit=held.metric.shown_unit,
        version=held.version,
        by=held.by,
        created_at=instant(held.created_at),
        changed_at=instant(held.changed_at),
        uses=uses,
    )


@get("/metrics", opt={"role": "viewer"}, sync_to_thread=True)
def list_metrics(context: Ctx) -> MetricList:
    """All metrics by key, with where each is used."""
    metrics = context.workspace.metrics
    return MetricList(metrics=[_shown(held, metrics.uses(held.metric.key)) for held in metrics.all()])


@get("/metrics/{key:str}", opt={"role": "viewer"}, sync_to_thread=True)
def read_metric(key: FromPath[str], context: Ctx) -> ShownMetric:
    """One metric."""
    metrics = context.workspace.metrics
    return _shown(metrics.get(key), metrics.uses(key))


@get("/metrics/{key:str}/versions", opt={"role": "viewer"}, sync_to_thread=True)
def list_metric_versions(key: FromPath[str], context: Ctx) -> VersionList:
    """What the metric was before."""
    return VersionList(
        versions=[
            ShownVersion(metric=v.metric, version=v.version, by=v.by, changed_at=instant(v.changed_at))
            for v in context.workspace.metrics.versions(key)
        ]
    )


@post("/metrics", opt={"role": "analyst"}, status_code=201, sync_to_thread=True)
def make_metric(data: JSONBody[Metric], principal: Who, context: Ctx) -> ShownMetric:
    """Define a metric."""
    made = context.workspace.metrics.make(data, principal.name)
    context.record(principal, "metric.create", made.metric.key, kind=made.metric.kind)
    return _shown(made, [])


@put("/metrics/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def change_metric(key: FromPath[str], data: JSONBody[MetricToChange], principal: Who, context: Ctx) -> ShownMetric:
    """Change a metric; what uses it follows."""
    metrics = context.workspace.metrics
    made = metrics.change(key, data.metric, principal.name, data.version)
    context.record(principal, "metric.change", key, version=made.version)
    return _shown(made, metrics.uses(key))


@delete("/metrics/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_metric(key: FromPath[str], principal: Who, context: Ctx) -> None:
    """Remove a metric that nothing uses."""
    context.workspace.metrics.delete(key)
    context.record(principal, "metric.remove", key)


@post("/metrics/preview", opt={"role": "analyst"}, status_code=200)
async def try_metric(data: JSONBody[MetricToTry], context: Ctx) -> MetricAnswer:
    """The values of a definition, before it is kept."""
    return await context.compute(context.workspace.metrics.values_of, data.metric, data.asked)


@post("/metrics/{key:str}/values", opt={"role": "viewer"}, status_code=200)
async def ask_metric(key: FromPath[str], data: JSONBody[dict[str, Any]], context: Ctx) -> MetricAnswer:
    """The metric over a range: range, interval, breakdown, filters, segment, compare."""
    return await context.compute(context.workspace.metrics.values, key, data)


ROUTES = [
    list_metrics,
    read_metric,
    list_metric_versions,
    make_metric,
    change_metric,
    delete_metric,
    try_metric,
    ask_metric,
]
