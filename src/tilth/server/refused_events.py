"""Events that could not be understood: kept in the quarantine beside rows of files, corrected and replayed.

A row of a file is read again by its import; an event is decoded again from its own JSON and sent on
under the source it came from.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa

from tilth.collect.formats import FORMATS, Refused, WireRequest
from tilth.collect.plan import differences
from tilth.errors import InvalidInput
from tilth.server.instants import now

if TYPE_CHECKING:
    from tilth.collect.imports import Replayed
    from tilth.workspace import Workspace

__all__ = ["keep_refused", "replay_quarantined"]

# What `import_id` and `reason` of an event are; `file` says which source sent it.
_NO_IMPORT = ""
_REASON = "bad_event"
_SOURCE = "source "
_BATCH = 500
FORMATS_BY_NAME = {format.name: format for format in FORMATS}


def keep_refused(workspace: Workspace, source: str, refused: list[Refused], format: str = "native") -> None:
    """Keep what a request of `format` held, in the order sent. The same event sent again is not kept twice."""
    from tilth.collect.imports.tables import quarantine

    at = now()
    with workspace.database.begin() as connection:
        for number, one in enumerate(refused, start=1):
            # PostgreSQL's text has no NUL and no lone half of a surrogate pair.
            raw = one.raw.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
            connection.execute(
                workspace.database.insert_or_ignore(quarantine).values(
                    import_id=_NO_IMPORT,
                    file=f"{_SOURCE}{source}",
                    line=number,
                    column=one.field[:200],
                    reason=_REASON,
                    detail=one.reason,
                    raw=raw,
                    cells=msgspec.json.encode([format]).decode(),
                    state="open",
                    at=at,
                    key=hashlib.sha256(f"{source}\n{raw}".encode()).hexdigest(),
                )
            )


def replay_quarantined(
    workspace: Workspace,
    *,
    ids: list[int] | None = None,
    filter: dict[str, Any] | None = None,
    replace: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    map: dict[str, str] | None = None,
) -> Replayed:
    """Try open rows again, those of files and those of sources. See `Imports.replay`.

    replace: column -> new value; of an event the field of its JSON.
    """
    from tilth.collect.imports import Replayed
    from tilth.collect.imports.tables import quarantine

    if ids is None and filter is None:
        raise InvalidInput("ids", "give ids or a filter")
    total = Replayed(replayed=0, accepted=0, duplicate=0, skipped=0, still_quarantined=0)
    events = _open_events(workspace, ids, filter or {})
    if events:
        total = _sum(total, _replay_events(workspace, events, replace or {}))
    # Each import apart: it would not know what to do with an event's row.
    if ids is not None:
        others = sorted(set(ids) - {row.id for row in events})
        for start in range(0, len(others), _BATCH):
            total = _sum(total, workspace.imports.replay(others[start : start + _BATCH], None, replace, options, map))
        return total
    wanted = (filter or {}).get("import_id")
    query = (
        sa.select(quarantine.c.import_id)
        .distinct()
        .where(
            quarantine.c.state == "open",
            quarantine.c.import_id == wanted if wanted else quarantine.c.import_id != _NO_IMPORT,
        )
    )
    with workspace.database.read() as connection:
        imports = sorted(connection.scalars(query))
    for import_id in imports:
        one = {**(filter or {}), "import_id": import_id}
        total = _sum(total, workspace.imports.replay(None, one, replace, options, map))
    return total


def _open_events(workspace: Workspace, ids: list[int] | None, filter: dict[str, Any]) -> list[Any]:
    """The open rows that are events, among `ids` or by the same filter as rows of files."""
    from tilth.collect.imports.tables import quarantine

    query = sa.select(quarantine.c.id, quarantine.c.file, quarantine.c.raw, quarantine.c.cells).where(
        quarantine.c.state == "open", quarantine.c.import_id == _NO_IMPORT
    )
    if ids is None and (filter.get("import_id") or filter.get("reason") not in (None, "", _REASON)):
        return []
    with workspace.database.read() as connection:
        found = list(connection.execute(query.order_by(quarantine.c.id)))
    if ids is not None:
        wanted = set(ids)
        return [row for row in found if row.id in wanted]
    text = str(filter.get("q") or "").casefold()
    return [row for row in found if text in row.raw.casefold() or text in row.file.casefold()]


def _replay_events(workspace: Workspace, rows: list[Any], replace: dict[str, str]) -> Replayed:
    from tilth.collect.imports import Replayed
    from tilth.collect.imports.tables import quarantine

    accepted = duplicate = still = 0
    # Times that name no offset are read in the zone of their source, as when they came.
    zones = {source.name: source.settings.zone for source in workspace.collect.sources.all()}
    for row in rows:
        format = next(iter(msgspec.json.decode(row.cells)), "native")
        request = _request_again(format, row.raw, replace)
        known = FORMATS_BY_NAME[format]
        zone = zones.get(row.file.removeprefix(_SOURCE), known.limits.zone)
        decoded = request and known.decode(request, msgspec.structs.replace(known.limits, zone=zone), now())
        if not decoded or decoded.refused or not decoded.messages:
            still += 1
            continue
        plan = workspace.collect.plans.current().plan
        if any(one.enforced for message in decoded.messages for one in differences(plan, message)):
            still += 1
            continue
        receipt = workspace.collect.receive(decoded.messages, row.file.removeprefix(_SOURCE))
        accepted += receipt.accepted
        duplicate += receipt.duplicate
        # After it is kept: a crash in between only means that the next replay finds a duplicate.
        with workspace.database.begin() as connection:
            connection.execute(sa.update(quarantine).where(quarantine.c.id == row.id).values(state="replayed"))
    return Replayed(
        replayed=accepted + duplicate, accepted=accepted, duplicate=duplicate, skipped=0, still_quarantined=still
    )


def _request_again(format: str, raw: str, replace: dict[str, str]) -> WireRequest | None:
    """The request that would bring this one event again, corrected; None where it is no JSON object."""
    try:
        item = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    if not isinstance(item, dict):
        return None
    item |= replace
    json = {"content-type": "application/json", "authorization": "Bearer replay"}
    if format == "segment":
        body = msgspec.json.encode({"batch": [item], "writeKey": "replay"})
        return WireRequest(method="POST", path="/v1/batch", headers={"content-type": "application/json"}, body=body)
    if format == "posthog":
        body = msgspec.json.encode({"api_key": "replay", "batch": [item]})
        return WireRequest(method="POST", path="/batch", headers={"content-type": "application/json"}, body=body)
    if format == "sensors":
        data = urlencode({"data_list": base64.b64encode(msgspec.json.encode([item])).decode()})
        form = {"content-type": "application/x-www-form-urlencoded"}
        return WireRequest(method="POST", path="/sa", query="project=replay", headers=form, body=data.encode())
    return WireRequest(method="POST", path="/api/v1/events", headers=json, body=msgspec.json.encode([item]))


def _sum(a: Replayed, b: Replayed) -> Replayed:
    return type(a)(**{field: getattr(a, field) + getattr(b, field) for field in a.__struct_fields__})
