"""KPI trees: a target broken down into what drives it, by product or by sum, with what each driver adds to the change.

A driver of a sum adds its own difference. A driver of a product adds its Shapley value: the mean over all orders in
which the drivers could have changed one after the other of what its own change then brings (Shapley 1953); parts
add up to the whole change, also through zero.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa

from tilth.behavior.calendar import Span, parse_range, zone_of
from tilth.behavior.parameters import Asked, converted
from tilth.errors import Conflict, InvalidInput, NotFound, TilthError
from tilth.measure.metrics import Metrics, MetricUse
from tilth.state import Database
from tilth.state.database import metadata

__all__ = [
    "KeptTree",
    "Node",
    "NodeAnswer",
    "Pace",
    "Target",
    "Tree",
    "TreeAnswer",
    "Trees",
    "kpi_tree_table",
    "pace_of",
    "shapley",
]

kpi_tree_table = sa.Table(
    "kpi_tree",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
_MOST_NODES = 60
_MOST_FACTORS = 6
_WEEKS = 8


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """value to be reached over the days from `from` to `to`, both included. kind: total (the days add up to it) or
    level (the metric over all these days). note: why it can be reached and what it is good for."""

    value: float
    from_: str = msgspec.field(name="from")
    to: str
    kind: Literal["total", "level"] = "total"
    note: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """id: of the tree. metric: a key; may be left out where children are combined. combine: how children make it.
    split: instead of children, one for each value of a property (sum only)."""

    id: str
    name: Annotated[str, msgspec.Meta(max_length=120)]
    metric: str = ""
    combine: Literal["sum", "product"] = "sum"
    children: list[Node] = msgspec.field(default_factory=list)
    split: str = ""
    target: Target | None = None
    owner: Annotated[str, msgspec.Meta(max_length=120)] = ""


class Tree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tree. root: what is wanted."""

    key: str
    name: Annotated[str, msgspec.Meta(max_length=120)]
    root: Node
    about: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class KeptTree(msgspec.Struct, frozen=True, kw_only=True):
    """A tree as it is now. Instants in UTC µs."""

    tree: Tree
    version: int
    by: str
    created_at: int
    changed_at: int


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How a target stands. reached: until `until`, the last day that is over; due: what should have been reached by
    then, by the weekdays that are over; forecast: of the whole time, with 95 % bounds. status: ahead, on_pace, behind,
    reached, missed, not_begun or unknown. doubts: what keeps the target from being SMART: no_owner, no_note, past,
    unreachable (outside the forecast's bounds), no_metric."""

    value: float
    until: str
    reached: float | None
    due: float | None
    share_of_time: float
    forecast: float | None
    low: float | None
    high: float | None
    status: str
    doubts: list[str]


class NodeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A node's value in the range and in the one before. combined: what its children make, where it has its own
    metric too; gap: what they leave out. part: of the parent's change; of_root: of the root's change, None where a
    change above it is 0. error: why it has no value."""

    id: str
    parent: str
    name: str
    metric: str
    unit: str
    direction: str
    combine: str
    value: float | None
    previous: float | None
    combined: float | None
    gap: float | None
    part: float | None
    of_root: float | None
    owner: str
    pace: Pace | None
    error: str


class TreeAsked(Asked, frozen=True, kw_only=True):
    """The range, compared with the one before; filters and segment hold for every metric."""


class TreeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """nodes: the root first, each before its children. first, last, and before: the days compared."""

    key: str
    name: str
    version: int
    nodes: list[NodeAnswer]
    first: str
    last: str
    before_first: str
    before_last: str


def shapley(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """Each factor's part of the change of their product. `shapley([2, 3], [4, 3])` is [6.0, 0.0]."""
    n = len(before)
    parts = [0.0] * n
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for changed in itertools.combinations(others, size):
                rest = math.prod(after[j] if j in changed else before[j] for j in others)
                parts[i] += weight * rest * (after[i] - before[i])
    return parts


def _nodes(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    yield node, path
    for i, child in enumerate(node.children):
        yield from _nodes(child, f"{path}.children[{i}]")


def check_tree(tree: Tree, metrics: Metrics) -> Tree:
    """Raises `InvalidInput` with the path of what is wrong."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", tree.key):
        raise InvalidInput("key", "must be 1 to 64 small letters, digits, - and _, beginning with a letter or digit")
    if not tree.name.strip():
        raise InvalidInput("name", "is missing")
    known = {m.metric.key: m.metric for m in metrics.all()}
    ids: set[str] = set()
    for count, (node, path) in enumerate(_nodes(tree.root, "root")):
        if count >= _MOST_NODES:
            raise InvalidInput("root", f"may have {_MOST_NODES} nodes at most")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", node.id) or node.id in ids:
            raise InvalidInput(f"{path}.id", "must be letters, digits, - and _, and different for each node")
        ids.add(node.id)
        if not node.name.strip():
            raise InvalidInput(f"{path}.name", "is missing")
        if node.metric and node.metric not in known:
            raise InvalidInput(f"{path}.metric", f"there is no metric {node.metric[:60]!r}", sorted(known))
        if not node.metric and not node.children:
            raise InvalidInput(f"{path}.metric", "is missing: a node has a metric or children")
        if node.split and (node.children or not node.metric):
            raise InvalidInput(f"{path}.split", "goes with a metric and without children")
        if node.split and not known[node.metric].adds_up:
            raise InvalidInput(f"{path}.split", "goes with a metric that adds up (count or sum)")
        if node.combine == "product" and len(node.children) > _MOST_FACTORS:
            raise InvalidInput(f"{path}.children", f"a product has {_MOST_FACTORS} factors at most")
        if node.target is not None:
            _check_target(node.target, f"{path}.target")
            if node.metric and node.target.kind == "total" and not known[node.metric].adds_up:
                raise InvalidInput(f"{path}.target.kind", "must be level: days of this metric do not add up", ["level"])
    return tree


def _check_target(target: Target, path: str) -> None:
    days = []
    for field, text in (("from", target.from_), ("to", target.to)):
        try:
            days.append(dt.date.fromisoformat(text))
        except ValueError:
            raise InvalidInput(f"{path}.{field}", f"{text[:40]!r} is not a day; write YYYY-MM-DD") from None
    if days[0] > days[1]:
        raise InvalidInput(f"{path}.to", "is before from")
    if (days[1] - days[0]).days > 800:
        raise InvalidInput(f"{path}.to", "is more than 800 days after from")
    if not math.isfinite(target.value):
        raise InvalidInput(f"{path}.value", "must be a number")


def pace_of(
    target: Target, daily: Sequence[tuple[dt.date, float]], level: float | None, today: dt.date, direction: str,
    *, owner: str = "x", has_metric: bool = True,
) -> Pace:  # fmt: skip
    """How a target stands at the beginning of `today`. daily: the metric's days, oldest first, from some weeks before
    on. level: of a level target, the metric over its days until now."""
    first, last = dt.date.fromisoformat(target.from_), dt.date.fromisoformat(target.to)
    days = (last - first).days + 1
    over = min(max((today - first).days, 0), days)
    until = first + dt.timedelta(days=over - 1)
    held = dict(daily)
    known = [(d, v) for d, v in daily if d < today][-7 * _WEEKS :]
    usual = {w: statistics.fmean([v for d, v in known if d.weekday() == w] or [0.0]) for w in range(7)}
    reached: float | None = level
    due: float | None = target.value
    forecast, low, high = level, None, None
    share = over / days
    if target.kind == "total":
        reached = sum(held.get(first + dt.timedelta(days=i), 0.0) for i in range(over))
        weights = [max(0.0, usual[(first + dt.timedelta(days=i)).weekday()]) for i in range(days)]
        share = sum(weights[:over]) / sum(weights) if sum(weights) > 0 else over / days
        due = target.value * share
        rest = [usual[(first + dt.timedelta(days=i)).weekday()] for i in range(over, days)]
        if len(known) >= 14:
            misses = [v - usual[d.weekday()] for d, v in known]
            spread = statistics.stdev(misses)
            # Days differ by chance; how far the usual day itself is known adds to it over the whole rest.
            half = 1.959963984540054 * spread * math.sqrt(len(rest) + len(rest) ** 2 / len(known))
            forecast = reached + sum(rest)
            low, high = forecast - half, forecast + half
        else:
            forecast = None
    doubts = [] if owner.strip() else ["no_owner"]
    if not target.note.strip():
        doubts.append("no_note")
    if not has_metric:
        doubts.append("no_metric")
    if last < today and over == days:
        doubts.append("past")
    if high is not None and low is not None and over < days:
        beyond = target.value > high if direction == "up" else target.value < low
        if beyond:
            doubts.append("unreachable")
    return Pace(
        value=target.value,
        until=until.isoformat(),
        reached=reached,
        due=due,
        share_of_time=share,
        forecast=forecast,
        low=low,
        high=high,
        status=_status(target, reached, due, direction, over, days),
        doubts=doubts,
    )


def _status(target: Target, reached: float | None, due: float | None, direction: str, over: int, days: int) -> str:
    if over == 0:
        return "not_begun"
    if reached is None or due is None:
        return "unknown"
    good = reached >= target.value if direction == "up" else reached <= target.value
    if over == days:
        return "reached" if good else "missed"
    if target.kind == "total" and direction == "up" and good:
        return "reached"
    if direction == "up":
        return "ahead" if reached > due * 1.03 else "on_pace" if reached >= due * 0.97 else "behind"
    return "ahead" if reached < due * 0.97 else "on_pace" if reached <= due * 1.03 else "behind"


class _Value(msgspec.Struct, frozen=True):
    value: float | None
    previous: float | None
    error: str = ""


class Trees:
    """By key."""

    def __init__(self, database: Database, metrics: Metrics, zone: Any) -> None:
        self._database = database
        self._metrics = metrics
        self._zone = zone

    def all(self) -> list[KeptTree]:
        """By key."""
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(sa.select(kpi_tree_table).order_by(kpi_tree_table.c.key))]

    def get(self, key: str) -> KeptTree:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(kpi_tree_table).where(kpi_tree_table.c.key == key)).first()
        if row is None:
            raise NotFound("KPI tree", key)
        return _kept(row)

    def make(self, tree: Tree, by: str) -> KeptTree:
        """Raises `InvalidInput`, and `Conflict` where the key is taken."""
        text = msgspec.json.encode(check_tree(tree, self._metrics)).decode()
        now = time.time_ns() // 1000
        with self._database.begin() as connection:
            made = connection.execute(
                self._database.insert_or_ignore(kpi_tree_table).values(
                    key=tree.key, version=1, definition=text, made_by=by, created_at=now, changed_at=now
                )
            )
        if made.rowcount == 0:
            raise Conflict(f"there is a KPI tree {tree.key!r} already")
        return self.get(tree.key)

    def change(self, key: str, tree: Tree, version: int | None = None) -> KeptTree:
        """Raises `InvalidInput`, `NotFound`, and `Conflict` when `version` is not the one there is."""
        if tree.key != key:
            raise InvalidInput("key", "cannot be changed")
        text = msgspec.json.encode(check_tree(tree, self._metrics)).decode()
        held = self.get(key)
        table = kpi_tree_table
        with self._database.begin() as connection:
            done = connection.execute(
                sa.update(table)
                .where(table.c.key == key, table.c.version == (held.version if version is None else version))
                .values(definition=text, version=table.c.version + 1, changed_at=time.time_ns() // 1000)
            )
        if done.rowcount == 0:
            raise Conflict(f"the tree was changed meanwhile (version {held.version}); load it again")
        return self.get(key)

    def delete(self, key: str) -> None:
        """Raises `NotFound`."""
        with self._database.begin() as connection:
            if connection.execute(sa.delete(kpi_tree_table).where(kpi_tree_table.c.key == key)).rowcount == 0:
                raise NotFound("KPI tree", key)

    def uses(self) -> list[tuple[str, MetricUse]]:
        """Which metrics each tree uses."""
        return [
            (node.metric, MetricUse(kind="tree", id=held.tree.key, name=held.tree.name))
            for held in self.all()
            for node, _ in _nodes(held.tree.root, "")
            if node.metric
        ]

    def values(self, key: str, asked: Mapping[str, Any] | None = None, now: int | None = None) -> TreeAnswer:
        """The tree's numbers of a range beside the one before. Raises `NotFound` and `InvalidInput`."""
        held = self.get(key)
        return self.values_of(held.tree, asked, now, held.version)

    def values_of(
        self, tree: Tree, asked: Mapping[str, Any] | None = None, now: int | None = None, version: int = 0
    ) -> TreeAnswer:
        """The numbers of a tree, kept or not."""
        check_tree(tree, self._metrics)
        parameters = converted(TreeAsked, asked or {"range": {"last": "30d"}}, {})
        moment = now or time.time_ns() // 1000
        zone = zone_of(parameters.timezone or self._zone())
        span = parse_range(parameters.range, zone, moment)
        if span.first == Span.OPEN_FIRST or span.end == Span.OPEN_END:
            raise InvalidInput("range", 'needs both ends, such as {"last": "30d"}')
        first, last = zone.date(span.first), zone.date(span.end - 1)
        length = (last - first).days + 1
        before = (first - dt.timedelta(days=length), first - dt.timedelta(days=1))
        common = {
            name: value
            for name in ("timezone", "segment", "filters", "allow_unknown")
            if (value := getattr(parameters, name)) is not None
        }
        run = _Run(self._metrics, common, (first, last), before, zone.date(moment))
        nodes = run.node(tree.root, "")
        run.parts(nodes)
        return TreeAnswer(
            key=tree.key,
            name=tree.name,
            version=version,
            nodes=nodes,
            first=first.isoformat(),
            last=last.isoformat(),
            before_first=before[0].isoformat(),
            before_last=before[1].isoformat(),
        )


class _Run:
    """One answer being made."""

    def __init__(
        self, metrics: Metrics, common: dict[str, Any], days: tuple[dt.date, dt.date], before: tuple[dt.date, dt.date],
        today: dt.date,
    ) -> None:  # fmt: skip
        self.metrics, self.common, self.days, self.before, self.today = metrics, common, days, before, today

    def node(self, node: Node, parent: str) -> list[NodeAnswer]:
        own = self._metric(node) if node.metric else None
        below: list[NodeAnswer] = []
        for child in node.children:
            below += self.node(child, node.id)
        direct = [n for n in below if n.parent == node.id]
        if node.split and node.metric:
            direct = below = self._split(node)
        combined = _combined(node, [n.value for n in direct]) if direct else None
        combined_before = _combined(node, [n.previous for n in direct]) if direct else None
        value = own.value if own is not None else combined
        previous = own.previous if own is not None else combined_before
        held = self.metrics.get(node.metric).metric if node.metric else None
        return [
            NodeAnswer(
                id=node.id,
                parent=parent,
                name=node.name,
                metric=node.metric,
                unit=held.shown_unit if held is not None else "number",
                direction=held.direction if held is not None else "up",
                combine=node.combine if direct else "",
                value=value,
                previous=previous,
                combined=combined if own is not None and direct else None,
                gap=value - combined if own is not None and value is not None and combined is not None else None,
                part=None,
                of_root=None,
                owner=node.owner,
                pace=self._pace(node) if node.target is not None else None,
                error=own.error if own is not None else "",
            ),
            *below,
        ]

    def parts(self, nodes: list[NodeAnswer]) -> None:
        """Give every node its part of its parent's change and of the root's."""
        place = {n.id: i for i, n in enumerate(nodes)}
        for i, parent in enumerate(nodes):
            mine = [n for n in nodes if n.parent == parent.id]
            if i == 0:
                change = _difference(parent)
                nodes[0] = msgspec.structs.replace(parent, of_root=change)
            if not mine or any(n.value is None or n.previous is None for n in mine):
                continue
            after, before = [n.value or 0.0 for n in mine], [n.previous or 0.0 for n in mine]
            if parent.combine == "product":
                parts = shapley(before, after)
            else:
                parts = [a - b for a, b in zip(after, before, strict=True)]
            change = sum(parts)
            above = nodes[i].of_root
            for child, part in zip(mine, parts, strict=True):
                root = None if above is None or change == 0 else above * part / change
                at = place[child.id]
                nodes[at] = msgspec.structs.replace(nodes[at], part=part, of_root=root)

    def _asked(self, days: tuple[dt.date, dt.date], **more: Any) -> dict[str, Any]:
        return {**self.common, "range": {"from": days[0].isoformat(), "to": days[1].isoformat()}, **more}

    def _metric(self, node: Node) -> _Value:
        try:
            now = self.metrics.values(node.metric, self._asked(self.days)).series[0].total.value
            before = self.metrics.values(node.metric, self._asked(self.before)).series[0].total.value
        except TilthError as error:
            return _Value(None, None, error.message)
        return _Value(None if now is None else float(now), None if before is None else float(before))

    def _split(self, node: Node) -> list[NodeAnswer]:
        """A child for each value of the property."""
        try:
            more = {"breakdown": node.split, "limit": 12}
            now = {str(s.breakdown): s for s in self.metrics.values(node.metric, self._asked(self.days, **more)).series}
            before = {
                str(s.breakdown): s for s in self.metrics.values(node.metric, self._asked(self.before, **more)).series
            }
        except TilthError:
            return []
        held = self.metrics.get(node.metric).metric
        return [
            NodeAnswer(
                id=f"{node.id}:{value}",
                parent=node.id,
                name=value,
                metric=node.metric,
                unit=held.shown_unit,
                direction=held.direction,
                combine="",
                value=float(now[value].total.value or 0) if value in now else 0.0,
                previous=float(before[value].total.value or 0) if value in before else 0.0,
                combined=None,
                gap=None,
                part=None,
                of_root=None,
                owner="",
                pace=None,
                error="",
            )
            for value in dict.fromkeys([*now, *before])
        ]

    def _pace(self, node: Node) -> Pace:
        target = node.target
        assert target is not None
        if not node.metric:
            return pace_of(target, [], None, self.today, "up", owner=node.owner, has_metric=False)
        held = self.metrics.get(node.metric).metric
        first = dt.date.fromisoformat(target.from_)
        start = min(first, self.today - dt.timedelta(days=7 * _WEEKS))
        end = max(start, self.today - dt.timedelta(days=1))
        daily: list[tuple[dt.date, float]] = []
        level: float | None = None
        try:
            if target.kind == "total":
                answer = self.metrics.values(node.metric, self._asked((start, end), interval="day"))
                daily = [(dt.date.fromisoformat(p.period), float(p.value or 0)) for p in answer.series[0].points]
            elif first < self.today:
                over = min(end, dt.date.fromisoformat(target.to))
                found = self.metrics.values(node.metric, self._asked((first, over))).series[0].total.value
                level = None if found is None else float(found)
        except TilthError:
            # A metric without an answer has no pace; the node itself says why.
            return pace_of(target, [], None, self.today, held.direction, owner=node.owner)
        return pace_of(target, daily, level, self.today, held.direction, owner=node.owner)


def _difference(node: NodeAnswer) -> float | None:
    return None if node.value is None or node.previous is None else node.value - node.previous


def _combined(node: Node, values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    if len(known) < len(values):
        return None
    return math.prod(known) if node.combine == "product" and not node.split else sum(known)


def _kept(row: sa.Row[Any]) -> KeptTree:
    return KeptTree(
        tree=msgspec.json.decode(row.definition, type=Tree),
        version=row.version,
        by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
