"""Data in: events over HTTP, files, and the durable intake log.

May import errors, settings, state, lake and people. What is acknowledged is in the intake log first;
the flusher turns it into the lake's sorted files; until then it is the tail of every answer.
"""

from tilth.collect.events import Event
from tilth.collect.service import Collect, Receipt
from tilth.collect.sources import Source, SourceSettings

__all__ = ["Collect", "Event", "Receipt", "Source", "SourceSettings"]
