"""The questions of behaviour that are measured: one list, read by every engine of `bench/engines.py`.

Answers are put in one plain form (`plain`), so that they can be compared for equality. Where engines mean
different things by a word, the question is put so that they mean the same:

- Steps that repeat: ClickHouse's `windowFunnel` lets one event serve two steps unless time must increase
  (`strict_increase`), which is asked of it there.
- Strict: `windowFunnel`'s `strict_order` gives up at a person's first interruption and is another question. Arrays are
  used instead, without a window, in the order of instant, receipt and id.
- Breakdown: peers have no attribution; the value is held along the steps (`attribution: all`), which is a group.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ATTEMPT", "FIRST_DAY", "LAST_DAY", "QUESTIONS", "plain"]

ATTEMPT = 14 * 86_400_000_000
# The simulated company's last day is 2026-09-30; thirty days after the last cohort are there.
FIRST_DAY, LAST_DAY = "2026-08-01", "2026-08-30"
_RANGE = {"from": FIRST_DAY, "to": LAST_DAY}
_THREE = ["view", "cart", "checkout"]
_SIX = ["visit", "search", "view", "cart", "checkout", "pay"]
_TWELVE = [*_SIX, "visit", "view", "cart", "checkout", "pay", "visit"]
_THIRTY_TWO = (["visit", "view"] * 16)[:32]

QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "funnel_3": ("funnel", {"steps": _THREE}),
    "funnel_6": ("funnel", {"steps": _SIX}),
    "funnel_12": ("funnel", {"steps": _TWELVE}),
    "funnel_32": ("funnel", {"steps": _THIRTY_TWO}),
    "funnel_strict": ("funnel", {"steps": _THREE, "order": "strict", "window": None}),
    "funnel_filter": (
        "funnel",
        {
            "steps": [
                {"event": "view", "filters": {"property": "category", "op": "=", "value": "Green tea"}},
                "cart",
                "checkout",
            ]
        },
    ),
    "funnel_breakdown": (
        "funnel",
        {"steps": _THREE, "breakdown": "channel", "attribution": "all", "limit": 1000},
    ),
    "retention": ("retention", {"start": "visit", "interval": "day", "periods": 30, "range": _RANGE}),
    "lifecycle": ("lifecycle", {"event": "*", "interval": "day", "range": _RANGE}),
    "stickiness": ("stickiness", {"event": "*", "interval": "day", "range": _RANGE}),
    "paths": ("paths", {"steps": 5, "edges": 1000, "range": _RANGE}),
    "trend_people": ("trends", {"event": "view", "metric": "people", "interval": "day"}),
}


def plain(name: str, answer: Any) -> Any:
    """Our answer in the form the peers give theirs."""
    if name == "funnel_breakdown":
        return sorted(
            [str(value.value), [step.people for step in value.steps]]
            for value in answer.breakdown
            if value.value is not None
        )
    if name.startswith("funnel"):
        return [step.people for step in answer.steps]
    if name == "retention":
        return [row.returned for row in answer.rows]
    if name == "lifecycle":
        return [answer.new, answer.returning, answer.resurrecting, [-n for n in answer.dormant]]
    if name == "stickiness":
        return answer.people
    if name == "paths":
        return sorted([edge.source, edge.target, edge.sessions] for edge in answer.edges)
    return [point.value for point in answer.series[0].points]
