"""The event table: append, compaction, sorted scans, sequences for kernels, SQL, erasure.

A Delta Lake table `events`, partitioned by `month` and `bucket`, rows sorted by `(uid, ts)` within a
file. May import errors, settings and state; it knows nothing of people, campaigns or HTTP.
"""

from tilth.lake.keys import twin_key, twin_keys
from tilth.lake.overrides import NO_OVERRIDES, Overrides
from tilth.lake.person import Made, PersonRows
from tilth.lake.schema import BOOKKEEPING, EVENT_SCHEMA, MONEY_COLUMNS, PROMOTED, empty_events
from tilth.lake.sequences import NULL_INT, Run
from tilth.lake.table import Appended, Lake, LakeStats, View

__all__ = [
    "BOOKKEEPING",
    "EVENT_SCHEMA",
    "MONEY_COLUMNS",
    "NO_OVERRIDES",
    "NULL_INT",
    "PROMOTED",
    "Appended",
    "Lake",
    "LakeStats",
    "Made",
    "Overrides",
    "PersonRows",
    "Run",
    "View",
    "empty_events",
    "twin_key",
    "twin_keys",
]
