"""Webhooks of shop systems: signed, mapped, counted once, quarantined where they cannot be understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.conftest import Client, Headers
from tilth.collect.connectors import READY, Field, MappingRule, check_signature, map_payload
from tilth.collect.connectors.mapping import check_rules
from tilth.errors import InvalidInput
from tilth.server.context import Context

SHOPIFY_ORDER: dict[str, Any] = {
    "id": 820982911946154508, "name": "#9999", "email": "jon@example.com", "phone": None,
    "created_at": "2026-06-01T10:00:00-04:00", "processed_at": "2026-06-01T10:01:00-04:00", "currency": "CNY",
    "total_price": "398.00", "current_total_price": "388.50", "total_discounts": "9.50", "source_name": "web",
    "discount_codes": [{"code": "TEA10", "amount": "9.50"}],
    "customer": {"id": 115310627314723954, "first_name": "Jon", "email": "jon@example.com"},
    "shipping_address": {"city": "Hangzhou", "country_code": "CN"},
    "line_items": [
        {"id": 866550311766439020, "title": "Longjing", "product_id": 788032119674292922, "sku": "LJ", "quantity": 1,
         "price": "199.00"},
        {"id": 141249953214522974, "title": "Pu'er", "product_id": 788032119674292923, "sku": "PE", "quantity": 1,
         "price": "199.00"},
    ],
}  # fmt: skip
WOO_ORDER: dict[str, Any] = {
    "id": 727, "status": "processing", "currency": "CNY", "date_paid_gmt": "2026-06-01T14:00:00", "customer_id": 0,
    "total": "29.35", "discount_total": "0.00", "payment_method": "wechat",
    "billing": {"first_name": "Mei", "email": "mei@example.com", "phone": "13900001111", "city": "Hangzhou"},
    "line_items": [{"id": 315, "name": "Woo Single", "product_id": 93, "quantity": 2, "price": 3.0, "sku": ""}],
    "coupon_lines": [],
}  # fmt: skip
YOUZAN_TRADE: dict[str, Any] = {
    "full_order_info": {
        "order_info": {"tid": "E20260601100000000000001", "pay_time": "2026-06-01 10:00:05", "node_kdt_id": 160},
        "pay_info": {"payment": "38.80", "total_fee": "40.00"},
        "buyer_info": {"yz_open_id": "wx5aBcD", "buyer_phone": "13900002222"},
        "address_info": {"delivery_city": "杭州市", "delivery_province": "浙江省"},
        "source_info": {"source": {"platform": "wx"}},
        "orders": [{"oid": "155", "title": "龙井", "item_id": 12, "num": 2, "price": "20.00"}],
    }
}  # fmt: skip


def signed(kind: str, secret: str, body: bytes) -> Headers:
    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    if kind == "shopify":
        return {"X-Shopify-Hmac-Sha256": base64.b64encode(mac.digest()).decode(), "X-Shopify-Topic": "orders/paid"}
    if kind == "woocommerce":
        return {"X-WC-Webhook-Signature": base64.b64encode(mac.digest()).decode(),
                "X-WC-Webhook-Topic": "order.updated"}  # fmt: skip
    if kind == "youzan":
        client, _, key = secret.partition(":")
        return {"Event-Sign": hashlib.md5(client.encode() + body + key.encode()).hexdigest(),
                "Event-Type": "trade_TradePaid"}  # fmt: skip
    return {"X-Tilth-Signature": f"sha256={mac.hexdigest()}"}


def body_of(kind: str) -> bytes:
    if kind == "youzan":
        return json.dumps({"type": "trade_TradePaid", "msg": quote(json.dumps(YOUZAN_TRADE))}).encode()
    return json.dumps({"shopify": SHOPIFY_ORDER, "woocommerce": WOO_ORDER}[kind]).encode()


@pytest.mark.parametrize(
    ("kind", "secret", "amount", "known_as", "items"),
    [
        ("shopify", "shpss_1", 38850, "115310627314723954", 2),
        ("woocommerce", "woo", 2935, "mei@example.com", 1),
        ("youzan", "app:key", 3880, "wx5aBcD", 1),
    ],
)
def test_a_paid_order_becomes_a_purchase_with_its_lines_once(
    client: Client, context: Context, admin: Headers, kind: str, secret: str, amount: int, known_as: str, items: int
) -> None:
    made = client.post("/api/v1/connectors", json={"source": "shop", "kind": kind, "secret": secret}, headers=admin)
    assert made.status_code == 201, made.text
    body = body_of(kind)
    for expected in ({"accepted": items + 1, "duplicate": 0}, {"accepted": 0, "duplicate": items + 1}):
        answer = client.post(made.json()["address"], content=body, headers=signed(kind, secret, body))
        assert answer.status_code == 200, answer.text
        assert answer.json() == {**expected, "quarantined": 0, "dropped": 0}
    rows = context.workspace.lake.tail().to_pylist()
    purchase = next(row for row in rows if row["event"] == "purchase")
    # Youzan names no currency: it is the workspace's.
    currency = context.workspace.settings.currency if kind == "youzan" else "CNY"
    assert (purchase["p_amount"], purchase["p_currency"]) == (amount, currency)
    assert purchase["ts"].date().isoformat() == "2026-06-01"
    if kind == "youzan":
        assert purchase["ts"].isoformat() == "2026-06-01T02:00:05+00:00"
    lines = [row for row in rows if row["event"] == "purchase_item"]
    assert len(lines) == items
    assert {row["p_order_id"] for row in lines} == {purchase["p_order_id"]}
    assert {row["uid"] for row in rows} == {context.workspace.people.find(known_as)}
    portrait = client.get(f"/api/v1/people/{quote(known_as)}", headers=admin).json()
    assert portrait["portrait"]["orders"] == 1


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "youzan", "generic"])
def test_what_is_not_signed_is_not_read(client: Client, context: Context, admin: Headers, kind: str) -> None:
    secret = "app:key"
    client.post("/api/v1/connectors", json={"source": "shop", "kind": kind, "secret": secret}, headers=admin)
    body = json.dumps(SHOPIFY_ORDER).encode()
    good = signed(kind, secret, body)
    for path, content, headers in (
        ("/api/v1/hooks/shop", body, {}),
        ("/api/v1/hooks/shop", body + b" ", good),
        ("/api/v1/hooks/shop", body, signed(kind, "app:other", body)),
        ("/api/v1/hooks/nobody", body, good),
    ):
        assert client.post(path, content=content, headers=headers).status_code == 401
    assert context.workspace.lake.tail().num_rows == 0
    client.patch("/api/v1/connectors/shop", json={"enabled": False}, headers=admin)
    assert client.post("/api/v1/hooks/shop", content=body, headers=good).status_code == 401


def test_what_cannot_be_understood_is_refused_or_quarantined(client: Client, context: Context, admin: Headers) -> None:
    client.post("/api/v1/connectors", json={"source": "shop", "kind": "shopify", "secret": "s"}, headers=admin)

    def post(body: bytes) -> Any:
        return client.post("/api/v1/hooks/shop", content=body, headers=signed("shopify", "s", body))

    assert post(b"{").status_code == 400
    assert post(b"[" * 100_000).status_code == 400
    assert post(b'"' + b"x" * 3_000_000 + b'"').status_code == 413
    for body in (b"null", b"[]", b"{}", b'"text"', b"1e400"):
        assert post(body).json() == {"accepted": 0, "duplicate": 0, "quarantined": 0, "dropped": 0}, body
    nobody = SHOPIFY_ORDER | {"customer": None, "email": None, "line_items": []}
    assert post(json.dumps(nobody).encode()).json()["quarantined"] == 1
    late = SHOPIFY_ORDER | {"processed_at": "2099-01-01T00:00:00Z", "line_items": []}
    assert post(json.dumps(late).encode()).json()["quarantined"] == 1
    held = client.get("/api/v1/quarantine", headers=admin).json()["rows"]
    assert {row["column"] for row in held} == {"distinct_id", "timestamp"}


def test_own_rules_are_previewed_checked_and_used(client: Client, context: Context, admin: Headers) -> None:
    payload = {"data": {"no": 7, "who": {"id": "c1"}, "sum": 12345, "tags": ["a", "b"], "rows": [{"n": 1}, {"n": 2}]}}
    rules = [
        {"event": "pay", "event_id": ["pay-", "$.data.no"], "person": "$.data.who.id",
         "properties": {"amount": {"paths": ["$.data.sum"], "scale": 100}, "place": "shop",
                        "tags": {"paths": ["$.data.tags[*]"], "join": "|"}}},
        {"event": "row", "each": "$.data.rows[*]", "event_id": ["row-", "^$.data.no", "-", "$.n"],
         "person": "^$.data.who.id"},
        {"event": "never", "when": "$.data.no", "equals": ["8"], "event_id": ["$.data.no"]},
    ]  # fmt: skip
    seen = client.post("/api/v1/connectors/preview", json={"rules": rules, "payload": payload}, headers=admin).json()
    assert seen["events"][0] == {
        "event": "pay", "event_id": "pay-7", "distinct_id": "c1",
        "properties": {"amount": "123.45", "place": "shop", "tags": "a|b"},
    }  # fmt: skip
    assert [one["event_id"] for one in seen["events"][1:]] == ["row-7-1", "row-7-2"]
    assert seen["skipped"] == ["rules[2] (never): $.data.no is 7"]
    bad = [{"event": "x", "event_id": ["$.a["]}]
    refused = client.post("/api/v1/connectors/preview", json={"rules": bad, "payload": {}}, headers=admin)
    assert (refused.status_code, refused.json()["field"]) == (400, "rules[0].event_id")
    new = {"source": "erp", "kind": "generic", "secret": "s", "rules": rules}
    assert client.post("/api/v1/connectors", json=new, headers=admin).status_code == 201
    assert client.post("/api/v1/connectors", json=new, headers=admin).status_code == 409
    body = json.dumps(payload).encode()
    answer = client.post("/api/v1/hooks/erp", content=body, headers=signed("generic", "s", body))
    assert answer.json()["accepted"] == 3
    pay = next(row for row in context.workspace.lake.tail().to_pylist() if row["event"] == "pay")
    assert pay["p_amount"] == 12345
    assert client.delete("/api/v1/connectors/erp", headers=admin).status_code == 204
    assert client.get("/api/v1/connectors", headers=admin).json()["connectors"] == []


def test_privacy_and_the_plan_hold_for_webhooks_as_well(client: Client, context: Context, admin: Headers) -> None:
    client.post("/api/v1/connectors", json={"source": "shop", "kind": "shopify", "secret": "s"}, headers=admin)
    (source,) = client.get("/api/v1/sources", headers=admin).json()["sources"]
    settings = {"privacy": {"fields": {"city": "drop"}, "hashed_ids": ["email"]}}
    client.put(f"/api/v1/sources/{source['id']}/settings", json=settings, headers=admin)
    body = body_of("shopify")
    assert client.post("/api/v1/hooks/shop", content=body, headers=signed("shopify", "s", body)).status_code == 200
    context.workspace.collect.catch_up()
    known = context.workspace.people.get("115310627314723954")
    assert "jon@example.com" not in {one.id for one in known.distinct_ids}
    assert "Hangzhou" not in str(known.traits)


def test_ready_rules_are_sound() -> None:
    for rules in READY.values():
        check_rules(rules)


def test_a_rule_without_a_key_would_count_twice_and_is_refused() -> None:
    with pytest.raises(InvalidInput, match="event_id"):
        check_rules([MappingRule(event="x", event_id=[])])
    with pytest.raises(InvalidInput, match="scale"):
        check_rules([MappingRule(event="x", event_id=["a"], properties={"n": Field(paths=["$.n"], scale=0)})])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "customer", "line_items", "orders", "status", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(payload=json_values, kind=st.sampled_from(sorted(READY)), topic=st.sampled_from(["", "orders/paid"]))
def test_no_payload_breaks_the_rules(payload: Any, kind: str, topic: str) -> None:
    mapped = map_payload(READY[kind], payload, topic)
    msgspec.json.encode(mapped)


@given(body=st.binary(max_size=60), sent=st.text(max_size=30), kind=st.sampled_from(sorted(READY)))
def test_no_header_breaks_or_passes_the_check(body: bytes, sent: str, kind: str) -> None:
    names = ["x-shopify-hmac-sha256", "x-wc-webhook-signature", "event-sign", "x-tilth-signature"]
    assert not check_signature(kind, "a:b", dict.fromkeys(names, sent), body)


def test_scaled_numbers_keep_their_digits() -> None:
    rule = MappingRule(event="x", event_id=["k"], properties={"a": Field(paths=["$.a"], scale=100)})
    for value, wanted in ((1999, "19.99"), ("1999", "19.99"), (Decimal("0.5"), "0.005"), ("x", "x"), (True, "True")):
        (event,) = map_payload([rule], {"a": value}).events
        assert str(event["properties"]["a"]) == wanted
