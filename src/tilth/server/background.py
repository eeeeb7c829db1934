"""Work beside the requests, in threads of the same process: flushing, compaction, imports, pulls.

Each has one thread, so imports run one after another and never two compactions at once. Everything
here may be killed at any moment: the intake log and the lake know what was done.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from tilth.errors import Busy, NotFound, TilthError
from tilth.server.instants import DAY, HOUR, SECOND, instant, now

if TYPE_CHECKING:
    from tilth.collect.counting import Counts
    from tilth.collect.door import Door
    from tilth.collect.imports import Progress
    from tilth.collect.pulls.model import Trigger
    from tilth.server.accounts import Accounts
    from tilth.workspace import Workspace

__all__ = ["Background"]

logger = logging.getLogger("tilth.background")

FLUSH_EVERY = 60 * SECOND
FLUSH_EVENTS = 200_000
# Compaction rewrites files; below this many mergeable ones it is not worth it.
COMPACT_FILES = 64
# So many persons' events are read under another number than they are written; every question pays for it.
SQUASH_PEOPLE = 5_000
COMPACT_AGAIN = 10 * 60 * SECOND
COMPACT_LOOK = 60 * SECOND
# Seconds between looks: what came meanwhile is still in memory and need not be read from the log again.
HOUSE_LOOK = 2.0
# Seconds to wait for news from this node's clients before looking again, and between two rounds: events that come
# singly are taken in a few at a time.
TAKE_IN_LOOK = 1.0
TAKE_IN_PAUSE = 0.03
# How often, in seconds, a further node looks whether it should do the writing.
LEAD_LOOK = 1.0
# How often, in seconds, it is looked what changed in the data, and how long after the start first.
DRIFT_LOOK = 3600.0
DRIFT_FIRST = 120.0
# Pulls that run at once, and how often, in seconds, it is looked whether one is due.
PULLS_AT_ONCE = 2
PULL_LOOK = 2.0
# How often, in seconds, it is looked whether notices wait, and whether an alert or a board is due.
NOTICES_LOOK = 5.0
MEASURE_LOOK = 20.0
# An upload nobody started in this time is given up.
PREVIEW_LIFE = 7 * DAY


class _Stopping(Exception):
    """The server stops while an import runs."""


class Background:
    """Starts with the server, stops with it; `stop` waits for what runs to reach a safe point."""

    def __init__(self, workspace: Workspace, accounts: Accounts, counts: Counts) -> None:
        self._workspace = workspace
        self._counts = counts
        self._accounts = accounts
        self._stopping = threading.Event()
        self._wake = threading.Condition()
        self._waiting: deque[str] = deque()
        self._running: str | None = None
        self._flush_wanted = False
        self._compact_wanted = False
        self._threads: list[threading.Thread] = []
        self._pulls_wanted: deque[str] = deque()
        self._notices_wanted = threading.Event()
        self._measure_wanted = threading.Event()
        # Where the events of pulls go in; without it none are run.
        self.door: Door | None = None
        self.last_compaction: int | None = None
        self.compaction_error: str | None = None
        self.compacting = False
        self._compaction_look = 0

    # Starting and stopping

    def start(self) -> None:
        for name, work in (
            ("flush", self._keep_house),
            ("imports", self._run_imports),
            ("take-in", self._take_in),
            ("drift", self._look_for_drift),
            ("notices", self._send_notices),
            ("measure", self._measure),
            *((f"pulls-{number}", self._run_pulls) for number in range(PULLS_AT_ONCE)),
        ):
            thread = threading.Thread(target=work, name=f"tilth-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout: float = 20.0) -> None:
        """Ask everything to stop at its next safe point and wait so long for it."""
        self._stopping.set()
        self._notices_wanted.set()
        self._measure_wanted.set()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout)
        self._threads.clear()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    # Imports

    def run_import(self, import_id: str) -> None:
        """Do the work of an import that was started or resumed, after those before it. Raises `Busy` on a node
        that does not write."""
        if not self._workspace.lock.held:
            raise Busy("another node of this workspace does the writing; start the import there")
        with self._wake:
            self._waiting.append(import_id)
            self._wake.notify_all()

    @property
    def busy(self) -> bool:
        """An import runs or waits."""
        return self._running is not None or bool(self._waiting)

    @property
    def importing(self) -> bool:
        """An import reads or writes; one that is done may still tidy up."""
        running = self._running
        return running is not None and self._workspace.imports.get(running).status in ("running", "cancelling")

    def _run_imports(self) -> None:
        while not self.stopping:
            with self._wake:
                while not self._waiting and not self.stopping:
                    self._wake.wait(timeout=60)
                if self.stopping:
                    return
                self._running = self._waiting.popleft()
            try:
                self._workspace.imports.run(self._running, progress=self._stop_between_chunks)
            except (TilthError, _Stopping) as error:
                # The import keeps its own failure for whoever started it.
                logger.info("import %s: %s", self._running, error)
            except Exception:
                logger.exception("import %s failed", self._running)
            finally:
                self._running = None

    def _stop_between_chunks(self, _progress: Progress) -> None:
        # Leaving in this way marks the import as interrupted and keeps what it has staged; cancelling would not.
        if self.stopping:
            raise _Stopping("the server is stopping; resume the import when it runs again")

    # Taking in

    def _take_in(self) -> None:
        """Take in what is acknowledged soon after, so that questions find it done and whatever reacts hears of it."""
        collect = self._workspace.collect
        collect.converter.help = True
        while not self.stopping:
            try:
                collect.take_in(TAKE_IN_LOOK)
            except Exception:
                # Whoever asks next meets the error and shows it; here it is only tried again.
                logger.exception("what was acknowledged could not be taken in; it stays in the intake log")
                self._stopping.wait(5)
            self._stopping.wait(TAKE_IN_PAUSE)

    # Pulls

    def pull_soon(self, key: str) -> None:
        """Run a pull now, whatever its schedule. Raises `Busy` where it runs, `NotFound`."""
        if self._workspace.pulls.get(key).running:
            raise Busy(f"the pull {key!r} is running already")
        with self._wake:
            if key not in self._pulls_wanted:
                self._pulls_wanted.append(key)
            self._wake.notify_all()

    def _run_pulls(self) -> None:
        from tilth.collect.pulls import run_pull

        while not self.stopping and self.door is not None:
            try:
                asked = self._pulls_wanted.popleft()
            except IndexError:
                asked = ""
            try:
                key = asked or next(iter(self._workspace.pulls.due()), "")
                if key:
                    trigger: Trigger = "hand" if asked else "schedule"
                    run_pull(self._workspace.pulls, self.door, key, trigger, lambda: self.stopping)
                    continue
            except (Busy, NotFound) as error:
                # Another thread or node was first, or it was deleted a moment ago.
                logger.info("pull: %s", error)
            except Exception:
                logger.exception("a pull could not be run")
            with self._wake:
                if not self._pulls_wanted:
                    self._wake.wait(timeout=PULL_LOOK)

    # Drift

    def _look_for_drift(self) -> None:
        """Whoever opens no page is to hear of it too."""
        from tilth.collect.observed import observe

        wait = DRIFT_FIRST
        while not self._stopping.wait(wait):
            wait = DRIFT_LOOK
            workspace = self._workspace
            if not workspace.lock.held:
                continue
            try:
                plan = workspace.collect.plans.current().plan
                workspace.collect.drift.note(observe(workspace.lake, plan, workspace.settings.memory_mb).drift)
            except TilthError as error:
                logger.info("drift: %s", error)
            except Exception:
                logger.exception("it could not be looked what changed in the data")

    # Alerts, boards that are sent by themselves, and the notices of both

    def notices_soon(self) -> None:
        """Something was put into the outbox that people wait for."""
        self._notices_wanted.set()

    def _send_notices(self) -> None:
        """Deliver what the outbox holds; every node does, and no two the same row."""
        while not self.stopping:
            try:
                self._workspace.outbox.deliver(lambda: self.stopping)
            except Exception:
                logger.exception("notices could not be delivered; they stay in the outbox")
            self._notices_wanted.wait(NOTICES_LOOK)
            self._notices_wanted.clear()

    def measure_soon(self) -> None:
        """Judge alerts now, as when one has been made or changed."""
        self._measure_wanted.set()

    def _measure(self) -> None:
        """Judge alerts and send boards when their time has come."""
        while not self._stopping.is_set():
            self._measure_wanted.wait(MEASURE_LOOK)
            self._measure_wanted.clear()
            workspace = self._workspace
            if self._stopping.is_set() or not workspace.lock.held:
                continue
            try:
                if workspace.alerts.check_all() + workspace.board_schedules.send_due():
                    self.notices_soon()
            except TilthError as error:
                logger.info("alerts and boards: %s", error)
            except Exception:
                logger.exception("alerts could not be judged or boards not sent; it is tried again")

    # Flush and compaction

    def flush_soon(self) -> None:
        with self._wake:
            self._flush_wanted = True
            self._wake.notify_all()

    def compact_soon(self) -> None:
        with self._wake:
            self._compact_wanted = True
            self._wake.notify_all()

    def compaction_needed(self) -> bool:
        return (
            self._workspace.lake.stats().small_files >= COMPACT_FILES
            or len(self._workspace.identity.overrides().old) >= SQUASH_PEOPLE
        )

    def _compaction_due(self) -> bool:
        # After a failure (a full disk, say) trying again at once would fail again.
        if self.busy or now() < self._compaction_look:
            return False
        self._compaction_look = now() + COMPACT_LOOK
        return self.compaction_needed()

    def _leads(self) -> bool:
        """True on the node that writes the lake; a further one takes over when the lock becomes free."""
        lock = self._workspace.lock
        if not lock.held:
            try:
                lock.acquire()
            except Busy:
                return False
            self._workspace.read_only = False
            logger.warning("this node does the writing from now on")
        return True

    def _keep_house(self) -> None:
        tidied = 0
        while not self.stopping:
            self._save_counts()
            if not self._leads():
                self._stopping.wait(LEAD_LOOK)
                continue
            try:
                if self._flush_wanted or self._flush_due():
                    self._flush_wanted = False
                    self._flush()
                if self._compact_wanted or self._compaction_due():
                    self._compact_wanted = False
                    self._compact()
                if now() - tidied > HOUR:
                    tidied = now()
                    self.tidy()
            except Exception:
                # The next round tries again; the error is in the log and, for a flush, in the health page.
                logger.exception("housekeeping failed")
                self._stopping.wait(5)
            with self._wake:
                if not (self._flush_wanted or self._compact_wanted or self.stopping):
                    self._wake.wait(timeout=HOUSE_LOOK)
        self._save_counts()
        self._flush_at_end()

    def _save_counts(self) -> None:
        try:
            self._counts.save()
        except Exception:
            logger.exception("the counts of what came in could not be saved")

    def tidy(self) -> None:
        """Once an hour: ended sessions, uploads nobody started, files a crash left behind."""
        self._accounts.forget_expired()
        self._workspace.outbox.tidy()
        imports = self._workspace.imports
        oldest = instant(now() - PREVIEW_LIFE).isoformat()
        cursor: str | None = None
        while True:
            page = imports.list(cursor, 100)
            for found in page.imports:
                if found.status == "preview" and found.created_at < oldest:
                    imports.cancel(found.id)
            if page.next is None:
                break
            cursor = page.next
        if not self.busy:
            self._workspace.lake.sweep()

    def _flush_due(self) -> bool:
        events, oldest = self._workspace.collect.tail_size()
        return events >= FLUSH_EVENTS or (events > 0 and (oldest is None or now() - oldest > FLUSH_EVERY))

    def _flush(self) -> None:
        try:
            self._workspace.collect.flush()
        except Exception:
            logger.exception("the flush failed; the events stay in the intake log")

    def _flush_at_end(self) -> None:
        if self._workspace.lock.held and self._workspace.collect.tail_size()[0]:
            self._flush()

    def _compact(self) -> None:
        self.compacting = True
        try:
            self._workspace.collect.squash(cancelled=lambda: self.stopping)
            self._workspace.lake.compact(cancelled=lambda: self.stopping)
            self.last_compaction = now()
            self.compaction_error = None
        except Exception as error:
            self.compaction_error = str(error)
            self._compaction_look = now() + COMPACT_AGAIN
            logger.exception("the compaction failed; nothing is lost, it will be tried again")
        finally:
            self.compacting = False
