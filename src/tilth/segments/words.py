"""Sentences in both languages, and numbers written the way people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from tilth.settings import currency_digits

__all__ = ["Notice", "Text", "count_text", "days_text", "money_text", "named", "share_text"]

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "KRW": "₩", "INR": "₹"}


class Text(msgspec.Struct, frozen=True):
    """The same said in Chinese and in English; as JSON `{"zh-CN": …, "en": …}`."""

    zh: str = msgspec.field(name="zh-CN")
    en: str

    def __call__(self, language: str) -> str:
        return self.zh if language == "zh-CN" else self.en


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something the reader should know. severity: info, warning or critical."""

    key: str
    severity: str
    text: Text


def named(names: Sequence[Text], limit: int = 3) -> Text:
    """A list of names as words: "A, B and 2 more"."""
    zh, en = "、".join(n.zh for n in names[:limit]), ", ".join(n.en for n in names[:limit])
    more = len(names) - limit
    return Text(f"{zh}等 {len(names)} 层", f"{en} and {more} more") if more > 0 else Text(zh, en)


def money_text(minor: float, currency: str) -> str:
    """`£1,234.50`; whole units from 1,000 on, where the pennies only distract."""
    digits = currency_digits(currency)
    value = minor / 10**digits
    shown = 0 if abs(value) >= 1_000 else digits
    sign = _SIGNS.get(currency, f"{currency} ")
    return f"{'-' if value < 0 else ''}{sign}{abs(value):,.{shown}f}"


def count_text(number: float) -> str:
    return f"{number:,.0f}"


def share_text(share: float) -> str:
    """`0.4 %` for small shares, whole per cents from 10 on."""
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %"


def days_text(days: float) -> Text:
    """A length of time rounded as one would say it."""
    if math.isnan(days):
        return Text("未知", "unknown")
    if days < 60:
        whole = max(round(days), 0)
        return Text(f"{whole} 天", f"{whole} day{'' if whole == 1 else 's'}")
    if days < 730:
        months = round(days / 30.44)
        return Text(f"{months} 个月", f"{months} months")
    return Text(f"{days / 365.25:.1f} 年", f"{days / 365.25:.1f} years")
