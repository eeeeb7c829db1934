"""Ready rules for orders of Shopify, WooCommerce and Youzan, and a start for anything else.

An order is one `purchase` with a `purchase_item` a line; a refund is a `refund`. Field names are those
of the systems' own documentation of their order payloads.
"""

from __future__ import annotations

from tilth.collect.connectors.mapping import Field, MappingRule

__all__ = ["READY"]

_SHOPIFY_PERSON: dict[str, str | Field] = {"email": "$.email", "phone": "$.phone"}
_SHOPIFY = [
    MappingRule(
        event="purchase",
        topic="orders/paid",
        event_id=["order-", "$.id", "-paid"],
        person="$.customer.id",
        ids=_SHOPIFY_PERSON,
        at=Field(paths=["$.processed_at", "$.created_at"]),
        properties={
            "order_id": "$.id",
            "order_name": "$.name",
            "amount": Field(paths=["$.current_total_price", "$.total_price"]),
            "currency": "$.currency",
            "discount": "$.total_discounts",
            "coupons": Field(paths=["$.discount_codes[*].code"], join=","),
            "channel": "$.source_name",
        },
        traits={
            "name": Field(paths=["$.customer.first_name", "$.customer.last_name"]),
            "city": "$.shipping_address.city",
            "country": "$.shipping_address.country_code",
        },
    ),
    MappingRule(
        event="purchase_item",
        topic="orders/paid",
        each="$.line_items[*]",
        event_id=["order-", "^$.id", "-line-", "$.id"],
        person="^$.customer.id",
        ids={"email": "^$.email", "phone": "^$.phone"},
        at=Field(paths=["^$.processed_at", "^$.created_at"]),
        properties={
            "order_id": "^$.id",
            "product": Field(paths=["$.title", "$.name"]),
            "product_id": "$.product_id",
            "sku": "$.sku",
            "quantity": "$.quantity",
            "price": "$.price",
            "currency": "^$.currency",
        },
    ),
    MappingRule(
        event="order_created",
        topic="orders/create",
        event_id=["order-", "$.id", "-created"],
        person="$.customer.id",
        ids=_SHOPIFY_PERSON,
        at="$.created_at",
        properties={"order_id": "$.id", "value": "$.total_price", "currency": "$.currency"},
    ),
    # `refunds/create` names no customer; the updated order does.
    MappingRule(
        event="refund",
        topic="orders/updated",
        each="$.refunds[*]",
        event_id=["refund-", "$.id"],
        person="^$.customer.id",
        ids={"email": "^$.email", "phone": "^$.phone"},
        at=Field(paths=["$.processed_at", "$.created_at"]),
        properties={
            "order_id": "^$.id",
            "amount": "$.transactions[0].amount",
            "currency": Field(paths=["$.transactions[0].currency", "^$.currency"]),
        },
    ),
]  # fmt: skip

_WOO = [
    MappingRule(
        event="purchase",
        when="$.status",
        equals=["processing", "completed"],
        event_id=["order-", "$.id", "-paid"],
        ids={"email": "$.billing.email", "phone": "$.billing.phone"},
        at=Field(paths=["$.date_paid_gmt", "$.date_created_gmt"]),
        properties={
            "order_id": "$.id",
            "amount": "$.total",
            "currency": "$.currency",
            "discount": "$.discount_total",
            "coupons": Field(paths=["$.coupon_lines[*].code"], join=","),
            "payment": "$.payment_method",
        },
        traits={"name": "$.billing.first_name", "city": "$.billing.city", "country": "$.billing.country"},
    ),
    MappingRule(
        event="purchase_item",
        when="$.status",
        equals=["processing", "completed"],
        each="$.line_items[*]",
        event_id=["order-", "^$.id", "-line-", "$.id"],
        ids={"email": "^$.billing.email", "phone": "^$.billing.phone"},
        at=Field(paths=["^$.date_paid_gmt", "^$.date_created_gmt"]),
        properties={
            "order_id": "^$.id",
            "product": "$.name",
            "product_id": "$.product_id",
            "sku": "$.sku",
            "quantity": "$.quantity",
            "price": "$.price",
            "currency": "^$.currency",
        },
    ),
    MappingRule(
        event="refund",
        when="$.status",
        equals=["refunded"],
        event_id=["order-", "$.id", "-refunded"],
        ids={"email": "$.billing.email", "phone": "$.billing.phone"},
        at=Field(paths=["$.date_modified_gmt", "$.date_created_gmt"]),
        properties={"order_id": "$.id", "amount": "$.total", "currency": "$.currency"},
    ),
]

_YZ = "$.full_order_info"
_YZ_PERSON = Field(paths=[f"{_YZ}.buyer_info.yz_open_id", f"{_YZ}.buyer_info.buyer_id", f"{_YZ}.buyer_info.fans_id"])
_YZ_IDS: dict[str, str | Field] = {
    "phone": Field(paths=[f"{_YZ}.buyer_info.buyer_phone", f"{_YZ}.address_info.receiver_tel"]),
    "wechat_openid": f"{_YZ}.buyer_info.outer_user_id",
}
_YOUZAN = [
    MappingRule(
        event="purchase",
        topic="trade_TradePaid",
        event_id=["order-", f"{_YZ}.order_info.tid", "-paid"],
        person=_YZ_PERSON,
        ids=_YZ_IDS,
        at=Field(paths=[f"{_YZ}.order_info.pay_time", f"{_YZ}.order_info.created"]),
        properties={
            "order_id": f"{_YZ}.order_info.tid",
            "amount": Field(paths=[f"{_YZ}.pay_info.payment", f"{_YZ}.pay_info.total_fee"]),
            "channel": f"{_YZ}.source_info.source.platform",
            "store": f"{_YZ}.order_info.node_kdt_id",
        },
        traits={"city": f"{_YZ}.address_info.delivery_city", "province": f"{_YZ}.address_info.delivery_province"},
    ),
    MappingRule(
        event="purchase_item",
        topic="trade_TradePaid",
        each=f"{_YZ}.orders[*]",
        event_id=["order-", f"^{_YZ}.order_info.tid", "-line-", "$.oid"],
        person=Field(paths=[f"^{one}" for one in _YZ_PERSON.paths]),
        at=Field(paths=[f"^{_YZ}.order_info.pay_time", f"^{_YZ}.order_info.created"]),
        properties={
            "order_id": f"^{_YZ}.order_info.tid",
            "product": "$.title",
            "product_id": "$.item_id",
            "sku": "$.outer_sku_id",
            "quantity": "$.num",
            "price": "$.price",
        },
    ),
    MappingRule(
        event="refund",
        topic="trade_refund_RefundSuccess",
        event_id=["refund-", "$.refund_id"],
        person=Field(paths=["$.yz_open_id", "$.buyer_id"]),
        at=Field(paths=["$.update_time", "$.refund_time"]),
        properties={"order_id": "$.tid", "amount": "$.refunded_fee"},
    ),
]

_GENERIC = [
    MappingRule(
        event="purchase",
        event_id=["order-", "$.order.id"],
        person="$.customer.id",
        ids={"phone": "$.customer.phone"},
        at="$.order.paid_at",
        properties={"order_id": "$.order.id", "amount": "$.order.total", "currency": "$.order.currency"},
    )
]

READY: dict[str, list[MappingRule]] = {
    "shopify": _SHOPIFY,
    "woocommerce": _WOO,
    "youzan": _YOUZAN,
    "generic": _GENERIC,
}
