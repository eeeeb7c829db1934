"""What distinguishes those who converted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.behavior.made import behavior_of, happened
from tilth.behavior.distinguish import corrected, odds_ratio
from tilth.errors import InvalidInput


def test_an_odds_ratio_has_woolfs_interval() -> None:
    # 20·20 / (10·10) = 4; the log's error is sqrt(0.3) and its interval 4 · exp(±1.96 · 0.5477).
    assert odds_ratio(20, 10, 10, 20) == (
        pytest.approx(4.0),
        pytest.approx(1.3672, abs=1e-4),
        pytest.approx(11.7026, abs=1e-4),
        pytest.approx(0.01137, abs=1e-5),
    )
    assert odds_ratio(0, 10, 10, 0)[0] == pytest.approx((0.5 * 0.5) / (10.5 * 10.5))


def test_p_values_are_corrected_for_looking_at_many() -> None:
    assert corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert corrected([]) == []


def test_mail_and_reading_reviews_go_with_buying(tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = []
    for uid in range(1, 101):
        buys = uid % 2 == 0
        channel = "mail" if uid % 10 in (0, 2, 4, 1) else "ads"  # 30 of 50 buyers, 10 of 50 others
        rows.append((uid, "2026-06-01 10:00", "view", {"channel": channel}))
        if uid % 10 in (0, 2, 4, 6, 3):  # 40 of 50 buyers, 10 of 50 others
            rows.append((uid, "2026-06-01 10:10", "review"))
        if buys:
            rows.append((uid, "2026-06-01 10:20", "buy"))
            rows.append((uid, "2026-06-01 10:30", "thank"))  # after the conversion: tells nothing
    answer = behavior_of(tmp_path, happened(rows)).funnel(steps=["view", "buy"], distinguish=["channel"])
    found = {(d.name, d.value): (d.with_it, d.with_it_converted, d.odds_ratio) for d in answer.distinguishes}
    assert found[("channel", "mail")] == (40, 30, pytest.approx(30 * 40 / (10 * 20)))
    assert found[("review", None)] == (50, 40, pytest.approx(40 * 40 / (10 * 10)))
    assert ("thank", None) not in found
    assert answer.distinguishes[0].name == "review"
    assert answer.distinguishes[0].p < 1e-6


def test_it_is_of_people_only(tmp_path: Path) -> None:
    behavior = behavior_of(tmp_path, happened([(1, "2026-06-01", "view", {"channel": "a"})]))
    with pytest.raises(InvalidInput, match="count_by"):
        behavior.funnel(steps=["view", "view"], count_by="channel", distinguish=["channel"])
