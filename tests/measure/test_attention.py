"""What is put before a person's eyes, and what is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from tilth.measure import Change, Facts, LayerAtRisk, Repeat, Sales, Text, attention, decimal_text, money
from tilth.measure.summary import buying_summary

DAY = 86_400_000_000
NOW = 20_000 * DAY


def a_sales(**changes: Any) -> Sales:
    plain = Sales(
        people=10, buyers=8, orders=20, revenue=5000, refunds=0, refund_orders=0,
        repeat=Repeat(repeaters=4, buyers=8), average_order=250, months=[], changes=[],
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def facts(**changes: Any) -> Facts:
    plain = Facts(now=NOW, last_event=NOW - DAY, quarantined=0, interrupted_imports=[], at_risk=[], layerings=1)
    return msgspec.structs.replace(plain, **changes)


def change(key: str, unit: Any, now: float, before: float, *parts: int) -> Change:
    days = {"since": date(2024, 3, 1), "until": date(2024, 3, 30)}
    shares = dict(zip(("numerator", "denominator", "before_numerator", "before_denominator"), parts, strict=False))
    return Change(key=key, title=Text(zh="", en=""), unit=unit, now=now, before=before, **days, **shares)


def test_a_healthy_shop_has_nothing_to_look_at() -> None:
    assert attention(a_sales(), facts()) == []


def test_the_worst_comes_first_and_everything_leads_somewhere() -> None:
    found = attention(
        a_sales(),
        facts(quarantined=12, interrupted_imports=["imp1"], layerings=0, last_event=NOW - 30 * DAY),
    )
    assert [item.severity for item in found] == ["critical", "warning", "warning", "info"]
    assert {item.key for item in found} == {"import_interrupted", "quarantine", "stale", "no_layering"}
    assert all(item.link.startswith("/") and item.title.zh and item.title.en and item.detail.zh for item in found)
    assert "12" in next(item for item in found if item.key == "quarantine").title.en


def test_an_empty_workspace_is_told_to_import_and_nothing_else() -> None:
    found = attention(a_sales(orders=0), facts(layerings=0, last_event=None))
    assert [item.key for item in found] == ["empty"]


def test_a_layer_at_risk_says_how_much_revenue_it_holds() -> None:
    layer = LayerAtRisk(
        layering_id="3", key="cannot_lose", name=Text(zh="不能失去", en="Cannot lose"),
        people=42, revenue_share=0.184, as_of="2024-03-30",
    )  # fmt: skip
    (item,) = attention(a_sales(), facts(at_risk=[layer]))
    assert "18.4%" in item.title.en
    assert "42" in item.title.zh
    assert "2024-03-30" in item.detail.zh
    assert item.link == "/people/layerings/3?layer=cannot_lose"


def test_a_fall_within_chance_is_not_reported_and_a_real_one_is() -> None:
    within_chance = change("returning", "share", 0.48, 0.5, 48, 100, 50, 100)
    assert attention(a_sales(changes=[within_chance]), facts()) == []
    real = change("returning", "share", 0.48, 0.6, 4800, 10_000, 6000, 10_000)
    assert [item.key for item in attention(a_sales(changes=[real]), facts())] == ["returning_falls"]


def test_a_quiet_month_of_a_small_shop_is_not_news() -> None:
    def shop(now: int, before: int) -> Sales:
        return a_sales(
            changes=[
                change("revenue", "money", now * 100, before * 100),
                change("orders", "orders", now, before),
            ]
        )

    assert attention(shop(3, 5), facts()) == []
    assert [item.key for item in attention(shop(300, 500), facts())] == ["revenue_falls"]


def test_money_is_written_exactly_for_every_currency() -> None:
    assert money(891140790, "GBP").text == "8911407.90"
    assert decimal_text(5, "CNY") == "0.05"
    assert decimal_text(-5, "CNY") == "-0.05"
    assert decimal_text(1234, "JPY") == "1234"
    assert decimal_text(1234, "KWD") == "1.234"


def test_a_person_is_summed_up_in_a_sentence() -> None:
    def summary(orders: int, gap: float | None) -> Text:
        return buying_summary(
            orders=orders, revenue=123456, currency="GBP", first=19_800 * DAY, last=19_900 * DAY,
            usual_gap_days=gap, timezone="UTC",
        )  # fmt: skip

    assert summary(0, None).en == "Has not bought yet."
    assert summary(1, None).en == "Bought once, on 2024-03-18, for 1234.56 GBP; not since."
    assert summary(4, 33.3).en.endswith("1234.56 GBP in all, usually every 33 days.")
    assert "1234.56" in summary(4, 33.3).zh
