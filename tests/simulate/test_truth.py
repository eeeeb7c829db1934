"""The truth, keyed by the ids of the files, and consistent with what happened."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from tilth.simulate import ids
from tilth.simulate.channels import PLANTED
from tilth.simulate.kinds import KINDS
from tilth.simulate.needs import QUESTIONS, survey_answers
from tilth.simulate.people import NEVER
from tilth.simulate.responses import CLASSES, TREATMENTS, log_rate


def test_a_customer_number_leads_back_to_its_person():
    numbers = np.array([0, 1, 17, 4_000_000, 99_999_999])
    assert [ids.person_of(c) for c in ids.customers(numbers).to_pylist()] == numbers.tolist()
    for wrong in ("QH123", "XX00000001", "QH1234567a"):
        with pytest.raises(ValueError, match="customer number"):
            ids.person_of(wrong)


def test_ids_of_a_kind_are_never_given_twice():
    people = np.arange(200_000)
    for make in (ids.customers, ids.phones, ids.cards, ids.devices, ids.openids, ids.unionids, ids.accounts):
        assert len(set(make(people).to_pylist())) == len(people)
    orders = ids.order_ids(np.repeat(people, 3), np.tile(np.arange(3), len(people)))
    assert len(set(orders.to_pylist())) == 3 * len(people)


def test_a_person_is_told_by_number_and_by_customer_number(company):
    n = int(np.flatnonzero(company.outcomes["orders"] > 5)[0])
    truth = company.truth
    one = truth.person(n)
    assert truth.person(one.customer) == one
    assert one.orders == company.outcomes["orders"][n]
    assert sum(one.tastes.values()) == pytest.approx(1.0)
    assert one.kind == truth.kind[one.customer]
    with pytest.raises(ValueError, match="no person"):
        truth.person(10**6)


def test_p_alive_is_calibrated(company):
    truth = company.truth
    end = company.calendar.end
    for at in (end, end - 200 * 86_400_000_000):
        p, alive = truth.p_alive(at), truth.alive(at)
        # Whoever the fallen store lost is silent without having left: not the model's fault.
        loyal = (company.people["channel"] != 5) & ~np.isnan(p)
        for low, high in ((0, 0.1), (0.3, 0.7), (0.9, 0.999)):
            some = loyal & (p >= low) & (p < high)
            assert some.sum() > 100
            error = abs(alive[some].mean() - p[some].mean())
            assert error < 4.5 * np.sqrt(p[some].mean() * (1 - p[some].mean()) / some.sum()) + 0.01


def test_nobody_is_alive_before_the_first_order(company):
    first = company.outcomes["first_order"]
    someone = int(np.flatnonzero(first < NEVER)[0])
    assert not company.truth.alive(int(first[someone]) - 1)[someone]
    assert np.isnan(company.truth.p_alive(int(first[someone]) - 1)[someone])


def test_cells_name_the_planted_best_and_worst(company):
    cells = company.truth.cells()
    assert len(cells) == 9 * 6 * 8
    planted = {(c.channel, c.scene, c.category): c.interplay for c in cells if c.planted}
    assert planted == PLANTED
    assert cells[0].planted == "best"
    assert cells[-1].planted == "worst"


def test_a_better_treatment_does_more_and_a_placebo_nothing(company):
    truth = company.truth
    assert truth.effect("placebo").mean == 0.0
    assert truth.effect("coupon_20").mean > truth.effect("coupon_10").mean > 0
    assert truth.effect("coupon_20", "revenue").total > 0
    by_kind = {kind.name: truth.effect("coupon_20", "converted", kind.name).mean for kind in KINDS[:-1]}
    assert by_kind["bargain_hunter"] > 2 * by_kind["office"]
    with pytest.raises(ValueError, match="no treatment"):
        truth.effect("hypnosis")
    with pytest.raises(ValueError, match="no metric"):
        truth.effect("placebo", "joy")


def test_an_effect_over_given_people_is_the_mean_of_theirs(company):
    who = np.flatnonzero(company.truth.alive(company.calendar.end))[:50]
    customers = company.truth.customers[who].tolist()
    by_list = company.truth.effect("coupon_10", "orders", customers)
    by_number = company.truth.effect("coupon_10", "orders", who)
    assert by_list.people == 50
    assert by_list.mean == by_number.mean
    halves = [company.truth.effect("coupon_10", "orders", part).total for part in (who[:25], who[25:])]
    assert sum(halves) == pytest.approx(by_list.total)


def test_an_effect_is_what_treated_people_would_do_more(company):
    """Orders drawn with and without treatment differ by the stated effect."""
    treatment = next(t for t in TREATMENTS if t.key == "coupon_20")
    people = company.people
    alive = company.truth.alive(company.calendar.end)
    rng = np.random.default_rng(1)
    treated = untreated = 0.0
    steps = np.arange(0, 30, 0.25)
    for since in steps:
        rate = people["rate"] * alive * 0.25
        treated += rng.poisson(rate * np.exp(log_rate(treatment, people, since + 0.125)), (60, len(people))).sum() / 60
        untreated += rate.sum()
    extra, noise = treated - untreated, np.sqrt(treated / 60)
    assert noise < 0.08 * extra, "or the comparison would say nothing"
    assert company.truth.effect("coupon_20", "orders", alive).total == pytest.approx(extra, abs=4 * noise)


def test_response_wears_off_and_tires_and_differs_by_class(company):
    treatment = next(t for t in TREATMENTS if t.key == "coupon_10")
    people = company.people
    now = log_rate(treatment, people)
    classes = people["persuasion_class"]
    assert (now[classes == CLASSES.index("persuadable")] > 0).all()
    assert (now[classes == CLASSES.index("sleeping_dog")] < 0).all()
    assert (now[np.isin(classes, (1, 2))] == 0).all()
    assert (np.abs(log_rate(treatment, people, 10)) <= np.abs(now)).all()
    assert (np.abs(log_rate(treatment, people, 0, recent=3)) <= np.abs(now)).all()


def test_surveys_show_the_need_through_the_noise(company):
    people = company.people
    answers = survey_answers(company.seed, np.arange(len(people)), people["need"])
    assert answers.shape == (len(people), len(QUESTIONS))
    assert answers.min() >= 1
    assert answers.max() <= 5
    guess = answers.reshape(len(people), -1, 2).sum(axis=2).argmax(axis=1)
    right = (guess == people["need"]).mean()
    assert 0.6 < right < 0.97


def test_promoters_stay_and_detractors_leave(company):
    people, outcomes = company.people, company.outcomes
    buyers = outcomes["orders"] > 0
    alive = company.truth.alive(company.calendar.end)
    promoters, detractors = buyers & (people["nps"] >= 9), buyers & (people["nps"] <= 6)
    assert alive[promoters].mean() > alive[detractors].mean() + 0.08


def test_defaults_follow_the_planted_risk(company, rows):
    from tilth.simulate.visits import EVENTS

    ends = rows[np.isin(rows["event"], (EVENTS.index("repaid"), EVENTS.index("overdue")))]
    overdue = ends["event"] == EVENTS.index("overdue")
    people = company.people[ends["owner"]]
    odds = (people["default_seen"] + people["default_hidden"]).astype(float)
    expected = 1 / (1 + np.exp(-odds))
    assert overdue.mean() == pytest.approx(expected.mean(), abs=0.02)
    risky = odds > np.quantile(odds, 0.8)
    assert overdue[risky].mean() > 2 * overdue[~risky].mean()
    assert np.corrcoef(people["default_seen"], overdue)[0, 1] > 0.05, "some of the risk can be seen"


def test_truth_is_written_beside_the_files(written):
    folder, manifest, simulation = written
    people = pq.read_table(folder / "truth" / "people.parquet")
    assert people.num_rows == manifest.people
    assert people["orders"].to_numpy().sum() == simulation.outcomes["orders"].sum()
    for name in ("cells", "rings", "invitations", "friends", "effects"):
        assert pq.read_table(folder / "truth" / f"{name}.parquet").num_rows > 0
