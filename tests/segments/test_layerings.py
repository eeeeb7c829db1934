"""Each kind of layering: everyone in exactly one layer, by the rule it states."""

from __future__ import annotations

import dataclasses
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import layerings as oracle
from tests.segments.companies import known_groups, rhythm_company
from tests.segments.lakes import DAY, history_of
from tilth.errors import InvalidInput
from tilth.segments import clusters, matrix, pareto, rfm, stage, value
from tilth.segments.days import LocalDays
from tilth.segments.history import NEVER
from tilth.segments.kinds import KINDS, describe_kinds, kind_of, read_parameters
from tilth.segments.layering import Assignment, Kind, describe
from tilth.segments.rhythm import fit_rhythm, rhythm_scores
from tilth.segments.stability import adjusted_rand
from tilth.segments.standing import NONE, Standing, following, standing

UTC = LocalDays("UTC")
ORDERS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 99).map(lambda d: d * DAY), st.integers(0, 50_000)), max_size=40
)


def ready(orders: list[tuple[int, int, int]], as_of: int = 100, profiles: tuple[int, ...] = (50,)) -> Standing:
    """A standing with everything any kind needs."""
    people = standing(history_of(orders, profiles=profiles), UTC, as_of)
    return dataclasses.replace(
        people,
        active_days=np.minimum(people.buying_days, 5),
        value=np.where(people.buyers, people.revenue * 0.5, np.nan),
    )


def layers_by_person(people: Standing, assignment: Assignment) -> dict[int, str]:
    return {u: assignment.layers[c].key for u, c in zip(people.uid.tolist(), assignment.codes.tolist(), strict=True)}


# -- what holds for every kind ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.key)
@settings(max_examples=40, deadline=None)
@given(orders=ORDERS)
def test_everyone_is_in_one_layer_and_shares_and_money_add_up(kind: Kind, orders: list[tuple[int, int, int]]) -> None:
    people = ready(orders)
    assignment = kind.assign(people, kind.parameters(), None).covering(len(people))
    layers = describe(people, assignment, np.full(len(people), np.nan))
    assert sum(layer.people for layer in layers) == len(people)
    assert sum(layer.people_share for layer in layers) == pytest.approx(1)
    assert sum(layer.revenue for layer in layers) == sum(amount for *_, amount in orders)
    assert sum(layer.orders for layer in layers) == len(orders)
    if sum(amount for *_, amount in orders):
        assert sum(layer.revenue_share for layer in layers) == pytest.approx(1)
    assert {layer.key for layer in layers} == set(layers_by_person(people, assignment).values())
    msgspec.json.encode(layers)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.key)
@settings(max_examples=25, deadline=None)
@given(orders=ORDERS)
def test_the_fitted_rule_applied_again_gives_the_same_layers_also_after_storing_it(
    kind: Kind, orders: list[tuple[int, int, int]]
) -> None:
    people = ready(orders)
    once = kind.assign(people, kind.parameters(), None)
    model = msgspec.json.decode(msgspec.json.encode(once.model), type=kind.model)
    again = kind.assign(people, kind.parameters(), model)
    assert again.codes.tolist() == once.codes.tolist()
    assert [layer.key for layer in again.layers] == [layer.key for layer in once.layers]


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.key != "matrix"], ids=lambda k: k.key)
def test_people_without_a_purchase_are_a_layer_of_their_own(kind: Kind) -> None:
    people = ready([(1, DAY, 100), (2, 2 * DAY, 0)], profiles=(7, 8))
    layers = layers_by_person(people, kind.assign(people, kind.parameters(), None))
    assert {u for u, key in layers.items() if key == "no_purchase"} == {7, 8}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.key)
@pytest.mark.parametrize(
    "orders",
    [[], [(1, DAY, 100)], [(u, DAY, 500) for u in range(1, 40)], [(1, DAY, 0)], [(u, DAY, 0) for u in range(30)]],
    ids=["nobody", "one person", "everyone identical", "one free order", "only free orders"],
)
def test_degenerate_data_gives_layers_without_nan(kind: Kind, orders: list[tuple[int, int, int]]) -> None:
    people = ready(orders)
    assignment = kind.assign(people, kind.parameters(), None).covering(len(people))
    layers = describe(people, assignment, rhythm_scores(people, fit_rhythm(people)).usual_gap)
    assert b"NaN" not in msgspec.json.encode([layers, assignment.cells, assignment.matrix, assignment.model])
    assert sum(layer.people for layer in layers) == len(people)


def test_a_layering_that_leaves_somebody_out_is_refused() -> None:
    layers = [kind_of("rfm").assign(ready([(1, DAY, 5)]), rfm.RfmParameters(), None).layers[0]]
    with pytest.raises(ValueError, match="everyone exactly once"):
        Assignment(codes=np.array([0, 1], np.int16), layers=layers, model=rfm.RfmParameters(), dimensions=1)
    with pytest.raises(ValueError, match="everyone once"):
        Assignment(codes=np.array([0], np.int16), layers=layers, model=rfm.RfmParameters(), dimensions=1).covering(2)


# -- RFM -------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(ORDERS)
def test_quantile_scores_equal_the_oracle_and_keep_equals_together(orders: list[tuple[int, int, int]]) -> None:
    people = ready(orders, profiles=())
    assignment = rfm.assign(people, rfm.RfmParameters())
    assert isinstance(assignment.model, rfm.RfmModel)
    given_scores = rfm.scores(people, rfm.RfmParameters(), assignment.model)
    for row, values in zip(given_scores, (-people.recency, people.orders, people.revenue), strict=True):
        assert row.tolist() == oracle.fifth_scores(values.tolist())


def test_the_eleven_classes_cover_the_whole_grid() -> None:
    assert sorted(set(rfm._GRID.ravel().tolist())) == list(range(11))


def test_a_recent_frequent_large_buyer_is_a_champion_and_a_long_gone_small_one_is_lost() -> None:
    orders = [(1, d * DAY, 90_000) for d in range(60, 100, 4)] + [(2, DAY, 100)]
    orders += [(u, (10 + 7 * u) * DAY, 1_000 * u) for u in range(3, 12)]
    found = layers_by_person(ready(orders, profiles=()), rfm.assign(ready(orders, profiles=()), rfm.RfmParameters()))
    assert found[1] == "champions"
    assert found[2] == "lost"


def test_the_eight_classes_ask_whether_each_score_is_above_average() -> None:
    orders = [
        *[(1, d * DAY, 50_000) for d in (80, 90, 99)],  # recent, often, much
        (2, 98 * DAY, 300_000),  # recent, once, much
        *[(3, d * DAY, 60_000) for d in (1, 2, 3)],  # long ago, often, much
        (4, 2 * DAY, 300_000),  # long ago, once, much
        *[(5, d * DAY, 10) for d in (97, 98, 99)],  # recent, often, little
        (6, 99 * DAY, 10),  # recent, once, little
        *[(7, d * DAY, 10) for d in (1, 2, 3)],  # long ago, often, little
        (8, 1 * DAY, 10),  # long ago, once, little
    ]
    people = ready(orders, profiles=())
    found = layers_by_person(people, rfm.assign(people, rfm.RfmParameters(classes="eight")))
    assert found == {
        1: "important_value",
        2: "important_develop",
        3: "important_keep",
        4: "important_win_back",
        5: "general_value",
        6: "general_develop",
        7: "general_keep",
        8: "general_win_back",
    }


def test_fixed_cuts_score_by_the_numbers_given() -> None:
    parameters = rfm.RfmParameters(
        method="fixed",
        recency_cuts=(7, 30, 60, 90),
        frequency_cuts=(1, 2, 3, 4),
        monetary_cuts=(10, 50, 100, 500),
    )
    people = ready(
        [(1, 93 * DAY, 1_000), (2, 92 * DAY, 1_001), (3, 9 * DAY, 10_000), (4, 10 * DAY, 50_001)], profiles=()
    )
    assignment = rfm.assign(people, parameters)
    assert isinstance(assignment.model, rfm.RfmModel)
    given_scores = rfm.scores(people, parameters, assignment.model)
    assert given_scores[0].tolist() == [5, 4, 1, 2]  # 7, 8, 91 and 90 days ago
    assert given_scores[1].tolist() == [1, 1, 1, 1]
    assert given_scores[2].tolist() == [1, 2, 3, 5]  # ¥10.00, ¥10.01, ¥100.00, ¥500.01


def test_money_can_be_counted_after_refunds() -> None:
    history = history_of([(u, DAY, 10_000 * u) for u in range(1, 6)], [(5, 2 * DAY, 50_000)])
    people = standing(history, UTC, 9)
    model = rfm.assign(people, rfm.RfmParameters(net_of_refunds=True)).model
    assert isinstance(model, rfm.RfmModel)
    money = rfm.scores(people, rfm.RfmParameters(net_of_refunds=True), model)[2]
    assert money.tolist() == [2, 3, 4, 5, 1]


@settings(max_examples=40, deadline=None)
@given(ORDERS)
def test_the_heat_map_holds_every_buyer_and_all_their_money(orders: list[tuple[int, int, int]]) -> None:
    cells = rfm.assign(ready(orders), rfm.RfmParameters()).cells
    assert cells is not None
    assert len(cells) == 125
    assert sum(c.people for c in cells) == len({u for u, *_ in orders})
    assert sum(c.revenue for c in cells) == sum(a for *_, a in orders)


def test_when_everyone_has_the_same_the_score_is_the_middle_and_the_reader_is_told() -> None:
    people = ready([(u, DAY, 500) for u in range(1, 40)], profiles=())
    found = rfm.assign(people, rfm.RfmParameters())
    assert [n.key for n in found.notices] == ["flat_measure"]
    assert set(layers_by_person(people, found).values()) == {"need_attention"}


# -- Pareto and value ------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=30))
def test_the_head_is_cut_at_the_highest_amount_that_still_makes_eighty_per_cent(amounts: list[int]) -> None:
    cuts = pareto.money_cuts(np.array(amounts, float), (0.8, 0.95))
    assert list(cuts) == [oracle.money_cut(amounts, 80), oracle.money_cut(amounts, 95)]


def test_one_customer_of_ten_who_makes_eighty_per_cent_is_the_head() -> None:
    people = ready([(1, DAY, 36_000), *[(u, DAY, 1_000) for u in range(2, 11)]], profiles=())
    assignment = pareto.assign(people, pareto.ParetoParameters())
    assert Counter(layers_by_person(people, assignment).values()) == {"head": 1, "middle": 9}
    assert "1 people (10 % of buyers) make 80 % of the revenue" in assignment.notices[0].text.en


def test_without_any_revenue_pareto_says_it_means_nothing() -> None:
    people = ready([(u, DAY, 0) for u in range(1, 5)], profiles=())
    assignment = pareto.assign(people, pareto.ParetoParameters())
    assert [n.key for n in assignment.notices] == ["no_revenue"]
    assert set(layers_by_person(people, assignment).values()) == {"tail"}


def test_value_tiers_can_be_cut_in_money() -> None:
    people = ready([(1, DAY, 200_000), (2, DAY, 40_000), (3, DAY, 10_000)], profiles=())
    found = value.assign(people, value.ValueParameters(whale_from=1_000, high_from=200))
    assert layers_by_person(people, found) == {1: "whale", 2: "high_potential", 3: "long_tail"}


def test_value_from_the_rhythm_is_near_what_people_spend_afterwards() -> None:
    history = rhythm_company(people=4_000, days=800, seed=8)
    early = standing(history, UTC, 499)
    expected = value.expected_value(early, fit_rhythm(early), 300)
    spent = following(history, early.uid, UTC.end(499), UTC.end(799))
    assert np.nansum(expected) == pytest.approx(spent.sum(), rel=0.1)
    best = expected > np.nanquantile(expected, 0.9)
    assert expected[best].sum() == pytest.approx(spent[best].sum(), rel=0.15)


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        ("pareto", {"head": 0.95, "middle": 0.8}, "parameters.head"),
        ("value", {"whale_share": 0.9}, "parameters.whale_share"),
        ("value", {"whale_from": 5}, "parameters.whale_from"),
        ("value", {"horizon_days": 0}, "parameters.horizon_days"),
        ("value", {"model": "guess"}, "parameters.model"),
        ("rfm", {"method": "fixed", "recency_cuts": [90, 30, 20, 10]}, "parameters.recency_cuts"),
        ("rfm", {"method": "fixed", "frequency_cuts": [1]}, "parameters.frequency_cuts"),
        ("rfm", {"clases": "eight"}, "parameters.clases"),
        ("stage", {"late": 0.99}, "parameters.late"),
        ("stage", {"loyal_from": 1}, "parameters.loyal_from"),
        ("matrix", {"window_days": 0}, "parameters.window_days"),
        ("clusters", {"k": 1}, "parameters.k"),
        ("clusters", {"features": ["shoe_size"]}, "parameters.features"),
        ("clusters", {"features": []}, "parameters.features"),
    ],
)
def test_wrong_parameters_are_refused_by_name(kind: str, parameters: dict[str, object], field: str) -> None:
    def assign() -> Assignment:
        chosen = kind_of(kind)
        return chosen.assign(ready([(1, DAY, 5)]), read_parameters(chosen, parameters), None)

    with pytest.raises(InvalidInput) as caught:
        assign()
    assert caught.value.field == field


# -- stage -----------------------------------------------------------------------------------------


def test_the_same_silence_is_another_stage_for_another_rhythm() -> None:
    history = rhythm_company(people=1_500, shape=4.0, r=3.0, alpha=30.0, leave_later=0.05, seed=11)
    # One bought weekly, one every two months; both have been silent for 45 days.
    weekly = [(9_001, d * DAY, 1_000) for d in range(300, 495, 7)]
    slow = [(9_002, d * DAY, 1_000) for d in range(134, 495, 60)]
    merged = history_of(
        [*zip(history.uid.tolist(), history.ts.tolist(), history.amount.tolist(), strict=True), *weekly, *slow]
    )
    people = standing(merged, UTC, 539)
    found = layers_by_person(people, stage.assign(people, stage.StageParameters()))
    assert found[9_002] == "loyal"
    assert found[9_001] in ("lapsing", "lost")


def test_silence_leads_down_the_stages_and_a_purchase_back_up() -> None:
    history = rhythm_company(people=1_500, seed=12)
    rhythm = fit_rhythm(standing(history, UTC, 539))
    bought = list(range(0, 100, 10))
    down = []
    for day in range(90, 900, 5):
        people = standing(history_of([(1, d * DAY, 100) for d in bought]), UTC, day)
        down.append(layers_by_person(people, stage.assign(people, stage.StageParameters(), rhythm))[1])
    assert list(dict.fromkeys(down)) == ["loyal", "at_risk", "lapsing", "lost"] or list(dict.fromkeys(down)) == [
        "loyal",
        "at_risk",
        "lost",
    ]
    back = standing(history_of([(1, d * DAY, 100) for d in [*bought, 900]]), UTC, 901)
    assert layers_by_person(back, stage.assign(back, stage.StageParameters(), rhythm))[1] == "loyal"


def test_a_first_purchase_yesterday_makes_a_new_customer() -> None:
    history = rhythm_company(people=800, seed=13)
    merged = history_of(
        [*zip(history.uid.tolist(), history.ts.tolist(), history.amount.tolist(), strict=True), (9_001, 538 * DAY, 5)]
    )
    people = standing(merged, UTC, 539)
    assert layers_by_person(people, stage.assign(people, stage.StageParameters()))[9_001] == "new"


def test_with_hardly_any_repeat_purchases_the_stage_says_that_the_rhythm_is_a_guess() -> None:
    people = ready([(u, u * DAY, 100) for u in range(1, 10)])
    assert [n.key for n in stage.assign(people, stage.StageParameters()).notices] == ["rhythm_guessed"]


# -- matrix ----------------------------------------------------------------------------------------


def test_the_matrix_crosses_days_seen_with_orders() -> None:
    people = dataclasses.replace(
        ready([(1, DAY, 5), (1, 2 * DAY, 5), (2, DAY, 5)], profiles=(3, 4)),
        active_days=np.array([9, 1, 9, 0]),
        events=np.array([1, 1, 1, 0]),
    )
    assignment = matrix.assign(people, matrix.MatrixParameters(engaged_from=5))
    found = layers_by_person(people, assignment)
    assert found == {1: "engaged_repeat", 2: "casual_once", 3: "engaged_none", 4: "dormant_none"}
    assert assignment.matrix is not None
    assert {(c.row, c.column): c.people for c in assignment.matrix.cells if c.people} == {
        ("engaged", "repeat"): 1,
        ("casual", "once"): 1,
        ("engaged", "none"): 1,
        ("dormant", "none"): 1,
    }
    assert assignment.notices == []


# -- clusters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["kmeans", "mixture"])
def test_clusters_find_the_planted_groups(method: str) -> None:
    history, truth = known_groups()
    people = standing(history, UTC, 539)
    found = clusters.assign(people, read_parameters(kind_of("clusters"), {"method": method, "k": 3}))  # type: ignore[arg-type]
    assert adjusted_rand(found.codes, truth[people.uid - 1]) > 0.95


def test_the_number_of_clusters_is_found_when_it_is_plain() -> None:
    history, truth = known_groups()
    people = standing(history, UTC, 539)
    parameters = clusters.ClusterParameters(features=("frequency", "order_value", "pace"))
    found = clusters.assign(people, parameters)
    assert len(found.layers) == 4  # three and the people without a purchase
    assert adjusted_rand(found.codes, truth[people.uid - 1]) > 0.95


def test_clusters_have_different_names_and_the_first_spends_most() -> None:
    history, _ = known_groups()
    people = standing(history, UTC, 539)
    found = clusters.assign(people, clusters.ClusterParameters(k=6))
    names = [layer.name.en for layer in found.layers]
    assert len(set(names)) == len(names)
    spent = [people.revenue[found.codes == i].mean() for i in range(6)]
    assert spent == sorted(spent, reverse=True)


def test_more_than_seven_features_count_as_dimensions() -> None:
    history, _ = known_groups(each=30)
    people = standing(history, UTC, 539)
    names = tuple(clusters.FEATURES)
    assert clusters.assign(people, clusters.ClusterParameters(k=3, features=names)).dimensions == 8


# -- what is offered -------------------------------------------------------------------------------


def test_every_kind_explains_itself_and_each_parameter_in_both_languages() -> None:
    for info in describe_kinds():
        texts = [info.name, info.about, *(p.about for p in info.parameters)]
        assert all(t.zh and t.en for t in texts), info.kind
        assert read_parameters(kind_of(info.kind), {p.name: p.default for p in info.parameters})


def test_unknown_days_are_minus_one_and_never_a_date() -> None:
    people = ready([], profiles=(1,))
    assert (people.recency[0], people.tenure[0], people.last_ts[0]) == (NONE, NONE, NEVER)
