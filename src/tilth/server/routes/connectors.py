"""Commerce connectors: signed webhooks in, the rules that read them, a preview."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import anyio.to_thread
import msgspec
from litestar import Request, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from tilth.collect.connectors import READY, Connector, Kind, Mapped, MappingRule, check_signature, map_payload
from tilth.collect.connectors.mapping import check_rules
from tilth.collect.connectors.signatures import payload_of, topic_of
from tilth.collect.formats import WireRequest
from tilth.collect.formats.json_body import decimal_of
from tilth.errors import InvalidInput, LimitReached, NotFound, Unauthorized
from tilth.server.auth import Who
from tilth.server.bodies import read_body
from tilth.server.context import Context, Ctx
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]

# Bytes of one webhook.
_MOST = 2 * 1024 * 1024
_decoder = msgspec.json.Decoder(float_hook=decimal_of)
_encoder = msgspec.json.Encoder(decimal_format="number")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]


class ConnectorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """address: where the shop system is to post to, after this server's own. secret: what it signs with."""

    source: str
    kind: Kind
    address: str
    secret: str
    rules: list[MappingRule]
    enabled: bool
    created_at: datetime
    last_at: datetime | None


class ConnectorList(msgspec.Struct, frozen=True, kw_only=True):
    """ready: the rules each system starts with."""

    connectors: list[ConnectorInfo]
    ready: dict[str, list[MappingRule]]


class NewConnector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """source: becomes the last part of the address. secret: from the shop system; made up when empty. For Youzan
    it is `client_id:client_secret`."""

    source: Name
    kind: Kind
    secret: Annotated[str, msgspec.Meta(max_length=500)] = ""
    rules: list[MappingRule] | None = None


class ConnectorChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    rules: list[MappingRule] | None = None
    enabled: bool | None = None
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None


class MappingTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payload to try rules on; nothing is stored. topic: what the system's header would say."""

    rules: list[MappingRule]
    payload: Any
    topic: str = ""


class HookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events of a webhook; none where no rule reads it."""

    accepted: int
    duplicate: int
    quarantined: int
    dropped: int


def _info(one: Connector) -> ConnectorInfo:
    return ConnectorInfo(
        source=one.source,
        kind=one.kind,
        address=f"/api/v1/hooks/{one.source}",
        secret=one.secret,
        rules=one.rules,
        enabled=one.enabled,
        created_at=instant(one.created_at),
        last_at=instant_or_none(one.last_at),
    )


@get("/connectors", opt={"role": "admin"}, sync_to_thread=True)
def list_connectors(context: Ctx) -> ConnectorList:
    """The connectors, with their secrets."""
    return ConnectorList(connectors=[_info(c) for c in context.workspace.collect.connectors.all()], ready=READY)


@post("/connectors", opt={"role": "admin"}, sync_to_thread=True)
def create_connector(data: JSONBody[NewConnector], principal: Who, context: Ctx) -> ConnectorInfo:
    """A connector with the ready rules of its system, or with your own."""
    made = context.workspace.collect.connectors.create(data.source, data.kind, data.secret, data.rules)
    context.record(principal, "connector.create", made.source, kind=made.kind)
    return _info(made)


@patch("/connectors/{source:str}", opt={"role": "admin"}, sync_to_thread=True)
def change_connector(
    source: FromPath[str], data: JSONBody[ConnectorChange], principal: Who, context: Ctx
) -> ConnectorInfo:
    """Change rules or secret, switch on or off."""
    connectors = context.workspace.collect.connectors
    connectors.get(source)
    changed = connectors.change(source, rules=data.rules, enabled=data.enabled, secret=data.secret)
    context.record(principal, "connector.change", source)
    return _info(changed)


@delete("/connectors/{source:str}", opt={"role": "admin"}, sync_to_thread=True)
def remove_connector(source: FromPath[str], principal: Who, context: Ctx) -> None:
    """Take no more webhooks; what came stays."""
    context.workspace.collect.connectors.remove(source)
    context.record(principal, "connector.remove", source)


@post("/connectors/preview", opt={"role": "admin"}, status_code=200, sync_to_thread=True)
def preview_mapping(data: JSONBody[MappingTrial]) -> Mapped:
    """The events that rules make of a payload, and why a rule makes none."""
    check_rules(data.rules)
    return map_payload(data.rules, data.payload, data.topic)


@post("/hooks/{source:str}", opt={"role": "anyone"}, status_code=200, request_max_body_size=None)
async def receive_webhook(source: FromPath[str], request: Request[Any, Any, Any], context: Ctx) -> HookAnswer:
    """A signed webhook of a shop system. Sent again it counts once; what cannot be understood is quarantined."""
    body = await read_body(request, _MOST)
    headers = {k.lower(): v for k, v in request.headers.items()}
    return await anyio.to_thread.run_sync(_receive, context, source, headers, body)


def _receive(context: Context, source: str, headers: dict[str, str], body: bytes) -> HookAnswer:
    connectors = context.workspace.collect.connectors
    try:
        connector = connectors.get(source)
    except NotFound:
        connector = None
    # Whoever cannot sign is not told which connectors there are.
    if (
        connector is None
        or not connector.enabled
        or not check_signature(connector.kind, connector.secret, headers, body)
    ):
        raise Unauthorized("the webhook's signature is missing or wrong")
    try:
        document = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if connector.kind == "woocommerce" and body.startswith(b"webhook_id="):
            # Its test when a webhook is saved.
            return HookAnswer(accepted=0, duplicate=0, quarantined=0, dropped=0)
        raise InvalidInput("body", "is not JSON") from None
    payload = payload_of(connector.kind, document)
    mapped = map_payload(connector.rules, payload, topic_of(connector.kind, headers, document))
    connectors.came(source)
    if not mapped.events:
        return HookAnswer(accepted=0, duplicate=0, quarantined=0, dropped=0)
    try:
        events = _encoder.encode(mapped.events)
    except RecursionError:
        raise InvalidInput("body", "is nested far too deeply") from None
    answer = context.door.take(
        WireRequest(
            method="POST",
            path="/api/v1/events",
            headers={"authorization": f"Bearer {connectors.source_of(connector).write_key}"},
            body=events,
        )
    )
    if answer.status in (429, 503):
        raise LimitReached("too busy, please try again", int(answer.headers.get("Retry-After", "5")))
    if answer.status != 200:
        raise InvalidInput("body", f"was not taken: {answer.body.decode('utf-8', 'replace')[:300]}")
    told = msgspec.json.decode(answer.body)
    return HookAnswer(**{name: told[name] for name in ("accepted", "duplicate", "quarantined", "dropped")})


ROUTES = [list_connectors, create_connector, change_connector, remove_connector, preview_mapping, receive_webhook]
