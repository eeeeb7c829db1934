"""Money as it is shown: minor units, currency, and the exact decimal text."""

from __future__ import annotations

import msgspec

from tilth.settings import currency_digits

__all__ = ["Money", "decimal_text", "money"]


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` in minor units of `currency`; `text` is the same as a decimal (`8911407.90`)."""

    amount: int
    currency: str
    text: str


def decimal_text(amount: int, currency: str) -> str:
    """Minor units as decimal text, exactly: 5 fen of CNY is `0.05`, 5 yen is `5`."""
    digits = currency_digits(currency)
    if digits == 0:
        return str(amount)
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"


def money(amount: int, currency: str) -> Money:
    return Money(amount=int(amount), currency=currency, text=decimal_text(int(amount), currency))
