"""Files in: orders, events and profiles from CSV, TSV, blank-separated text, JSON lines, Excel and Parquet.

`Imports` is the capability. Reading (`files`, `encodings`, `layout`, the readers) turns any file into
chunks of text columns; recognition proposes what each column is; validation (`orders`, `activity`,
`profiles`) keeps, skips or quarantines every row; writing turns kept rows into events with lasting ids,
so that importing a file again adds nothing. May import errors, settings, state, lake and people.
"""

from tilth.collect.imports.service import Cancelled, Imports
from tilth.collect.imports.shapes import (
    Import,
    Imported,
    Progress,
    Proposal,
    Quarantine,
    QuarantineRow,
    Replayed,
    Summary,
)

__all__ = [
    "Cancelled",
    "Import",
    "Imported",
    "Imports",
    "Progress",
    "Proposal",
    "Quarantine",
    "QuarantineRow",
    "Replayed",
    "Summary",
]
