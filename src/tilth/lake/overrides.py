"""Whose rows changed hands since they were written: what identity lays over the lake.

A merge or an undo takes effect in every answer at once and rewrites nothing: rows written under
`old` are read as `new`. Where a person was split, its rows go by the `distinct_id` they came with.
Compaction writes the rows under their present numbers and the overrides are forgotten.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["NO_OVERRIDES", "Overrides"]

Int64 = npt.NDArray[np.int64]
_serial = itertools.count()


@dataclass(frozen=True)
class Overrides:
    """whole: old uid -> new uid of all its rows. split: old uid -> {distinct_id: new uid}; rows with
    other ids go to `whole` where it has the uid, and stay otherwise. Values are final: no chains."""

    whole: Mapping[int, int] = field(default_factory=dict)
    split: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    # Equal tokens are equal overrides.
    token: int = field(default_factory=lambda: next(_serial))

    def __bool__(self) -> bool:
        return bool(self.whole) or bool(self.split)

    @cached_property
    def old(self) -> Int64:
        """All overridden uids, ascending."""
        return np.array(sorted({*self.whole, *self.split}), np.int64)

    @cached_property
    def _new(self) -> Int64:
        return np.array([self.whole.get(int(u), int(u)) for u in self.old], np.int64)

    def owners(self, uid: Int64, distinct_ids: Callable[[], Sequence[str | None]]) -> Int64:
        """The present uids of rows; `distinct_ids` is asked only where somebody was split."""
        if not self or len(uid) == 0:
            return uid
        at = np.minimum(np.searchsorted(self.old, uid), len(self.old) - 1)
        found = np.where(self.old[at] == uid, self._new[at], uid)
        if self.split:
            rows = np.flatnonzero(np.isin(uid, np.fromiter(self.split, np.int64, len(self.split))))
            if len(rows):
                ids = distinct_ids()
                for row in rows.tolist():
                    owner = self.split[int(uid[row])].get(ids[row] or "")
                    if owner is not None:
                        found[row] = owner
        return found

    def sources_of(self, uids: Sequence[int]) -> list[int]:
        """The uids whose rows may belong to these people, themselves included."""
        wanted = set(uids)
        found = set(wanted)
        found |= {old for old, new in self.whole.items() if new in wanted}
        found |= {old for old, ids in self.split.items() if wanted.intersection(ids.values())}
        return sorted(found)


NO_OVERRIDES = Overrides()
