"""Numbers as people write them are read exactly."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.collect.imports.decimals import BAD, EMPTY, OK, decimal_text, multiply_to_minor, parse_decimals, to_scaled
from tilth.collect.imports.spans import Spans

numbers = st.decimals(min_value=-(10**11), max_value=10**11, allow_nan=False, allow_infinity=False, places=4)


def value_of(text: str, comma: bool = False) -> Decimal | None:
    read = parse_decimals(Spans.of([text]), comma)
    if read.status[0] != OK:
        return None
    return Decimal(int(read.mantissa[0])).scaleb(-int(read.scale[0]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"),
        ("-3.50", "-3.50"),
        ("¥1,234.50", "1234.50"),
        ("￥99", "99"),
        ("12元", "12"),
        ("1,234,567.89", "1234567.89"),
        ("12,34,567.89", "1234567.89"),
        ("１２．５", "12.5"),
        ("－１，２３４．５０", "-1234.50"),
        ("(12.00)", "-12.00"),
        ("12.00-", "-12.00"),
        ("US$ 5.00", "5.00"),
        ("HK$1,000", "1000"),
        ("CNY 12", "12"),
        ("£-2.50", "-2.50"),
        ("−7", "-7"),
        ("1 234.5", "1234.5"),
        ("1'234.50", "1234.50"),
        (" 8 ", "8"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("1.5E-2", "0.015"),
        ("8.949999999999999", "8.949999999999999"),
    ],
)
def test_a_number_is_read_as_a_person_means_it(text: str, expected: str) -> None:
    assert value_of(text) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["abc", "1,23", "1,2345", "12 34", "--1", "1-2", "5%", "1.2.3", "2011-01-01", "(5", "$£5"]
)
def test_what_is_not_a_number_is_bad(text: str) -> None:
    assert parse_decimals(Spans.of([text])).status[0] == BAD


def test_nothing_is_empty_and_not_zero() -> None:
    assert parse_decimals(Spans.of(["", "  ", "\u3000"])).status.tolist() == [EMPTY] * 3


@pytest.mark.parametrize(
    ("text", "expected"), [("1.234,56", "1234.56"), ("12,5", "12.5"), ("1.234", "1234"), ("€ 3,50", "3.50")]
)
def test_a_decimal_comma_is_read_where_the_file_uses_one(text: str, expected: str) -> None:
    assert value_of(text, comma=True) == Decimal(expected)


@given(numbers)
def test_every_decimal_reads_back_as_itself(number: Decimal) -> None:
    assert value_of(f"{number:f}") == number
    assert value_of(f"{number:,f}") == number
    assert value_of(f"£{number:,f}") == number


@given(numbers, st.integers(0, 4))
def test_rounding_to_the_minor_unit_is_half_away_from_zero(number: Decimal, digits: int) -> None:
    minor, good = to_scaled(parse_decimals(Spans.of([f"{number:f}"])), digits)
    expected = int((number.scaleb(digits)).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert good[0]
    assert minor[0] == expected


@given(
    st.decimals(min_value=-(10**6), max_value=10**6, places=3),
    st.decimals(min_value=-(10**5), max_value=10**5, places=2),
)
def test_price_times_quantity_is_exact_and_rounded_once(price: Decimal, quantity: Decimal) -> None:
    a, b = parse_decimals(Spans.of([f"{price:f}"])), parse_decimals(Spans.of([f"{quantity:f}"]))
    minor, good = multiply_to_minor(a, b, 2)
    assert good[0]
    assert minor[0] == int((price * quantity).scaleb(2).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def test_a_product_too_large_for_64_bits_is_refused_rather_than_wrapped() -> None:
    a = parse_decimals(Spans.of(["900000000000000.77"]))
    _, good = multiply_to_minor(a, a, 2)
    assert not good[0]


@given(st.text(max_size=12))
def test_no_text_crashes_the_reader(text: str) -> None:
    assert parse_decimals(Spans.of([text])).status[0] in (OK, EMPTY, BAD)


def test_minor_units_are_shown_with_the_currencys_digits() -> None:
    assert decimal_text(123450, 2) == "1234.50"
    assert decimal_text(-5, 2) == "-0.05"
    assert decimal_text(500, 0) == "500"
    assert decimal_text(1234, 3) == "1.234"
