"""The boards every workspace has: AARRR, CSPDD and channel quality, asked from the stage settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from tilth.behavior import Behavior
from tilth.behavior.deal_paths import DealPathsAnswer
from tilth.behavior.parameters import Asked, converted
from tilth.errors import InvalidInput
from tilth.measure.aarrr import AarrrAnswer, aarrr, days_of, newcomers_body
from tilth.measure.channels import ChannelsAnswer, channel_lines
from tilth.measure.costs import Costs
from tilth.measure.stages import KeptStages, Stages
from tilth.settings import Settings, currency_digits

__all__ = ["ask_aarrr", "ask_channels", "ask_cspdd", "current_stages"]

_USUAL = {"range": {"last": "30d"}}
_CSPDD = ("channel", "scene", "product", "decision", "deal")


class CspddAsked(Asked, frozen=True, kw_only=True):
    """at_least, values: see `DealPathsParameters`."""

    at_least: int = 50
    values: int = 12


def current_stages(stages: Stages, behavior: Behavior) -> KeptStages:
    """What is set, or guessed from the names there are."""
    held = stages.current()
    if held.version:
        return held
    names = behavior.names()
    return stages.current(names.events, names.properties)


def ask_aarrr(
    behavior: Behavior, stages: Stages, costs: Costs, settings: Settings, asked: Mapping[str, Any]
) -> AarrrAnswer:
    """The AARRR board; the last 30 days where no range is asked for."""

    def spent(first: str, last: str) -> int | None:
        found = costs.by_channel(first, last)
        return sum(found.values()) if found else None

    held = current_stages(stages, behavior).settings
    scale = 10 ** currency_digits(settings.currency)
    return aarrr(behavior, held, spent, {**_USUAL, **asked}, time.time_ns() // 1000, settings.timezone, scale)


def ask_channels(
    behavior: Behavior, stages: Stages, costs: Costs, settings: Settings, asked: Mapping[str, Any]
) -> ChannelsAnswer:
    """Channel quality; the last 30 days where no range is asked for."""
    given = converted(Asked, {**_USUAL, **asked}, {})
    if given.breakdown:
        raise InvalidInput("breakdown", "is the channel here; leave it out")
    held = current_stages(stages, behavior).settings
    first, last = days_of(given, time.time_ns() // 1000, settings.timezone)
    days = first.isoformat(), last.isoformat()
    body = {k: v for k, v in msgspec.to_builtins(given).items() if v is not None}
    body |= {**newcomers_body(held), "breakdown": held.channel, "range": {"from": days[0], "to": days[1]}}
    answer = behavior.newcomers({**body, "limit": max(given.limit, 100)})
    return channel_lines(answer, costs.by_channel(*days), 10 ** currency_digits(settings.currency), days)


def ask_cspdd(behavior: Behavior, stages: Stages, asked: Mapping[str, Any]) -> DealPathsAnswer:
    """The CSPDD board; the last 90 days where no range is asked for. Raises `InvalidInput` naming a stage not set."""
    given = converted(CspddAsked, {"range": {"last": "90d"}, **asked}, {})
    if given.breakdown:
        raise InvalidInput("breakdown", "has no place here: each stage has its own values")
    held = current_stages(stages, behavior).settings
    body = {k: v for k, v in msgspec.to_builtins(given).items() if v is not None and k != "breakdown"}
    for name in _CSPDD:
        stage = held.deal if name == "deal" else getattr(held, f"deal_{name}")
        if stage is None:
            raise InvalidInput(f"stages.{name}", "is not set; say in the stage settings which event it is")
        body[name] = msgspec.to_builtins(stage)
    return behavior.deal_paths({**body, "window": held.deal_window})
