"""Alerts on metrics: thresholds, changes, and what is unusual for the weekday and hour; with what explains it."""

from tilth.measure.alerts.alert import Alert, Condition
from tilth.measure.alerts.service import Alerts, Incident, KeptAlert

__all__ = ["Alert", "Alerts", "Condition", "Incident", "KeptAlert"]
