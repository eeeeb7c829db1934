"""What is wrong with the data, as it always is, in known amounts.

Whether an event is repeated, late or incomplete depends on the event's own key, so it is the same
whatever the chunking. What breaks a row beyond reading is only in the files (`files.py`), where a
row can be broken.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tilth.simulate.calendar import Calendar
from tilth.simulate.draws import uniforms

__all__ = ["CLEAN", "DOUBLED", "REPEATED", "Dirt", "copies", "event_keys", "received", "sequence_numbers"]

_COPY_STREAM, _LATE_STREAM, _DELAY_STREAM = 80, 81, 82
CLEAN, REPEATED, DOUBLED = 0, 1, 2
_DOUBLED_SEQ = 1 << 23  # the second event of a doubled day has a number of its own


class Dirt(msgspec.Struct, frozen=True, kw_only=True):
    """Shares are of events, unless they say otherwise.

    duplicate: sent twice with the same event id. late: received up to three days after. doubled_at:
    place in the window (0..1) of the day on which all behaviour was recorded twice, under two event
    ids; -1 never. broken_week: week of the window in which the app called `scene` `scene_name`; -1
    never. bots: automatic visitors for each person. wrong_clocks: whether some devices' clocks run
    hours behind. malformed: rows added to the files that cannot be read. walk_ins: rows added to the
    stores' files without a customer. cancelled: orders added that were cancelled before payment.
    repeated_rows: rows repeated within a file of orders.
    """

    duplicate: float = 0.004
    late: float = 0.010
    doubled_at: float = 0.55
    broken_week: int = 30
    bots: float = 0.0004
    wrong_clocks: bool = True
    malformed: float = 0.002
    walk_ins: float = 0.02
    cancelled: float = 0.02
    repeated_rows: float = 0.003

    @staticmethod
    def none() -> Dirt:
        """Clean data."""
        return Dirt(
            duplicate=0,
            late=0,
            doubled_at=-1,
            broken_week=-1,
            bots=0,
            wrong_clocks=False,
            malformed=0,
            walk_ins=0,
            cancelled=0,
            repeated_rows=0,
        )

    def doubled_day(self, calendar: Calendar) -> int:
        """Day of the window of double traffic, -1 for none (or a window under 30 days)."""
        return int(self.doubled_at * calendar.days) if self.doubled_at >= 0 and calendar.days >= 30 else -1


def event_keys(rows: NDArray[Any]) -> NDArray[np.int64]:
    out: NDArray[np.int64] = (rows["owner"].astype(np.int64) << 24) | rows["seq"]
    return out


def copies(
    rows: NDArray[Any], behaviour: NDArray[np.bool_], dirt: Dirt, seed: int, calendar: Calendar
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Which row each event of the dirty data comes from, and as what (CLEAN, REPEATED, DOUBLED).

    behaviour: rows that the app, the mini-program or the website recorded.
    """
    keys = event_keys(rows)
    repeated = np.flatnonzero(uniforms(seed, _COPY_STREAM, keys) < dirt.duplicate)
    day = dirt.doubled_day(calendar)
    doubled = np.flatnonzero(behaviour & (calendar.day_of(rows["ts"]) == day)) if day >= 0 else repeated[:0]
    index = np.concatenate([np.arange(len(rows)), repeated, doubled])
    kind = np.concatenate(
        [
            np.zeros(len(rows), np.uint8),
            np.full(len(repeated), REPEATED, np.uint8),
            np.full(len(doubled), DOUBLED, np.uint8),
        ]
    )
    order = np.lexsort((kind, index))
    return index[order], kind[order]


def sequence_numbers(rows: NDArray[Any], kind: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The number that makes each event's id: a repeated event has its original's."""
    out: NDArray[np.int64] = rows["seq"] + np.where(kind == DOUBLED, _DOUBLED_SEQ, 0)
    return out


def received(
    rows: NDArray[Any], index: NDArray[np.int64], kind: NDArray[np.uint8], dirt: Dirt, seed: int
) -> NDArray[np.int64]:
    """When each event of `copies` arrived, UTC µs: seconds later, minutes for a repetition, days when late."""
    keys = event_keys(rows)[index] * 4 + kind
    delay = 200_000 + uniforms(seed, _DELAY_STREAM, keys) * 3_000_000
    again = np.flatnonzero(kind == REPEATED)
    delay[again] += 45e6 + 600e6 * uniforms(seed, _DELAY_STREAM + 1, keys[again])
    u = uniforms(seed, _LATE_STREAM, keys)
    late = np.flatnonzero(u < dirt.late)
    delay[late] += u[late] / max(dirt.late, 1e-12) * 3 * 86_400e6
    out: NDArray[np.int64] = rows["ts"][index] + delay.astype(np.int64)
    return out
