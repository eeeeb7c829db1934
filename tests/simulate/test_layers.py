"""The planted kinds can be told from orders, which is what makes them a truth for layerings."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score


def test_kinds_show_in_what_is_bought_and_chance_does_not(company):
    outcomes, people = company.outcomes, company.people
    week = 7 * 86_400e6
    # People long enough there to show who they are.
    seen = (outcomes["orders"] >= 4) & (people["ring"] < 0)
    some, kinds = outcomes[seen], people["kind"][seen]
    span = np.maximum((some["last_order"] - some["first_order"]) / week, 1)
    features = np.column_stack([np.log((some["orders"] - 1) / span), 1.6 * np.log(some["spent"] / some["orders"])])
    found = KMeans(6, n_init=4, random_state=0).fit_predict(features)
    assert adjusted_rand_score(kinds, found) > 0.3
    shuffled = np.random.default_rng(0).permutation(found)
    assert abs(adjusted_rand_score(kinds, shuffled)) < 0.02
