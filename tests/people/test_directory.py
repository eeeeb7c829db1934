"""The directory: ids become people once, whoever asks; traits follow the stronger source."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.errors import InvalidInput, NotFound
from tilth.people import People
from tilth.people.id_index import IdIndex
from tilth.state import Database


def test_new_ids_are_numbered_in_the_order_they_come(database: Database) -> None:
    people = People(database)
    assert people.resolve("id", ["b", "a", "b", "张三"], "imported").tolist() == [1, 2, 1, 3]
    assert people.resolve("id", ["张三", "c"], "imported").tolist() == [3, 4]
    assert people.count() == 4


def test_another_process_sees_the_same_numbers(database: Database) -> None:
    first = People(database).resolve("id", ["x", "y"], "imported")
    assert People(database).resolve("id", ["y", "x"], "imported").tolist() == first[::-1].tolist()


def test_a_stale_index_learns_of_ids_made_elsewhere(database: Database) -> None:
    here, there = People(database), People(database)
    assert here.resolve("id", ["x"], "imported").tolist() == [1]
    assert there.resolve("id", ["y", "z"], "imported").tolist() == [2, 3]
    # `here` has an index without y: it must take the number y has, not a new one.
    assert here.resolve("id", ["w", "y"], "imported").tolist()[1] == 2
    assert there.resolve("id", ["w"], "imported").tolist() == here.resolve("id", ["w"], "imported").tolist()


def test_unknown_ids_are_told_apart_when_nothing_may_be_created(database: Database) -> None:
    people = People(database)
    people.resolve("id", ["a"], "imported")
    assert people.resolve("id", ["a", "b"], "imported", create=False).tolist() == [1, -1]
    assert people.count() == 1


def test_ids_that_name_nobody_are_refused(database: Database) -> None:
    people = People(database)
    ids = ["", "null", "None", " NaN ", "0", "guest", "[object Object]", "x" * 256, None]
    assert people.resolve("id", pa.array(ids), "imported").tolist() == [-1] * len(ids)
    assert people.count() == 0


def test_a_phone_and_a_number_of_the_same_digits_are_two_ids(database: Database) -> None:
    people = People(database)
    people.resolve("id", ["13800000000"], "imported")
    assert people.resolve("phone", ["13800000000"], "imported").tolist() == [2]


def test_a_person_is_found_by_any_id_or_number(database: Database) -> None:
    people = People(database)
    uid = int(people.resolve("id", ["c-9"], "imported")[0])
    people.join(np.array([uid]), "phone", ["13900000000"], "imported")
    assert people.find("13900000000") == people.find("c-9") == people.find(f"uid:{uid}") == uid
    with pytest.raises(NotFound):
        people.find("uid:999")
    with pytest.raises(NotFound):
        people.find("nobody")


def test_an_id_of_someone_else_is_a_conflict_not_a_merge(database: Database) -> None:
    people = People(database)
    people.resolve("phone", ["139"], "imported")
    other = people.resolve("id", ["c"], "imported")
    assert people.join(other, "phone", ["139"], "imported") == [(0, "139")]


def test_search_finds_exact_ids_first_then_beginnings_and_names(database: Database) -> None:
    people = People(database)
    uids = people.resolve("id", ["12", "1", "123"], "imported")
    people.set_traits(uids, {"name": ["王芳", "12 Monkeys Ltd", None]})
    assert people.search("12") == [1, 3, 2]
    assert people.search("王") == [1]
    assert people.search("%") == []
    assert people.search("' OR 1=1 --") == []


def test_the_stronger_source_keeps_its_value_and_the_newer_wins_among_equals(database: Database) -> None:
    people = People(database)
    uids = people.resolve("id", ["a"], "imported")
    people.set_traits(uids, {"city": ["杭州"]}, "self_declared", at=10)
    people.set_traits(uids, {"city": ["上海"]}, "predicted", at=99)
    assert people.get("a").traits[0].value == "杭州"
    people.set_traits(uids, {"city": ["成都"]}, "self_declared", at=11)
    people.set_traits(uids, {"city": ["北京"]}, "self_declared", at=5)
    assert people.get("a").traits[0].value == "成都"
    with pytest.raises(InvalidInput, match="hearsay"):
        people.set_traits(uids, {"city": ["x"]}, "hearsay")


def test_a_forgotten_person_is_gone(database: Database) -> None:
    people = People(database)
    uid = int(people.resolve("id", ["a"], "imported")[0])
    people.set_traits([uid], {"name": ["A"]})
    people.forget(uid)
    with pytest.raises(NotFound):
        people.get("a")
    assert people.resolve("id", ["a"], "imported").tolist() == [2]


def test_threads_that_meet_the_same_new_ids_agree(database: Database) -> None:
    directories = [People(database) for _ in range(4)]
    ids = [f"c{i}" for i in range(300)]
    found: list[list[int]] = [[] for _ in directories]

    def work(k: int) -> None:
        order = ids[k * 50 :] + ids[: k * 50]
        numbers = dict(zip(order, directories[k].resolve("id", order, "imported").tolist(), strict=True))
        found[k] = [numbers[i] for i in ids]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == found[2] == found[3]
    assert len(set(found[0])) == 300


@given(st.lists(st.lists(st.text(max_size=12), max_size=30), max_size=8))
def test_the_id_index_is_a_dictionary(batches: list[list[str]]) -> None:
    index, model = IdIndex(), {}
    for batch in batches:
        for text in batch:
            model.setdefault(text, len(model) + 1)
        # A repeated id in one batch keeps the first number it was given.
        index.insert(pa.array(batch, pa.string()), np.array([model[t] for t in batch], np.int64))
    known = pa.array([*model, "\x00absent"], pa.string())
    expected = [*model.values(), model.get("\x00absent", -1)]
    assert index.lookup(known).tolist() == expected
    assert len(index) == len(model)


def test_the_id_index_grows_past_a_million_bytes(tmp_path: Path) -> None:
    index = IdIndex()
    ids = pa.array([f"customer-{i:08d}" for i in range(200_000)])
    index.insert(ids.slice(0, 50_000), np.arange(50_000))
    index.insert(ids, np.arange(200_000))
    assert (index.lookup(ids.slice(7, 100_000)) == np.arange(7, 100_007)).all()
