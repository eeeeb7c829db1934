"""Where notices go, and what became of them."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from tilth.errors import InvalidInput
from tilth.notify import Delivery, Destination, KeptDestination, Message
from tilth.notify.http import Refused
from tilth.server.auth import Who
from tilth.server.context import Ctx
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]


class ShownDestination(msgspec.Struct, frozen=True, kw_only=True):
    """shown: addresses of e-mail, the host of a URL; the URL itself and the secret are never shown."""

    id: int
    name: str
    kind: str
    shown: str
    has_secret: bool
    enabled: bool
    by: str
    created_at: datetime


class DestinationList(msgspec.Struct, frozen=True, kw_only=True):
    """mail: whether a mail server is set."""

    destinations: list[ShownDestination]
    mail: bool


class ShownDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """state: waiting, sent or dead. due_at: when it is tried next."""

    id: int
    destination: int
    title: str
    state: str
    attempts: int
    error: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None


class DeliveryList(msgspec.Struct, frozen=True, kw_only=True):
    """What waits or is dead first, then the newest."""

    deliveries: list[ShownDelivery]


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """reason: why it was not taken, empty where it was."""

    sent: bool
    reason: str


def _shown(held: KeptDestination) -> ShownDestination:
    values = {name: getattr(held, name) for name in ShownDestination.__struct_fields__}
    return ShownDestination(**{**values, "created_at": instant(held.created_at)})


def _delivery(held: Delivery) -> ShownDelivery:
    values = {name: getattr(held, name) for name in ShownDelivery.__struct_fields__}
    values |= {"created_at": instant(held.created_at), "due_at": instant(held.due_at)}
    return ShownDelivery(**{**values, "sent_at": instant_or_none(held.sent_at)})


@get("/destinations", opt={"role": "viewer"}, sync_to_thread=True)
def list_destinations(context: Ctx) -> DestinationList:
    """All destinations by name."""
    workspace = context.workspace
    found = [_shown(one) for one in workspace.destinations.all()]
    return DestinationList(destinations=found, mail=bool(workspace.settings.smtp_url))


@post("/destinations", opt={"role": "admin"}, status_code=201, sync_to_thread=True)
def make_destination(data: JSONBody[Destination], principal: Who, context: Ctx) -> ShownDestination:
    """Add a destination."""
    made = context.workspace.destinations.make(data, principal.name)
    context.record(principal, "destination.create", made.name, kind=made.kind)
    return _shown(made)


@put("/destinations/{destination_id:int}", opt={"role": "admin"}, sync_to_thread=True)
def change_destination(
    destination_id: FromPath[int], data: JSONBody[Destination], principal: Who, context: Ctx
) -> ShownDestination:
    """Change a destination; an empty address or secret stays as it was."""
    made = context.workspace.destinations.change(destination_id, data)
    context.record(principal, "destination.change", made.name, kind=made.kind)
    return _shown(made)


@delete("/destinations/{destination_id:int}", opt={"role": "admin"}, sync_to_thread=True)
def delete_destination(destination_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Remove a destination; what waits for it is not sent."""
    gone = context.workspace.destinations.get(destination_id)
    context.workspace.destinations.delete(destination_id)
    context.record(principal, "destination.remove", gone.name)


@post("/destinations/{destination_id:int}/test", opt={"role": "admin"}, status_code=200, sync_to_thread=True)
def test_destination(destination_id: FromPath[int], principal: Who, context: Ctx) -> Tested:
    """Send a test message now."""
    workspace = context.workspace
    held = workspace.destinations.get(destination_id)
    if workspace.settings.language == "zh-CN":
        message = Message(title=f"{workspace.settings.name}：测试消息", text=f"通知渠道“{held.name}”可用。")
    else:
        message = Message(title=f"{workspace.settings.name}: test message", text=f"The destination {held.name} works.")
    context.record(principal, "destination.test", held.name)
    try:
        workspace.destinations.send(destination_id, message, f"test:{destination_id}:{time.time_ns()}")
    except Refused as refused:
        return Tested(sent=False, reason=str(refused))
    return Tested(sent=True, reason="")


@get("/deliveries", opt={"role": "viewer"}, sync_to_thread=True)
def list_deliveries(context: Ctx) -> DeliveryList:
    """What became of notices."""
    return DeliveryList(deliveries=[_delivery(one) for one in context.workspace.outbox.recent()])


@post("/deliveries/{delivery_id:int}/retry", opt={"role": "operator"}, status_code=204, sync_to_thread=True)
def retry_delivery(delivery_id: FromPath[int], principal: Who, context: Ctx) -> None:
    """Try a notice again that was given up."""
    if delivery_id < 1:
        raise InvalidInput("delivery_id", "must be positive")
    context.workspace.outbox.retry(delivery_id)
    context.background.notices_soon()
    context.record(principal, "delivery.retry", str(delivery_id))


ROUTES = [
    list_destinations,
    make_destination,
    change_destination,
    delete_destination,
    test_destination,
    list_deliveries,
    retry_delivery,
]
