"""Behaviour analytics as the rest of the product sees it."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.attribution import AttributionAnswer, AttributionParameters, attribution, credited_people
from tilth.behavior.cluster import Cluster
from tilth.behavior.columns import property_keys
from tilth.behavior.deal_paths import DealPathsAnswer, DealPathsParameters, deal_paths
from tilth.behavior.distribution import DistributionAnswer, DistributionParameters, bin_people, distribution
from tilth.behavior.funnel import FunnelAnswer, FunnelParameters, funnel, step_people
from tilth.behavior.invitations import InvitationsAnswer, InvitationsParameters, invitations
from tilth.behavior.lifecycle import LifecycleAnswer, LifecycleParameters, lifecycle, state_people
from tilth.behavior.ltv import LtvAnswer, LtvParameters, cohort_people, ltv
from tilth.behavior.newcomers import NewcomersAnswer, NewcomersParameters, newcomers
from tilth.behavior.parameters import Answer, Asked, PeopleBehind, PersonLine, converted
from tilth.behavior.paths import PathsAnswer, PathsParameters, edge_people, paths
from tilth.behavior.people_values import TagReader, trait_names
from tilth.behavior.question import Question, Sources
from tilth.behavior.retention import RetentionAnswer, RetentionParameters, cell_people, retention
from tilth.behavior.room import Room
from tilth.behavior.sessions import SessionsAnswer, SessionsParameters, gap_of, session_people, sessions
from tilth.behavior.stickiness import StickinessAnswer, StickinessParameters, stickiness, sticky_people
from tilth.behavior.strands import PROMOTED_NAMES, Kept, Snapshot, Snapshots
from tilth.behavior.timeline import TimelineAnswer, TimelineParameters, timeline
from tilth.behavior.trends import TrendsAnswer, TrendsParameters, trend_people, trends
from tilth.errors import InvalidInput
from tilth.lake import BOOKKEEPING, Lake
from tilth.people import People
from tilth.settings import Settings

__all__ = ["Behavior", "Names"]

P = TypeVar("P", bound=Asked)
A = TypeVar("A", bound=Answer)
T = TypeVar("T")
Int64 = npt.NDArray[np.int64]
_ANSWERS = 256
_LARGEST_PAGE = 1_000
_FLUSH_APP = "tilth-intake"
# A file may be compacted or erased away between looking at the table and reading it.
_ATTEMPTS = 3


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """events: without those that only keep the books. properties: of events; context: keys of their context."""

    events: list[str]
    properties: list[str]
    context: list[str]
    traits: list[str]


class _Finder(NamedTuple):
    """parameters: of the question. find(question, parameters, threads, **which): uids behind a number."""

    parameters: type[Any]
    find: Callable[..., Int64]


_FINDERS = {
    "funnel": _Finder(FunnelParameters, lambda q, p, t, step, outcome: step_people(q, p, t, step, outcome)),
    "retention": _Finder(RetentionParameters, cell_people),
    "lifecycle": _Finder(LifecycleParameters, state_people),
    "stickiness": _Finder(StickinessParameters, sticky_people),
    "trends": _Finder(TrendsParameters, trend_people),
    "distribution": _Finder(DistributionParameters, bin_people),
    "sessions": _Finder(SessionsParameters, session_people),
    "paths": _Finder(PathsParameters, edge_people),
    "attribution": _Finder(AttributionParameters, credited_people),
    "ltv": _Finder(LtvParameters, cohort_people),
}


class Behavior:
    """The questions asked of behaviour. Thread-safe.

    Every question takes its parameters as a struct, as a mapping (the JSON body) or as keyword
    arguments. as_of: the newest intake number an answer given now includes (`Collect.as_of`).
    segment: key -> uids of its members now, None where there is none. tags: name -> its values.
    """

    def __init__(
        self,
        lake: Lake,
        people: People,
        settings: Settings,
        *,
        as_of: Callable[[], int] | None = None,
        segment: Callable[[str], Iterable[int] | npt.NDArray[np.int64] | None] | None = None,
        tags: TagReader | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        threads: int | None = None,
    ) -> None:
        self._lake = lake
        self._people_directory = people
        self._settings = settings
        self._as_of = as_of or (lambda: lake.transaction_version(_FLUSH_APP) or 0)
        self._clock = clock
        self._threads = threads or os.cpu_count() or 1
        self._snapshots = Snapshots(lake, settings)
        # A quarter of the budget for what is kept between questions, half for what they make while they run.
        memory = settings.memory_mb * 1_000_000
        self._cluster = Cluster(lake.folder, settings) if settings.ray_address else None
        self._sources = Sources(
            people,
            Kept(memory // 4),
            settings.currency,
            tags,
            segment,
            room=Room(memory // 2),
            cluster=self._cluster,
        )
        self._answers: OrderedDict[bytes, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._names: tuple[Snapshot, Names] | None = None

    def funnel(self, asked: FunnelParameters | Mapping[str, Any] | None = None, **keywords: Any) -> FunnelAnswer:
        """How many get from step to step (see `funnel.py`)."""
        return self._answer("funnel", converted(FunnelParameters, asked, keywords), funnel)

    def retention(
        self, asked: RetentionParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> RetentionAnswer:
        """How many come back in the periods after (see `retention.py`); `return_` stands for `return`."""
        return self._answer("retention", converted(RetentionParameters, asked, keywords), retention)

    def lifecycle(
        self, asked: LifecycleParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> LifecycleAnswer:
        """New, returning, resurrecting and dormant people per period (see `lifecycle.py`)."""
        return self._answer("lifecycle", converted(LifecycleParameters, asked, keywords), lifecycle)

    def stickiness(
        self, asked: StickinessParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> StickinessAnswer:
        """People by number of active periods (see `stickiness.py`)."""
        return self._answer("stickiness", converted(StickinessParameters, asked, keywords), stickiness)

    def trends(self, asked: TrendsParameters | Mapping[str, Any] | None = None, **keywords: Any) -> TrendsAnswer:
        """A number of events or people, period by period (see `trends.py`)."""
        return self._answer("trends", converted(TrendsParameters, asked, keywords), trends)

    def distribution(
        self, asked: DistributionParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> DistributionAnswer:
        """People by how often or how much they did something (see `distribution.py`)."""
        return self._answer("distribution", converted(DistributionParameters, asked, keywords), distribution)

    def sessions(self, asked: SessionsParameters | Mapping[str, Any] | None = None, **keywords: Any) -> SessionsAnswer:
        """How many sessions, how long, how full (see `sessions.py`)."""
        return self._answer("sessions", converted(SessionsParameters, asked, keywords), sessions)

    def paths(self, asked: PathsParameters | Mapping[str, Any] | None = None, **keywords: Any) -> PathsAnswer:
        """Which way people go (see `paths.py`)."""
        return self._answer("paths", converted(PathsParameters, asked, keywords), paths)

    def attribution(
        self, asked: AttributionParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> AttributionAnswer:
        """Which touches brought the conversions (see `attribution.py`)."""
        return self._answer("attribution", converted(AttributionParameters, asked, keywords), attribution)

    def ltv(self, asked: LtvParameters | Mapping[str, Any] | None = None, **keywords: Any) -> LtvAnswer:
        """What the people of a cohort have brought in (see `ltv.py`)."""
        return self._answer("ltv", converted(LtvParameters, asked, keywords), ltv)

    def newcomers(
        self, asked: NewcomersParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> NewcomersAnswer:
        """What became of people who came for the first time (see `newcomers.py`)."""
        return self._answer("newcomers", converted(NewcomersParameters, asked, keywords), newcomers)

    def deal_paths(
        self, asked: DealPathsParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> DealPathsAnswer:
        """From channel over scene, product and decision to the deal (see `deal_paths.py`)."""
        return self._answer("deal_paths", converted(DealPathsParameters, asked, keywords), deal_paths)

    def invitations(
        self, asked: InvitationsParameters | Mapping[str, Any] | None = None, **keywords: Any
    ) -> InvitationsAnswer:
        """How long from an invitation to the friend's coming (see `invitations.py`)."""
        return self._answer("invitations", converted(InvitationsParameters, asked, keywords), invitations)

    def timeline(self, asked: TimelineParameters | Mapping[str, Any] | None = None, **keywords: Any) -> TimelineAnswer:
        """What one person did (see `timeline.py`)."""
        started = time.perf_counter()
        parameters = converted(TimelineParameters, asked, keywords)
        as_of = self._as_of()
        answer = timeline(
            self._lake, self._people_directory, self._settings, parameters, gap_of(parameters.gap), self._clock()
        )
        took = round((time.perf_counter() - started) * 1000, 3)
        return msgspec.structs.replace(answer, as_of=as_of, took_ms=took, scanned=answer.total)

    # -- people behind a number ------------------------------------------------------------------

    def funnel_people(
        self,
        asked: FunnelParameters | Mapping[str, Any] | None = None,
        *,
        step: int,
        outcome: str = "converted",
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who reached `step` (counted from 0; outcome converted), or the step before but not it (dropped)."""
        which = {"step": step, "outcome": outcome}
        return self._people("funnel", asked, keywords, which, cursor, limit)

    def retention_people(
        self,
        asked: RetentionParameters | Mapping[str, Any] | None = None,
        *,
        period: str,
        column: int = 0,
        came: bool = True,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who of the cohort `period` came back in `column`, or (came=False) did not."""
        which = {"period": period, "column": column, "came": came}
        return self._people("retention", asked, keywords, which, cursor, limit)

    def lifecycle_people(
        self,
        asked: LifecycleParameters | Mapping[str, Any] | None = None,
        *,
        period: str,
        state: str,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who is new, returning, resurrecting or dormant in `period`."""
        which = {"period": period, "state": state}
        return self._people("lifecycle", asked, keywords, which, cursor, limit)

    def stickiness_people(
        self,
        asked: StickinessParameters | Mapping[str, Any] | None = None,
        *,
        active_periods: int,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who was active in exactly so many periods."""
        return self._people("stickiness", asked, keywords, {"active_periods": active_periods}, cursor, limit)

    def trends_people(
        self,
        asked: TrendsParameters | Mapping[str, Any] | None = None,
        *,
        series: int = 0,
        period: str = "",
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who had an event of a series (counted from 0) in `period` ("": in the whole range)."""
        return self._people("trends", asked, keywords, {"series": series, "period": period}, cursor, limit)

    def distribution_people(
        self,
        asked: DistributionParameters | Mapping[str, Any] | None = None,
        *,
        bin: int = -1,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who is in a bin (counted from 0; -1: in any)."""
        return self._people("distribution", asked, keywords, {"bin": bin}, cursor, limit)

    def sessions_people(
        self,
        asked: SessionsParameters | Mapping[str, Any] | None = None,
        *,
        period: str = "",
        bounced: bool = False,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who began a session in `period` ("": in the whole range); bounced: one of a single event."""
        return self._people("sessions", asked, keywords, {"period": period, "bounced": bounced}, cursor, limit)

    def paths_people(
        self,
        asked: PathsParameters | Mapping[str, Any] | None = None,
        *,
        source: str,
        target: str,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who went from `source` to `target` in some session, both as the answer names them (`1_/home`)."""
        return self._people("paths", asked, keywords, {"source": source, "target": target}, cursor, limit)

    def attribution_people(
        self,
        asked: AttributionParameters | Mapping[str, Any] | None = None,
        *,
        value: str = "",
        model: str = "linear",
        untouched: bool = False,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Whose conversions `value` has a part of by `model`; untouched: who has a conversion nothing touched."""
        which = {"value": value, "model": model, "untouched": untouched}
        return self._people("attribution", asked, keywords, which, cursor, limit)

    def ltv_people(
        self,
        asked: LtvParameters | Mapping[str, Any] | None = None,
        *,
        period: str,
        column: int = 0,
        paying: bool = False,
        cursor: str = "",
        limit: int = 50,
        **keywords: Any,
    ) -> PeopleBehind:
        """Who is of the cohort `period`; paying: who of it had paid by its `column`-th period."""
        which = {"period": period, "column": column, "paying": paying}
        return self._people("ltv", asked, keywords, which, cursor, limit)

    def uids_behind(
        self, kind: str, asked: Asked | Mapping[str, Any] | None = None, *, which: Mapping[str, Any], **keywords: Any
    ) -> Int64:
        """All people behind a number, ascending, for saving them: what `{kind}_people` gives a page of.

        which: names the number, as that method's parameters do. Raises `InvalidInput`.
        """
        finder = _FINDERS.get(kind)
        if finder is None:
            raise InvalidInput("kind", f"{kind!r} has no people behind its numbers", sorted(_FINDERS))
        parameters: Asked = converted(finder.parameters, asked, keywords)
        named = msgspec.json.encode(which, order="sorted").decode()
        found, _, _ = self._remembered(
            f"people:{kind}:{named}", parameters, lambda q, p, threads: finder.find(q, p, threads, **which)
        )
        return np.unique(found)

    def _people(
        self,
        kind: str,
        asked: Asked | Mapping[str, Any] | None,
        keywords: Mapping[str, Any],
        which: Mapping[str, Any],
        cursor: str,
        limit: int,
    ) -> PeopleBehind:
        started = time.perf_counter()
        if not 1 <= limit <= _LARGEST_PAGE:
            raise InvalidInput("limit", f"must be between 1 and {_LARGEST_PAGE:,}")
        if cursor and not cursor.isdecimal():
            raise InvalidInput("cursor", "is not the next of a page before")
        as_of = self._as_of()
        found = self.uids_behind(kind, asked, which=which, **keywords)
        first = int(np.searchsorted(found, int(cursor), side="right")) if cursor else 0
        page = found[first : first + limit].tolist()
        ids = self._people_directory.distinct_ids(page)
        return PeopleBehind(
            as_of=as_of,
            took_ms=round((time.perf_counter() - started) * 1000, 3),
            people=[PersonLine(uid=uid, distinct_ids=[d.id for d in ids[uid]]) for uid in page],
            total=len(found),
            next=str(page[-1]) if first + limit < len(found) else "",
        )

    def names(self) -> Names:
        """The events, properties and traits there are, to choose from."""
        snapshot = self._snapshots.take()
        with self._lock:
            held = self._names
        if held is not None and held[0] is snapshot:
            return held[1]
        properties: set[str] = set()
        context: set[str] = set()
        for row in snapshot.strands:
            # The newest of each bucket say what is sent now; properties no longer sent may still be typed.
            for strand in row[-6:]:
                properties |= property_keys(strand.raw("props"))
                context |= property_keys(strand.raw("context"))
        found = Names(
            events=sorted(name for name in snapshot.names if name not in BOOKKEEPING),
            properties=sorted({*properties, *PROMOTED_NAMES}),
            context=sorted(context),
            traits=sorted(trait_names(self._people_directory)),
        )
        with self._lock:
            self._names = snapshot, found
        return found

    def data_token(self) -> str:
        """Changes with the events there are, with who is who, and with the quarter of the hour: in some zones a day
        begins at one."""
        return f"{self._snapshots.take().token}:{self._clock() // 900_000_000}"

    def close(self) -> None:
        """Let go of the workers of a cluster."""
        if self._cluster is not None:
            self._cluster.close()

    # -- running ---------------------------------------------------------------------------------

    def _answer(self, kind: str, asked: P, work: Callable[[Question, P, int], A]) -> A:
        started = time.perf_counter()
        as_of = self._as_of()
        answer, cached, made_at = self._remembered(kind, asked, work)
        took = round((time.perf_counter() - started) * 1000, 3)
        return msgspec.structs.replace(answer, as_of=as_of, took_ms=took, cached=cached, answered_at=_written(made_at))

    def _remembered(self, kind: str, asked: P, work: Callable[[Question, P, int], T]) -> tuple[T, bool, int]:
        """(what `work` makes of the question, whether that was known from an equal one over equal data, when it was
        asked, in UTC µs)."""
        for attempt in range(_ATTEMPTS):
            snapshot = self._snapshots.take()
            try:
                question = Question(asked, snapshot, self._sources, self._settings.timezone, self._clock())
                key = self._key(kind, asked, question)
                with self._lock:
                    if not question.about_people and key in self._answers:
                        self._answers.move_to_end(key)
                        # Of unchanged data it is as true now as it was then.
                        return self._answers[key], True, question.now
                made = work(question, asked, self._threads)
                if not question.about_people:
                    with self._lock:
                        self._answers[key] = made
                        while len(self._answers) > _ANSWERS:
                            self._answers.popitem(last=False)
                return made, False, question.now
            except FileNotFoundError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _key(self, kind: str, asked: Asked, question: Question) -> bytes:
        # What "now" means to a question is the range it gives and, for periods that have come, the hour.
        moment = (question.span.first, question.span.end, question.now // 3_600_000_000)
        return msgspec.json.encode((kind, asked, question.zone.name, question.snapshot.token, moment))


def _written(moment: int) -> str:
    """UTC µs as ISO 8601 with a Z."""
    return f"{np.datetime64(moment, 'us')}Z"
