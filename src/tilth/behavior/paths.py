"""Paths: which way people go through events or pages in a session.

A session's events become nodes: what happened (or a property such as the page), cleaned by rules,
equal neighbours being one. Edges are counted once a session; a node is written `2_/cart`: step, underscore, name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.behavior.feed import BucketFeed, Step, feed_of, over_buckets, parse_step
from tilth.behavior.filters import text_of
from tilth.behavior.kernels.sessions import walk_path_people, walk_paths
from tilth.behavior.parameters import Answer, Asked
from tilth.behavior.question import OTHER, Question
from tilth.behavior.sessions import SOURCE, campaigns, gap_of
from tilth.behavior.strands import Strand
from tilth.errors import InvalidInput, LimitReached

__all__ = ["CleaningRule", "Edge", "PathsAnswer", "PathsParameters", "edge_people", "paths"]

Int64 = npt.NDArray[np.int64]
MAX_STEPS = 50
MAX_EDGES = 5_000
MAX_NODES = 1 << 20
_STEP, _FROM, _MASK = 56, 28, (1 << 28) - 1


class CleaningRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nodes whose name `pattern` (RE2, anywhere in it) matches are called `name`; the first rule that fits counts."""

    pattern: str
    name: str


class PathsParameters(Asked, frozen=True, kw_only=True):
    """event: one event or a list (default: any). group_by: what a node is: `event`, or a property.

    start_at, end_at: node names; a path begins at the first start_at, ends at the last end_at, and
    sessions without them are left out. steps: nodes of a path; with end_at alone its last ones.
    edges: how many of the largest are shown, the rest folded into "(other)" step by step. gap: the
    pause that ends a session. clean: renames nodes.
    """

    event: Any = "*"
    group_by: str = "event"
    start_at: str | None = None
    end_at: str | None = None
    steps: int = 5
    edges: int = 50
    gap: str = "30m"
    clean: list[CleaningRule] = msgspec.field(default_factory=list)


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """sessions that went from source to target; mean_seconds: between first coming to each."""

    source: str
    target: str
    sessions: int
    mean_seconds: float


class PathsAnswer(Answer, frozen=True, kw_only=True):
    """edges: the most travelled first. sessions: paths looked at, also those of one node."""

    edges: list[Edge]
    sessions: int


@dataclass(frozen=True)
class _Edges:
    """Edges as they are counted: key (see `walk_paths`), sessions, µs; names of the nodes."""

    key: Int64
    sessions: Int64
    total: Int64
    names: list[str]
    paths: int
    scanned: int


def paths(question: Question, asked: PathsParameters, threads: int) -> PathsAnswer:
    """Answer a question about paths."""
    counted = _counted(_Walk(question, asked), threads)
    edges = []
    for (source, target), rows in _shown(counted, asked.edges).items():
        many = int(counted.sessions[rows].sum())
        edges.append(
            Edge(source=source, target=target, sessions=many, mean_seconds=int(counted.total[rows].sum()) / many / 1e6)
        )
    return PathsAnswer(scanned=counted.scanned, edges=edges, sessions=counted.paths)


def edge_people(question: Question, asked: PathsParameters, threads: int, *, source: str, target: str) -> Int64:
    """uids, ascending, of those who went from a node to the next in some session; both as the answer writes them."""
    walk = _Walk(question, asked)
    counted = _counted(walk, threads)
    shown = _shown(counted, asked.edges)
    if (source, target) not in shown:
        raise InvalidInput("source", f"there is no way from {source[:60]!r} to {target[:60]!r} in this answer")
    wanted = np.sort(counted.key[shown[source, target]])

    def work(bucket: int) -> Int64:
        found: Int64 = walk_path_people(walk.feed(bucket).feed, walk.gap, asked.steps, walk.start, walk.end, wanted)
        return found

    return np.sort(np.concatenate(over_buckets(question, work, threads)))


class _Walk:
    """A question of paths, checked: what each bucket is walked with."""

    def __init__(self, question: Question, asked: PathsParameters) -> None:
        if not 2 <= asked.steps <= MAX_STEPS:
            raise InvalidInput("steps", f"must be between 2 and {MAX_STEPS}")
        if not 1 <= asked.edges <= MAX_EDGES:
            raise InvalidInput("edges", f"must be between 1 and {MAX_EDGES:,}")
        self.question = question
        self.steps = asked.steps
        self.step: Step = parse_step(asked.event, "event", question).restricted(question.filters)
        self.gap = gap_of(asked.gap)
        self.by = question.property(asked.group_by, "group_by")
        strands = [s for b in question.buckets() for s in question.strands(b)]
        values = [question.codes(s, [self.by])[1] for s in strands]
        self.of_value, self.names = _nodes([] if not values else values[0].values, asked.clean)
        self.start = _node(asked.start_at, self.names, "start_at", question)
        self.end = _node(asked.end_at, self.names, "end_at", question)
        self.campaign = campaigns(question)

    def feed(self, bucket: int) -> BucketFeed:
        return feed_of(
            self.question, bucket, [(self.step, 1)], codes=self._node_of, hold=[SOURCE], values=self.campaign
        )

    def _node_of(self, strand: Strand) -> Int64:
        return self.of_value[self.question.codes(strand, [self.by])[0]]


def _counted(walk: _Walk, threads: int) -> _Edges:
    def work(bucket: int) -> tuple[Any, int]:
        feed = walk.feed(bucket)
        return walk_paths(feed.feed, walk.gap, walk.steps, walk.start, walk.end), feed.rows

    parts = over_buckets(walk.question, work, threads)
    key, at = np.unique(np.concatenate([p[0][0] for p in parts]), return_inverse=True)
    sessions = np.bincount(at, np.concatenate([p[0][1] for p in parts]), len(key)).astype(np.int64)
    total = np.zeros(len(key), np.int64)
    np.add.at(total, at, np.concatenate([p[0][2] for p in parts]))
    return _Edges(key, sessions, total, walk.names, sum(p[0][3] for p in parts), sum(p[1] for p in parts))


def _nodes(values: list[Any], rules: list[CleaningRule]) -> tuple[Int64, list[str]]:
    """(node of each value number, the last entry being -1 for missing; names of the nodes)."""
    texts = [text_of(v) for v in values]
    cleaned = list(texts)
    open_ = np.ones(len(texts), bool)
    for i, rule in enumerate(rules):
        try:
            hits = pc.match_substring_regex(pa.array(texts, pa.string()), rule.pattern).to_numpy(zero_copy_only=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InvalidInput(
                f"clean[{i}].pattern", f"is not a regular expression RE2 takes: {str(error)[:200]}"
            ) from None
        for v in np.flatnonzero(hits.astype(bool) & open_):
            cleaned[v] = rule.name
        open_ &= ~hits.astype(bool)
    numbers: dict[str, int] = {}
    of = np.array([*(numbers.setdefault(text, len(numbers)) for text in cleaned), -1], np.int64)
    if len(numbers) > MAX_NODES:
        raise LimitReached(f"there are {len(numbers):,} different nodes; clean the names with rules")
    return of, list(numbers)


def _node(name: str | None, names: list[str], field: str, question: Question) -> int:
    """The number of a node; -1 where none is asked for, a number no node has where an unknown one is allowed."""
    if name is None:
        return -1
    if name in names:
        return names.index(name)
    question.unknown_unless_allowed("node", name, field, names)
    return _MASK


def _shown(counted: _Edges, limit: int) -> dict[tuple[str, str], list[int]]:
    """(source, target) -> which of the edges it is made of: the largest by themselves, the rest folded step by step."""
    key, sessions, names = counted.key, counted.sessions, counted.names
    order = sorted(range(len(key)), key=lambda i: (-int(sessions[i]), int(key[i]) >> _STEP, _pair(int(key[i]), names)))
    found: dict[tuple[str, str], list[int]] = {}
    rest: dict[int, list[int]] = {}
    for rank, i in enumerate(order):
        step = int(key[i]) >> _STEP
        if rank < limit:
            source, target = _pair(int(key[i]), names)
            found[f"{step + 1}_{source}", f"{step + 2}_{target}"] = [i]
        else:
            rest.setdefault(step, []).append(i)
    for step, rows in sorted(rest.items()):
        # A node may be called so itself, and be shown.
        found.setdefault((f"{step + 1}_{OTHER}", f"{step + 2}_{OTHER}"), []).extend(rows)
    return found


def _pair(key: int, names: list[str]) -> tuple[str, str]:
    return names[key >> _FROM & _MASK], names[key & _MASK]
