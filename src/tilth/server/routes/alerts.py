"""Alerts on metrics and their incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from tilth.errors import InvalidInput
from tilth.measure.alerts import Alert, Incident, KeptAlert
from tilth.measure.alerts.service import Judged
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant, instant_or_none, micros

__all__ = ["ROUTES"]


class ShownAlert(msgspec.Struct, frozen=True, kw_only=True):
    """state: new, ok, firing or unknown (reason says why). judged: the last period that was judged."""

    alert: Alert
    version: int
    by: str
    changed_at: datetime
    silenced_until: datetime | None
    judged: str
    judged_at: datetime | None
    state: str
    reason: str


class AlertList(msgspec.Struct, frozen=True, kw_only=True):
    alerts: list[ShownAlert]


class ShownIncident(msgspec.Struct, frozen=True, kw_only=True):
    """explained: what the change comes from. closed_at: None while it lasts."""

    id: int
    alert: str
    name: str
    metric: str
    first_period: str
    last_period: str
    value: float
    expected: float | None
    low: float | None
    high: float | None
    unit: str
    text: str
    explained: list[dict[str, Any]]
    silenced: bool
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_by: str
    acknowledged_at: datetime | None
    note: str


class IncidentList(msgspec.Struct, frozen=True, kw_only=True):
    """Open ones first, then the newest."""

    incidents: list[ShownIncident]


class AlertToChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """version: the one that was changed."""

    alert: Alert
    version: int | None = None


class Silence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """until: tell nobody until then; null: speak again."""

    until: datetime | None


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: str = ""


class AlertPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What the alert would have said of the last periods."""

    periods: list[Judged]


def _shown(held: KeptAlert) -> ShownAlert:
    return ShownAlert(
        alert=held.alert,
        version=held.version,
        by=held.by,
        changed_at=instant(held.changed_at),
        silenced_until=instant_or_none(held.silenced_until),
        judged=held.judged,
        judged_at=instant_or_none(held.judged_at),
        state=held.state,
        reason=held.reason,
    )


def _incident(held: Incident) -> ShownIncident:
    values = {name: getattr(held, name) for name in ShownIncident.__struct_fields__}
    values |= {name: instant_or_none(values[name]) for name in ("opened_at", "closed_at", "acknowledged_at")}
    values["explained"] = [msgspec.to_builtins(part) for part in held.explained]
    return ShownIncident(**values)


@get("/alerts", opt={"role": "viewer"}, sync_to_thread=True)
def list_alerts(context: Ctx) -> AlertList:
    """All alerts by key."""
    return AlertList(alerts=[_shown(held) for held in context.workspace.alerts.all()])


@get("/alerts/{key:str}", opt={"role": "viewer"}, sync_to_thread=True)
def read_alert(key: FromPath[str], context: Ctx) -> ShownAlert:
    """One alert."""
    return _shown(context.workspace.alerts.get(key))


@post("/alerts", opt={"role": "analyst"}, status_code=201, sync_to_thread=True)
def make_alert(data: JSONBody[Alert], principal: Who, context: Ctx) -> ShownAlert:
    """Make an alert."""
    made = context.workspace.alerts.make(data, principal.name)
    context.record(principal, "alert.create", made.alert.key, metric=made.alert.metric)
    context.background.measure_soon()
    return _shown(made)


@put("/alerts/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def change_alert(key: FromPath[str], data: JSONBody[AlertToChange], principal: Who, context: Ctx) -> ShownAlert:
    """Change an alert; its last period is judged anew."""
    made = context.workspace.alerts.change(key, data.alert, data.version)
    context.record(principal, "alert.change", key, version=made.version)
    context.background.measure_soon()
    return _shown(made)


@delete("/alerts/{key:str}", opt={"role": "analyst"}, sync_to_thread=True)
def delete_alert(key: FromPath[str], principal: Who, context: Ctx) -> None:
    """Remove an alert; its incidents stay."""
    context.workspace.alerts.delete(key)
    context.record(principal, "alert.remove", key)


@post("/alerts/{key:str}/silence", opt={"role": "analyst"}, status_code=200, sync_to_thread=True)
def silence_alert(key: FromPath[str], data: JSONBody[Silence], principal: Who, context: Ctx) -> ShownAlert:
    """Tell nobody for a while."""
    if data.until is not None and data.until.tzinfo is None:
        raise InvalidInput("until", "must name its offset, such as Z or +08:00")
    until = None if data.until is None else micros(data.until)
    made = context.workspace.alerts.silence(key, until)
    context.record(principal, "alert.silence", key, until=data.until.isoformat() if data.until else "")
    return _shown(made)


@post("/alerts/preview", opt={"role": "analyst"}, status_code=200)
async def try_alert(data: JSONBody[Alert], context: Ctx) -> AlertPreview:
    """What the alert would have said of the last thirty periods, before it is kept."""
    return AlertPreview(periods=await context.compute(context.workspace.alerts.preview, data))


@get("/incidents", opt={"role": "viewer"}, sync_to_thread=True)
def list_incidents(context: Ctx, alert: FromQuery[str | None] = None) -> IncidentList:
    """Incidents of all alerts, or of one."""
    return IncidentList(incidents=[_incident(one) for one in context.workspace.alerts.incidents(alert)])


@post("/incidents/{incident_id:int}/acknowledge", opt={"role": "analyst"}, status_code=200, sync_to_thread=True)
def acknowledge_incident(
    incident_id: FromPath[int], data: JSONBody[Acknowledgement], principal: Who, context: Ctx
) -> ShownIncident:
    """Say that one looks after it."""
    made = context.workspace.alerts.acknowledge(incident_id, principal.name, data.note)
    context.record(principal, "incident.acknowledge", made.alert, incident=incident_id)
    return _incident(made)


ROUTES = [
    list_alerts,
    read_alert,
    make_alert,
    change_alert,
    delete_alert,
    silence_alert,
    try_alert,
    list_incidents,
    acknowledge_incident,
]
