"""The way in: a request of any SDK to messages in the intake log and the answer that SDK expects.

decode, whose key is it, may it send from there and so much, what may be kept of it, is it as planned;
what cannot be taken goes to quarantine, the rest is made durable, and only then is it acknowledged.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import msgspec

from tilth.collect.counting import Counts
from tilth.collect.formats import Decoded, Format, Outcome, Refused, Trouble, WireAnswer, WireRequest, format_of
from tilth.collect.model import Alias, Message, Track
from tilth.collect.plan import Difference, Plan, differences, refused_of
from tilth.collect.privacy import Guard, workspace_secret
from tilth.collect.service import Collect, Receipt
from tilth.collect.sources import Source, Treatment
from tilth.collect.watching import Watch
from tilth.errors import LimitReached, NotFound, StorageFailed

__all__ = ["Door", "Taken"]

logger = logging.getLogger("tilth.door")

# How long a key is believed after it was looked up: so long may one that another process revoked still be taken.
KEY_LIFE = 2.0
_MOST_KEYS = 10_000
# Seconds' worth of events that may come at once where a source has a limit.
_BURST = 2.0
_HASHING = "pii"

Quarantine = Callable[[str, str, list[Refused]], None]
Taken = Callable[[int, int, int, int], None]


@dataclass
class _Gate:
    """A source as the door knows it: its guard, for one version of the plan, and its allowance of events."""

    source: Source
    guard: Guard
    version: int
    allowance: float
    filled: float


@dataclass
class _Sifted:
    """What of a request may be kept, and what became of the rest."""

    messages: list[Message]
    refused: list[tuple[str, Refused]]
    dropped: int
    differences: list[str]
    note: str = ""


class Door:
    """Takes requests. Thread-safe, blocking until what came is durable.

    quarantine(source, format, refused) keeps what cannot be taken. taken(accepted, duplicate,
    quarantined, dropped) is told of every request that was.
    """

    def __init__(self, collect: Collect, quarantine: Quarantine, taken: Taken, counts: Counts, watch: Watch) -> None:
        self._collect = collect
        self._quarantine = quarantine
        self._taken = taken
        self._counts = counts
        self._watch = watch
        self._keys: dict[str, tuple[float, Source | None]] = {}
        self._gates: dict[int, _Gate] = {}
        self._seen_change = 0
        self._lock = threading.Lock()
        self._secret: bytes | None = None

    def take(self, request: WireRequest, now: int | None = None) -> WireAnswer:
        """The answer to a request on one of the formats' paths; never raises. now: UTC µs."""
        started = self.start(request, now)
        return started if isinstance(started, WireAnswer) else started.result()

    def start(self, request: WireRequest, now: int | None = None) -> WireAnswer | Future[WireAnswer]:
        """As `take`, without waiting for the disk: a future answer where something is to be stored first.

        Only what goes to quarantine is written before this returns.
        """
        format = format_of(request.path)
        assert format is not None, "only paths that a format handles come here"
        try:
            return self._start(format, request, time.time_ns() // 1000 if now is None else now)
        except Exception as error:  # noqa: BLE001 - told to the client as a failure it can try again after
            return _failed(format, request, error)

    def take_own(
        self, source: Source, messages: list[Message], headers: Mapping[str, str], path: str
    ) -> tuple[Outcome, str]:
        """What a page of ours was told, under the same rules as what SDKs send: rate, privacy, the plan.

        Durable when this returns; raises `LimitReached` and what storing raises. The text is why nothing was
        kept, or empty.
        """
        request = WireRequest(method="POST", path=path, headers=dict(headers))
        answer = WireAnswer(status=200, headers={}, body=b"")
        decoded = Decoded(key=source.write_key, messages=messages, refused=[], answer=answer)
        gate = self._gate(source)
        wait = self._over(gate, len(messages))
        if wait:
            raise LimitReached("this source sends more than it may", retry_after=wait)
        sifted = self._sift(gate, request, "native", decoded)
        if sifted.refused:
            self._quarantine(source.name, "native", [one for _, one in sifted.refused])
        quarantined, dropped = len(sifted.refused), sifted.dropped
        stored = self._collect.receive(sifted.messages, source.name, quarantined)
        counts = (stored.accepted, stored.duplicate, quarantined, dropped)
        self._taken(*counts)
        self._counts.taken(source.name, *counts)
        self._watch.add(
            time.time_ns() // 1000, source.name, "native", path, 200, counts, sifted.note, sifted.messages,
            [one for _, one in sifted.refused], sifted.differences,
        )  # fmt: skip
        outcome = Outcome(
            accepted=stored.accepted,
            duplicate=stored.duplicate,
            quarantined=quarantined,
            as_of=stored.as_of,
            dropped=dropped,
        )
        return outcome, sifted.note

    def refuse(self, source: Source, refused: list[Refused], format: str = "native") -> tuple[int, int]:
        """Keep in quarantine what no event could be made of, as far as the source's privacy lets it be kept.

        Returns (quarantined, dropped).
        """
        guard = self._gate(source).guard
        kept: list[Refused] = []
        if guard.refuses_all({}) is None:
            for one in refused:
                raw = guard.refused(one.raw)
                if raw is not None:
                    kept.append(Refused(one.field, one.reason, raw))
        if kept:
            self._quarantine(source.name, format, kept)
        dropped = len(refused) - len(kept)
        self._taken(0, 0, len(kept), dropped)
        self._counts.taken(source.name, 0, 0, len(kept), dropped)
        return len(kept), dropped

    def _start(self, format: Format, request: WireRequest, now: int) -> WireAnswer | Future[WireAnswer]:
        decoded = format.decode(request, format.limits, now)
        if decoded.key is None:
            if decoded.answer.status >= 300:
                self._watch.add(now, None, format.name, request.path, decoded.answer.status, _NOTHING, "not_understood")
            return decoded.answer
        source = self._source(decoded.key)
        if source is None:
            self._watch.add(now, None, format.name, request.path, 401, _NOTHING, "unknown_key")
            return format.refuse(request, Trouble.UNKNOWN_KEY, 0)
        gate = self._gate(source)
        origin = request.headers.get("origin")
        if origin is not None and not source.settings.allows(origin):
            self._watch.add(now, source.name, format.name, request.path, 403, _NOTHING, "origin")
            return format.refuse(request, Trouble.OTHER_ORIGIN, 0)
        decoded = _again(format, request, source, decoded, now)
        wait = self._over(gate, len(decoded.messages) + len(decoded.refused))
        if wait:
            self._watch.add(now, source.name, format.name, request.path, 429, _NOTHING, "rate")
            return format.refuse(request, Trouble.TOO_MANY, wait)
        sifted = self._sift(gate, request, format.name, decoded)
        for name in {name for name, _ in sifted.refused}:
            self._quarantine(source.name, name, [one for of, one in sifted.refused if of == name])
        return self._store(format, request, decoded, source, sifted, now)

    def _sift(self, gate: _Gate, request: WireRequest, format: str, decoded: Decoded) -> _Sifted:
        """Privacy, defaults, the plan."""
        settings = gate.source.settings
        reason = gate.guard.refuses_all(request.headers)
        if reason is not None:
            return _Sifted([], [], len(decoded.messages) + len(decoded.refused), [], reason)
        messages, dropped = gate.guard.admit(decoded.messages)
        refused: list[tuple[str, Refused]] = []
        for one in decoded.refused:
            raw = gate.guard.refused(one.raw)
            if raw is None:
                dropped += 1
            else:
                refused.append((format, Refused(one.field, one.reason, raw)))
        if settings.defaults:
            messages = [_with_defaults(one, settings.defaults) for one in messages]
        if not settings.may_merge:
            messages = [
                msgspec.structs.replace(one, forced=False) if isinstance(one, Alias) and one.forced else one
                for one in messages
            ]
        plan = self._collect.plans.current().plan
        found: list[Difference] = []
        if plan.events or plan.traits or plan.closed:
            messages = _as_planned(plan, messages, found, refused)
            if found:
                self._counts.differed(gate.source.name, found)
        return _Sifted(messages, refused, dropped, [f"{one.event} {one.field}: {one.reason}" for one in found])

    def _store(
        self, format: Format, request: WireRequest, decoded: Decoded, source: Source, sifted: _Sifted, now: int
    ) -> WireAnswer | Future[WireAnswer]:
        quarantined, dropped = len(sifted.refused), sifted.dropped

        def finish(accepted: int, duplicate: int, as_of: int) -> WireAnswer:
            self._taken(accepted, duplicate, quarantined, dropped)
            self._counts.taken(source.name, accepted, duplicate, quarantined, dropped)
            answer = format.settle(
                request,
                decoded,
                Outcome(accepted=accepted, duplicate=duplicate, quarantined=quarantined, as_of=as_of, dropped=dropped),
            )
            self._watch.add(
                now, source.name, format.name, request.path, answer.status,
                (accepted, duplicate, quarantined, dropped), sifted.note, sifted.messages,
                [one for _, one in sifted.refused], sifted.differences,
            )  # fmt: skip
            return answer

        if not sifted.messages:
            return finish(0, 0, self._collect.as_of())
        stored = self._collect.submit(sifted.messages, source.name, quarantined)
        answer: Future[WireAnswer] = Future()

        def settle(of: Future[Receipt]) -> None:
            error = of.exception()
            if error is not None:
                answer.set_result(_failed(format, request, error))
                return
            receipt = of.result()
            answer.set_result(finish(receipt.accepted, receipt.duplicate, receipt.as_of))

        stored.add_done_callback(settle)
        return answer

    def _over(self, gate: _Gate, events: int) -> int:
        """Seconds to wait where the source sends more than it may; 0 where it may."""
        rate = gate.source.settings.events_per_second
        if not rate:
            return 0
        with self._lock:
            at = time.monotonic()
            gate.allowance = min(rate * _BURST, gate.allowance + (at - gate.filled) * rate)
            gate.filled = at
            # A request larger than the whole allowance passes when that is full, else it never would.
            if gate.allowance >= min(events, rate * _BURST):
                gate.allowance -= events
                return 0
            missing = min(events, rate * _BURST) - gate.allowance
            return max(1, int(missing / rate + 0.999))

    def _gate(self, source: Source) -> _Gate:
        version = self._collect.plans.current().version
        held = self._gates.get(source.id)
        if held is not None and held.version == version and held.source.settings == source.settings:
            return held
        privacy = source.settings.privacy
        classes: dict[str, Treatment] = {}
        if privacy.classes:
            plan = self._collect.plans.current().plan
            for properties in (*(e.properties for e in plan.events.values()), plan.traits):
                for name, one in properties.items():
                    if one.pii is not None and one.pii in privacy.classes:
                        classes[name] = privacy.classes[one.pii]
        if self._secret is None:
            self._secret = workspace_secret(self._collect.database, _HASHING)
        fresh = _Gate(
            source, Guard(privacy, self._secret, classes), version,
            source.settings.events_per_second * _BURST, time.monotonic(),
        )  # fmt: skip
        if held is not None:
            fresh.allowance, fresh.filled = min(held.allowance, fresh.allowance), held.filled
        with self._lock:
            self._gates[source.id] = fresh
        return fresh

    def _source(self, key: str) -> Source | None:
        at = time.monotonic()
        if self._collect.sources.changed != self._seen_change:
            self._seen_change = self._collect.sources.changed
            self._keys = {}
        held = self._keys.get(key)
        if held is not None and at - held[0] < KEY_LIFE:
            return held[1]
        found: Source | None
        try:
            found = self._collect.sources.of_key(key)
        except NotFound:
            found = None
        with self._lock:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            self._keys[key] = (at, found)
        return found


_NOTHING = (0, 0, 0, 0)


def _again(format: Format, request: WireRequest, source: Source, decoded: Decoded, now: int) -> Decoded:
    """The request read with the source's own bounds and zone, where it has any: whose it is was in the request."""
    settings = source.settings
    if not (settings.event_bytes or settings.batch_bytes or settings.timezone):
        return decoded
    limits = msgspec.structs.replace(
        format.limits,
        event=min(settings.event_bytes or format.limits.event, format.limits.event),
        batch=min(settings.batch_bytes or format.limits.batch, format.limits.batch),
        zone=settings.zone,
    )
    found = format.decode(request, limits, now)
    # A body over the source's bound may be refused before its key is found.
    return found if found.key is not None else msgspec.structs.replace(found, key=decoded.key)


def _with_defaults(message: Message, defaults: dict[str, str | int | float | bool]) -> Message:
    if not isinstance(message, Track) or defaults.keys() <= message.properties.keys():
        return message
    return msgspec.structs.replace(message, properties={**defaults, **message.properties})


def _as_planned(
    plan: Plan, messages: list[Message], found: list[Difference], refused: list[tuple[str, Refused]]
) -> list[Message]:
    """The messages that may go on; what differs is added to `found`, what may not go on to `refused`."""
    kept: list[Message] = []
    for message in messages:
        different = differences(plan, message)
        if different:
            found += different
            if any(one.enforced for one in different):
                refused.append(("native", refused_of(different, message)))
                continue
        kept.append(message)
    return kept


def _failed(format: Format, request: WireRequest, error: BaseException) -> WireAnswer:
    """The client keeps what it sent and tries again; the reason is in our log."""
    if isinstance(error, LimitReached):
        return format.refuse(request, Trouble.TOO_MANY, error.retry_after or 1)
    if isinstance(error, StorageFailed):
        logger.error("a request could not be kept: %s", error.message)
    else:
        logger.error("a %s request failed", format.name, exc_info=error)
    return format.refuse(request, Trouble.UNAVAILABLE, 5)
