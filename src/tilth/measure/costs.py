"""What channels cost, day by day, as entered or imported: the other half of a channel's quality."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import msgspec
import sqlalchemy as sa

from tilth.errors import InvalidInput
from tilth.state import Database
from tilth.state.database import metadata

__all__ = ["ChannelCost", "Costs", "channel_cost", "costs_of_csv"]

channel_cost = sa.Table(
    "channel_cost",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("minor", sa.BigInteger, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
_MOST_AT_ONCE = 100_000
_LARGEST = 10**15


class ChannelCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """day: YYYY-MM-DD. channel: as the events name it. minor: in minor units of the workspace's currency."""

    day: str
    channel: str
    minor: int


class Costs:
    """One sum a day and channel; putting another replaces it, 0 takes it away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, costs: Sequence[ChannelCost], by: str) -> int:
        """Set costs, all or none; how many. Raises `InvalidInput` with the row."""
        if len(costs) > _MOST_AT_ONCE:
            raise InvalidInput("costs", f"may be {_MOST_AT_ONCE:,} at most at once")
        kept: dict[tuple[str, str], ChannelCost] = {}
        for number, cost in enumerate(costs):
            _day(cost.day, f"costs[{number}].day")
            if not 1 <= len(cost.channel) <= 255:
                raise InvalidInput(f"costs[{number}].channel", "must be 1 to 255 characters")
            if not 0 <= cost.minor <= _LARGEST:
                raise InvalidInput(f"costs[{number}].minor", "must not be negative, nor more than 10^15")
            if (cost.day, cost.channel) in kept:
                raise InvalidInput(f"costs[{number}]", f"{cost.channel} on {cost.day} is there twice")
            kept[cost.day, cost.channel] = cost
        now = time.time_ns() // 1000
        rows = [
            {"day": c.day, "channel": c.channel, "minor": c.minor, "changed_by": by, "changed_at": now}
            for c in kept.values()
        ]
        table = channel_cost
        with self._database.begin() as connection:
            self._database.upsert_all(connection, table, ("day", "channel"), rows)
            connection.execute(sa.delete(table).where(table.c.minor == 0))
        return len(rows)

    def between(self, first: str, last: str) -> list[ChannelCost]:
        """Costs of the days from first to last, both included, by day and channel."""
        table = channel_cost
        query = sa.select(table).where(table.c.day >= first, table.c.day <= last).order_by(table.c.day, table.c.channel)
        with self._database.read() as connection:
            return [ChannelCost(day=r.day, channel=r.channel, minor=r.minor) for r in connection.execute(query)]

    def by_channel(self, first: str, last: str) -> dict[str, int]:
        """Minor units of each channel over the days."""
        table = channel_cost
        query = (
            sa.select(table.c.channel, sa.func.sum(table.c.minor))
            .where(table.c.day >= first, table.c.day <= last)
            .group_by(table.c.channel)
        )
        with self._database.read() as connection:
            return {channel: int(minor) for channel, minor in connection.execute(query)}


def _day(text: str, field: str) -> dt.date:
    try:
        if len(text) != 10:
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, f"{text[:40]!r} is not a day; write YYYY-MM-DD") from None


def costs_of_csv(lines: Iterable[str] | str, digits: int) -> list[ChannelCost]:
    """Costs from CSV with the columns day, channel and cost (major units); digits: of the currency's minor unit.

    Raises `InvalidInput` with the line.
    """
    reader = csv.DictReader(io.StringIO(lines) if isinstance(lines, str) else lines)
    missing = [name for name in ("day", "channel", "cost") if name not in (reader.fieldnames or [])]
    if missing:
        raise InvalidInput("file", f"has no column {missing[0]}; it needs day, channel and cost")
    found = []
    for row in reader:
        line = f"line {reader.line_num}"
        try:
            amount = Decimal((row["cost"] or "").replace(",", "").strip()).scaleb(digits)
        except InvalidOperation:
            raise InvalidInput(line, f"cost {(row['cost'] or '')[:40]!r} is not a number") from None
        if not amount.is_finite() or amount != amount.to_integral_value():
            raise InvalidInput(line, f"cost {row['cost']!r} has more than {digits} decimals")
        day = (row["day"] or "").strip()
        _day(day, f"{line}, day")
        found.append(ChannelCost(day=day, channel=(row["channel"] or "").strip(), minor=int(amount)))
    return found
