"""Is a period's value unusual? Pure functions over the values of the periods before.

Seasonal: the value expected is the median of the same weekday (and hour) before, moved by the usual growth and by how
much the last periods were above or below theirs, so that growth is no alarm. How much it may differ is the median
absolute deviation of what the same rule would have missed by in the past, at least the chance of counting (Poisson,
binomial) (Leys et al. 2013; Iglewicz and Hoaglin 1993). Counts and sums are compared by their logarithm.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from tilth.measure.alerts.alert import Condition

__all__ = ["FEWEST", "Seen", "Verdict", "judge"]

# Fewest earlier periods of the same weekday and hour.
FEWEST = 3
_MAD = 1.4826
_RECENT = 7
_FEWEST_STEPS = 14


class Seen(NamedTuple):
    """A period. slot: what it is compared with: its weekday, hour, or 0. size: its denominator, None without."""

    value: float | None
    slot: int
    size: float | None = None


class Verdict(NamedTuple):
    """firing: None where nothing can be said (why: reason). low, high: what would have been usual, None for an open
    side. expected: what it was compared with."""

    firing: bool | None
    expected: float | None
    low: float | None
    high: float | None
    reason: str


def judge(condition: Condition, past: Sequence[Seen], now: Seen, *, counted: bool) -> Verdict:
    """Judge `now` by the periods before it, oldest first. counted: values are counts or sums, never negative."""
    if now.value is None:
        return Verdict(None, None, None, None, "the period has no value")
    if condition.kind == "threshold":
        assert condition.value is not None
        above = condition.side == "above"
        firing = now.value > condition.value if above else now.value < condition.value
        return Verdict(
            firing, condition.value, None if above else condition.value, condition.value if above else None, ""
        )
    if condition.kind == "change":
        return _change(condition, past, now)
    return _seasonal(condition, past, now, counted)


def _change(condition: Condition, past: Sequence[Seen], now: Seen) -> Verdict:
    before: float | None = None
    if condition.versus == "previous":
        before = past[-1].value if past else None
    else:
        before = next((p.value for p in reversed(past) if p.slot == now.slot), None)
    if before is None:
        return Verdict(None, None, None, None, "there is no period to compare with")
    assert now.value is not None
    if before == 0:
        # From nothing every step is endless; something there is told, nothing again is not.
        firing = now.value != 0 and condition.side != ("below" if now.value > 0 else "above")
        return Verdict(firing, 0.0, 0.0, 0.0, "")
    step = abs(before) * condition.percent / 100
    low, high = before - step, before + step
    return Verdict(_outside(condition, now.value, low, high), before, *_shown(condition, low, high), "")


def _outside(condition: Condition, value: float, low: float, high: float) -> bool:
    return (condition.side != "above" and value < low) or (condition.side != "below" and value > high)


def _shown(condition: Condition, low: float, high: float) -> tuple[float | None, float | None]:
    return (None if condition.side == "above" else low), (None if condition.side == "below" else high)


def _seasonal(condition: Condition, past: Sequence[Seen], now: Seen, counted: bool) -> Verdict:
    known = [(p.slot, _scaled(p.value, counted), i) for i, p in enumerate(past) if p.value is not None]
    same = [v for slot, v, _ in known if slot == now.slot]
    if len(same) < FEWEST:
        reason = f"only {len(same)} earlier periods of this weekday and hour; {FEWEST} are needed"
        return Verdict(None, None, None, None, reason)
    errors = []
    # What the rule would have said of each period with enough before it.
    for i in range(len(known)):
        guess = _guess(known[:i], known[i][0], known[i][2])
        if guess is not None:
            errors.append(known[i][1] - guess)
    expected = _guess(known, now.slot, len(past))
    assert expected is not None
    assert now.value is not None
    spread = _MAD * statistics.median(abs(e) for e in errors) if errors else 0.0
    usual = math.expm1(expected) if counted else expected
    if counted:
        spread = max(spread, 1 / math.sqrt(max(usual, 0.0) + 1))
    elif now.size:
        # A share of so few differs by chance alone.
        share = min(max(usual, 0.0), 1.0)
        spread = max(spread, math.sqrt(share * (1 - share) / now.size))
    reach = condition.sensitivity * spread
    low, high = expected - reach, expected + reach
    if counted:
        low, high = max(0.0, math.expm1(low)), math.expm1(min(high, 700.0))
    return Verdict(_outside(condition, now.value, low, high), usual, *_shown(condition, low, high), "")


def _scaled(value: float, counted: bool) -> float:
    return math.log1p(max(0.0, value)) if counted else value


def _guess(known: Sequence[tuple[int, float, int]], slot: int, at: int) -> float | None:
    """What period `at` of a slot should be. known: (slot, value, number of the period), oldest first."""
    if sum(s == slot for s, _, _ in known) < FEWEST:
        return None
    growth = _growth(known)
    # Every value as it would be now, so that how far back a weekday's middle lies makes no difference.
    moved = [(s, v + growth * (at - i)) for s, v, i in known]
    medians = {s: statistics.median(v for t, v in moved if t == s) for s in {slot, *(s for s, _ in moved[-_RECENT:])}}
    level = statistics.median(v - medians[s] for s, v in moved[-_RECENT:])
    return medians[slot] + level


def _growth(known: Sequence[tuple[int, float, int]]) -> float:
    """By how much values grow a period: the median of the steps from one period of a slot to the next of the same."""
    last: dict[int, tuple[float, int]] = {}
    steps = []
    for slot, value, i in known:
        if slot in last:
            before, j = last[slot]
            steps.append((value - before) / (i - j))
        last[slot] = value, i
    return statistics.median(steps) if len(steps) >= _FEWEST_STEPS else 0.0
