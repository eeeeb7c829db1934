"""The funnel, slowly: every start is followed by itself, every order of simultaneous events is tried."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from tests.oracles.people_events import Happened, Serves

__all__ = ["any_attempt", "clean_attempt", "ordered_attempt", "strict_attempt"]

Deadline = Callable[[int], int]
Attempt = tuple[int, ...]  # the instants of its steps


def orderings(events: Sequence[Happened]) -> Iterator[list[Happened]]:
    """Every order of the events that time allows."""
    groups = [list(group) for _, group in itertools.groupby(events, key=lambda e: e.ts)]
    for parts in itertools.product(*(itertools.permutations(g) for g in groups)):
        yield [e for part in parts for e in part]


def _best(attempts: Iterator[Attempt] | list[Attempt], deadline: Deadline) -> Attempt | None:
    """The furthest; then reached first, then with the latest end, then begun last, then earlier steps earliest."""
    return min(attempts, key=lambda a: (-len(a), a[-1], -deadline(a[0]), -a[0], a), default=None)


def ordered_attempt(events: Sequence[Happened], steps: Sequence[Serves], deadline: Deadline) -> Attempt | None:
    """Steps in order, anything between."""

    def attempts() -> Iterator[Attempt]:
        for order in orderings(events):
            for i, first in enumerate(order):
                if not steps[0](first):
                    continue
                times = [first.ts]
                for event in order[i + 1 :]:
                    if len(times) < len(steps) and event.ts <= deadline(first.ts) and steps[len(times)](event):
                        times.append(event.ts)
                yield tuple(times)

    return _best(attempts(), deadline)


def strict_attempt(events: Sequence[Happened], steps: Sequence[Serves], deadline: Deadline) -> Attempt | None:
    """Steps in order, nothing between. events: all of the person's."""

    def attempts() -> Iterator[Attempt]:
        for order in orderings(events):
            for i, first in enumerate(order):
                times: list[int] = []
                for step, event in zip(steps, order[i:], strict=False):
                    if not step(event) or event.ts > deadline(first.ts):
                        break
                    times.append(event.ts)
                if times:
                    yield tuple(times)

    return _best(attempts(), deadline)


def _can_be_matched(events: Sequence[Happened], steps: Sequence[Serves]) -> bool:
    """True when each event can serve a step of its own."""
    return any(
        all(step(event) for event, step in zip(events, chosen, strict=True))
        for chosen in itertools.permutations(steps, len(events))
    )


def any_attempt(events: Sequence[Happened], steps: Sequence[Serves], deadline: Deadline) -> Attempt | None:
    """Steps in any order; an event is taken when, with those before it, each can serve a step of its own."""
    found: list[tuple[int, int, int, Attempt]] = []
    for i, first in enumerate(events):
        taken: list[Happened] = []
        reached = -1
        for j, event in enumerate(events[i:], i):
            if event.ts <= deadline(first.ts) and len(taken) < len(steps) and _can_be_matched([*taken, event], steps):
                taken.append(event)
                reached = j
            if not taken:
                break
        if taken:
            found.append((-len(taken), reached, -i, tuple(e.ts for e in taken)))
    return min(found)[3] if found else None


def clean_attempt(
    events: Sequence[Happened],
    steps: Sequence[Serves],
    deadline: Deadline,
    exclusions: Sequence[tuple[Serves, int, int]],
) -> Attempt | None:
    """Ordered, with exclusions: every chain of events that cannot be made longer and that nothing taints."""

    def chains(chain: tuple[Happened, ...]) -> Iterator[tuple[Happened, ...]]:
        longer = False
        if len(chain) < len(steps):
            for event in events:
                fits = not chain or (chain[-1].ts <= event.ts <= deadline(chain[0].ts) and event not in chain)
                if fits and steps[len(chain)](event):
                    longer = True
                    yield from chains((*chain, event))
        if chain and not longer:
            yield chain

    def tainted(chain: tuple[Happened, ...]) -> bool:
        for excluded, after, before in exclusions:
            if len(chain) <= after:
                continue
            begin = chain[after].ts
            end = chain[before].ts if before < len(chain) else deadline(chain[0].ts) + 1
            if any(excluded(e) and begin < e.ts < end for e in events):
                return True
        return False

    return _best([tuple(e.ts for e in c) for c in chains(()) if not tainted(c)], deadline)
