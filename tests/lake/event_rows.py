"""Makes small event tables for the lake's tests."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

__all__ = ["DAY", "START", "events"]

DAY = 86_400_000_000
START = 1_700_000_000_000_000  # 2023-11-14 UTC


def events(rows: Sequence[tuple[int, int, str, str]], amount: int | None = None) -> pa.Table:
    """Rows of (uid, µs after START, event, event_id)."""
    return pa.table(
        {
            "uid": pa.array([r[0] for r in rows], pa.int64()),
            "distinct_id": pa.array([f"c{r[0]}" for r in rows], pa.string()),
            "ts": pa.array([START + r[1] for r in rows], pa.timestamp("us", tz="UTC")),
            "received_at": pa.array([START] * len(rows), pa.timestamp("us", tz="UTC")),
            "event": pa.array([r[2] for r in rows], pa.string()),
            "event_id": pa.array([r[3] for r in rows], pa.string()),
            "source": pa.array(["test"] * len(rows), pa.string()),
            "p_amount": pa.array([amount] * len(rows), pa.int64()),
        }
    )
