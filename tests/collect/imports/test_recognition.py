"""Columns are recognised by header and content, in English and Chinese."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tilth.collect.imports.vocabulary import header_score, plain, status_class
from tilth.errors import InvalidInput
from tilth.workspace import Workspace

Write = Callable[..., Path]

CHINESE = (
    "订单编号,会员手机,客户姓名,下单时间,付款时间,商品,单价,数量,优惠金额,实付金额(元),渠道,门店,订单状态,所在城市\n"
    + "".join(
        f"20240105{i:04d},1380000{i % 37:04d},张{i % 9},"
        f"2024-01-{i % 28 + 1:02d} 10:00:00,2024-01-{i % 28 + 1:02d} 10:01:00,"
        f"红茶{i % 5},{i % 9 + 1}.50,{i % 3 + 1},0.00,{(i % 9 + 1.5) * (i % 3 + 1):.2f},抖音,杭州{i % 4}店,"
        f"{'已退款' if i % 20 == 0 else '已完成'},杭州\n"
        for i in range(100)
    )
)  # fmt: skip


def test_a_chinese_export_needs_no_map(chinese: Workspace, write: Write) -> None:
    proposal = chinese.imports.propose("orders", [write("订单.csv", CHINESE, "gbk")])
    assert proposal.map == {
        "order": "订单编号",
        "phone": "会员手机",
        "name": "客户姓名",
        "time": "下单时间",
        "product_name": "商品",
        "price": "单价",
        "quantity": "数量",
        "amount": "实付金额(元)",
        "channel": "渠道",
        "store": "门店",
        "status": "订单状态",
        "city": "所在城市",
    }
    assert proposal.questions == []
    assert proposal.options.statuses == {"已退款": "refund"}
    returns = next(r for r in proposal.options.rules if r.key == "returns")
    assert (returns.on, returns.then, returns.rows_in_sample) == (True, "refund", 5)


def test_every_recognised_column_says_why_and_how_sure(chinese: Workspace, write: Write) -> None:
    proposal = chinese.imports.propose("orders", [write("订单.csv", CHINESE)])
    amount = next(c for c in proposal.columns if c.role == "amount")
    assert amount.confidence > 0.9
    assert amount.why["zh-CN"] == "列名“实付金额(元)”，100% 的值是数字"
    assert amount.why["en"] == "the header '实付金额(元)', 100% of values are numbers"
    discount = next(c for c in proposal.columns if c.column == "优惠金额")
    assert discount.role is None


def test_the_preview_shows_the_first_rows_as_they_will_count(chinese: Workspace, write: Write) -> None:
    rows = chinese.imports.propose("orders", [write("订单.csv", CHINESE)]).preview_rows
    assert len(rows) == 20
    assert (rows[0].kind, rows[0].customer, rows[0].amount) == ("refund", "13800000000", "1.50")
    assert (rows[1].kind, rows[1].time, rows[1].product) == ("purchase", "2024-01-02T10:00:00+08:00", "红茶1")


def test_a_map_by_name_in_any_case_or_by_number_overrides(workspace: Workspace, write: Write) -> None:
    path = write(
        "a.csv", "who,when,paid,other\n" + "".join(f"c{i % 7},2024-01-0{i % 9 + 1},{i}.5,{i % 7}\n" for i in range(50))
    )
    proposal = workspace.imports.propose("orders", [path], {"customer": "OTHER", "amount": "3"})
    assert proposal.map["customer"] == "other"
    assert proposal.map["amount"] == "paid"
    assert next(c for c in proposal.columns if c.column == "other").confidence == 1.0


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"customer": "CustomerNo"}, "map.customer", "there is no column 'CustomerNo'; did you mean Customer?"),
        ({"buyer": "Customer"}, "map.buyer", "is not a role of this kind of file"),
        ({"customer": "Customer", "order": "Customer"}, "map.order", "the column 'Customer' is the customer already"),
    ],
)
def test_a_map_that_cannot_be_is_refused(
    workspace: Workspace, write: Write, given: dict[str, str], field: str, reason: str
) -> None:
    path = write("a.csv", "Customer,Date,Amount\nA,2024-01-01,1\n")
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.propose("orders", [path], given)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_a_role_can_be_taken_away(workspace: Workspace, write: Write) -> None:
    path = write("a.csv", "Customer,Date,Amount,Channel\nA,2024-01-01,1,web\nB,2024-01-01,1,web\n")
    assert "channel" not in workspace.imports.propose("orders", [path], {"channel": ""}).map


def test_a_total_repeated_on_every_line_is_not_added_up(workspace: Workspace, write: Write) -> None:
    lines = "".join(
        f"{o},c{o % 5},2024-01-0{o % 9 + 1},tea{k},{k + 1}.00,{o % 7 + 1},{(o % 7 + 1) * 6}.00\n"
        for o in range(30)
        for k in range(3)
    )
    path = write("a.csv", "order,customer,date,product,unit price,quantity,total\n" + lines)
    proposal = workspace.imports.propose("orders", [path])
    assert "amount" not in proposal.map
    assert "it is the order's total" in proposal.warnings[0]["en"]
    summary = workspace.imports.run_files("orders", [path])
    assert summary.revenue.amount == f"{sum((o % 7 + 1) * 6 for o in range(30))}.00"


def test_an_order_total_without_prices_counts_once_an_order(workspace: Workspace, write: Write) -> None:
    lines = "".join(f"{o},c{o % 5},2024-01-0{o % 9 + 1},tea{k},{o + 10}.00\n" for o in range(30) for k in range(3))
    path = write("a.csv", "order,customer,date,product,order total\n" + lines)
    assert workspace.imports.propose("orders", [path]).options.amount_per == "order"
    assert workspace.imports.run_files("orders", [path]).revenue.minor == sum(o + 10 for o in range(30)) * 100


def test_whether_a_repeated_amount_is_the_orders_is_asked_when_nothing_says_so(
    workspace: Workspace, write: Write
) -> None:
    lines = "".join(f"{o},c{o % 5},2024-01-0{o % 9 + 1},tea{k},{o + 10}.00\n" for o in range(30) for k in range(3))
    path = write("a.csv", "order,customer,date,product,paid\n" + lines)
    with pytest.raises(InvalidInput) as caught:
        workspace.imports.run_files("orders", [path], {"amount": "paid"})
    assert (caught.value.field, caught.value.choices) == ("options.amount_per", ["order", "row"])
    summary = workspace.imports.run_files("orders", [path], {"amount": "paid"}, {"amount_per": "row"})
    assert summary.revenue.minor == 3 * sum(o + 10 for o in range(30)) * 100


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("CustomerID", "customer"), ("customer_id", "customer"), ("会员卡号", "customer"), ("买家会员名", "customer"),
        ("InvoiceNo", "order"), ("主订单编号", "order"), ("订单付款时间", "time"), ("order_purchase_timestamp", "time"),
        ("Qty", "quantity"), ("购买数量", "quantity"), ("number_of_cds", "quantity"), ("UnitPrice", "price"),
        ("买家实际支付金额", "amount"), ("dollar_value", "amount"), ("StockCode", "product"),
        ("宝贝标题", "product_name"),
    ],
)  # fmt: skip
def test_a_header_is_taken_for_the_role_it_names_more_than_for_any_other(header: str, role: str) -> None:
    others = ["customer", "order", "time", "quantity", "price", "amount", "product", "product_name", "status", "name"]
    best = max(others, key=lambda r: header_score(r, header))
    assert best == role


def test_headers_are_compared_without_case_and_units() -> None:
    assert plain("实付金额（元）") == "实付金额"
    assert plain("Order_ID ") == "order id"
    assert plain("InvoiceNo") == "invoice no"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("已退款", "refund"), ("退款成功", "refund"), ("Refunded", "refund"), ("无退款", "purchase"),
        ("部分退款", "purchase"),
        ("交易关闭", "cancelled"), ("已取消", "cancelled"), ("Cancelled", "cancelled"), ("待付款", "unpaid"),
        ("unpaid", "unpaid"), ("已完成", "purchase"), ("paid", "purchase"), ("已发货", "purchase"),
    ],
)  # fmt: skip
def test_status_words_say_what_became_of_an_order(status: str, kind: str) -> None:
    assert status_class(status) == kind
