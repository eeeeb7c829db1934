"""Memberships packed and unpacked are the same, and small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.segments.members import Members, pack, unpack


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(0, 2**62), st.integers(0, 4), max_size=40))
def test_packed_members_come_back_as_they_were(layers: dict[int, int]) -> None:
    uids = sorted(layers)
    members = Members(
        uid=np.array(uids, np.int64),
        codes=np.array([layers[u] for u in uids], np.int16),
        keys=["new", "活跃", "lost", "a", "b"],
    )
    back = unpack(pack(members))
    assert back.uid.tolist() == uids
    assert back.codes.tolist() == members.codes.tolist()
    assert back.keys == members.keys
    for uid in [*uids, 12_345]:
        assert back.layer_of(uid) == (members.keys[layers[uid]] if uid in layers else None)


def test_a_million_people_take_less_than_a_megabyte() -> None:
    random = np.random.default_rng(1)
    members = Members(
        uid=np.arange(1, 1_000_001), codes=random.integers(0, 11, 1_000_000).astype(np.int16), keys=list("abcdefghijk")
    )
    assert len(pack(members)) < 1_000_000


def test_erased_people_are_in_no_layer() -> None:
    members = Members(uid=np.array([1, 2, 3]), codes=np.array([0, 1, 0], np.int16), keys=["a", "b"])
    left = members.without(np.array([1, 2]))
    assert left.layer_of(1) is None
    assert left.of("a").tolist() == [3]
    assert left.of("b").tolist() == left.of("unheard of").tolist() == []


def test_other_bytes_are_refused() -> None:
    import zstandard

    with pytest.raises(ValueError, match="not packed members"):
        unpack(zstandard.compress(b"something else"))
