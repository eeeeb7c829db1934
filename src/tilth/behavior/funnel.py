"""Funnel: how many get from step to step, in which time, and who.

One event serves at most one step of an attempt. The window runs from the attempt's first step, both
ends included. A person may try many times; the furthest step any attempt reached counts, and times are
of the attempt that first reached it. Only events inside the range are looked at. See semantics.md, Funnel.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.behavior.breakdown import groups_of, values_of_rows
from tilth.behavior.calendar import NO_WINDOW, Duration, Span, parse_duration
from tilth.behavior.distinguish import Difference, differences_of, events_between
from tilth.behavior.feed import Atom, Step, feed_of, over_buckets, parse_step
from tilth.behavior.kernels.funnel import ANY, ORDERED, STRICT, Plan, walk_funnel
from tilth.behavior.kernels.spread import between, binned, values_of_sizes
from tilth.behavior.kernels.times import deadlines
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.quantiles import quantiles
from tilth.behavior.question import Question
from tilth.behavior.room import bytes_of
from tilth.behavior.step_times import StepTimes, Wanted, step_times
from tilth.behavior.strands import Strand
from tilth.behavior.wilson import wilson
from tilth.errors import InvalidInput

__all__ = [
    "Exclusion",
    "FunnelAnswer",
    "FunnelParameters",
    "FunnelStep",
    "Outcome",
    "Seconds",
    "funnel",
    "outcome",
    "step_people",
]

Int64 = npt.NDArray[np.int64]
T = TypeVar("T")
ORDERS = {"ordered": ORDERED, "strict": STRICT, "any": ANY}
MAX_STEPS = 32
MAX_EXCLUSIONS = 30
_OTHER_EVENT = 1 << 62


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that taints an attempt when it lies between steps `after` and `before`, counted from 0."""

    event: Any
    after: int
    before: int
    filters: Any = None


class FunnelParameters(Asked, frozen=True, kw_only=True):
    """steps: 2 to 32 events (a name, `"*"`, `{"event", "filters", "label"}`, `{"any_of": […]}`).

    window: how long after its first step an attempt may go on; null for no window. order: ordered,
    strict (no other event between) or any. exclude: see `Exclusion`. attribution: whose event's value
    a breakdown takes: first_touch, last_touch (the first or last step of the attempt that has one), `step:k`, or all
    (the value held along the steps). count_by: person, or a property whose values are counted.
    hold: properties that keep one value along the steps. interval: makes a trend by the period of the
    first step. bins: of the time to convert, a number of bins or edges in seconds. distinguish: also
    look for what distinguishes those who converted, among these properties and all events (see `distinguish.py`).
    """

    steps: list[Any]
    window: str | None = "14d"
    order: str = "ordered"
    exclude: list[Exclusion] = msgspec.field(default_factory=list)
    attribution: str = "first_touch"
    count_by: str = "person"
    interval: str | None = None
    hold: list[str] | str = msgspec.field(default_factory=list)
    week_starts: str = "monday"
    bins: int | list[float] | None = None
    distinguish: list[str] | None = None


class Seconds(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds taken by those who got there; None where nobody did."""

    mean: float | None = None
    median: float | None = None
    p90: float | None = None


class FunnelStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step. from_first, from_previous: shares (0..1) of the people at step 0 and at the step before, with their
    95 % Wilson bounds."""

    label: str
    people: int
    from_first: float | None
    from_first_low: float | None
    from_first_high: float | None
    from_previous: float | None
    from_previous_low: float | None
    from_previous_high: float | None
    seconds_from_previous: Seconds
    seconds_from_first: Seconds


class FunnelValue(msgspec.Struct, frozen=True, kw_only=True):
    """The funnel of one value of the breakdown."""

    value: Any
    steps: list[FunnelStep]


class FunnelPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that began in a period. entered: reached step 0; converted: the last step."""

    period: str
    entered: int
    converted: int


class TimeBin(msgspec.Struct, frozen=True, kw_only=True):
    """How many took from (included) until to (excluded; included in the last bin) seconds."""

    from_: float = msgspec.field(name="from")
    to: float
    people: int


class FunnelAnswer(Answer, frozen=True, kw_only=True):
    """counted: what `people` are: person, or the property of count_by. time_to_convert: first to last step.

    partial: the period of the trend that was not over when it was asked.
    """

    steps: list[FunnelStep]
    breakdown: list[FunnelValue]
    trend: list[FunnelPeriod]
    time_to_convert: list[TimeBin]
    counted: str
    distinguishes: list[Difference]
    partial: str | None = None


class Part(NamedTuple):
    """What the units of one bucket did; as `Outcome`, with ts as the kernel leaves it."""

    uid: Int64
    reach: npt.NDArray[np.int8]
    ts: Int64
    value: Int64
    at_first: list[Int64]
    scanned: int
    times: StepTimes


@dataclass(frozen=True)
class Outcome:
    """The attempt that counts of every unit that entered.

    uid, reach: int64[n], the furthest step. start: int64[n], where the unit's instants begin in ts
    (reach + 1 of them). value: int64[n] value numbers of the breakdown (-1 missing), empty without one.
    at_first: the same of the first step's event for each property of `distinguish`. All of them are put together
    when they are asked for; what most questions want is in the parts.
    """

    parts: list[Part]
    labels: list[str]

    @property
    def scanned(self) -> int:
        return sum(p.scanned for p in self.parts)

    @property
    def people(self) -> int:
        """How many units entered."""
        return sum(len(p.uid) for p in self.parts)

    @cached_property
    def uid(self) -> Int64:
        return np.concatenate([p.uid for p in self.parts])

    @cached_property
    def reach(self) -> Int64:
        return np.concatenate([p.reach for p in self.parts]).astype(np.int64)

    @cached_property
    def start(self) -> Int64:
        return _starts(self.reach)

    @cached_property
    def ts(self) -> Int64:
        return np.concatenate([p.ts for p in self.parts])

    @cached_property
    def value(self) -> Int64:
        return np.concatenate([p.value for p in self.parts])

    @cached_property
    def at_first(self) -> list[Int64]:
        told = len(self.parts[0].at_first) if self.parts else 0
        return [np.concatenate([p.at_first[i] for p in self.parts]) for i in range(told)]

    def at(self, rows: Int64, step: int) -> Int64:
        """Instants at which these units met `step`."""
        return self.ts[self.start[rows] + step]


def outcome(question: Question, asked: FunnelParameters, threads: int) -> Outcome:
    """Run the funnel and keep what each unit did (see `Outcome`)."""
    work, labels = _work(question, asked)
    return Outcome(over_buckets(question, work, threads), labels)


def _work(question: Question, asked: FunnelParameters) -> tuple[Callable[[int], Part], list[str]]:
    """(what one bucket does, the steps' labels)."""
    steps = _steps(question, asked)
    bits = [(step.restricted(question.filters), 1 << k) for k, step in enumerate(steps)]
    order = _order(asked.order)
    exclusions = _exclusions(question, asked, len(steps))
    bits += [(step.restricted(question.filters), 1 << (MAX_STEPS + x)) for x, (step, _, _) in enumerate(exclusions)]
    if order == STRICT:
        bits.append((Step("", (Atom(None, question.filters),)), _OTHER_EVENT))
    window = NO_WINDOW if asked.window is None else parse_duration(asked.window, "window")
    touch = _touch(asked.attribution, len(steps))
    hold = [asked.hold] if isinstance(asked.hold, str) else list(asked.hold)
    held = [question.property(name, f"hold[{i}]") for i, name in enumerate(hold)]
    unit = [] if asked.count_by == "person" else [question.property(asked.count_by, "count_by")]
    if question.breakdown and touch == "all":
        unit = unit + question.breakdown
    told = [question.property(n, f"distinguish[{i}]") for i, n in enumerate(asked.distinguish or [])]
    refs = bool(question.breakdown or told)
    plan = _plan(question, len(steps), order, window, exclusions, bool(unit), bool(held), refs)

    def work(bucket: int) -> Part:
        feed = feed_of(question, bucket, bits, unit=unit, hold=held)
        uid, reach, ts, ref = walk_funnel(feed.feed, plan)
        first = ref[_starts(reach)] if told else ref
        return Part(
            uid=uid,
            reach=reach,
            ts=ts,
            value=_values(question, feed.strands, touch, reach, ts, ref),
            at_first=[values_of_rows(first, [question.codes(s, [n])[0] for s in feed.strands]) for n in told],
            scanned=feed.rows,
            times=StepTimes.of(reach, ts, len(steps)),
        )

    return work, [s.label for s in steps]


def funnel(question: Question, asked: FunnelParameters, threads: int) -> FunnelAnswer:
    """Answer a funnel. Raises `InvalidInput` with the path of what is wrong."""
    of_each = bool(question.breakdown) or asked.interval is not None or asked.distinguish is not None
    if question.sources.cluster is not None and not of_each:
        return _by_counts(question, asked, threads)
    done = outcome(question, asked, threads)

    def look(second: Callable[[Part], T]) -> list[T]:
        with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
            return list(pool.map(second, done.parts))

    steps, bins = _steps_and_bins(asked, done.labels, [p.times for p in done.parts], look)
    return FunnelAnswer(
        scanned=done.scanned,
        steps=steps,
        breakdown=_breakdown(question, done),
        trend=_trend(question, asked, done),
        time_to_convert=bins,
        counted=asked.count_by,
        partial=None
        if asked.interval is None
        else question.periods(asked.interval, asked.week_starts).running(question.now),
        distinguishes=_distinguishes(question, asked, done, threads) if asked.distinguish is not None else [],
    )


def _by_counts(question: Question, asked: FunnelParameters, threads: int) -> FunnelAnswer:
    """The answer of a cluster to a funnel that needs no more than counts: what units did stays with the workers, who
    give how many there are, and then the few durations that the quantiles need."""
    work, labels = _work(question, asked)
    name = uuid.uuid4().hex

    def first(bucket: int) -> tuple[int, StepTimes]:
        part = work(bucket)
        question.sources.kept.put(("funnel", name, str(bucket)), part, bytes_of(part))
        return part.scanned, part.times

    def look(second: Callable[[Part], T]) -> list[T]:
        def again(bucket: int) -> T:
            held: Part | None = question.sources.kept.take(("funnel", name, str(bucket)))
            # Nothing is held where there was no room, or its worker was lost.
            return second(work(bucket) if held is None else held)

        return over_buckets(question, again, threads)

    counted = over_buckets(question, first, threads)
    steps, bins = _steps_and_bins(asked, labels, [times for _, times in counted], look)
    return FunnelAnswer(
        scanned=sum(scanned for scanned, _ in counted),
        steps=steps,
        breakdown=[],
        trend=[],
        time_to_convert=bins,
        counted=asked.count_by,
        distinguishes=[],
    )


def step_people(question: Question, asked: FunnelParameters, threads: int, step: int, what: str) -> Int64:
    """uids of those who reached `step` (converted) or the step before but not it (dropped), once for each unit."""
    if what not in ("converted", "dropped"):
        raise InvalidInput("outcome", f"{what[:40]!r} is not an outcome", ["converted", "dropped"])
    if not 0 <= step < len(asked.steps):
        raise InvalidInput("step", f"must be between 0 and {len(asked.steps) - 1}")
    if what == "dropped" and step == 0:
        raise InvalidInput("step", "nobody drops out before the first step; ask for step 1 or later")
    done = outcome(question, asked, threads)
    return done.uid[done.reach >= step] if what == "converted" else done.uid[done.reach == step - 1]


# -- reading the parameters ----------------------------------------------------------------------


def _steps(question: Question, asked: FunnelParameters) -> list[Step]:
    if not 2 <= len(asked.steps) <= MAX_STEPS:
        raise InvalidInput("steps", f"has {len(asked.steps)}; a funnel has 2 to {MAX_STEPS} steps")
    return [parse_step(raw, f"steps[{i}]", question) for i, raw in enumerate(asked.steps)]


def _order(name: str) -> int:
    if name not in ORDERS:
        raise InvalidInput("order", f"{name!r} is not an order of steps", list(ORDERS))
    return ORDERS[name]


def _exclusions(question: Question, asked: FunnelParameters, steps: int) -> list[tuple[Step, int, int]]:
    if asked.exclude and asked.order != "ordered":
        reason = {
            "strict": "is of no use with order strict, where any other event ends an attempt",
            "any": "needs order ordered: with order any no step is before another",
        }[asked.order]
        raise InvalidInput("exclude", reason)
    if len(asked.exclude) > MAX_EXCLUSIONS:
        raise InvalidInput("exclude", f"has {len(asked.exclude)}; at most {MAX_EXCLUSIONS} are taken")
    found = []
    for i, item in enumerate(asked.exclude):
        if not 0 <= item.after < item.before < steps:
            raise InvalidInput(
                f"exclude[{i}]", f"must have 0 <= after < before <= {steps - 1}, the steps being counted from 0"
            )
        step = parse_step(item.event, f"exclude[{i}].event", question)
        own = question.parse(item.filters, f"exclude[{i}].filters")
        found.append((step.restricted(own), item.after, item.before))
    return found


def _touch(attribution: str, steps: int) -> str | int:
    if attribution in ("first_touch", "last_touch", "all"):
        return attribution
    kind, _, number = attribution.partition(":")
    if kind == "step" and number.isdecimal():
        if int(number) >= steps:
            raise InvalidInput("attribution", f"there is no step {number}; the last is {steps - 1}")
        return int(number)
    choices = ["first_touch", "last_touch", "step:k", "all"]
    raise InvalidInput("attribution", f"{attribution!r} is not an attribution", choices)


def _plan(
    question: Question,
    steps: int,
    order: int,
    window: Duration,
    exclusions: list[tuple[Step, int, int]],
    by_unit: bool,
    by_hold: bool,
    refs: bool,
) -> Plan:
    return Plan(
        steps=steps,
        order=order,
        length=window.us,
        months=window.months,
        changes=question.zone.changes,
        offsets=question.zone.offsets,
        excluded=np.array([1 << (MAX_STEPS + x) for x in range(len(exclusions))], np.int64),
        after=np.array([a for _, a, _ in exclusions], np.int64),
        before=np.array([b for _, _, b in exclusions], np.int64),
        by_unit=by_unit,
        by_hold=by_hold,
        refs=refs,
    )


# -- what came out -------------------------------------------------------------------------------


def _starts(reach: npt.NDArray[Any]) -> Int64:
    """Where each unit's instants begin."""
    length = reach.astype(np.int64) + 1
    found: Int64 = np.cumsum(length) - length
    return found


def _values(
    question: Question, strands: list[Strand], touch: str | int, reach: npt.NDArray[np.int8], ts: Int64, ref: Int64
) -> Int64:
    """The breakdown's value number of each unit."""
    if not question.breakdown:
        return np.empty(0, np.int64)
    codes = [question.codes(s, question.breakdown)[0] for s in strands]
    of_row = values_of_rows(ref, codes)
    length = reach.astype(np.int64) + 1
    start = _starts(reach)
    if isinstance(touch, int):
        reached = reach >= touch
        out = np.full(len(reach), -1, np.int64)
        out[reached] = of_row[start[reached] + touch]
        return out
    if touch == "all":
        return of_row[start]
    out = np.full(len(reach), -1, np.int64)
    for k in range(int(reach.max(initial=-1)) + 1):
        there = np.flatnonzero(reach >= k)
        there = there[out[there] < 0]
        at = k if touch == "first_touch" else length[there] - 1 - k
        out[there] = of_row[start[there] + at]
    return out


def _steps_and_bins(
    asked: FunnelParameters,
    labels: list[str],
    counted: list[StepTimes],
    look: Callable[[Callable[[Part], tuple[Any, Any, Int64]]], list[tuple[Any, Any, Int64]]],
) -> tuple[list[FunnelStep], list[TimeBin]]:
    """The steps of everybody and the times to convert. look: does something with each bucket's part."""
    edges = _edges(asked, counted)
    even = not isinstance(asked.bins, list)
    last = len(labels) - 1
    people = np.zeros(max(0, len(edges) - 1), np.int64)

    def values(wanted: Wanted) -> list[tuple[Any, Any]]:
        nonlocal people

        def second(part: Part) -> tuple[Any, Any, Int64]:
            bins = (
                binned(between(part.reach, part.ts, last) / 1e6, edges, even) if len(edges) else edges.astype(np.int64)
            )
            return *values_of_sizes(part.reach, part.ts, wanted), bins

        found = look(second)
        people = people + np.sum([f[2] for f in found], axis=0) if found else people
        return [f[:2] for f in found]

    times = step_times(counted, len(labels), values)
    first = previous = int(times[0].people)
    steps = []
    for k, label in enumerate(labels):
        here = times[k]
        steps.append(
            FunnelStep(
                label=label,
                people=here.people,
                **_shares(here.people, first, previous),
                seconds_from_previous=Seconds(**here.from_previous) if k else Seconds(),
                seconds_from_first=Seconds(**here.from_first) if k else Seconds(),
            )
        )
        previous = here.people
    bins = [
        TimeBin(from_=float(a), to=float(b), people=int(n))
        for a, b, n in zip(edges[:-1], edges[1:], people, strict=True)
    ]
    return steps, bins


def _step_rows(done: Outcome, rows: Int64) -> list[FunnelStep]:
    found: list[FunnelStep] = []
    first = previous = 0
    for k, label in enumerate(done.labels):
        rows = rows[done.reach[rows] >= k]
        people = len(rows)
        if k == 0:
            first = previous = people
        found.append(
            FunnelStep(
                label=label,
                people=people,
                **_shares(people, first, previous),
                seconds_from_previous=_seconds(done.at(rows, k) - done.at(rows, k - 1)) if k else Seconds(),
                seconds_from_first=_seconds(done.at(rows, k) - done.at(rows, 0)) if k else Seconds(),
            )
        )
        previous = people
    return found


def _shares(people: int, first: int, previous: int) -> dict[str, float | None]:
    """The fields of a step that are shares."""
    found: dict[str, float | None] = {}
    for name, of in (("from_first", first), ("from_previous", previous)):
        low, high = wilson(people, of) or (None, None)
        found |= {name: people / of if of else None, f"{name}_low": low, f"{name}_high": high}
    return found


def _seconds(us: Int64) -> Seconds:
    if len(us) == 0:
        return Seconds()
    median, p90 = quantiles(us, (0.5, 0.9))
    return Seconds(mean=float(us.mean()) / 1e6, median=median / 1e6, p90=p90 / 1e6)


def _breakdown(question: Question, done: Outcome) -> list[FunnelValue]:
    if not question.breakdown or done.people == 0:
        return []
    values = question.values()
    known = len(values.values)
    sizes = np.bincount(done.value[done.value >= 0], minlength=known)
    groups = groups_of(sizes, int((done.value < 0).sum()), values, question.limit)
    group = groups.of[done.value]
    order = np.argsort(group, kind="stable")
    cuts = np.searchsorted(group[order], np.arange(len(groups) + 1))
    return [
        FunnelValue(value=label, steps=_step_rows(done, order[cuts[g] : cuts[g + 1]]))
        for g, label in enumerate(groups.labels)
    ]


def _trend(question: Question, asked: FunnelParameters, done: Outcome) -> list[FunnelPeriod]:
    if asked.interval is None:
        return []
    periods = question.periods(asked.interval, asked.week_starts)
    of = np.searchsorted(periods.bounds, done.ts[done.start], side="right") - 1
    entered = np.bincount(of, minlength=len(periods))
    converted = np.bincount(of[done.reach == len(done.labels) - 1], minlength=len(periods))
    return [
        FunnelPeriod(period=label, entered=int(entered[i]), converted=int(converted[i]))
        for i, label in enumerate(periods.labels)
    ]


def _distinguishes(question: Question, asked: FunnelParameters, done: Outcome, threads: int) -> list[Difference]:
    if asked.count_by != "person":
        raise InvalidInput("distinguish", "is of people; leave count_by out")
    did = done.reach == len(done.labels) - 1
    entered, converted = len(did), int(did.sum())
    if entered == 0:
        return []
    tables: list[tuple[str, str, Any, int, int]] = []
    for name, numbers in zip(asked.distinguish or [], done.at_first, strict=True):
        values = question.values_of([question.property(name, "distinguish")]).values
        had = np.bincount(numbers[numbers >= 0], minlength=len(values))
        both = np.bincount(numbers[(numbers >= 0) & did], minlength=len(values))
        tables += [("property", name, values[v], int(had[v]), int(both[v])) for v in np.flatnonzero(had).tolist()]
    begins, last = done.ts[done.start], done.ts[done.start + done.reach]
    window = NO_WINDOW if asked.window is None else parse_duration(asked.window, "window")
    closes = deadlines(begins, window.us, window.months, question.zone.changes, question.zone.offsets)
    # The window's last instant is still inside it.
    ends = np.where(did, last, np.minimum(closes, Span.OPEN_END - 1) + 1)
    names, counts = events_between(question, done.uid, begins, ends, did, threads)
    tables += [
        ("event", name, None, int(counts[:, i].sum()), int(counts[1, i]))
        for i, name in enumerate(names)
        if counts[:, i].any()
    ]
    return differences_of(tables, entered, converted)


def _edges(asked: FunnelParameters, counted: list[StepTimes]) -> npt.NDArray[np.float64]:
    """Of the bins of the time to convert, in seconds; none where nobody converted and no edges are given."""
    if isinstance(asked.bins, list):
        edges = np.array(asked.bins, np.float64)
        if len(edges) < 2 or not np.all(np.isfinite(edges)) or np.any(np.diff(edges) <= 0) or len(edges) > 1001:
            raise InvalidInput("bins", "must be 2 to 1001 edges in seconds, ascending")
        return edges
    count = 20 if asked.bins is None else asked.bins
    if not 1 <= count <= 1000:
        raise InvalidInput("bins", "must be between 1 and 1000")
    there = [t.extremes for t in counted if t.extremes[1] >= t.extremes[0]]
    if not there:
        return np.empty(0, np.float64)
    low, high = min(int(e[0]) for e in there) / 1e6, max(int(e[1]) for e in there) / 1e6
    return np.linspace(low, high if high > low else low + 1, count + 1)
