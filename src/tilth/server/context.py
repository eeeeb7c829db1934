"""What every route may ask for: the workspace, who signs in, background work, metrics."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from litestar.di import NamedDependency

from tilth.collect.counting import Counts
from tilth.collect.door import Door
from tilth.collect.formats import Refused
from tilth.collect.watching import Watch
from tilth.server import audit
from tilth.server.accounts import Accounts
from tilth.server.background import Background
from tilth.server.collector import Collector
from tilth.server.console import Console
from tilth.server.metrics import Metrics
from tilth.server.readings import Readings
from tilth.server.refused_events import keep_refused
from tilth.server.slowdown import SlowDown
from tilth.server.tokens import Tokens

if TYPE_CHECKING:
    from tilth.collect.observed import Observation
    from tilth.server.auth import Principal
    from tilth.workspace import Workspace

__all__ = ["Context", "Ctx"]

P = ParamSpec("P")
R = TypeVar("R")


class Context:
    """The pieces of one running server.

    computing: how many heavy calls (layerings, models, SQL) run at once; further ones wait their
    turn without holding a thread that a cheap request needs. hashing: the same for passwords, whose
    hash takes memory on purpose.
    """

    def __init__(self, workspace: Workspace, *, console: Console, upload_limit: int) -> None:
        self.workspace = workspace
        self.accounts = Accounts(workspace.database)
        self.tokens = Tokens(workspace.database)
        self.counts = Counts(workspace.database)
        self.watch = Watch()
        self.background = Background(workspace, self.accounts, self.counts)
        # (version of the plan, what was observed, when in UTC µs); see routes/plan.py.
        self.observation: tuple[int, Observation, int] | None = None
        # Set when the server is about to stop: open streams end themselves.
        self.ending = threading.Event()
        self.readings = Readings(workspace, self.background)
        self.metrics = Metrics()
        self.door = Door(workspace.collect, self._keep_refused, self.metrics.ingested, self.counts, self.watch)
        self.background.door = self.door
        self.collector = Collector(self.door, self.metrics)
        self.console = console
        self.slowdown = SlowDown()
        # Many addresses guessing at one e-mail are slowed down too, later: it must not lock its owner out.
        self.slowdown_email = SlowDown(free=50)
        self.upload_limit = upload_limit
        self.computing = anyio.CapacityLimiter(2)
        self.hashing = anyio.CapacityLimiter(2)

    async def compute(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a heavy blocking call in a thread, at most two at once."""
        return await anyio.to_thread.run_sync(functools.partial(function, *args, **kwargs), limiter=self.computing)

    def _keep_refused(self, source: str, format: str, refused: list[Refused]) -> None:
        keep_refused(self.workspace, source, refused, format)

    def record(self, who: Principal, action: str, what: str, **detail: Any) -> None:
        """One line in the audit log."""
        audit.record(self.workspace.database, who.name, action, what, detail)


# How a route asks for it; the framework gives it by the parameter's name, `context`.
Ctx = NamedDependency[Context]
