"""A workspace: one folder, its database and lake, and the capabilities over them."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.collect import Collect
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.lake import Lake
from tilth.people import Identity, People, Portraits, Things
from tilth.settings import Settings, load_settings, save_settings
from tilth.state import Database, WriterLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import numpy as np
    import numpy.typing as npt

    from tilth.behavior import Behavior
    from tilth.behavior.boards import Boards
    from tilth.behavior.saved import SavedQuestions
    from tilth.collect.imports import Imports
    from tilth.collect.pulls import Pulls
    from tilth.measure.alerts import Alerts
    from tilth.measure.board_schedules import BoardSchedules
    from tilth.measure.costs import Costs
    from tilth.measure.kept_answers import KeptAnswers
    from tilth.measure.kpi_tree import Trees
    from tilth.measure.metrics import Metrics, MetricUse
    from tilth.measure.saved_sql import SavedSqls
    from tilth.measure.stages import Stages
    from tilth.notify import Destinations, Outbox
    from tilth.segments import Segments

__all__ = ["Workspace"]


class Workspace:
    """The capabilities over one workspace; use as a context manager or call `close()`.

    Writing (imports, flush, compaction) needs the writer lock, which one process holds at a time.
    """

    def __init__(self, folder: Path, settings: Settings, *, read_only: bool) -> None:
        self.folder = folder
        self.settings = settings
        self.read_only = read_only
        self.database = Database(folder, settings.database_url)
        self.lock = WriterLock(folder, self.database)
        try:
            if not read_only:
                self.lock.acquire()
                self.database.migrate()
            self.lake = Lake(folder, settings.buckets, settings.lake_url)
            self.people = People(self.database)
            self.portraits = Portraits(self.database)
            self.things = Things(self.database)
            self.identity = Identity(self.database, self.people)
            self.collect = Collect(self.database, self.lake, self.people, settings, self.identity)
        except BaseException:
            self.lock.release()
            self.database.close()
            raise

    @classmethod
    def create(cls, path: str | Path, settings: Settings | None = None) -> Workspace:
        """Make a workspace in folder `path` and open it. Raises `Conflict` where there is one."""
        folder = Path(path).expanduser().resolve()
        if (folder / "tilth.toml").exists():
            raise Conflict(f"there is a workspace in {folder} already")
        if folder.exists() and not folder.is_dir():
            raise InvalidInput("workspace", f"{folder} is a file, not a folder")
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        chosen = settings or load_settings(folder)
        try:
            Lake(folder, chosen.buckets, chosen.lake_url).create()
            workspace = cls(folder, chosen, read_only=False)
            # Written last: a folder without it is not a workspace, so a crash before leaves nothing to trip over.
            save_settings(folder, chosen)
        except BaseException:
            if made:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return workspace

    @classmethod
    def open(cls, path: str | Path = "./tilth-data", *, read_only: bool = False) -> Workspace:
        """Open the workspace in folder `path`. Raises `NotFound` or, when writing is wanted, `Busy`."""
        folder = Path(path).expanduser().resolve()
        if not (folder / "tilth.toml").exists():
            raise NotFound("workspace", str(folder))
        return cls(folder, load_settings(folder), read_only=read_only)

    @cached_property
    def imports(self) -> Imports:
        """Files in: orders, events, profiles."""
        from tilth.collect.imports import Imports

        return Imports(self.database, self.lake, self.people, self.settings, self.folder)

    @cached_property
    def pulls(self) -> Pulls:
        """Rows and files fetched every so often."""
        from tilth.collect.pulls import Pulls
        from tilth.collect.pulls.folders import Allowed

        return Pulls(self.database, self.collect.sources, Allowed(self.folder, self.settings.pull_folders))

    @cached_property
    def segments(self) -> Segments:
        """Layerings, their quality, CLV and saved segments."""
        from tilth.segments import Segments

        return Segments(self.database, self.lake, self.people, self.settings)

    @cached_property
    def questions(self) -> SavedQuestions:
        """Questions of behaviour that somebody saved."""
        from tilth.behavior.saved import SavedQuestions

        return SavedQuestions(self.database)

    @cached_property
    def boards(self) -> Boards:
        """Questions and texts side by side."""
        from tilth.behavior.boards import Boards
        from tilth.measure.board_tiles import check_metric_tile

        return Boards(self.database, {"metric": check_metric_tile})

    @cached_property
    def metrics(self) -> Metrics:
        """Numbers that are defined once."""
        from tilth.measure.metric_uses import board_uses
        from tilth.measure.metrics import Metrics

        def uses() -> Iterator[tuple[str, MetricUse]]:
            yield from board_uses(self.boards)
            yield from self.alerts.uses()
            yield from self.trees.uses()

        return Metrics(self.database, lambda: self.behavior, lambda: self.settings.timezone, uses)

    @cached_property
    def stages(self) -> Stages:
        """Which events the stages of AARRR and CSPDD are."""
        from tilth.measure.stages import Stages

        return Stages(self.database)

    @cached_property
    def costs(self) -> Costs:
        """What channels cost."""
        from tilth.measure.costs import Costs

        return Costs(self.database)

    @cached_property
    def trees(self) -> Trees:
        """KPI trees."""
        from tilth.measure.kpi_tree import Trees

        return Trees(self.database, self.metrics, lambda: self.settings.timezone)

    @cached_property
    def destinations(self) -> Destinations:
        """Where notices go."""
        from tilth.notify import Destinations

        return Destinations(self.database, self.settings)

    @cached_property
    def outbox(self) -> Outbox:
        """Notices on their way."""
        from tilth.notify import Outbox

        return Outbox(self.database, self.destinations)

    @cached_property
    def alerts(self) -> Alerts:
        """Alerts on metrics."""
        from tilth.measure.alerts import Alerts

        return Alerts(self.database, self.metrics, self.destinations, self.outbox, lambda: self.settings)

    @cached_property
    def kept_answers(self) -> KeptAnswers:
        """Answers of boards, from one look to the next."""
        from tilth.measure.kept_answers import KeptAnswers

        def token() -> str:
            return f"{self.behavior.data_token()}:{self.settings.timezone}:{self.settings.currency}"

        return KeptAnswers(self.folder / "cache" / "answers", token)

    @cached_property
    def board_schedules(self) -> BoardSchedules:
        """Boards that are sent by themselves."""
        from tilth.measure.board_schedules import BoardSchedules

        return BoardSchedules(
            self.database,
            self.boards,
            lambda: self.behavior,
            self.metrics,
            self.destinations,
            self.outbox,
            lambda: self.settings,
        )

    @cached_property
    def saved_sql(self) -> SavedSqls:
        """SQL that somebody saved."""
        from tilth.measure.saved_sql import SavedSqls

        return SavedSqls(self.database)

    @cached_property
    def behavior(self) -> Behavior:
        """Questions about what people do: funnel, retention, trends, paths and the rest."""
        from tilth.behavior import Behavior

        def segment(key: str) -> npt.NDArray[np.int64] | None:
            try:
                return self.segments.member_uids(key)
            except NotFound:
                return None

        return Behavior(self.lake, self.people, self.settings, as_of=self.collect.as_of, segment=segment)

    def save_settings(self, settings: Settings) -> None:
        """Change name, time zone, currency or language; later opens and this one see it."""
        if settings.buckets != self.settings.buckets:
            raise Conflict("the number of buckets is fixed when the workspace is made")
        save_settings(self.folder, settings)
        self.settings = settings
        self.collect.settings = settings
        # Capabilities that were made with the old ones are made anew when they are next asked for.
        for name in ("imports", "segments", "behavior", "destinations", "outbox", "alerts", "board_schedules"):
            self.__dict__.pop(name, None)

    def close(self) -> None:
        if "kept_answers" in self.__dict__:
            self.kept_answers.close()
        self.collect.log.close()
        self.collect.converter.close()
        self.lock.release()
        self.database.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
