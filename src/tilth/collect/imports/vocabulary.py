"""The words by which columns and statuses are recognised, in English and Chinese.

A header is compared after `plain`: NFKC, lower case, camel case and underscores as blanks, no units in
brackets. Words earlier in a list are the better name for the role.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["EVENT_ROLES", "ORDER_ROLES", "PROFILE_ROLES", "TRAIT_ROLES", "header_score", "plain", "status_class"]

_WORDS: dict[str, list[str]] = {
    "customer": [
        *["customer id", "customer", "customer no", "customer number", "customer code", "cust id", "customer key"],
        *["user id", "userid", "user", "member id", "member no", "member", "buyer id", "buyer"],
        *["client id", "client"],
        *["account id", "account", "shopper id", "person id", "person", "household key", "uid", "distinct id"],
        *["客户编号", "客户id", "客户号", "客户代码", "客户编码", "客户", "用户id", "用户编号", "用户标识", "用户"],
        *["会员编号", "会员id", "会员号", "会员卡号", "会员", "买家id", "买家会员名", "买家昵称", "买家", "顾客编号"],
        *["顾客id", "顾客", "消费者id", "客戶編號", "會員編號", "openid", "unionid"],
    ],
    "phone": [
        *["phone", "phone number", "mobile", "mobile number", "mobile phone", "telephone", "tel", "cell phone"],
        *["手机号", "手机号码", "手机", "会员手机", "会员手机号", "客户手机", "客户手机号", "用户手机", "用户手机号"],
        *["买家手机", "联系手机", "联系电话", "联系方式", "电话", "收货人手机", "收货人电话", "注册手机号", "電話"],
    ],
    "email": ["email", "e mail", "email address", "mail", "邮箱", "电子邮箱", "电子邮件", "邮箱地址"],
    "order": [
        *["order id", "order no", "order number", "order", "invoice no", "invoice", "invoice number", "invoice id"],
        *["transaction id", "transaction no", "transaction", "receipt no", "receipt id", "receipt", "basket id"],
        *["trade no", "trade id", "bill no", "ticket no", "sales id", "order reference"],
        *["订单编号", "订单号", "订单id", "主订单编号", "订单", "交易单号", "交易号", "单号"],
        *["流水号", "小票号", "销售单号"],
        *["单据编号", "單號", "訂單編號"],
    ],
    "time": [
        *["order time", "order date", "order datetime", "purchase time", "purchase date", "invoice date", "date"],
        *["datetime", "time", "timestamp", "transaction date", "transaction time", "event time", "sale date", "day"],
        *["paid at", "payment date", "payment time", "ordered at", "created at", "order purchase timestamp"],
        *["purchased at", "created", "occurred at", "order created at", "create time"],
        *["下单时间", "下单日期", "订单时间", "订单日期", "购买时间", "购买日期", "消费时间", "消费日期", "交易时间"],
        *["交易日期", "付款时间", "支付时间", "付款日期", "订单付款时间", "成交时间", "销售日期"],
        *["销售时间", "日期", "时间"],
        *["订单创建时间", "创建时间", "发生时间", "下單時間", "日期時間"],
    ],
    "clock": ["clock", "time of day", "时刻"],
    "quantity": [
        *["quantity", "qty", "units", "unit count", "item count", "pieces", "count", "number of items", "num items"],
        *["数量", "购买数量", "商品数量", "件数", "销售数量", "订购数量", "购买件数", "數量"],
    ],
    "price": [
        *["unit price", "price", "item price", "price each", "sale price", "selling price", "unit cost price"],
        *["单价", "商品单价", "成交单价", "销售单价", "售价", "价格", "商品价格", "單價"],
    ],
    "amount": [
        *["paid amount", "amount paid", "net amount", "amount", "total amount", "order amount", "order total"],
        *["line total", "line amount", "total price", "total", "total paid", "payment", "payment value", "sales"],
        *["sales amount", "revenue", "dollar value", "dollars", "order value", "value", "spend", "grand total"],
        *["subtotal", "turnover", "gmv"],
        *["实付金额", "实付款", "实付", "买家实际支付金额", "实际支付金额", "实收金额", "实收"],
        *["支付金额", "付款金额"],
        *["成交金额", "订单金额", "订单总金额", "总金额", "金额", "商品金额", "消费金额"],
        *["销售额", "销售金额", "交易金额"],
        *["订单实付金额", "合计", "小计", "总价", "應付金額", "應付", "應收", "应付金额", "金額"],
    ],
    "product": [
        *["stock code", "sku", "product id", "product code", "item id", "item code", "sku id", "sku code", "asin"],
        *["upc", "ean", "barcode", "product no", "article", "goods id"],
        *["商品编码", "商品编号", "商品id", "商品代码", "货号", "sku编码", "商品sku", "条码"],
        *["条形码", "款号", "产品编号"],
    ],
    "product_name": [
        *["product name", "item name", "product", "item", "product title", "description", "title", "goods"],
        *["goods name", "item description", "product description", "lineitem name"],
        *["商品名称", "商品", "商品名", "品名", "商品标题", "宝贝标题", "产品名称", "产品"],
        *["货品名称", "货品", "菜品"],
    ],
    "category": [
        *["category", "product category", "item category", "department", "product type", "category name"],
        *["类目", "品类", "商品分类", "商品类目", "商品类别", "分类", "类别", "產品類別"],
    ],
    "channel": [
        *["channel", "sales channel", "order channel", "source", "order source", "platform", "utm source"],
        *["渠道", "来源", "订单来源", "下单渠道", "销售渠道", "平台", "渠道名称", "来源渠道", "渠道來源"],
    ],
    "store": [
        *["store", "store id", "store name", "shop", "shop name", "shop id", "branch", "outlet", "location"],
        *["门店", "门店名称", "店铺", "店铺名称", "门店编号", "分店", "店名", "門市"],
    ],
    "status": [
        *["order status", "status", "payment status", "financial status", "transaction status", "order state"],
        *["订单状态", "状态", "交易状态", "支付状态", "付款状态", "退款状态", "售后状态", "訂單狀態"],
    ],
    "currency": ["currency", "currency code", "币种", "货币", "幣別"],
    "name": [
        *["customer name", "full name", "name", "buyer name", "member name", "user name", "username", "client name"],
        *["姓名", "客户姓名", "会员姓名", "客户名称", "用户姓名", "昵称", "会员昵称", "收货人"],
        *["收货人姓名", "真实姓名"],
    ],
    "city": ["city", "customer city", "ship city", "shipping city", "城市", "所在城市", "所在市", "收货城市"],
    "province": ["province", "state", "region", "customer state", "省份", "省", "所在省", "所在省份", "地区"],
    "country": ["country", "customer country", "country name", "国家", "国家地区"],
    "gender": ["gender", "sex", "性别"],
    "birthday": ["birthday", "birth date", "date of birth", "dob", "生日", "出生日期"],
    "person": [],
    "event": ["event", "event name", "action", "event type", "activity", "behavior", "behaviour", "behavior type",
              "事件", "事件名称", "行为", "行为类型", "动作", "事件类型"],
    "event_id": ["event id", "insert id", "message id", "uuid", "事件id", "事件编号"],
    "anonymous": ["anonymous id", "anonymous", "device id", "visitor id", "cookie id", "匿名id", "设备id", "设备号"],
}  # fmt: skip
# In a stream of events the person comes first, and an account may be what they paid from.
_WORDS["person"] = [
    *["person", "person id", "distinct id", "user id", "userid", "user", "uid"],
    *[word for word in _WORDS["customer"] if word not in ("account", "account id")],
    *["visitor", "visitor id", "account id", "account"],
]

TRAIT_ROLES = ("name", "city", "province", "country", "gender", "birthday")
ORDER_ROLES = (
    *("customer", "phone", "email", "order", "time", "clock", "quantity", "price", "amount", "product"),
    *("product_name", "category", "channel", "store", "status", "currency"),
    *TRAIT_ROLES,
)
EVENT_ROLES = ("person", "time", "event", "event_id", "anonymous")
PROFILE_ROLES = ("customer", "phone", "email", *TRAIT_ROLES)

# A header with one of these names something that only looks like the role.
_NOT = {
    "amount": ["discount", "tax", "shipping", "freight", "refund", "balance", "cost", "tip",
               "fee", "coupon", "profit",
               "优惠", "折扣", "运费", "税", "退款", "余额", "成本", "积分", "毛利", "利润", "数量", "邮费"],
    "price": ["cost", "discount", "list price", "市场价", "原价", "吊牌价", "成本", "优惠", "运费", "总价"],
    "time": ["ship", "deliver", "refund", "update", "birth", "due", "expire", "register", "signup", "zone", "发货",
             "收货", "退款", "更新", "生日", "出生", "注册", "确认", "完成", "结束", "时长", "预计"],
    "quantity": ["return", "refund", "退", "stock", "库存", "金额"],
    "customer": ["name", "email", "phone", "type", "city", "country", "state", "age", "gender",
                 "segment", "zip", "count",
                 "姓名", "名称", "手机", "电话", "邮箱", "等级", "类型", "城市", "省", "性别",
                 "年龄", "备注", "留言"],
    "person": ["name", "email", "phone", "type", "city", "country", "agent"],
    "order": ["date", "time", "status", "amount", "total", "type", "count", "source", "channel",
              "金额", "时间", "状态",
              "日期", "来源", "类型", "数量", "备注", "渠道", "priority"],
    "product": ["name", "category", "price", "名称", "分类", "价格", "单价", "数量", "金额"],
    "product_name": ["id", "code", "category", "price", "编码", "编号", "分类", "价格", "单价",
                     "数量", "金额", "类目", "总价",
                     "类别", "count", "qty"],
    "name": ["product", "item", "store", "shop", "file", "event", "商品", "门店", "店铺", "产品", "course"],
    "channel": ["id", "编号"],
    "status": ["物流", "shipping", "发货"],
}  # fmt: skip


def plain(header: str) -> str:
    """A header as compared: `CustomerID` and `customer_id` are `customer id`, `实付金额(元)` is `实付金额`."""
    text = unicodedata.normalize("NFKC", header)
    text = re.sub(r"[(\[【（].*?[)\]】）]", " ", text)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"[^0-9a-z\u3400-\u9fff]+", " ", text.lower())
    return text.strip()


def header_score(role: str, header: str) -> float:
    """How well the header names the role, 0..1."""
    name = plain(header)
    if not name:
        return 0.0
    squeezed = name.replace(" ", "")
    words = _WORDS[role]
    for rank, word in enumerate(words):
        if squeezed == word.replace(" ", ""):
            return 0.97 - 0.12 * rank / max(len(words), 1)
    if any(_holds(name, bad) for bad in _NOT.get(role, [])):
        return 0.0
    if role == "quantity" and re.match(r"(number|num|no) of \w+", name):
        return 0.8
    best = 0.0
    for rank, word in enumerate(words):
        if _holds(name, word):
            # The more of the header the word covers, the surer.
            score = (0.45 + 0.35 * len(word.replace(" ", "")) / len(squeezed)) * (1 - 0.2 * rank / len(words))
            best = max(best, score)
    return best


def _holds(name: str, word: str) -> bool:
    if word.isascii():
        return re.search(rf"(^| ){re.escape(word)}($| )", name) is not None
    return word in name.replace(" ", "")


_STATUS = [
    ("purchase", ["未退款", "无退款", "没有退款", "未申请退款", "退款关闭", "退款失败",
                  "部分退款", "no refund", "not refunded",
                  "partially refunded", "partial refund", "未取消", "无售后", "not cancelled"]),
    ("unpaid", ["待付款", "未付款", "未支付", "待支付", "等待买家付款", "支付失败", "付款失败",
                "unpaid", "awaiting payment",
                "pending payment", "payment pending", "payment failed", "payment error",
                "expired", "已过期", "failed"]),
    ("refund", ["退款", "退货", "已退", "refund", "refunded", "returned", "return", "chargeback", "charged back"]),
    ("cancelled", ["取消", "交易关闭", "已关闭", "订单关闭", "作废", "撤销", "cancelled",
                   "canceled", "cancel", "cancellation",
                   "voided", "void"]),
]  # fmt: skip


def status_class(status: str) -> str:
    """What an order's status says: purchase (also when it says nothing of the kind), refund, cancelled or unpaid."""
    name = plain(status)
    for kind, words in _STATUS:
        if any(_holds(name, word) for word in words):
            return kind
    return "purchase"
