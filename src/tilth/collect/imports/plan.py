"""An import decided: which column plays which role, under which options. Stored with the import."""

from __future__ import annotations

from typing import Any

import msgspec

from tilth.collect.imports.symbols import EURO, POUND, RUPEE, WON, YEN
from tilth.errors import InvalidInput
from tilth.settings import currency_digits

__all__ = ["MAX_AMOUNT", "Plan", "currency_codes", "rule_then"]

# In minor units: ten trillion yuan. Sums of a billion such rows would still not wrap around by accident unnoticed.
MAX_AMOUNT = 10**15

_DOLLARS = {"USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "CLP", "COP", "ARS", "BRL"}
_SIGNS = {"CNY": YEN, "JPY": YEN, "TWD": YEN, "GBP": POUND, "EUR": EURO, "KRW": WON, "INR": RUPEE}
_ALIASES = {"CNY": ["CNY", "RMB"], "TWD": ["TWD", "NTD"]}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """roles: role -> column name. rules: key -> what becomes of its rows (`keep` when off).

    date_order is what a person chose or the sample showed; asked: a person chose it, so dates in another
    order go to quarantine instead of raising the question again. numeric: columns stored as numbers when
    they become properties or traits.
    """

    kind: str
    roles: dict[str, str]
    timezone: str
    currency: str
    date_order: str | None
    asked: bool
    decimal: str
    level: str
    amount_per: str
    cancel_prefix: str
    id_kind: str
    statuses: dict[str, str]
    rules: dict[str, str]
    numeric: list[str] = []
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: bool | None = None

    @property
    def digits(self) -> int:
        """Decimal digits of the currency's minor unit."""
        return currency_digits(self.currency)

    @property
    def items(self) -> bool:
        """Whether rows become `purchase_item` events besides their order's `purchase`."""
        return self.level == "line" or bool({"product", "product_name"} & set(self.roles))


def rule_then(rules: Any) -> dict[str, str]:
    """What each rule does, from a proposal's rules."""
    return {rule.key: rule.then if rule.on else "keep" for rule in rules}


def currency_codes(currency: str) -> list[int]:
    """The signs and letters (as `Decimals.currency` codes) that may stand beside amounts in this currency."""
    codes = [_packed(name) for name in _ALIASES.get(currency, [currency])]
    if currency in _SIGNS:
        codes.append(_SIGNS[currency])
    if currency in _DOLLARS:
        codes.append(36)
    return codes


def currency_named(code: int) -> str:
    """A currency code as it stood in the file."""
    signs = {YEN: "¥", POUND: "£", EURO: "€", WON: "₩", RUPEE: "₹", 36: "$"}
    return signs.get(code) or "".join(chr(code >> shift & 255) for shift in (16, 8, 0))


def _packed(letters: str) -> int:
    return int.from_bytes(letters.encode(), "big")


def check_roles(kind: str, roles: dict[str, str]) -> None:
    """Refuse a map without what the kind needs."""
    held = set(roles)
    if kind == "profiles":
        if not held & {"customer", "phone", "email"}:
            raise InvalidInput("map.customer", "no column is recognised as an id of people; say which one is")
        return
    who = {"person", "anonymous"} if kind == "events" else {"customer", "phone", "email"}
    if not held & who:
        name = "map.person" if kind == "events" else "map.customer"
        raise InvalidInput(name, "no column is recognised as the customer; say which one is")
    if "time" not in held:
        raise InvalidInput("map.time", "no column holds dates or times; say which one is the time")
    if kind == "events" and "event" not in held:
        raise InvalidInput("map.event", "no column is recognised as the event's name; say which one is")
    if kind == "orders" and not held & {"amount", "price"}:
        raise InvalidInput("map.amount", "no column is recognised as an amount or a price; say which one is")
