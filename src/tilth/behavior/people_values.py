"""Facts about people as arrays over everyone, for filters and breakdowns by profile, tag and segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from tilth.people import People
from tilth.people.tables import trait

__all__ = ["PersonValues", "TagReader", "trait_names", "trait_values"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PersonValues:
    """uid: int64[k] ascending; values[i] is of uid[i]. Who is not in it has no value."""

    uid: Int64
    values: list[Any]

    def positions(self, people: Int64) -> Int64:
        """Where each person is in `uid`; len(uid) for those who are not."""
        at = np.searchsorted(self.uid, people)
        at[at == len(self.uid)] = 0
        if len(self.uid) == 0:
            return np.zeros(len(people), np.int64)
        return np.where(self.uid[at] == people, at, len(self.uid))


# (tag name) -> its values now, or None where there is no such tag.
TagReader = Callable[[str], PersonValues | None]


def trait_values(people: People, name: str) -> PersonValues:
    """A trait of everyone who has it."""
    query = sa.select(trait.c.uid, trait.c.value).where(trait.c.name == name).order_by(trait.c.uid)
    uids: list[int] = []
    values: list[Any] = []
    decode = msgspec.json.Decoder().decode
    with people._database.read() as connection:
        for rows in connection.execution_options(yield_per=100_000).execute(query).partitions():
            uids += [row[0] for row in rows]
            values += [decode(row[1]) for row in rows]
    return PersonValues(np.array(uids, np.int64), values)


def trait_names(people: People) -> list[str]:
    """Names of all traits anybody has."""
    with people._database.read() as connection:
        return list(connection.scalars(sa.select(trait.c.name).distinct()))
