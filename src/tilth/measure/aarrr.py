"""AARRR: acquisition, activation, retention, revenue, referral of one range, every number with its question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from tilth.behavior import Behavior
from tilth.behavior.calendar import Range, Span, parse_range, zone_of
from tilth.behavior.newcomers import NewcomersAnswer, Share
from tilth.behavior.parameters import Answer, Asked, converted
from tilth.errors import InvalidInput
from tilth.measure.stages import StageSettings

__all__ = ["Aarrr", "AarrrAnswer", "AarrrAsked", "Drill", "aarrr", "days_of", "newcomers_body"]

_DAYS = [1, 2, 3, 5, 7, 14, 21, 30]


class AarrrAsked(Asked, frozen=True, kw_only=True):
    """compare: also the days just before, as many."""

    compare: bool = False


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """The question of behaviour a stage's numbers come from."""

    stage: str
    kind: str
    question: dict[str, Any]


class Acquisition(msgspec.Struct, frozen=True, kw_only=True):
    """people: who came for the first time. cost: of all channels in the range, None where none is known."""

    people: int
    cost: float | None
    cac: float | None


class Revenue(msgspec.Struct, frozen=True, kw_only=True):
    """Of everybody in the range. revenue: less refunds, major units. arpu: per active person; arppu: per payer.
    repeat: payers with two orders or more. ltv: revenue until now of the range's newcomers, per newcomer."""

    active: int
    paying: Share
    orders: int
    revenue: float
    arpu: float | None
    arppu: float | None
    repeat: Share
    ltv: float | None


class Referral(msgspec.Struct, frozen=True, kw_only=True):
    """inviting: active people who invited. k: friends who came per active person. new: newcomers who came by a friend.
    cycle: median and p90 seconds from the latest invitation to the friend's coming, of `matched` friends."""

    inviting: Share
    invites: int
    joined: int
    k: float | None
    new: Share
    matched: int
    cycle_median: float | None
    cycle_p90: float | None


class Aarrr(msgspec.Struct, frozen=True, kw_only=True):
    """The five stages; None where the settings name no event for one."""

    first: str
    last: str
    acquisition: Acquisition
    activation: Share | None
    retention: dict[str, Share]
    revenue: Revenue | None
    referral: Referral | None


class AarrrAnswer(Answer, frozen=True, kw_only=True):
    """previous: of the range before, when compared. settings: the stages it was made with."""

    current: Aarrr
    previous: Aarrr | None
    settings: StageSettings
    drills: list[Drill]


def newcomers_body(settings: StageSettings) -> dict[str, Any]:
    """The newcomers' question of the stage settings."""
    return {
        "activity": settings.activity,
        "activation": settings.activation,
        "activation_within": settings.activation_within,
        "revenue": settings.revenue,
        "refund": settings.refund if settings.revenue is not None else None,
        "property": settings.amount,
        "value_within": settings.value_within,
        "invited": _referred(settings),
        "days": _DAYS,
    }


def days_of(asked: Asked, now: int, workspace_zone: str) -> tuple[dt.date, dt.date]:
    """First and last day of a range that has both ends. Raises `InvalidInput`."""
    zone = zone_of(asked.timezone or workspace_zone)
    span = parse_range(asked.range, zone, now)
    if span.first == Span.OPEN_FIRST or span.end == Span.OPEN_END:
        raise InvalidInput("range", 'needs both ends, such as {"last": "30d"}')
    return zone.date(span.first), zone.date(span.end - 1)


def aarrr(
    behavior: Behavior,
    settings: StageSettings,
    costs: Any,
    asked: AarrrAsked | Mapping[str, Any] | None,
    now: int,
    workspace_zone: str,
    scale: int,
) -> AarrrAnswer:
    """Ask all five. costs: minor units spent from one day to another; scale: of them make one."""
    asked = converted(AarrrAsked, asked, {})
    if asked.breakdown:
        raise InvalidInput("breakdown", "has no place here; ask for channels, or a stage's own question")
    first, last = days_of(asked, now, workspace_zone)
    current, answer, drills = _one(behavior, settings, costs, asked, (first, last), scale)
    previous = None
    if asked.compare:
        days = (last - first).days + 1
        earlier = (first - dt.timedelta(days=days), first - dt.timedelta(days=1))
        previous = _one(behavior, settings, costs, asked, earlier, scale)[0]
    return AarrrAnswer(
        as_of=answer.as_of,
        took_ms=answer.took_ms,
        scanned=answer.scanned,
        cached=answer.cached,
        current=current,
        previous=previous,
        settings=settings,
        drills=drills,
    )


def _one(
    behavior: Behavior,
    settings: StageSettings,
    costs: Any,
    asked: AarrrAsked,
    days: tuple[dt.date, dt.date],
    scale: int,
) -> tuple[Aarrr, NewcomersAnswer, list[Drill]]:
    range = Range(from_=days[0].isoformat(), to=days[1].isoformat())
    common = {
        name: value
        for name in ("timezone", "segment", "allow_unknown", "filters")
        if (value := getattr(asked, name)) is not None
    } | {"range": msgspec.to_builtins(range)}
    news = behavior.newcomers({**common, **newcomers_body(settings)})
    held = news.newcomers
    spent = costs(range.from_, range.to)
    cost = None if spent is None else spent / scale
    drills = [Drill(stage="acquisition", kind="lifecycle", question={**common, "interval": "day"})]
    if settings.activation is not None:
        steps = [settings.activity, settings.activation]
        drills.append(
            Drill(
                stage="activation",
                kind="funnel",
                question={**common, "steps": steps, "window": settings.activation_within},
            )
        )
    drills.append(
        Drill(
            stage="retention",
            kind="retention",
            question={**common, "start": settings.activity, "periods": 30, "first": "first_time"},
        )
    )
    revenue = _revenue(behavior, settings, common, news, drills) if settings.revenue is not None else None
    referral = _referral(behavior, settings, common, news, drills)
    return (
        Aarrr(
            first=str(range.from_),
            last=str(range.to),
            acquisition=Acquisition(
                people=held.people, cost=cost, cac=cost / held.people if cost is not None and held.people else None
            ),
            activation=held.activated if settings.activation is not None else None,
            retention=held.kept,
            revenue=revenue,
            referral=referral,
        ),
        news,
        drills,
    )


def _totals(behavior: Behavior, common: Mapping[str, Any], series: list[dict[str, Any]]) -> list[Any]:
    answer = behavior.trends({**common, "interval": "month", "series": series})
    return [s.total or 0 for s in answer.series]


def _revenue(
    behavior: Behavior,
    settings: StageSettings,
    common: Mapping[str, Any],
    news: NewcomersAnswer,
    drills: list[Drill],
) -> Revenue:
    amount = {"metric": "sum", "property": settings.amount}
    series = [
        {"event": settings.activity, "metric": "people"},
        {"event": settings.revenue, "metric": "people", "also": settings.activity},
        {"event": settings.revenue, "metric": "count"},
        {"event": settings.revenue, **amount},
    ]
    if settings.refund is not None:
        series.append({"event": settings.refund, **amount})
    active, payers, orders, earned, *back = _totals(behavior, common, series)
    revenue = float(earned) - float(back[0] if back else 0)
    often = behavior.distribution(
        {**common, "event": settings.revenue, "metric": "count", "bins": [1, 2, 1_000_000_000]}
    )
    repeaters = sum(b.people for b in often.bins if b.from_ >= 2)
    drills.append(Drill(stage="revenue", kind="trends", question={**common, "series": [series[3]], "interval": "day"}))
    return Revenue(
        active=active,
        paying=Share.made(payers, active),
        orders=orders,
        revenue=revenue,
        arpu=revenue / active if active else None,
        arppu=revenue / payers if payers else None,
        repeat=Share.made(repeaters, often.people),
        ltv=news.newcomers.revenue / news.newcomers.people if news.newcomers.people else None,
    )


def _referred(settings: StageSettings) -> Any:
    """The event of a friend who came by somebody: joining with a code, where one is told."""
    if settings.joined is None:
        return None
    if not settings.joined_code:
        return settings.joined
    has_code = {"property": settings.joined_code, "op": "is_set"}
    joined = settings.joined
    if isinstance(joined, dict):
        held = joined.get("filters")
        return {**joined, "filters": has_code if held is None else {"all": [held, has_code]}}
    return (
        {"any_of": joined, "filters": has_code} if isinstance(joined, list) else {"event": joined, "filters": has_code}
    )


def _referral(
    behavior: Behavior,
    settings: StageSettings,
    common: Mapping[str, Any],
    news: NewcomersAnswer,
    drills: list[Drill],
) -> Referral | None:
    referred = _referred(settings)
    if settings.invite is None or referred is None:
        return None
    active, inviting, invites, joined = _totals(
        behavior,
        common,
        [
            {"event": settings.activity, "metric": "people"},
            {"event": settings.invite, "metric": "people", "also": settings.activity},
            {"event": settings.invite, "metric": "count"},
            {"event": referred, "metric": "people"},
        ],
    )
    cycle = None
    if settings.invite_code:
        cycle = behavior.invitations(
            {
                **common,
                "invite": settings.invite,
                "invite_code": settings.invite_code,
                "joined": settings.joined,
                "joined_code": settings.joined_code,
            }
        )
    drills.append(
        Drill(
            stage="referral",
            kind="trends",
            question={**common, "series": [{"event": settings.invite}, {"event": referred}], "interval": "day"},
        )
    )
    return Referral(
        inviting=Share.made(inviting, active),
        invites=invites,
        joined=joined,
        k=joined / active if active else None,
        new=news.newcomers.invited,
        matched=cycle.matched if cycle is not None else 0,
        cycle_median=cycle.median_seconds if cycle is not None else None,
        cycle_p90=cycle.p90_seconds if cycle is not None else None,
    )
