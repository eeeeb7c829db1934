"""What a file of orders becomes: purchases, refunds, people, and sums that are right to the penny."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.collect.imports.conftest import adds_up
from tilth.collect.imports import Summary
from tilth.errors import InvalidInput
from tilth.workspace import Workspace

Orders = Callable[..., Summary]
Write = Callable[..., Path]

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"


def lake(workspace: Workspace, *columns: str) -> list[tuple[Any, ...]]:
    """All events as tuples of these columns, in time order."""
    rows = pa.concat_tables(workspace.lake.scan(["ts", "event", *columns])).sort_by(
        [("ts", "ascending"), ("event", "ascending"), *((c, "ascending") for c in columns)]
    )
    return list(zip(*(rows.column(c).to_pylist() for c in ("event", *columns)), strict=True))


def test_lines_of_one_order_become_one_purchase_and_an_item_each(workspace: Workspace, orders: Orders) -> None:
    summary = orders(
        HEADER + "1001,T1,Green tea,2,2024-01-05 10:00:00,3.50,7.0\n1001,T2,Cup,1,2024-01-05 09:59:00,12.00,7.0\n"
    )
    assert lake(workspace, "p_order_id", "p_product", "p_quantity", "p_price", "p_amount", "props") == [
        ("purchase", "1001", None, 3.0, None, 1900, '{"lines":2}'),
        ("purchase_item", "1001", "T2", 1.0, Decimal("12.0000"), 1200, '{"name":"Cup"}'),
        ("purchase_item", "1001", "T1", 2.0, Decimal("3.5000"), 700, '{"name":"Green tea"}'),
    ]
    assert (summary.orders, summary.people, summary.buyers, summary.revenue.amount) == (1, 1, 1, "19.00")
    assert summary.first == "2024-01-05T09:59:00Z"
    assert workspace.people.find("7") == 1


def test_cancelled_invoices_and_negative_quantities_become_refunds(workspace: Workspace, orders: Orders) -> None:
    summary = orders(
        HEADER
        + "536365,T1,Tea,2,2024-01-05 10:00:00,3.50,7\n"
        + "C536379,T1,Tea,-1,2024-01-06 10:00:00,3.50,7\n"
        + "536380,T1,Tea,-1,2024-01-07 10:00:00,3.50,7\n"
    )
    assert [r for r in lake(workspace, "p_order_id", "p_amount", "p_quantity") if "item" not in r[0]] == [
        ("purchase", "536365", 700, 2.0),
        ("refund", "C536379", 350, 1.0),
        ("refund", "536380", 350, 1.0),
    ]
    assert (summary.orders, summary.refund_orders) == (1, 2)
    assert (summary.revenue.amount, summary.refunds.amount) == ("7.00", "7.00")


def test_rules_can_be_switched_and_everything_still_adds_up(workspace: Workspace, write: Write) -> None:
    path = write(
        "a.csv",
        HEADER
        + "536365,T1,Tea,2,2024-01-05,3.50,7\n"
        + "C536379,T1,Tea,-1,2024-01-06,3.50,7\n"
        + "536381,T1,Tea,-1,2024-01-06,3.50,7\n"
        + "536382,T2,Gift,1,2024-01-06,0.00,8\n"
        + "536383,T1,Tea,1,2024-01-06,3.50,\n",
    )
    run = workspace.imports.run_files
    usual = run("orders", [path], dry_run=True)
    assert usual.skipped == {"no_customer": 1, "zero_price": 1}
    assert (usual.rows_accepted, usual.people, usual.buyers) == (3, 2, 1)
    strict = run("orders", [path], options={"rules": {"cancelled": "skip", "returns": "skip"}}, dry_run=True)
    assert strict.skipped == {"no_customer": 1, "zero_price": 1, "cancelled": 1, "returns": 1}
    loose = run("orders", [path], options={"where": {"zero_price": "off", "no_customer": "off"}}, dry_run=True)
    assert (loose.skipped, loose.quarantined, loose.orders) == ({}, {"no_customer": 1}, 2)
    off = run(
        "orders",
        [path],
        options={"rules": [{"key": "cancelled", "on": False}, {"key": "returns", "on": False}]},
        dry_run=True,
    )
    assert off.quarantined == {"negative_amount": 2}
    assert all(adds_up(s) for s in (usual, strict, loose, off))
    assert lake(workspace) == []


def test_status_words_decide_in_a_file_of_orders(chinese: Workspace, write: Write) -> None:
    path = write(
        "订单.csv",
        "订单编号,会员编号,下单时间,实付金额,订单状态\n"
        "A1,m1,2024-01-05 10:00,12.50,已完成\nA2,m1,2024-01-06 10:00,20.00,已退款\n"
        "A3,m2,2024-01-07 10:00,30.00,待付款\nA4,m2,2024-01-08 10:00,40.00,交易关闭\nA5,m3,2024-01-08 09:00,0,已完成\n",
        "gbk",
    )
    summary = chinese.imports.run_files("orders", [path])
    assert lake(chinese, "p_order_id", "p_amount") == [
        ("purchase", "A1", 1250),
        ("refund", "A2", 2000),
        ("purchase", "A5", 0),
        ("refund", "A4", 4000),
    ]
    assert summary.skipped == {"unpaid": 1}
    kept = chinese.imports.run_files("orders", [path], options={"statuses": {"交易关闭": "purchase"}}, dry_run=True)
    assert kept.orders == 1
    assert (kept.rows_duplicate, kept.rows_accepted) == (3, 1)


def test_importing_the_same_file_again_adds_nothing(workspace: Workspace, orders: Orders) -> None:
    text = HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n1,T1,Tea,2,2024-01-05,3.50,7\n2,T1,Tea,1,2024-01-06,3.50,8\n"
    first = orders(text)
    before = lake(workspace, "event_id")
    again = orders(text, "copy.csv")
    assert (first.rows_accepted, again.rows_accepted, again.rows_duplicate) == (3, 0, 3)
    assert (again.orders, again.new_people, again.people) == (0, 0, 2)
    assert lake(workspace, "event_id") == before


def test_equal_lines_in_one_file_all_count_but_a_copy_of_the_file_adds_none(workspace: Workspace, write: Write) -> None:
    text = HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n" * 3
    summary = workspace.imports.run_files("orders", [write("in/a.csv", text), write("in/b.csv", text)])
    assert (summary.rows_accepted, summary.rows_duplicate, summary.revenue.amount) == (3, 3, "21.00")


def test_lines_that_come_later_for_a_known_order_are_added_to_it(workspace: Workspace, orders: Orders) -> None:
    orders(HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n1,T3,Pot,1,2024-01-05,20.00,7\n")
    later = orders(
        HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n1,T2,Cup,1,2024-01-05,12.00,7\n2,T2,Cup,1,2024-01-07,12.00,7\n"
    )
    assert [r for r in lake(workspace, "p_order_id", "p_amount") if "item" not in r[0]] == [
        ("purchase", "1", 2700),
        ("purchase_added", "1", 1200),
        ("purchase", "2", 1200),
    ]
    assert (later.rows_duplicate, later.rows_accepted, later.orders, later.revenue.amount) == (1, 2, 1, "24.00")


def test_one_order_number_of_two_customers_is_two_orders(workspace: Workspace, orders: Orders) -> None:
    assert orders(HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n1,T1,Tea,2,2024-01-05,3.50,8\n").orders == 2


def test_without_order_numbers_every_row_is_an_order_even_an_equal_one(workspace: Workspace, orders: Orders) -> None:
    text = "customer_id,date,dollar_value\n" + "1,19970101,11.77\n" * 2 + "2,19970112,0.00\n"
    summary = orders(text)
    assert (summary.orders, summary.rows_accepted, summary.revenue.amount) == (3, 3, "23.54")
    assert orders(text).rows_duplicate == 3


def test_a_row_repeated_in_a_file_of_orders_is_a_duplicate_and_another_payment_is_added(
    workspace: Workspace, orders: Orders
) -> None:
    rows = [f"O{i},c{i % 9},2024-01-05,10.00\n" for i in range(200)]
    text = "order id,customer,date,amount\n" + "".join(rows) + rows[0] + "O1,c1,2024-01-06,2.50\n"
    summary = orders(text)
    assert (summary.orders, summary.rows_accepted, summary.rows_duplicate) == (200, 201, 1)
    assert summary.revenue.amount == "2002.50"
    assert [r for r in lake(workspace, "p_amount") if r[0] == "purchase_added"] == [("purchase_added", 250)]
    assert orders(text).rows_accepted == 0


def test_a_file_of_orders_after_the_file_of_their_lines_adds_nothing(workspace: Workspace, orders: Orders) -> None:
    orders(HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n1,T2,Cup,1,2024-01-05,12.00,7\n2,T2,Cup,1,2024-01-05,12.00,8\n")
    summary = orders("order id,customer,date,amount\n1,7,2024-01-05,19.00\n2,8,2024-01-05,12.00\n", "orders2.csv")
    assert (summary.rows_duplicate, summary.rows_accepted) == (2, 0)


def test_a_dry_run_says_the_same_and_writes_nothing(workspace: Workspace, orders: Orders, tmp_path: Path) -> None:
    text = HEADER + "1,T1,Tea,2,2024-01-05,3.50,7\n1,T2,Cup,x,2024-01-05,12.00,7\n2,T2,Cup,1,2024-01-07,12.00,8\n"
    dry = orders(text, dry_run=True)
    assert workspace.people.count() == 0
    assert lake(workspace) == []
    assert workspace.imports.list().imports == []
    assert workspace.imports.quarantine().total == 0
    assert not any((workspace.folder / "staging").iterdir())
    real = orders(text)
    assert dry.dry_run
    for name in (
        "rows_read",
        "rows_accepted",
        "rows_quarantined",
        "people",
        "new_people",
        "orders",
        "revenue",
        "first",
    ):
        assert getattr(dry, name) == getattr(real, name)


def test_prices_below_a_penny_count_exactly(workspace: Workspace, orders: Orders) -> None:
    summary = orders(
        HEADER + "1,T1,Bag,4,2024-01-05,0.001,7\n1,T2,Bag,5,2024-01-05,0.001,7\n1,T2,Bag,1,2024-01-05,8.95,7\n"
    )
    assert summary.skipped == {}
    assert summary.revenue.minor == 0 + 1 + 895


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("JPY", "1,200", 1200), ("KWD", "1.2345", 1235), ("CNY", "¥1,080.505", 108051)]
)
def test_amounts_are_kept_in_the_currencys_minor_unit(
    tmp_path: Path, write: Write, currency: str, amount: str, minor: int
) -> None:
    from tilth.settings import Settings

    path = write("a.csv", f'order id,customer,date,amount\n1,7,2024-01-05,"{amount}"\n')
    with Workspace.create(tmp_path / "w", Settings(currency=currency, timezone="UTC")) as opened:
        assert opened.imports.run_files("orders", [path]).revenue.minor == minor


def test_thousands_separators_currency_signs_and_full_width_digits(chinese: Workspace, write: Write) -> None:
    path = write(
        "a.csv", "会员号,日期,实付金额\nm1,２０２４年１月５日,￥１，２３４．５０\nm2,2024年1月6日,¥2\nm3,45297,12.5元\n"
    )
    summary = chinese.imports.run_files("orders", [path])
    assert summary.revenue.amount == "1249.00"
    assert (summary.first, summary.last) == ("2024-01-04T16:00:00Z", "2024-01-05T16:00:00Z")


def test_the_time_zone_of_wall_clock_times_can_be_given(workspace: Workspace, orders: Orders) -> None:
    text = "customer,date,amount\n7,2024-07-05 10:00,1\n8,2024-07-05T10:00:00Z,1\n"
    summary = orders(text, options={"timezone": "Asia/Shanghai"})
    assert (summary.first, summary.last) == ("2024-07-05T02:00:00Z", "2024-07-05T10:00:00Z")


def test_a_date_column_and_a_clock_column_are_one_time(workspace: Workspace, orders: Orders) -> None:
    summary = orders("customer,date,clock,amount\n7,2024-07-05,10:30,1\n8,2024-07-06,11:30:05,1\n")
    assert (summary.first, summary.last) == ("2024-07-05T10:30:00Z", "2024-07-06T11:30:05Z")


def test_a_decimal_comma_is_recognised(workspace: Workspace, orders: Orders) -> None:
    assert orders("customer;date;amount\n7;2024-07-05;1.234,50\n8;2024-07-05;2,5\n").revenue.amount == "1237.00"


def test_what_an_order_file_says_of_people_is_kept(chinese: Workspace, write: Write) -> None:
    path = write(
        "a.csv",
        "会员号,会员手机,姓名,所在城市,日期,实付金额\nm1,13800000001,张三,杭州,2024-01-05,1\nm2,13800000002,,苏州,2024-01-05,2\n",
    )
    chinese.imports.run_files("orders", [path])
    person = chinese.people.get("13800000001")
    assert {(d.kind, d.id) for d in person.distinct_ids} == {("id", "m1"), ("phone", "13800000001")}
    assert {t.name: t.value for t in person.traits} == {"name": "张三", "city": "杭州"}
    assert {t.name for t in chinese.people.get("m2").traits} == {"city"}


def test_a_phone_column_alone_identifies_people(chinese: Workspace, write: Write) -> None:
    chinese.imports.run_files("orders", [write("a.csv", "会员手机,日期,实付金额\n13800000001,2024-01-05,1\n")])
    assert chinese.people.get("13800000001").distinct_ids[0].kind == "phone"


def test_columns_of_the_sale_are_kept_with_the_events(workspace: Workspace, orders: Orders) -> None:
    orders("order no,customer,date,product,category,channel,store,amount\n1,7,2024-07-05,Tea,Drinks,web,London,2\n")
    assert lake(workspace, "p_product", "p_category", "p_channel", "p_store", "p_currency") == [
        ("purchase", "Tea", "Drinks", "web", "London", "GBP"),
        ("purchase_item", "Tea", "Drinks", "web", "London", "GBP"),
    ]


def test_several_files_must_agree_on_their_columns(workspace: Workspace, write: Write) -> None:
    a = write("in/a.csv", "customer,date,amount\n7,2024-07-05,1\n")
    b = write("in/b.csv", "amount,customer,date\n2,8,2024-07-06\n")
    assert workspace.imports.run_files("orders", [a, b]).revenue.amount == "3.00"
    c = write("in/c.csv", "customer,date,total\n9,2024-07-06,2\n")
    with pytest.raises(InvalidInput, match=r"c\.csv has no column 'amount'"):
        workspace.imports.run_files("orders", [a, c])
    assert workspace.people.count() == 2


def test_the_events_of_an_import_do_not_depend_on_how_they_are_cut(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tilth.collect.imports import delimited, writing
    from tilth.settings import Settings

    text = HEADER + "".join(
        f"{500000 + i // 3},T{i % 7},Tea {i % 7},{i % 4 + 1},2024-0{i % 9 + 1}-05 10:00:00,{i % 5 + 1}.25,{i % 50}\n"
        for i in range(3000)
    )
    path = write("a.csv", text)
    found = []
    for size, rows in ((16 << 20, 650), (4096, 0.05)):
        monkeypatch.setattr(delimited, "CHUNK_BYTES", size)
        monkeypatch.setattr(writing, "_PART_ROWS_PER_MB", rows)
        monkeypatch.setattr(writing, "_PASS_ROWS_PER_MB", rows * 2)
        monkeypatch.setattr(writing, "_LEAST_PART", 10)
        with Workspace.create(tmp_path / f"w{size}", Settings(timezone="UTC", currency="GBP", buckets=4)) as opened:
            summary = opened.imports.run_files("orders", [path])
            found.append((lake(opened, "event_id", "uid", "p_amount", "p_order_id", "p_product"), summary.revenue))
            versions = opened.lake.transaction_version(f"import:{opened.imports.list().imports[0].id}")
            assert versions == (1 if size > 5000 else 32)
    assert found[0] == found[1]
