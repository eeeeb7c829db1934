"""What a pull is: where it reads, how its rows become events, when it runs, what a run did."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tilth.collect.connectors.mapping import MappingRule, check_rules
from tilth.errors import InvalidInput

__all__ = [
    "Connection",
    "FolderPlace",
    "Pull",
    "PullRun",
    "RunStatus",
    "S3Place",
    "SqlPlace",
    "Trigger",
    "check_pull_rules",
]

RunStatus = Literal["running", "done", "failed", "stopped"]
Trigger = Literal["schedule", "hand"]
Short = Annotated[str, msgspec.Meta(max_length=500)]
Needed = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class SqlPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="sql"):
    """Rows of a database. url: SQLAlchemy's form without the password (`postgresql://reader@db.example/shop`).
    table: `name` or `schema.name`; or query: one SELECT. mark: a column that only grows (a number or the time of
    the last change); key: a column that tells rows of the same mark apart and is never empty. overlap: read
    again so much before the mark, in seconds where it is a time, for rows that are committed late."""

    url: Needed
    table: Short = ""
    query: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    mark: Needed
    key: Needed
    overlap: Annotated[int, msgspec.Meta(ge=0, le=31 * 86_400)] = 0


class FolderPlace(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="folder"
):
    """Files of a folder of the server and those below it. pattern: which, as `*.csv`. settle: seconds a file must
    stay as it is before it is taken; one that still grows is left for the next run."""

    path: Needed
    pattern: Needed = "*"
    settle: Annotated[int, msgspec.Meta(ge=0, le=60)] = 3


class S3Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="s3"):
    """Objects under a prefix of a bucket. endpoint: of a server other than Amazon's (`https://minio.example`).
    Without an access key the bucket is read as anybody may; this server's own credentials are never used."""

    bucket: Needed
    prefix: Short = ""
    pattern: Needed = "*"
    region: Short = ""
    endpoint: Short = ""
    access_key: Short = ""


Connection = SqlPlace | FolderPlace | S3Place


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """source: whose settings apply to its events. every_minutes: None where it runs by hand alone. mark: how far it
    came, as text for people. failures: runs that failed in a row, the last with `error`. has_secret: a password
    or secret key is kept. Instants in UTC µs."""

    key: str
    title: str
    source: str
    connection: Connection
    has_secret: bool
    rules: list[MappingRule]
    every_minutes: int | None
    enabled: bool
    running: bool
    created_at: int
    mark: str | None
    next_at: int | None
    failures: int
    error: str | None
    last_at: int | None


class PullRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. rows: read; accepted, duplicate, quarantined, dropped: what became of the events, rows that gave none
    for want of an id among the quarantined; skipped: rows that no rule wanted. Instants in UTC µs."""

    id: int
    trigger: Trigger
    status: RunStatus
    started_at: int
    ended_at: int | None
    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    dropped: int = 0
    skipped: int = 0
    files: int = 0
    mark_before: str | None = None
    mark_after: str | None = None
    error: str | None = None


def check_pull_rules(rules: list[MappingRule]) -> None:
    """As `check_rules`; further, what a row needs that a webhook does not. Raises `InvalidInput`."""
    if not rules:
        raise InvalidInput("rules", "is empty: say which event a row is")
    check_rules(rules)
    for number, rule in enumerate(rules):
        if rule.topic:
            raise InvalidInput(f"rules[{number}].topic", "only webhooks have a topic; rows have none")
        if rule.at is None:
            raise InvalidInput(f"rules[{number}].at", "is missing: without it a row read again would have another time")
        if not any(piece.startswith(("$", "^$")) for piece in rule.event_id):
            raise InvalidInput(f"rules[{number}].event_id", "is the same for every row: one piece must be a path")
