"""The options of an import: what the sample suggests, what somebody gave, and what is not possible."""

from __future__ import annotations

import difflib
import re
from typing import Any

import msgspec

from tilth.collect.imports.facts import ColumnFacts
from tilth.collect.imports.instants import ORDERS
from tilth.collect.imports.plan import Plan
from tilth.collect.imports.recognition import roles_of
from tilth.collect.imports.shapes import Options, Rule, Text, options_from, say
from tilth.collect.imports.vocabulary import plain, status_class
from tilth.errors import InvalidInput
from tilth.settings import Settings, check_currency, check_timezone

__all__ = ["check_map", "level_of", "merged_options", "options_of"]

_RULES: dict[str, tuple[str, Text]] = {
    "no_customer": ("skip", say("没有客户的行不计入", "rows without a customer are left out")),
    "zero_price": ("skip", say("价格为零的行不计入", "lines with a price of zero are left out")),
    "unpaid": ("skip", say("未付款的订单不计入", "orders that were not paid are left out")),
    "cancelled": ("refund", say("取消的订单记为退款", "cancelled orders become refunds")),
    "returns": (
        "refund",
        say("数量或金额为负、已退款的行记为退款", "negative quantities or amounts and refunded orders become refunds"),
    ),
}
_THEN = {"no_customer": ("skip", "quarantine"), "zero_price": ("skip",), "unpaid": ("skip",),
         "cancelled": ("refund", "skip"), "returns": ("refund", "skip")}  # fmt: skip


def check_map(kind: str, columns: list[str], given: dict[str, str]) -> dict[str, str]:
    """role -> column name; columns are given by name in any case or number from 1, an empty one takes the role away."""
    roles = roles_of(kind)
    lower = {c.lower(): c for c in columns}
    result: dict[str, str] = {}
    used: dict[str, str] = {}
    for role, wanted in given.items():
        if role not in roles:
            raise InvalidInput(f"map.{role}", "is not a role of this kind of file", list(roles))
        text = str(wanted).strip()
        if text == "":
            result[role] = ""
            continue
        name = text if text in columns else lower.get(text.lower())
        if name is None and text.isdigit() and 1 <= int(text) <= len(columns):
            name = columns[int(text) - 1]
        if name is None:
            near = difflib.get_close_matches(text, columns, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise InvalidInput(f"map.{role}", f"there is no column {text!r}{hint}", columns)
        if name in used:
            raise InvalidInput(f"map.{role}", f"the column {name!r} is the {used[name]} already")
        used[name] = role
        result[role] = name
    return result


def options_of(
    kind: str,
    facts: list[ColumnFacts],
    found: dict[str, str],
    settings: Settings,
    given: dict[str, Any] | None,
    amount_per: str,
) -> Options:
    """The options for a sample: suggested ones, with the given ones over them. Raises `InvalidInput`."""
    wanted = options_from(given)
    known = {f.name for f in msgspec.structs.fields(Options)} | {"where"}
    for key in wanted:
        if key not in known:
            raise InvalidInput(f"options.{key}", "is not an option of an import", sorted(known))
    by_role = {role: c for role, name in found.items() for c in facts if c.name == name}
    timezone = check_timezone(str(wanted.get("timezone", settings.timezone)), "options.timezone")
    currency = check_currency(str(wanted.get("currency", settings.currency)), "options.currency")
    if currency != settings.currency:
        raise InvalidInput(
            "options.currency",
            f"this workspace keeps money in {settings.currency}, not {currency}",
            [settings.currency],
        )
    level = level_of(by_role)
    who = next((r for r in ("customer", "phone", "email") if r in found), "customer")
    statuses = {w: status_class(w) for w, _ in by_role["status"].top} if "status" in by_role else {}
    defaults: dict[str, Any] = {
        "timezone": timezone,
        "currency": currency,
        "date_order": None,
        "decimal": _decimal(by_role),
        "encoding": None,
        "delimiter": None,
        "sheet": None,
        "header": None,
        "level": level,
        "amount_per": amount_per,
        "cancel_prefix": _cancel_prefix(by_role),
        "id_kind": _id_kind(who, by_role.get(who)),
        "numeric": [c.name for c in facts if _is_numeric(c)],
        "statuses": {w: k for w, k in statuses.items() if k != "purchase"},
    }
    chosen = defaults | {k: v for k, v in wanted.items() if k not in ("rules", "where")}
    rules = _rules(str(chosen["level"]), wanted.get("rules"), wanted.get("where")) if kind == "orders" else []
    try:
        options = msgspec.convert({**chosen, "rules": []}, Options)
    except msgspec.ValidationError as error:
        path = re.search(r"\$\.(\w+)", str(error))
        raise InvalidInput(f"options.{path.group(1)}" if path else "options", str(error)) from None
    _check_choice("date_order", options.date_order, [None, *ORDERS])
    _check_choice("decimal", options.decimal, [".", ","])
    _check_choice("level", options.level, ["line", "order"])
    _check_choice("amount_per", options.amount_per, ["row", "order"])
    for word, kind_of in options.statuses.items():
        _check_choice(f"statuses.{word}", kind_of, ["purchase", "refund", "cancelled", "unpaid"])
    return msgspec.structs.replace(options, rules=rules)


def _is_numeric(c: ColumnFacts) -> bool:
    """Every value is a number, and none would lose a leading zero by becoming one."""
    return c.filled > 0 and c.numbers == 1.0 and not c.lead_zero and not c.comma and not c.currencies


def _check_choice(name: str, value: str | None, choices: list[Any]) -> None:
    if value not in choices:
        raise InvalidInput(f"options.{name}", f"{value!r} is not one of them", [c for c in choices if c])


def merged_options(plan: Plan, given: dict[str, Any], settings: Settings) -> Options:
    """A decided plan's options with some changed, checked as a proposal's are. Rules only when some are given."""
    wanted = options_from(given)
    known = {"timezone", "date_order", "decimal", "statuses", "rules", "where"}
    for key in wanted:
        if key not in known:
            raise InvalidInput(f"options.{key}", "cannot be changed for single rows", sorted(known))
    rules: list[Rule] = []
    if "rules" in wanted or "where" in wanted:
        rules = _rules(plan.level, wanted.get("rules"), wanted.get("where"))
    options = Options(
        timezone=check_timezone(str(wanted.get("timezone", plan.timezone)), "options.timezone"),
        currency=settings.currency,
        date_order=wanted.get("date_order", plan.date_order),
        decimal=wanted.get("decimal", plan.decimal),
        statuses={**plan.statuses, **wanted.get("statuses", {})},
        rules=rules,
    )
    _check_choice("date_order", options.date_order, [None, *ORDERS])
    _check_choice("decimal", options.decimal, [".", ","])
    return options


def _rules(level: str, given: Any, where: Any) -> list[Rule]:
    """The rules with what somebody switched: a list of {key, on, then}, or key -> true, false, skip, refund …"""
    wanted: dict[str, Any] = {}
    if isinstance(given, list):
        for one in given:
            rule = one if isinstance(one, dict) else msgspec.to_builtins(one)
            on = rule.get("on", True)
            wanted[str(rule.get("key"))] = rule.get("then") if on and rule.get("then") not in (None, "keep") else on
    elif isinstance(given, dict):
        wanted.update(given)
    elif given is not None:
        raise InvalidInput("options.rules", "must be a list of rules or an object of switches")
    if isinstance(where, dict):
        wanted.update(where)
    result = []
    for key, (then, description) in _RULES.items():
        on = not (key == "zero_price" and level == "order")
        choice = wanted.pop(key, on)
        if isinstance(choice, str):
            if choice in ("on", "true", "yes"):
                choice = True
            elif choice in ("off", "false", "no", "keep"):
                choice = False
            elif choice in _THEN[key]:
                then, choice = choice, True
            else:
                raise InvalidInput(f"options.rules.{key}", f"{choice!r} is not possible", ["on", "off", *_THEN[key]])
        result.append(Rule(key=key, on=bool(choice), then=then, description=description))
    if wanted:
        raise InvalidInput(f"options.rules.{next(iter(wanted))}", "is not a rule", list(_RULES))
    return result


def level_of(by_role: dict[str, ColumnFacts]) -> str:
    order = by_role.get("order")
    if order is None or order.filled == 0:
        return "order"
    if order.distinct < 0.98 * order.filled:
        return "line"
    product = bool({"product", "product_name"} & set(by_role))
    return "line" if product and "price" in by_role and "amount" not in by_role else "order"


def _decimal(by_role: dict[str, ColumnFacts]) -> str:
    return "," if any(by_role[r].comma for r in ("amount", "price") if r in by_role) else "."


def _cancel_prefix(by_role: dict[str, ColumnFacts]) -> str:
    """`C` where order numbers are digits but for some that have a C before them."""
    order = by_role.get("order")
    if order is None or not order.filled:
        return ""
    usual = sum(n for w, n in order.top if w.isdigit())
    with_c = sum(n for w, n in order.top if re.fullmatch(r"[Cc]\d+", w))
    return "C" if usual and usual + with_c >= 0.95 * sum(n for _, n in order.top) else ""


def _id_kind(role: str, column: ColumnFacts | None) -> str:
    if role in ("phone", "email"):
        return role
    if column is None:
        return "id"
    name = plain(column.name).replace(" ", "")
    for word, kind in (("unionid", "wechat_unionid"), ("openid", "wechat_openid"), ("会员卡号", "store_card")):
        if word in name:
            return kind
    if column.phones > 0.9 and re.search(r"phone|mobile|tel|手机|电话", name):
        return "phone"
    return "email" if column.emails > 0.9 else "id"
