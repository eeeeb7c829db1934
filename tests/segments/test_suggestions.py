"""Suggestions are concrete, in both languages, and fit the layer's numbers."""

from __future__ import annotations

import re

import msgspec
import pytest

from tilth.segments.kinds import KINDS
from tilth.segments.layering import Average, Layer
from tilth.segments.suggestions import _ROLES, _STEPS, suggest
from tilth.segments.words import Text, count_text, days_text, money_text, named, share_text


def layer(key: str = "champions", **changes: object) -> Layer:
    average = Average(
        recency_days=12.0,
        frequency=4.0,
        monetary=120_000.0,
        order_value=30_000.0,
        tenure_days=300.0,
        usual_gap_days=25.0,
        expected_value=80_000.0,
        active_days=6.0,
    )
    numbers = {k: v for k, v in changes.items() if k in Average.__struct_fields__}
    rest = {k: v for k, v in changes.items() if k not in numbers}
    base = Layer(
        key=key,
        name=Text("层", "Layer"),
        rule=Text("规则", "rule"),
        color_index=0,
        people=1_234,
        people_share=0.2,
        orders=4_936,
        revenue=148_080_000,
        revenue_share=0.55,
        refunds=0,
        average=msgspec.structs.replace(average, **numbers),
    )
    return msgspec.structs.replace(base, **rest)


def all_layers() -> list[tuple[str, str]]:
    return [(kind, key) for kind, roles in _ROLES.items() for key in roles]


@pytest.mark.parametrize(("kind", "key"), all_layers())
def test_every_layer_has_a_step_that_names_its_people_in_both_languages(kind: str, key: str) -> None:
    step = suggest(layer(key), kind, "CNY")
    assert "1,234" in step.zh
    assert "1,234" in step.en
    assert not re.search(r"[{}]|nan|None|未知|unknown", step.zh + step.en)
    assert len(step.zh) < 90
    assert len(step.en) < 260


def test_every_kind_has_its_roles() -> None:
    assert set(_ROLES) == set(KINDS)
    assert {role for roles in _ROLES.values() for role in roles.values()} <= set(_STEPS)


def test_champions_are_cherished_with_their_own_numbers() -> None:
    step = suggest(layer(), "rfm", "CNY")
    assert step.en.startswith("1,234 people make 55 % of revenue at ¥300.00 an order: no discounts")


def test_nobody_is_reminded_of_the_next_purchase_when_it_is_long_overdue() -> None:
    late = suggest(layer("loyal", recency_days=300.0, usual_gap_days=60.0), "rfm", "CNY")
    assert "ask why" in late.en
    on_time = suggest(layer("loyal", recency_days=30.0, usual_gap_days=60.0), "rfm", "CNY")
    assert "before the next is due" in on_time.en


def test_nobody_is_won_back_who_is_not_late() -> None:
    step = suggest(layer("about_to_sleep", recency_days=10.0, usual_gap_days=60.0), "rfm", "CNY")
    assert "silent" not in step.en


def test_many_refunds_are_pointed_out_first() -> None:
    step = suggest(layer(refunds=60_000_000), "rfm", "CNY")
    assert "refunds are 41 %" in step.en
    assert "退款占消费的 41 %" in step.zh


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recency_days": 200.0, "revenue_share": 0.6}, "win-back"),
        ({"recency_days": 200.0, "revenue_share": 0.05}, "stop paid contacts"),
        ({"frequency": 1.1}, "first order"),
        ({"revenue_share": 0.9}, "no discounts"),
        ({"revenue_share": 0.1}, "bundles"),
        ({"orders": 0, "recency_days": None, "usual_gap_days": None, "order_value": None}, "never bought"),
    ],
)
def test_a_cluster_gets_the_step_its_numbers_ask_for(changes: dict[str, object], words: str) -> None:
    assert words in suggest(layer("c3", **changes), "clusters", "CNY").en


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_456, "GBP", "£1,235"),
        (99_950, "CNY", "¥999.50"),
        (1_500, "JPY", "¥1,500"),
        (950, "JPY", "¥950"),
        (1_234, "KWD", "KWD 1.234"),
        (-50, "USD", "-$0.50"),
    ],
)
def test_money_is_written_as_people_read_it(minor: int, currency: str, text: str) -> None:
    assert money_text(minor, currency) == text


def test_days_shares_and_lists_are_written_as_people_say_them() -> None:
    assert (days_text(1).en, days_text(45).zh, days_text(91).en, days_text(800).en) == (
        "1 day", "45 天", "3 months", "2.2 years",
    )  # fmt: skip
    assert (share_text(0.004), share_text(0.256), share_text(0)) == ("0.4 %", "26 %", "0 %")
    assert count_text(1_234_567) == "1,234,567"
    assert named([Text("甲", "A"), Text("乙", "B")]).en == "A, B"
    assert named([Text(str(i), str(i)) for i in range(5)]).en == "0, 1, 2 and 2 more"


def test_a_text_is_written_with_its_language_tags() -> None:
    assert msgspec.json.encode(Text("你好", "hello")) == '{"zh-CN":"你好","en":"hello"}'.encode()
