"""The quality report: true structure scores well, a random layering is worthless, and the numbers are right."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import layerings as oracle
from tests.segments.companies import coin_company, known_groups, rhythm_company
from tests.segments.lakes import DAY, ListLake, history_of
from tilth.segments.blocks import Blocks, interval, resample
from tilth.segments.compute import Computed, compute
from tilth.segments.days import LocalDays
from tilth.segments.history import PurchaseHistory
from tilth.segments.homogeneity import likeness
from tilth.segments.kinds import KINDS, kind_of, read_parameters
from tilth.segments.layering import Assignment, Kind, LayerName
from tilth.segments.lift import _along, choose_period, lift
from tilth.segments.quality import stale_notice
from tilth.segments.rfm import RfmModel, RfmParameters
from tilth.segments.silhouette import silhouettes
from tilth.segments.snapshot import Snapshot
from tilth.segments.stability import adjusted_rand
from tilth.segments.standing import Standing, standing
from tilth.segments.words import Text


def computed(history: PurchaseHistory, kind: str | Kind, as_of: str | None = None, **parameters: object) -> Computed:
    events = [
        oracle.Event(u, t, "purchase", a)
        for u, t, a in zip(history.uid.tolist(), history.ts.tolist(), history.amount.tolist(), strict=True)
    ]
    snapshot = Snapshot(ListLake(events), history, "UTC")  # type: ignore[arg-type]
    chosen = kind_of(kind) if isinstance(kind, str) else kind
    return compute(snapshot, chosen, read_parameters(chosen, parameters), as_of)


def random_kind(by_uid: bool) -> Kind:
    """Everyone in one of five layers by chance: drawn anew each time, or fixed for each person."""
    random = np.random.default_rng(7)
    layers = [LayerName(key=f"x{i}", name=Text("随机", "Random"), rule=Text("抽签", "by lot")) for i in range(5)]
    model = RfmModel(edges=((), (), ()), flat=(False, False, False), averages=(0.0, 0.0, 0.0))  # type: ignore[arg-type]

    def assign(people: Standing, parameters: object, model_: object) -> Assignment:
        codes = people.uid * 2_654_435_761 % 1_000_003 % 5 if by_uid else random.integers(0, 5, len(people))
        return Assignment(codes=codes.astype(np.int16), layers=layers, model=model, dimensions=1)

    return dataclasses.replace(KINDS["rfm"], key="random", assign=assign, refit=None)


# -- the verdict -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by_uid", [False, True], ids=["drawn anew", "fixed for each person"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_layering_is_worthless(by_uid: bool, seed: int) -> None:
    quality = computed(rhythm_company(people=4_000, seed=seed), random_kind(by_uid)).layering.quality
    assert quality.score <= 10
    assert "worthless" in [w.key for w in quality.warnings]
    assert "Worthless" in quality.verdict.en
    assert quality.homogeneity.r2 is not None
    assert quality.homogeneity.r2.value < 0.01
    assert "mixed_layers" in [w.key for w in quality.warnings]


@pytest.mark.parametrize("kind", ["rfm", "value", "stage", "matrix", "clusters", "pareto"])
def test_layerings_of_a_company_with_structure_score_well(kind: str) -> None:
    # Stages tell who is leaving, so they need a company that people leave.
    history = rhythm_company(people=1_500) if kind == "stage" else known_groups()[0]
    quality = computed(history, kind).layering.quality
    assert quality.score >= 50, quality.parts
    assert "worthless" not in [w.key for w in quality.warnings]
    assert quality.lift is not None
    assert quality.lift.spread.low > 0.1


def test_the_planted_groups_are_recovered_by_clusters() -> None:
    history, truth = known_groups()
    found = computed(history, "clusters", features=("frequency", "order_value", "pace"))
    assert adjusted_rand(found.assignment.codes, truth[found.standing.uid - 1]) > 0.95


@pytest.mark.parametrize("kind", ["rfm", "clusters"])
def test_where_nobody_differs_no_layering_scores_well(kind: str) -> None:
    quality = computed(coin_company(), kind).layering.quality
    assert quality.score <= 30


def test_better_structure_scores_higher_than_weaker() -> None:
    strong, _ = known_groups()
    weak = rhythm_company(people=1_200, r=30.0, alpha=900.0, leave_first=0.02, leave_later=0.02)
    assert computed(strong, "rfm").layering.quality.score > computed(weak, "rfm").layering.quality.score + 10


def test_with_too_little_time_the_lift_is_unproven_and_said_so() -> None:
    history = history_of([(u, (u % 20) * DAY, 100 * u) for u in range(1, 200)])
    quality = computed(history, "rfm").layering.quality
    assert quality.lift is None
    assert "lift_not_measured" in [w.key for w in quality.warnings]
    assert quality.score <= 50
    assert "Unproven" in quality.verdict.en


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "history",
    [
        history_of([], profiles=[1, 2]),
        history_of([(1, DAY, 100)]),
        history_of([], [(1, DAY, 100), (2, 9 * DAY, 5)]),
        history_of([(u, DAY, 100) for u in range(1, 60)]),
        history_of([(u, (d + u % 3) * DAY, 0) for u in range(1, 50) for d in (0, 100, 200)]),
        history_of([(1, d * DAY, 100) for d in range(0, 300, 3)]),
    ],
    ids=["profiles only", "one person", "only refunds", "everyone identical", "only free orders", "one loyal person"],
)
def test_degenerate_companies_get_an_answer_without_nan(kind: str, history: PurchaseHistory) -> None:
    answer = computed(history, kind).layering
    text = msgspec.json.encode(answer)
    assert b"NaN" not in text
    assert sum(layer.people for layer in answer.layers) == answer.people == len(history.everyone)
    assert 0 <= answer.quality.score <= 100
    assert answer.quality.verdict.zh
    assert answer.quality.verdict.en


# -- warnings --------------------------------------------------------------------------------------


def test_more_than_seven_dimensions_are_warned_of() -> None:
    history, _ = known_groups(each=100)
    names = ("recency", "frequency", "order_value", "tenure", "revenue", "pace", "refund_share", "active_days")
    quality = computed(history, "clusters", k=3, features=names).layering.quality
    assert "too_many_dimensions" in [w.key for w in quality.warnings]


def test_a_layer_too_small_to_measure_is_named() -> None:
    history, _ = known_groups(each=300)
    extra = [(9_000 + i, 539 * DAY, 5) for i in range(5)]
    merged = history_of([*zip(history.uid.tolist(), history.ts.tolist(), history.amount.tolist(), strict=True), *extra])
    quality = computed(merged, "matrix").layering.quality
    small = next(w for w in quality.warnings if w.key == "too_small")
    assert "Warm first-timers" in small.text.en or "One and browsing" in small.text.en


def test_a_layering_older_than_the_drift_it_shows_is_stale() -> None:
    assert stale_notice(0, 0.5) is None
    assert stale_notice(30, None) is None
    assert stale_notice(10, 0.05) is None
    old = stale_notice(60, 0.2)
    assert old is not None
    assert "36 %" in old.text.en  # 1 - 0.8^2 of the people have moved by now


# -- the numbers -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), min_size=12, max_size=60))
def test_block_sums_add_up_to_the_whole(rows: list[tuple[int, int]]) -> None:
    codes, values = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    blocks = Blocks(len(rows))
    assert blocks.sums(codes, 4, values).sum(axis=0).tolist() == np.bincount(codes, values, 4).tolist()
    assert resample(blocks.count, 7).sum(axis=1).tolist() == [blocks.count] * 7


def test_a_bootstrap_interval_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(3).normal(10, 2, 20_000)
    blocks = Blocks(len(values))
    sums = blocks.sums(np.zeros(len(values), np.int64), 1, values)[:, 0]
    sizes = blocks.sums(np.zeros(len(values), np.int64), 1)[:, 0]
    weights = resample(blocks.count, 2_000)
    found = interval(float(values.mean()), (weights @ sums) / (weights @ sizes))
    assert found is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / np.sqrt(20_000), rel=0.2)


def test_the_share_of_variance_explained_equals_the_oracle_up_to_its_adjustment() -> None:
    history, truth = known_groups(each=60)
    people = standing(history, LocalDays("UTC"), 539)
    codes = truth[people.uid - 1].astype(np.int16)
    homogeneity, heterogeneity = likeness(people, codes, ["a", "b", "c"])
    assert homogeneity.r2 is not None
    assert heterogeneity is not None
    shares = {f.feature: f.eta2 for f in heterogeneity.features}
    for feature, values in (
        ("recency", np.log1p(people.recency)),
        ("frequency", np.log(people.orders)),
        ("revenue", np.log1p(people.revenue)),
    ):
        assert shares[feature] == pytest.approx(oracle.r_squared(values.tolist(), codes.tolist()))
    n = len(people)
    plain = sum(shares.values()) / 3
    assert homogeneity.r2.value == pytest.approx(1 - (1 - plain) * (n - 1) / (n - 3))
    assert homogeneity.r2.low < homogeneity.r2.value < homogeneity.r2.high


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 2)), min_size=4, max_size=20).filter(
        lambda rows: len({r[2] for r in rows}) > 1
    )
)
def test_silhouettes_equal_the_oracle(rows: list[tuple[int, int, int]]) -> None:
    points, labels = [r[:2] for r in rows], [r[2] for r in rows]
    found = silhouettes(np.array(points, float), np.array(labels))
    assert found.tolist() == pytest.approx(oracle.silhouette(points, labels), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 500)), min_size=2, max_size=6))
def test_the_spread_is_the_concentration_along_the_ranking(groups: list[tuple[int, int]]) -> None:
    people = np.array([[float(g[0]) for g in groups]])
    money = np.array([[float(g[1]) for g in groups]])
    found, _ = _along((people, money), (people, money))
    ranked = sorted(groups, key=lambda g: g[1] / g[0])
    assert found[0] == pytest.approx(oracle.concentration(ranked), abs=1e-9)


def test_layer_means_of_the_lift_are_those_of_the_following_money() -> None:
    codes = np.array([0] * 50 + [1] * 50, np.int16)
    money = np.concatenate((np.full(50, 100), np.full(50, 900)))
    found = lift(codes, ["low", "high"], money, 100, 190)
    assert found is not None
    assert [(layer.key, layer.people, layer.mean) for layer in found.layers] == [
        ("low", 50, 100.0),
        ("high", 50, 900.0),
    ]
    assert found.spread.value == pytest.approx(0.4, abs=0.02)
    assert found.top_over_average == pytest.approx(1.8, abs=0.1)


def test_a_layering_cannot_profit_from_the_future_it_is_tested_on() -> None:
    # Layers drawn by lot among few people: in-sample the best looks good, across halves it does not.
    random = np.random.default_rng(5)
    spreads = []
    for _ in range(60):
        codes, money = random.integers(0, 8, 160).astype(np.int16), (random.pareto(2, 160) * 1_000).astype(np.int64)
        found = lift(codes, [str(i) for i in range(8)], money, 0, 90)
        assert found is not None
        spreads.append(found.spread.value)
    assert abs(float(np.mean(spreads))) < 0.04


@pytest.mark.parametrize(
    ("first", "as_of", "last", "expected"),
    [
        (0, 719, 719, (629, 719)),  # two years: the last 90 days
        (0, 99, 99, (74, 99)),  # a hundred days: a quarter of them
        (0, 40, 40, None),  # too little
        (0, 400, 800, (400, 490)),  # there is a later period: the layering itself is tested on it
    ],
)
def test_the_period_of_the_lift(first: int, as_of: int, last: int, expected: tuple[int, int] | None) -> None:
    assert choose_period(first, as_of, last) == expected


def test_a_past_layering_is_tested_on_what_came_after_it() -> None:
    history, _ = known_groups()
    answer = computed(history, "rfm", as_of="1971-01-01").layering
    assert answer.quality.lift is not None
    assert answer.quality.lift.calibration_end == "1971-01-01"
    assert answer.quality.staleness_days > 100


def test_the_rule_tested_out_of_time_is_fitted_on_the_past_alone() -> None:
    history, _ = known_groups(each=200)
    whole = computed(history, "rfm").layering.quality.lift
    assert whole is not None
    # The same past, then a future in which only amounts differ: the layers tested must be the same.
    boundary = history.as_of - 60 * DAY
    later = dataclasses.replace(history, amount=np.where(history.ts > boundary, history.amount * 7, history.amount))
    changed = computed(later, "rfm").layering.quality.lift
    assert changed is not None
    assert [(layer.key, layer.people) for layer in whole.layers] == [
        (layer.key, layer.people) for layer in changed.layers
    ]


def test_parameters_of_a_kind_are_part_of_the_answer() -> None:
    history, _ = known_groups(each=50)
    answer = computed(history, "rfm", classes="eight").layering
    assert answer.parameters["classes"] == "eight"
    assert msgspec.convert(answer.parameters, RfmParameters).classes == "eight"
