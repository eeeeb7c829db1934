"""An alert: a metric, a condition on its periods, and who hears of it."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

import msgspec

from tilth.behavior.calendar import parse_duration
from tilth.errors import InvalidInput

__all__ = ["KINDS", "Alert", "Condition", "check_alert"]

KINDS = ("threshold", "change", "seasonal")


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """kind: threshold (the value is above or below `value`), change (it is more than `percent` above or below the
    period before, or, versus week, the same one a week before) or seasonal (it is outside what its weekday and
    hour usually bring, by `sensitivity` robust standard deviations). side: above, below or either."""

    kind: str
    side: Literal["above", "below", "either"] = "either"
    value: float | None = None
    percent: float = 20.0
    versus: Literal["previous", "week"] = "previous"
    sensitivity: float = 3.0


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """metric: a key. interval: the periods that are judged, each once it is over and `delay` has passed, so that late
    events are in. at_least: periods whose denominator (or value, where it has none, or what was expected) is smaller
    are not judged. explain_by: properties whose values are looked through for what explains it. destinations:
    numbers of those told. owner: who looks after it."""

    key: str
    name: Annotated[str, msgspec.Meta(max_length=120)]
    metric: str
    condition: Condition
    interval: Literal["hour", "day", "week", "month"] = "day"
    filters: Any = None
    segment: str | None = None
    at_least: float = 0.0
    delay: str = "15m"
    explain_by: list[str] = msgspec.field(default_factory=list)
    destinations: list[int] = msgspec.field(default_factory=list)
    owner: Annotated[str, msgspec.Meta(max_length=120)] = ""
    enabled: bool = True


def check_alert(alert: Alert) -> Alert:
    """The alert, sound in itself. Raises `InvalidInput` with the field."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", alert.key):
        raise InvalidInput("key", "must be 1 to 64 small letters, digits, - and _, beginning with a letter or digit")
    if not alert.name.strip():
        raise InvalidInput("name", "is missing")
    held = alert.condition
    if held.kind not in KINDS:
        raise InvalidInput("condition.kind", f"{held.kind[:40]!r} is not a kind of condition", list(KINDS))
    if held.kind == "threshold":
        if held.value is None or not math.isfinite(held.value):
            raise InvalidInput("condition.value", "is missing: a threshold is a number")
        if held.side == "either":
            raise InvalidInput("condition.side", "must be above or below", ["above", "below"])
    elif held.value is not None:
        raise InvalidInput("condition.value", "goes with a threshold")
    if not 0 < held.percent <= 1_000_000:
        raise InvalidInput("condition.percent", "must be more than 0")
    if not 1.5 <= held.sensitivity <= 10:
        raise InvalidInput("condition.sensitivity", "must be between 1.5 and 10")
    if held.kind == "change" and held.versus == "week" and alert.interval not in ("hour", "day"):
        raise InvalidInput("condition.versus", "a week before goes with hours and days", ["previous"])
    if not 0 <= alert.at_least < math.inf:
        raise InvalidInput("at_least", "must be 0 or more")
    if parse_duration(alert.delay, "delay").months:
        raise InvalidInput("delay", "must be of one length, such as 15m")
    if len(alert.explain_by) > 10:
        raise InvalidInput("explain_by", "may be 10 properties at most")
    if len(alert.destinations) > 20:
        raise InvalidInput("destinations", "may be 20 at most")
    return alert
