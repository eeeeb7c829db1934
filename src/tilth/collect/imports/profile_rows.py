"""From staged profile rows to the directory of people: ids joined, traits set, what is there already counted."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.imports.event_rows import Counts
from tilth.collect.imports.hashing import CodeTable, hash_column
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.profiles import ID_ROLES, TRAIT_PREFIX
from tilth.collect.imports.spans import Spans
from tilth.people import People

__all__ = ["ProfileRows", "apply_profiles"]

_SOURCE = "import"
_SLICE = 20_000


class ProfileRows:
    """One chunk of profiles: `counts` says what it would change, `write` changes it, `uids` are its people."""

    def __init__(self, plan: Plan, rows: pa.Table, people: People, seen: CodeTable, now: int) -> None:
        self._people = people
        self._now = now
        self._ids = {role: rows.column(role).combine_chunks() for role in ID_ROLES if role in rows.column_names}
        self._kinds = {"customer": plan.id_kind, "phone": "phone", "email": "email"}
        self._traits = {
            name.removeprefix(TRAIT_PREFIX): rows.column(name).to_pylist()
            for name in rows.column_names
            if name.startswith(TRAIT_PREFIX)
        }
        self._rows = rows.num_rows
        self._uid = self._resolved(create=False)
        self.counts = self._counted(rows, seen)

    def _resolved(self, create: bool) -> npt.NDArray[np.int64]:
        """The person of each row: of its strongest id; a known id of any kind names the person."""
        uid = np.full(self._rows, -1, np.int64)
        for role, ids in self._ids.items():
            found = self._people.resolve(self._kinds[role], ids, _SOURCE, create=False)
            uid = np.where(uid < 0, found, uid)
        if not create:
            return uid
        for role, ids in self._ids.items():
            open_rows = np.flatnonzero((uid < 0) & pc.is_valid(ids).to_numpy(zero_copy_only=False))
            if len(open_rows):
                taken = ids.take(pa.array(open_rows))
                uid[open_rows] = self._people.resolve(self._kinds[role], taken, _SOURCE, create=True)
        return uid

    def _counted(self, rows: pa.Table, seen: CodeTable) -> Counts:
        texts = [pc.fill_null(c.cast(pa.string()), "") for c in rows.columns]
        whole = pc.binary_join_element_wise(*texts, "\x1f")
        high, low = hash_column(Spans.of(whole))
        _, first = seen.codes(high, low)
        fresh = np.zeros(self._rows, np.bool_)
        fresh[first] = True
        candidates = np.flatnonzero(fresh & (self._uid >= 0))
        for start in range(0, len(candidates), _SLICE):
            part = candidates[start : start + _SLICE]
            for row in self._unchanged(part):
                fresh[row] = False
        accepted = int(fresh.sum())
        return Counts(accepted=accepted, duplicate=self._rows - accepted)

    def _unchanged(self, rows: npt.NDArray[np.int64]) -> list[int]:
        """Rows that say nothing the directory does not hold."""
        uids = [int(u) for u in self._uid[rows]]
        people = sorted(set(uids))
        held = {uid: {t.name: t.value for t in traits} for uid, traits in self._people.traits(people).items()}
        known = {uid: {(d.kind, d.id) for d in ids} for uid, ids in self._people.distinct_ids(people).items()}
        ids = {role: column.to_pylist() for role, column in self._ids.items()}
        result = []
        for row, uid in zip(rows.tolist(), uids, strict=True):
            same_ids = all(
                values[row] is None or (self._kinds[role], values[row]) in known[uid] for role, values in ids.items()
            )
            if same_ids and all(
                values[row] is None or held[uid].get(name, _MISSING) == msgspec.json.decode(values[row])
                for name, values in self._traits.items()
            ):
                result.append(row)
        return result

    def write(self) -> None:
        """Create who is new, join the further ids, set the traits. Doing it twice changes nothing."""
        self._uid = self._resolved(create=True)
        for role, column in self._ids.items():
            rows = np.flatnonzero(pc.is_valid(column).to_numpy(zero_copy_only=False))
            found = self._people.resolve(self._kinds[role], column.take(pa.array(rows)), _SOURCE, create=False)
            missing = rows[found < 0]
            if len(missing):
                self._people.join(
                    self._uid[missing], self._kinds[role], column.take(pa.array(missing)).to_pylist(), _SOURCE
                )
        for name, values in self._traits.items():
            rows = np.array([i for i, v in enumerate(values) if v is not None], np.int64)
            if len(rows):
                decoded: list[Any] = [msgspec.json.decode(values[i]) for i in rows]
                self._people.set_traits(self._uid[rows], {name: decoded}, "imported", at=self._now)

    def uids(self) -> npt.NDArray[np.int64]:
        """The people of the rows; those not created (a dry run) as numbers below zero, alike for alike ids."""
        uid = self._uid.copy()
        unknown = np.flatnonzero(uid < 0)
        if len(unknown):
            texts = [pc.fill_null(c, "") for c in self._ids.values()]
            first = pc.coalesce(*[pc.if_else(pc.equal(t, ""), pa.scalar(None, pa.string()), t) for t in texts])
            high, _ = hash_column(Spans.of(first.take(pa.array(unknown))))
            uid[unknown] = -2 - (high >> np.uint64(2)).astype(np.int64)
        return uid


_MISSING = object()


def apply_profiles(plan: Plan, rows: pa.Table, people: People, seen: CodeTable, *, now: int) -> ProfileRows:
    """A chunk of staged profiles, counted against the directory but not written yet."""
    return ProfileRows(plan, rows, people, seen, now)
