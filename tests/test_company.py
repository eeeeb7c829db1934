"""The simulated company through the whole product, against its own truth to the last row and fen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
import pytest

from tilth.demo import build_company
from tilth.lake.sql import SqlDoor
from tilth.segments import adjusted_rand
from tilth.simulate import Manifest, load_manifest
from tilth.workspace import Workspace


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A company of 4,000 people, imported and layered as the demo does it."""
    workspace = build_company(tmp_path_factory.mktemp("company") / "workspace", people=4_000)
    yield workspace
    workspace.close()


@pytest.fixture(scope="module")
def manifest(company: Workspace) -> Manifest:
    return load_manifest(company.folder / "company" / "manifest.json")


def ask(company: Workspace, statement: str) -> list[list[object]]:
    return SqlDoor(company.lake).run(statement).rows


def test_orders_and_money_agree_with_the_manifest(company: Workspace, manifest: Manifest) -> None:
    purchases = ask(company, "SELECT count(*), sum(p_amount), count(DISTINCT uid) FROM events WHERE event = 'purchase'")
    assert purchases == [[manifest.orders.purchases, manifest.orders.purchase_amount, manifest.orders.buyers]]
    cancelled = sum(f.cancelled_rows for f in manifest.order_files)
    refunds = ask(company, "SELECT count(*) FROM events WHERE event = 'refund'")
    # An order cancelled by its status word is a refund here, and counted apart in the manifest.
    assert refunds == [[manifest.orders.refunds + cancelled]]


def test_every_event_of_behaviour_arrived_once(company: Workspace, manifest: Manifest) -> None:
    found = dict(
        ask(
            company,
            "SELECT event, count(*) FROM events WHERE event NOT IN "
            "('purchase', 'purchase_item', 'refund', 'refund_item') GROUP BY event",
        )
    )
    assert found == manifest.events.by_name


def test_every_row_of_every_file_is_accounted_for(company: Workspace, manifest: Manifest) -> None:
    imports = company.imports.list().imports
    assert len(imports) == 7
    for job in imports:
        summary = job.summary
        assert summary is not None
        parts = summary.rows_accepted + summary.rows_duplicate + summary.rows_quarantined + summary.rows_skipped
        assert summary.rows_read == parts
    quarantined = sum(i.summary.rows_quarantined for i in imports if i.summary is not None)
    malformed = sum(sum(f.malformed.values()) for f in manifest.order_files)
    malformed += sum(manifest.members.malformed.values()) + sum(manifest.events.malformed.values())
    assert quarantined == malformed


def test_layers_recover_more_of_the_planted_kinds_than_chance(
    company: Workspace, record_property: pytest.RecordProperty
) -> None:
    truth = pq.read_table(company.folder / "company" / "truth" / "people.parquet").to_pydict()
    kind_of = dict(zip(truth["customer"], truth["kind"], strict=True))
    made = company.segments.layering("clusters", save=True)
    layer_of: dict[int, str] = {}
    for layer in made.layers:
        if layer.orders:
            layer_of |= dict.fromkeys(company.segments.layer_uids(made.id, layer.key).tolist(), layer.key)
    ids = company.people.distinct_ids(list(layer_of))
    pairs = [(layer_of[uid], kind_of[i.id]) for uid, held in ids.items() for i in held if i.id in kind_of]
    layers = np.unique([p[0] for p in pairs], return_inverse=True)[1]
    kinds = np.unique([str(p[1]) for p in pairs], return_inverse=True)[1]
    score = adjusted_rand(layers, kinds)
    chance = adjusted_rand(np.random.default_rng(1).permutation(layers), kinds)
    record_property("adjusted_rand", score)
    print(f"adjusted Rand of clusters against the planted kinds: {score:.3f} ({len(pairs)} buyers)")
    assert score > 0.15
    assert abs(chance) < 0.02
