"""What people need, how satisfied they are, where in life they stand, and whether they pay later on time.

A survey shows the need with noise: ten statements, two for each need, agreed with from 1 to 5, and the
0..10 question whose answers make the NPS. Satisfaction is the other face of dropout: who is
likely to leave scores low, so NPS foretells behaviour.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.calendar import DAY
from tilth.simulate.draws import begin, choose, exponential, normal, uniform, uniforms
from tilth.simulate.kinds import KINDS
from tilth.simulate.people import NEVER

__all__ = ["HERBAL", "NEEDS", "NO_STAGE", "QUESTIONS", "STAGES", "Need", "draw_needs", "stage_of", "survey_answers"]

_STREAM, _ANSWER_STREAM = 5, 70
STAGES = ("备孕期", "孕期", "哺乳期", "育儿期")
_STAGE_ENDS = (150, 430, 700)  # days from the beginning of 备孕
NO_STAGE = 1_000_000
HERBAL = 6  # category number; wanted most where caffeine is not


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A need and the two statements of the survey that show it."""

    name: str
    chinese: str
    statements: tuple[str, str]


NEEDS = (
    Need(name="health", chinese="健康养生", statements=("喝茶主要是为了身体好", "我在意农残检测报告")),
    Need(name="connoisseur", chinese="品质品鉴", statements=("我能喝出山场和年份", "愿意为好茶多花钱")),
    Need(name="gifting", chinese="社交送礼", statements=("我常买茶送人", "包装体面很重要")),
    Need(name="energy", chinese="提神办公", statements=("工作时离不开茶", "冲泡方便最重要")),
    Need(name="novelty", chinese="新鲜好看", statements=("喜欢尝没喝过的", "好看的茶我会拍照分享")),
)
QUESTIONS = tuple(statement for need in NEEDS for statement in need.statements)


@njit(cache=True, nogil=True)
def _fill(
    people: Any, low: int, high: int, seed: int, needs: Any, drop_a: Any, drop_b: Any, start: int, end: int
) -> None:
    state = np.empty(1, np.uint64)
    for i in range(low, high):
        begin(state, seed, _STREAM, i)
        p = people[i]
        p.need = choose(state, needs[p.kind])
        mean = drop_a[p.kind] / (drop_a[p.kind] + drop_b[p.kind])
        p.satisfaction = 0.5 + 1.1 * (mean - p.drop) / (mean + 0.05) + 0.6 * normal(state) - 2.0 * (mean - 0.15)
        score = np.floor(7.6 + 1.5 * p.satisfaction + 0.8 * normal(state))
        p.nps = min(10.0, max(0.0, score))
        when = p.arrival + np.int64((20.0 + 160.0 * exponential(state)) * DAY)
        p.survey = when if uniform(state) < 0.28 and when < end and p.ring < 0 else NEVER
        begins = np.int64(uniform(state) * 1100.0) - 500
        in_life = p.sex == 1 and p.ring < 0 and uniform(state) < 0.13
        p.stage_day = begins if in_life else NO_STAGE
        p.pay_later = min(0.9, max(0.0, 0.03 + 0.22 * p.price_sensitivity + 0.05 * normal(state)))
        age = (start / DAY - p.birthday) / 365.25
        p.default_seen = -3.4 + 1.6 * p.price_sensitivity - 0.02 * (age - 30.0) + 6.0 * p.refund
        p.default_hidden = 0.9 * normal(state)


def draw_needs(people: NDArray[Any], low: int, high: int, seed: int, start: int, end: int) -> None:
    """Need, satisfaction, survey, life stage and credit of the people `low..high`."""
    weights = np.array([kind.needs for kind in KINDS])
    _fill(
        people.view(np.recarray),
        low,
        high,
        seed,
        np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1),
        np.array([kind.drop_a for kind in KINDS]),
        np.array([kind.drop_b for kind in KINDS]),
        start,
        end,
    )


def stage_of(stage_day: NDArray[Any], day: int) -> NDArray[np.int64]:
    """Life stage (index into STAGES) on a day of the window, -1 for none."""
    since = day - stage_day.astype(np.int64)
    stage = np.searchsorted(np.array(_STAGE_ENDS), since, side="right")
    out: NDArray[np.int64] = np.where((stage_day < NO_STAGE) & (since >= 0), stage, -1)
    return out


def survey_answers(seed: int, person: NDArray[Any], need: NDArray[Any]) -> NDArray[np.int64]:
    """Answers 1..5 to QUESTIONS, `[person, question]`: 3.9 on average where it is the person's need, else 2.6."""
    count = len(QUESTIONS)
    keys = person.astype(np.int64)[:, None] * count + np.arange(count)[None, :]
    noise = sum(uniforms(seed, _ANSWER_STREAM + k, keys) for k in range(3)) - 1.5  # sd 0.5
    mine = (np.arange(count) // 2)[None, :] == need.astype(np.int64)[:, None]
    out: NDArray[np.int64] = np.clip(np.rint(np.where(mine, 3.9, 2.6) + 1.7 * noise), 1, 5).astype(np.int64)
    return out
