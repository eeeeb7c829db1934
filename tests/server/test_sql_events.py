"""Events of the tracking plan as tables with typed columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.behavior.made import happened, table_of
from tilth.collect.model import Id, Track
from tilth.collect.plan import EventPlan, Plan, PropertyPlan
from tilth.errors import InvalidInput
from tilth.server.sql_views import run_sql, sql_schema
from tilth.settings import Settings
from tilth.workspace import Workspace

T0 = 1_790_000_000_000_000
KINDS = {
    "stars": "number",
    "kept": "boolean",
    "until": "date",
    "tip": "money",
    "at": "place",
    "tags": "list",
    "amount": "number",
    "product": "text",
    "a/b~c": "text",
    "day": "text",
}


@pytest.fixture
def planned(workspace: Workspace) -> Workspace:
    properties = {name: PropertyPlan(type=kind) for name, kind in KINDS.items()}  # type: ignore[arg-type]
    events = {"it's rated": EventPlan(properties=properties), "other": EventPlan()}
    workspace.collect.plans.save(Plan(events=events), "test")
    good = {
        "stars": Decimal("4.5"),
        "kept": True,
        "until": "2026-12-24",
        "tip": {"amount": "1.50", "currency": "CNY"},
        "at": {"lat": Decimal("30.25"), "lng": Decimal("120.17"), "name": "西湖"},
        "tags": ["a", "b"],
        "amount": Decimal("88.00"),
        "product": "tea",
        "a/b~c": "odd",
        "day": "Friday",
    }
    wrong = {"stars": "many", "kept": "perhaps", "until": "soon", "tip": 3, "at": "here"}
    workspace.collect.receive(
        [
            Track(ids=(Id("id", "lin"),), ts=T0 + n, event_id=str(n), event="it's rated", properties=properties)
            for n, properties in enumerate((good, wrong))
        ],
        "web",
    )
    return workspace


def test_properties_are_columns_of_their_types(planned: Workspace) -> None:
    columns = 'stars, kept, until, tip, tip_currency, at_lat, at_name, tags, amount, product, "a/b~c", day_'
    found = run_sql(planned, f'SELECT {columns} FROM "event_it\'s rated" ORDER BY ts')
    assert found.types == [
        *["DOUBLE", "BOOLEAN", "TIMESTAMP", "DECIMAL(18,4)", "VARCHAR", "DOUBLE", "VARCHAR", "JSON"],
        *["DECIMAL(18,3)", "VARCHAR", "VARCHAR", "VARCHAR"],
    ]
    first, second = found.rows
    assert [first[0], first[1], first[4], first[5], first[6], first[9], first[10], first[11]] == [
        *[4.5, True, "CNY", 30.25, "西湖", "tea", "odd", "Friday"],
    ]
    assert (Decimal(str(first[3])), Decimal(str(first[8]))) == (Decimal("1.5"), Decimal("88"))
    assert second[:7] == [None] * 7


def test_the_schema_names_the_tables_and_only_those_asked_for_are_made(planned: Workspace) -> None:
    tables = {view.name: [c.name for c in view.columns] for view in sql_schema(planned).views}
    assert tables["event_it's rated"][-2:] == ["a/b~c", "day_"]
    assert tables["event_other"] == ["uid", "ts", "day", "distinct_id", "source"]
    assert run_sql(planned, "SELECT count(*) FROM event_other").rows == [[0]]
    with pytest.raises(InvalidInput, match="event_nothing"):
        run_sql(planned, "SELECT * FROM event_nothing")


def test_names_that_sql_cannot_tell_apart_are_told_apart_and_money_has_its_own_units(workspace: Workspace) -> None:
    properties = {name: PropertyPlan(type="number") for name in ("Stars", "stars", "TS", "amount", "currency")}
    events = {"Rated": EventPlan(properties=properties), "rated": EventPlan(properties=properties)}
    workspace.collect.plans.save(Plan(events=events), "test")
    sent = [("Rated", "JPY", 500), ("rated", "CNY", 500), ("rated", "KWD", 500)]
    workspace.collect.receive(
        [
            Track(
                ids=(Id("id", "lin"),), ts=T0 + n, event_id=str(n), event=event,
                properties={"Stars": 1, "stars": 2, "TS": 3, "amount": amount, "currency": currency},
            )
            for n, (event, currency, amount) in enumerate(sent)
        ],
        "web",
    )  # fmt: skip
    upper = run_sql(workspace, "SELECT Stars, stars_, TS_, amount FROM event_Rated").rows
    lower = run_sql(workspace, "SELECT amount, currency FROM event_rated_ ORDER BY ts").rows
    assert [[float(value) for value in row] for row in upper] == [[1, 2, 3, 500]]
    assert [(float(amount), currency) for amount, currency in lower] == [(500, "CNY"), (500, "KWD")]


@pytest.mark.parametrize(("currency", "paid"), [("JPY", "1234"), ("CNY", "12.34"), ("KWD", "1.234")])
def test_amounts_of_orders_and_people_are_in_the_currency_however_many_decimals_it_has(
    tmp_path: Path, currency: str, paid: str
) -> None:
    rows = [(1, "2026-06-01", "purchase", {"order_id": "a", "amount": 12.34})]
    with Workspace.create(tmp_path / "shop", Settings(currency=currency, timezone="UTC")) as shop:
        shop.lake.append(table_of(happened(rows)))  # 1,234 minor units
        order = run_sql(shop, "SELECT amount, sum(amount) OVER () FROM orders")
        people = run_sql(shop, "SELECT revenue FROM people")
    digits = -Decimal(paid).as_tuple().exponent  # type: ignore[operator]
    assert order.types[0] == f"DECIMAL(18,{digits})"
    assert people.types == [f"DECIMAL(19,{digits})"]
    assert [Decimal(str(v)) for v in (*order.rows[0], people.rows[0][0])] == [Decimal(paid)] * 3
