"""Attribution, conversion by conversion."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from tests.oracles.people_events import Happened, by_person

__all__ = ["credits_of"]


def credits_of(
    events: Sequence[Happened], *, lookback: int, half_life: int, direct: str
) -> tuple[dict[str, dict[str | None, float]], list[tuple[list[str], bool]]]:
    """(model -> value -> conversions, the paths: values and whether they converted). Conversions are "buy"."""
    found: dict[str, dict[str | None, float]] = defaultdict(lambda: defaultdict(float))
    paths: list[tuple[list[str], bool]] = []
    for mine in by_person(events).values():
        touches = [e for e in mine if e.event != "b" and "channel" in e.properties]
        used: set[str] = set()
        for conversion in (e for e in mine if e.event == "b"):
            near = [t for t in touches if conversion.ts - lookback <= t.ts <= conversion.ts]
            used |= {t.event_id for t in near}
            values = [t.properties["channel"] for t in near]
            if values:
                paths.append((values, True))
            for model, weights in _weights(near, values, half_life, direct).items():
                for value, weight in zip(values or [None], weights, strict=True):
                    found[model][value] += weight / sum(weights)
        rest = [t.properties["channel"] for t in touches if t.event_id not in used]
        if rest:
            paths.append((rest, False))
    found["markov"] = _markov(paths, sum(v for k, v in found["linear"].items() if k is not None))
    if None in found["linear"]:
        found["markov"][None] = found["linear"][None]
    return {m: dict(v) for m, v in found.items()}, paths


def _weights(near: list[Happened], values: list[str], half_life: int, direct: str) -> dict[str, list[float]]:
    n = len(near)
    if n == 0:
        return {m: [1.0] for m in ("first", "last", "last_non_direct", "linear", "time_decay", "position")}
    kept = max((i for i in range(n) if values[i] != direct), default=n - 1)
    position = [0.4] + [0.2 / (n - 2)] * (n - 2) + [0.4] if n > 2 else [1.0] * n
    return {
        "first": [float(i == 0) for i in range(n)],
        "last": [float(i == n - 1) for i in range(n)],
        "last_non_direct": [float(i == kept) for i in range(n)],
        "linear": [1.0] * n,
        "time_decay": [0.5 ** ((near[-1].ts - t.ts) / half_life) for t in near],
        "position": position,
    }


def _markov(paths: list[tuple[list[str], bool]], conversions: float) -> dict[str | None, float]:
    moves: Counter[tuple[str, str]] = Counter()
    for values, did in paths:
        states = ["start", *values, "converted" if did else "never"]
        moves.update(pairwise(states))
    values = sorted({v for path, _ in paths for v in path})

    def chance(without: str | None) -> float:
        """The chance to convert from the start, by following the chain until nothing changes."""
        reach = dict.fromkeys([*values, "start"], 0.0)
        for _ in range(3_000):
            for state in reach:
                out = {b: n for (a, b), n in moves.items() if a == state}
                total = sum(out.values())
                reach[state] = sum(
                    n / total * (1.0 if b == "converted" else 0.0 if b in ("never", without) else reach[b])
                    for b, n in out.items()
                )
        return reach["start"]

    whole = chance(None)
    if whole == 0:
        return dict.fromkeys(values, 0.0)
    effects = {v: 1 - chance(v) / whole for v in values}
    total = sum(effects.values())
    return {v: conversions * e / total for v, e in effects.items()}
