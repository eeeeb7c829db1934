"""Agreement of layerings, and where people moved."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from tests.oracles import layerings as oracle
from tests.segments.companies import known_groups, rhythm_company
from tests.segments.lakes import DAY, history_of
from tilth.segments import rfm, stage
from tilth.segments.days import LocalDays
from tilth.segments.layering import Assignment
from tilth.segments.rhythm import fit_rhythm
from tilth.segments.stability import (
    UNKNOWN_BEFORE,
    adjusted_rand,
    flows,
    migration,
    mutual_information,
    refit_agreement,
)
from tilth.segments.standing import Standing, standing

UTC = LocalDays("UTC")
LABELS = st.integers(1, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n), st.lists(st.integers(0, 3), min_size=n, max_size=n)
    )
)


@settings(max_examples=200, deadline=None)
@given(LABELS)
def test_adjusted_rand_equals_counting_every_pair(labels: tuple[list[int], list[int]]) -> None:
    a, b = labels
    found = adjusted_rand(np.array(a), np.array(b))
    assert found == pytest.approx(oracle.adjusted_rand(a, b))
    assert found == pytest.approx(adjusted_rand(np.array(b), np.array(a)))


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_agreement_measures_equal_scikit_learns(labels: tuple[list[int], list[int]]) -> None:
    a, b = np.array(labels[0]), np.array(labels[1])
    if len(a) > 1:
        assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
    if len(set(labels[0])) > 1 and len(set(labels[1])) > 1:
        assert mutual_information(a, b) == pytest.approx(normalized_mutual_info_score(a, b), abs=1e-9)


def test_names_of_layers_do_not_matter_to_agreement() -> None:
    assert adjusted_rand(np.array([0, 0, 1, 1, 2]), np.array([2, 2, 0, 0, 1])) == 1.0
    assert mutual_information(np.array([0, 0, 1, 1, 2]), np.array([2, 2, 0, 0, 1])) == pytest.approx(1.0)


def test_unrelated_layerings_agree_as_chance_does() -> None:
    random = np.random.default_rng(1)
    a, b = random.integers(0, 5, 50_000), random.integers(0, 8, 50_000)
    assert abs(adjusted_rand(a, b)) < 0.001


def test_two_labellings_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        adjusted_rand(np.array([0, 1]), np.array([0]))


def test_flows_count_everyone_once_and_name_both_ends() -> None:
    found = flows(np.array([0, 0, 1, 1, 1]), np.array([1, 1, 0, 1, 1]), ["a", "b"], ["x", "y"])
    assert {(f.source, f.target): f.people for f in found} == {("a", "y"): 2, ("b", "y"): 2, ("b", "x"): 1}


def test_flows_are_written_as_from_and_to() -> None:
    found = flows(np.array([0]), np.array([0]), ["a"], ["b"])
    assert msgspec.json.encode(found) == b'[{"from":"a","to":"b","people":1}]'


def test_planted_groups_come_out_the_same_when_fitted_on_other_people() -> None:
    history, _ = known_groups()
    people = standing(history, UTC, 539)
    assignment = rfm.assign(people, rfm.RfmParameters())
    agreement = refit_agreement(people, assignment, lambda s: rfm.assign(s, rfm.RfmParameters()))
    assert agreement is not None
    assert agreement.value > 0.85
    assert agreement.low <= agreement.value <= agreement.high


def test_a_random_layering_does_not_come_out_the_same() -> None:
    history, _ = known_groups(each=200)
    people = standing(history, UTC, 539)
    random = np.random.default_rng(4)

    def by_chance(who: Standing) -> Assignment:
        base = rfm.assign(who, rfm.RfmParameters())
        return Assignment(
            codes=random.integers(0, 5, len(who)).astype(np.int16), layers=base.layers, model=base.model, dimensions=1
        )

    agreement = refit_agreement(people, by_chance(people), by_chance)
    assert agreement is not None
    assert abs(agreement.value) < 0.05


def test_migration_moves_people_by_one_rule_and_names_those_not_known_before() -> None:
    company = rhythm_company(people=800, seed=20)
    newcomer = [(9_001, 535 * DAY, 700)]
    history = history_of(
        [*zip(company.uid.tolist(), company.ts.tolist(), company.amount.tolist(), strict=True), *newcomer]
    )
    before, after = standing(history, UTC, 509), standing(history, UTC, 539)
    rhythm = fit_rhythm(after)
    parameters = stage.StageParameters()
    then, now = stage.assign(before, parameters, rhythm), stage.assign(after, parameters, rhythm)
    moves, agreement = migration(before, then, after, now)
    assert sum(f.people for f in moves.flows) == len(after)
    assert {(f.source, f.target) for f in moves.flows if f.source == UNKNOWN_BEFORE} >= {(UNKNOWN_BEFORE, "new")}
    assert sum(f.people for f in moves.flows if f.source != UNKNOWN_BEFORE) == len(before)
    assert 0 < moves.moved_share < 1
    assert agreement is not None
    assert agreement < 1
    # Nobody becomes new again.
    assert not [f for f in moves.flows if f.target == "new" and f.source not in ("new", UNKNOWN_BEFORE)]
