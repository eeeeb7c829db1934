"""The SQL database: engine, migrations, transactions, locks.

The ground floor: imports nothing of Tilth but errors and settings. Each feature folder owns its
tables (`tables.py`, on the shared `metadata`) and adds a migration under `state/migrations/versions`.
"""

from tilth.state.database import Database, metadata
from tilth.state.locks import WriterLock

__all__ = ["Database", "WriterLock", "metadata"]
