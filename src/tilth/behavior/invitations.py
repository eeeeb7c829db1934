"""How long it takes from an invitation to the friend who comes by it: the two carry the same code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tilth.behavior.feed import Step, over_buckets, parse_step
from tilth.behavior.filters import Name
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.quantiles import quantiles
from tilth.behavior.question import Question
from tilth.behavior.strands import Strand
from tilth.errors import LimitReached

__all__ = ["InvitationsAnswer", "InvitationsParameters", "invitations"]

Int64 = npt.NDArray[np.int64]
_MOST = 20_000_000


class InvitationsParameters(Asked, frozen=True, kw_only=True):
    """invite, joined: the two events; invite_code, joined_code: their property with the common code."""

    invite: Any
    invite_code: str
    joined: Any
    joined_code: str


class InvitationsAnswer(Answer, frozen=True, kw_only=True):
    """joined: friends who came by a code in the range; matched: with an invitation of that code before. Seconds from
    the latest such invitation."""

    joined: int
    matched: int
    median_seconds: float | None
    p90_seconds: float | None


class _Coded(NamedTuple):
    codes: Int64
    ts: Int64


def invitations(question: Question, asked: InvitationsParameters, threads: int) -> InvitationsAnswer:
    """Answer how long invitations take. Invitations count also before the range."""
    sides = []
    scanned = 0
    for raw, code, field in (
        (asked.invite, asked.invite_code, "invite"),
        (asked.joined, asked.joined_code, "joined"),
    ):
        step = parse_step(raw, field, question).restricted(question.filters)
        name = question.property(code, f"{field}_code")
        first = question.span.first if field == "joined" else None

        def work(bucket: int, step: Step = step, name: Name = name, first: int | None = first) -> _Coded:
            parts = [_coded(question, s, step, name, first) for s in question.strands(bucket, all_time=True)]
            return _Coded(
                np.concatenate([p.codes for p in parts] or [np.empty(0, np.int64)]),
                np.concatenate([p.ts for p in parts] or [np.empty(0, np.int64)]),
            )

        found = over_buckets(question, work, threads)
        codes = np.concatenate([p.codes for p in found])
        if len(codes) > _MOST:
            raise LimitReached(f"there are more than {_MOST:,} {field} events; choose a shorter range")
        texts = [str(v) for v in question.values_of([name]).values]
        sides.append((codes, np.concatenate([p.ts for p in found]), texts))
        scanned = max(scanned, question.snapshot.rows)
    (sent, sent_at, sent_texts), (came, came_at, came_texts) = sides
    numbers = {text: i for i, text in enumerate(sent_texts)}
    table = np.array([*(numbers.get(text, -1) for text in came_texts), -1], np.int64)
    came = table[came]
    order = np.lexsort((sent_at, sent))
    sent, sent_at = sent[order], sent_at[order]
    # The latest invitation of the same code before the friend came: codes and instants as one ascending key.
    rank = np.searchsorted(sent, came, side="left")
    until = np.searchsorted(sent, came, side="right")
    us = []
    for i in np.flatnonzero((came >= 0) & (until > rank)).tolist():
        at = int(np.searchsorted(sent_at[rank[i] : until[i]], came_at[i], side="right"))
        if at:
            us.append(int(came_at[i] - sent_at[rank[i] + at - 1]))
    median, p90 = quantiles(np.array(us, np.int64), (0.5, 0.9)) if us else (None, None)
    return InvitationsAnswer(
        scanned=scanned,
        joined=len(came),
        matched=len(us),
        median_seconds=None if median is None else median / 1e6,
        p90_seconds=None if p90 is None else p90 / 1e6,
    )


def _coded(question: Question, strand: Strand, step: Step, name: Name, first: int | None) -> _Coded:
    """The codes and instants of a strand's events of a step, from `first` on and before the range's end."""
    chosen = np.zeros(len(strand), bool)
    for atom in step.atoms:
        here = np.ones(len(strand), bool)
        if atom.event is not None:
            if atom.event not in strand.names:
                continue
            here = strand.code == strand.names.index(atom.event)
        if atom.filter is not None:
            here &= question.mask(strand, atom.filter).view(bool)
        chosen |= here
    chosen &= strand.ts < question.span.end
    if first is not None:
        chosen &= strand.ts >= first
    rows = np.flatnonzero(chosen)
    if question.people is not None:
        rows = rows[np.isin(strand.uid[rows], question.people)]
    codes = question.codes(strand, [name])[0][rows].astype(np.int64)
    return _Coded(codes[codes >= 0], strand.ts[rows][codes >= 0])
