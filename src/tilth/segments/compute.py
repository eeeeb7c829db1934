"""Computing one layering: everyone's layer, every layer's numbers, what to do, and how good it is.

The as-of day. Events up to the end of that day in the workspace's time zone count. Without one given
it is the last day with data, not today: an old file then still has recencies that mean something,
and the answer says so (`as_of_note`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.clv import CLVRequest, clv
from tilth.segments.days import day_text, parse_day
from tilth.segments.layering import Assignment, Cell, Kind, Layer, Matrix, describe
from tilth.segments.lift import choose_period
from tilth.segments.matrix import MatrixParameters
from tilth.segments.quality import Earlier, Following, Quality, assess
from tilth.segments.rhythm import rhythm_scores
from tilth.segments.snapshot import Snapshot
from tilth.segments.standing import Standing, following
from tilth.segments.suggestions import with_suggestions
from tilth.segments.value import ValueParameters, expected_value
from tilth.segments.words import Notice, Text

__all__ = ["Computed", "Layering", "compute"]

MONTH = 30  # days between the two ends of the migration
WINDOW = 90  # days of engagement, where the kind says nothing else


class Layering(msgspec.Struct, frozen=True, kw_only=True):
    """A layering as answered. id: None when not saved. as_of: local day, `as_of_note` says where it comes from.
    computed_at: UTC. took_ms: milliseconds. Money in minor units of `currency`.

    cells (RFM) and matrix (two-way) are the kind's own picture, None for the others.
    """

    id: int | None
    kind: str
    name: Text
    as_of: str
    as_of_note: Text
    computed_at: dt.datetime
    took_ms: int
    currency: str
    parameters: dict[str, Any]
    people: int
    layers: list[Layer]
    cells: list[Cell] | None
    matrix: Matrix | None
    quality: Quality


class Computed(msgspec.Struct, frozen=True):
    """A layering with what is kept beside it: everyone's layer and the fitted rule."""

    layering: Layering
    assignment: Assignment
    standing: Standing


def compute(snapshot: Snapshot, kind: Kind, parameters: msgspec.Struct, as_of: str | None = None) -> Computed:
    """Make the layering as of a day (`YYYY-MM-DD`; None: the last day with data).

    Raises `InvalidInput` where nobody is known, or nobody was by that day.
    """
    started = time.perf_counter()
    if len(snapshot.history.everyone) == 0:
        raise InvalidInput("workspace", "there are no people yet; import orders, events or profiles first")
    day, note = _as_of(snapshot, as_of)
    window = parameters.window_days if isinstance(parameters, MatrixParameters) else WINDOW
    current = snapshot.standing(day, window)
    if len(current) == 0:
        first = day_text(snapshot.first_day) if snapshot.first_day is not None else "?"
        raise InvalidInput("as_of", f"nobody was known by {day_text(day)}; the first event is of {first}")
    standing, notices = _ready(snapshot, kind, parameters, current)
    assignment = kind.assign(standing, parameters, None).covering(len(standing))
    gaps = rhythm_scores(standing, snapshot.rhythm(standing)).usual_gap
    layers = with_suggestions(describe(standing, assignment, gaps), kind.key, standing.currency)

    def refit(people: Standing) -> Assignment:
        if kind.refit is not None:
            return kind.refit(people, parameters, assignment.model)
        return kind.assign(people, parameters, None)

    quality = assess(
        standing,
        assignment,
        refit=refit,
        following=_following(snapshot, kind, parameters, day, assignment, standing, window),
        earlier=_earlier(snapshot, kind, parameters, day, assignment, window),
        last_day=snapshot.newest_day,
    )
    if notices:
        quality = msgspec.structs.replace(quality, warnings=[*quality.warnings, *notices])
    layering = Layering(
        id=None,
        kind=kind.key,
        name=kind.name,
        as_of=day_text(day),
        as_of_note=note,
        computed_at=dt.datetime.now(dt.UTC),
        took_ms=round((time.perf_counter() - started) * 1000),
        currency=standing.currency,
        parameters=msgspec.json.decode(msgspec.json.encode(parameters)),
        people=len(standing),
        layers=layers,
        cells=assignment.cells,
        matrix=assignment.matrix,
        quality=quality,
    )
    return Computed(layering, assignment, standing)


def _as_of(snapshot: Snapshot, as_of: str | None) -> tuple[int, Text]:
    if as_of is not None:
        day = parse_day(as_of)
        return day, Text(f"指定的日期 {day_text(day)}，含当天全天", f"the day asked for, {day_text(day)}, to its end")
    day = snapshot.newest_day
    if snapshot.last_day is None:
        return day, Text("今天（还没有任何事件）", "today, as there is no event yet")
    return day, Text(
        f"有数据的最后一天 {day_text(day)}（不是今天）", f"the last day with data, {day_text(day)} (not today)"
    )


def _ready(
    snapshot: Snapshot, kind: Kind, parameters: msgspec.Struct, standing: Standing
) -> tuple[Standing, list[Notice]]:
    """The standing with everything the kind needs."""
    if "value" not in kind.needs:
        return standing, []
    assert isinstance(parameters, ValueParameters)
    value, notices = _expected(snapshot, parameters, standing)
    return dataclasses.replace(standing, value=value), notices


def _expected(
    snapshot: Snapshot, parameters: ValueParameters, standing: Standing
) -> tuple[npt.NDArray[np.float64], list[Notice]]:
    """Expected money per person by the CLV model, or by the rhythm where the model cannot be learned."""
    reason = ""
    if parameters.model != "rhythm" and standing.buyers.any():
        day = day_text(standing.as_of)
        request = CLVRequest(
            model=parameters.model,
            time_unit="day",
            calibration_end=day,
            until=day,
            horizon=float(parameters.horizon_days),
            top=0,
        )
        try:
            found = clv(snapshot.history, request, timezone=snapshot.days.timezone)
        except InvalidInput as error:
            reason = error.reason
        else:
            value = np.full(len(standing), np.nan)
            place = np.searchsorted(standing.uid, found.forecasts.uid)
            value[place] = found.forecasts.expected_value
            if np.isfinite(value[standing.buyers]).all():
                return value, list(found.warnings)
            reason = "its forecasts are not finite"
    value = expected_value(standing, snapshot.rhythm(standing), parameters.horizon_days)
    if not reason:
        return value, []
    text = Text(
        f"CLV 模型 {parameters.model} 在这些数据上学不出来，改用每个人自己的购买节奏估计未来价值。",
        f"The CLV model {parameters.model} cannot be learned from this data ({reason}); "
        "future value is estimated from each person's own rhythm.",
    )
    return value, [Notice(key="value_by_rhythm", severity="warning", text=text)]


def _following(
    snapshot: Snapshot,
    kind: Kind,
    parameters: msgspec.Struct,
    day: int,
    assignment: Assignment,
    standing: Standing,
    window: int,
) -> Following | None:
    if snapshot.first_order_day is None or snapshot.last_day is None:
        return None
    period = choose_period(snapshot.first_order_day, min(day, snapshot.last_day), snapshot.last_day)
    if period is None:
        return None
    end, until = period
    if end != day:
        # From what was known then: thresholds fitted on later data would already know the answer.
        standing, _ = _ready(snapshot, kind, parameters, snapshot.standing(end, window, keep=False))
        if len(standing) == 0:
            return None
        assignment = kind.assign(standing, parameters, None).covering(len(standing))
    money = following(snapshot.history, standing.uid, snapshot.days.end(end), snapshot.days.end(until))
    return Following(assignment=assignment, money=money, calibration_end=end, until=until)


def _earlier(
    snapshot: Snapshot, kind: Kind, parameters: msgspec.Struct, day: int, assignment: Assignment, window: int
) -> Earlier | None:
    if snapshot.first_day is None or day - MONTH < snapshot.first_day:
        return None
    before, _ = _ready(snapshot, kind, parameters, snapshot.standing(day - MONTH, window, keep=False))
    if len(before) == 0:
        return None
    then = kind.assign(before, parameters, assignment.model).covering(len(before))
    return Earlier(standing=before, assignment=then)
