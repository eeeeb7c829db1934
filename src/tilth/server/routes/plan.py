"""The tracking plan: what should arrive, what does, where they differ, what changed."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.collect.drift import Noticed
from tilth.collect.observed import Drift, Observation, ObservedEvent, infer_plan, observe
from tilth.collect.plan import Plan, VersionedPlan
from tilth.collect.plan_yaml import plan_of_yaml, plan_yaml
from tilth.errors import InvalidInput
from tilth.server.auth import Who
from tilth.server.context import Context, Ctx
from tilth.server.instants import instant, instant_or_none, now

__all__ = ["ROUTES"]

# Seconds an observation may be old: it reads weeks of events.
_LIFE = 30


class TrackingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan in force; version 0 and no time where none was saved. yaml: the same as text."""

    version: int
    saved_at: datetime | None
    saved_by: str
    plan: Plan
    yaml: str


class PlanChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either the plan or its YAML. version: the one that was changed; refused when it is not the one in force."""

    plan: Plan | None = None
    yaml: Annotated[str, msgspec.Meta(max_length=4_194_304)] | None = None
    version: int | None = None


class InferredPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan in force with everything added that arrived in the last weeks; nothing is saved."""

    plan: Plan
    yaml: str
    events_added: int
    properties_added: int


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """The four weeks up to the last day with data. unseen: events of the plan that did not arrive in them."""

    through: str | None
    first: str | None
    events: list[ObservedEvent]
    drift: list[Drift]
    unseen: list[str]
    read_at: datetime


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """So many events of a source differed from the plan in this way."""

    event: str
    field: str
    reason: str
    source: str
    events: int
    first_at: datetime
    last_at: datetime


class Issues(msgspec.Struct, frozen=True, kw_only=True):
    issues: list[Issue]


class DriftNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the data since first_at. ended_at: from when on it was there no more. acknowledged_by: who looked."""

    id: int
    drift: Drift
    first_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class DriftList(msgspec.Struct, frozen=True, kw_only=True):
    """Those nobody has looked at first, then those still there, then those that are over."""

    notices: list[DriftNotice]


def _notice(one: Noticed) -> DriftNotice:
    return DriftNotice(
        id=one.id,
        drift=one.drift,
        first_at=instant(one.first_at),
        ended_at=instant_or_none(one.ended_at),
        acknowledged_at=instant_or_none(one.acknowledged_at),
        acknowledged_by=one.acknowledged_by,
    )


def _plan(found: VersionedPlan) -> TrackingPlan:
    return TrackingPlan(
        version=found.version,
        saved_at=instant_or_none(found.at or None),
        saved_by=found.by,
        plan=found.plan,
        yaml=plan_yaml(found.plan),
    )


_reading = threading.Lock()


def _observe(context: Context) -> tuple[Observation, int]:
    """What arrived, at most half a minute old, and when that was read (UTC µs)."""
    workspace = context.workspace
    current = workspace.collect.plans.current()
    with _reading:
        held = context.observation
        if held is None or held[0] != current.version or now() - held[2] > _LIFE * 1_000_000:
            found = observe(workspace.lake, current.plan, workspace.settings.memory_mb)
            workspace.collect.drift.note(found.drift)
            held = context.observation = (current.version, found, now())
        return held[1], held[2]


@get("/plan", opt={"role": "viewer"}, sync_to_thread=True)
def read_plan(context: Ctx) -> TrackingPlan:
    """The tracking plan in force."""
    return _plan(context.workspace.collect.plans.current())


@get("/plan/export", opt={"role": "viewer"}, sync_to_thread=True)
def export_plan(context: Ctx) -> Response[str]:
    """The tracking plan as a YAML file, as `tilth apply` takes it."""
    text = "tracking_plan:\n" + "".join(
        f"  {line}\n" for line in plan_yaml(context.workspace.collect.plans.current().plan).splitlines()
    )
    return Response(
        content=text,
        media_type="application/yaml",
        headers={"Content-Disposition": 'attachment; filename="tracking-plan.yaml"'},
    )


@put("/plan", opt={"role": "operator"}, sync_to_thread=True)
def save_plan(data: JSONBody[PlanChange], principal: Who, context: Ctx) -> TrackingPlan:
    """Put a plan in force. In mode `enforce` events that differ go to quarantine from now on."""
    if (data.plan is None) == (data.yaml is None):
        raise InvalidInput("plan", "give the plan or its yaml, not both and not neither")
    plan = data.plan if data.plan is not None else plan_of_yaml(data.yaml or "")
    saved = context.workspace.collect.plans.save(plan, principal.name, data.version)
    # What was counted was counted against the plan before.
    context.counts.forget_issues()
    context.record(principal, "plan.save", f"version {saved.version}", mode=plan.mode, events=len(plan.events))
    return _plan(saved)


@get("/plan/inferred", opt={"role": "viewer"})
async def read_inferred_plan(context: Ctx) -> InferredPlan:
    """What a plan would be if everything that arrived lately was meant to; a start to be edited."""

    def infer() -> InferredPlan:
        before = context.workspace.collect.plans.current().plan
        plan = infer_plan(_observe(context)[0], before)
        known = sum(len(one.properties) for one in before.events.values())
        return InferredPlan(
            plan=plan,
            yaml=plan_yaml(plan),
            events_added=len(plan.events) - len(before.events),
            properties_added=sum(len(one.properties) for one in plan.events.values()) - known,
        )

    return await context.compute(infer)


@get("/plan/observed", opt={"role": "viewer"})
async def read_observed(context: Ctx) -> Observed:
    """Events and properties that arrived in the last four weeks, how many, of which types, and what changed."""

    def read() -> Observed:
        found, at = _observe(context)
        return Observed(
            through=found.through,
            first=found.first,
            events=found.events,
            drift=found.drift,
            unseen=found.unseen,
            read_at=instant(at),
        )

    return await context.compute(read)


@get("/plan/issues", opt={"role": "viewer"}, sync_to_thread=True)
def read_issues(context: Ctx) -> Issues:
    """Where events differ from the plan in force, the latest first."""
    return Issues(
        issues=[
            Issue(
                event=one.event,
                field=one.field,
                reason=one.reason,
                source=one.source,
                events=one.events,
                first_at=instant(one.first_at),
                last_at=instant(one.last_at),
            )
            for one in context.counts.issues()
        ]
    )


@delete("/plan/issues", opt={"role": "operator"}, sync_to_thread=True)
def forget_issues(principal: Who, context: Ctx) -> None:
    """Begin counting differences anew, as after a fix in an app."""
    context.counts.forget_issues()
    context.record(principal, "plan.forget_issues", "")


@get("/plan/drift", opt={"role": "viewer"})
async def read_drift(context: Ctx) -> DriftList:
    """What changed in the data: events that stopped, volumes, types and coverage of properties."""

    def read() -> DriftList:
        _observe(context)
        return DriftList(notices=[_notice(one) for one in context.workspace.collect.drift.all()])

    return await context.compute(read)


@post("/plan/drift/{notice_id:int}/acknowledge", opt={"role": "operator"}, status_code=200, sync_to_thread=True)
def acknowledge_drift(notice_id: FromPath[int], principal: Who, context: Ctx) -> DriftNotice:
    """Somebody has looked at it: it asks for no more attention unless it ends and comes back."""
    done = context.workspace.collect.drift.acknowledge(notice_id, principal.name)
    context.record(principal, "drift.acknowledge", done.drift.event, kind=done.drift.kind, property=done.drift.property)
    return _notice(done)


ROUTES = [
    read_plan,
    export_plan,
    save_plan,
    read_inferred_plan,
    read_observed,
    read_issues,
    forget_issues,
    read_drift,
    acknowledge_drift,
]
