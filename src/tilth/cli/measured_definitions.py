"""Metrics, alerts, KPI trees and stages as parts of the files `tilth apply` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tilth.collect.plan_yaml import read_as
from tilth.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["Measured"]


class Measured:
    """What the files define; read from all of them before anything is saved."""

    def __init__(self) -> None:
        self.metrics: list[Any] = []
        self.alerts: list[Any] = []
        self.trees: list[Any] = []
        self.stages: list[Any] = []

    def read(self, document: Mapping[str, Any]) -> None:
        """Take a document's parts. Raises `InvalidInput` with the path."""
        from tilth.measure.alerts import Alert
        from tilth.measure.alerts.alert import check_alert
        from tilth.measure.kpi_tree import Tree
        from tilth.measure.metric import Metric, check_metric
        from tilth.measure.stages import StageSettings

        for name, kind, into in (
            ("metrics", Metric, self.metrics),
            ("alerts", Alert, self.alerts),
            ("trees", Tree, self.trees),
        ):
            listed = document.get(name) or {}
            if not isinstance(listed, dict):
                raise InvalidInput(name, "must be a mapping of keys to definitions")
            for key, value in listed.items():
                if not isinstance(value, dict):
                    raise InvalidInput(f"{name}.{key}", "must be a mapping")
                made = read_as({"key": str(key), "name": str(key), **value}, kind, f"{name}.{key}")
                try:
                    if isinstance(made, Metric):
                        check_metric(made)
                    elif isinstance(made, Alert):
                        check_alert(made)
                except InvalidInput as error:
                    raise InvalidInput(f"{name}.{key}.{error.field}", error.reason, error.choices) from None
                into.append(made)
        if document.get("stages") is not None:
            self.stages.append(read_as(document["stages"], StageSettings, "stages"))
            if len(self.stages) > 1:
                raise InvalidInput("stages", "are given twice")

    def names(self) -> dict[str, list[str]]:
        """What is defined, by part."""
        return {
            "metrics": [m.key for m in self.metrics],
            "alerts": [a.key for a in self.alerts],
            "trees": [t.key for t in self.trees],
            "stages": ["stages"] if self.stages else [],
        }

    def save(self, opened: Workspace, who: str) -> None:
        """Put everything in force; metrics first, since the others use them."""
        from tilth.server import audit

        for metric in self.metrics:
            held = opened.metrics.save(metric, who)
            audit.record(opened.database, who, "metric.change", metric.key, {"version": held.version})
        for alert in self.alerts:
            try:
                opened.alerts.change(alert.key, alert)
            except NotFound:
                opened.alerts.make(alert, who)
            audit.record(opened.database, who, "alert.change", alert.key, {})
        for tree in self.trees:
            try:
                opened.trees.change(tree.key, tree)
            except NotFound:
                opened.trees.make(tree, who)
            audit.record(opened.database, who, "tree.change", tree.key, {})
        for stages in self.stages:
            held_stages = opened.stages.save(stages, who)
            audit.record(opened.database, who, "stages.change", "stages", {"version": held_stages.version})
