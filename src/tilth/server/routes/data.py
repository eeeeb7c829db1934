"""Data health, flush and compaction."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import get, post

from tilth.collect.service import FLUSH_APP
from tilth.server.auth import Who
from tilth.server.background import COMPACT_FILES
from tilth.server.context import Ctx
from tilth.server.health import DatabaseHealth, DiskHealth, database_health, disk_health
from tilth.server.import_counts import import_counts, quarantine_counts
from tilth.server.instants import instant, instant_or_none

__all__ = ["ROUTES"]


class LakeHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The event table. small_files: files that compaction would merge."""

    version: int
    files: int
    rows: int
    bytes: int
    partitions: int
    small_files: int
    first_ts: datetime | None
    last_ts: datetime | None
    sequence_cache_bytes: int


class TailHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Events accepted and not flushed yet; they are part of every answer."""

    events: int
    oldest: datetime | None


class IntakeHealth(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    last_seq: int
    flushed_seq: int


class ImportCounts(msgspec.Struct, frozen=True, kw_only=True):
    running: int
    done: int
    failed: int
    interrupted: int


class QuarantineCounts(msgspec.Struct, frozen=True, kw_only=True):
    open: int
    replayed: int
    dismissed: int


class FlushHealth(msgspec.Struct, frozen=True, kw_only=True):
    last_at: datetime | None
    last_error: str | None


class CompactionHealth(msgspec.Struct, frozen=True, kw_only=True):
    last_at: datetime | None
    needed: bool
    running: bool
    last_error: str | None


class EventHealth(msgspec.Struct, frozen=True, kw_only=True):
    event: str
    rows: int
    people: int
    last_ts: datetime


class DataHealth(msgspec.Struct, frozen=True, kw_only=True):
    lake: LakeHealth
    tail: TailHealth
    intake: IntakeHealth
    imports: ImportCounts
    quarantine: QuarantineCounts
    flush: FlushHealth
    compaction: CompactionHealth
    events: list[EventHealth]
    database: DatabaseHealth
    disk: DiskHealth


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The work was asked for and runs in the background; data/health says when it is done."""

    accepted: bool = True


@get("/data/health", opt={"role": "viewer"})
async def read_health(context: Ctx) -> DataHealth:
    """Everything that tells whether the data is whole, fresh and well kept."""

    def read() -> DataHealth:
        workspace = context.workspace
        stats = workspace.lake.stats()
        events, oldest = workspace.collect.tail_size()
        return DataHealth(
            lake=LakeHealth(
                version=stats.version,
                files=stats.files,
                rows=stats.rows,
                bytes=stats.bytes,
                partitions=stats.partitions,
                small_files=stats.small_files,
                first_ts=instant_or_none(stats.first_ts),
                last_ts=instant_or_none(stats.last_ts),
                sequence_cache_bytes=stats.sequence_cache_bytes,
            ),
            tail=TailHealth(events=events, oldest=instant_or_none(oldest)),
            intake=IntakeHealth(
                rows=workspace.collect.log.rows(),
                last_seq=workspace.collect.as_of(),
                flushed_seq=workspace.lake.transaction_version(FLUSH_APP) or 0,
            ),
            imports=ImportCounts(**import_counts(workspace)),
            quarantine=QuarantineCounts(**quarantine_counts(workspace)),
            flush=FlushHealth(
                last_at=instant_or_none(workspace.collect.last_flush), last_error=workspace.collect.last_flush_error
            ),
            compaction=CompactionHealth(
                last_at=instant_or_none(context.background.last_compaction),
                needed=stats.small_files >= COMPACT_FILES,
                running=context.background.compacting,
                last_error=context.background.compaction_error,
            ),
            events=[
                EventHealth(event=e.event, rows=e.rows, people=e.people, last_ts=instant(e.last_ts))
                for e in context.readings.events()
            ],
            database=database_health(workspace),
            disk=disk_health(workspace),
        )

    return await context.compute(read)


@post("/data/flush", opt={"role": "admin"}, status_code=202, sync_to_thread=True)
def flush(principal: Who, context: Ctx) -> Accepted:
    """Write the accepted events into the event table now."""
    context.background.flush_soon()
    context.record(principal, "data.flush", "events")
    return Accepted()


@post("/data/compact", opt={"role": "admin"}, status_code=202, sync_to_thread=True)
def compact(principal: Who, context: Ctx) -> Accepted:
    """Merge small files of the event table."""
    context.background.compact_soon()
    context.record(principal, "data.compact", "events")
    return Accepted()


ROUTES = [read_health, flush, compact]
