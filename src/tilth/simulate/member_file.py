"""The file of members: who signed up, as the membership system exports it, with Chinese headers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tilth.simulate import ids
from tilth.simulate.calendar import CITIES, OFFSET
from tilth.simulate.channels import CHANNELS
from tilth.simulate.draws import hashed, uniforms
from tilth.simulate.manifest import MemberFile
from tilth.simulate.people import NEVER
from tilth.simulate.sheets import write_workbook

if TYPE_CHECKING:
    from tilth.simulate.company import Simulation

__all__ = ["LEVELS", "member_names", "write_members"]

LEVELS = ("普通会员", "银卡会员", "金卡会员", "黑金会员")
_LEVEL_FROM = np.array([50_000, 200_000, 800_000])  # fen spent
_SURNAMES = np.array(list("王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余"))
_GIVEN = np.array(
    list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰梅慧佳欣怡雨晨宇浩轩子涵诗思雅文博嘉琪若云清")
)
_STREAM = 90


def member_names(person: NDArray[Any], seed: int) -> pa.Array:
    """Made-up names, by person number."""
    bits = hashed(seed, _STREAM, person)
    surname = _SURNAMES[(bits % np.uint64(len(_SURNAMES))).astype(np.int64)]
    first = _GIVEN[((bits >> np.uint64(16)) % np.uint64(len(_GIVEN))).astype(np.int64)]
    second = _GIVEN[((bits >> np.uint64(32)) % np.uint64(len(_GIVEN))).astype(np.int64)]
    single = ((bits >> np.uint64(48)) & np.uint64(3)) == 0
    return pc.binary_join_element_wise(pa.array(surname), pa.array(first), pa.array(np.where(single, "", second)), "")


def write_members(simulation: Simulation, folder: Path) -> MemberFile:
    """Write `members.xlsx`. Needs everybody's outcomes.

    Some phone numbers are missing, some typed with blanks; some birthdays are everybody's 1990-01-01;
    some rows come twice, and a few name nobody.
    """
    people, outcomes, seed = simulation.people, simulation.outcomes, simulation.seed
    member = np.flatnonzero(outcomes["signed"] < NEVER)
    dirt = simulation.company.dirt
    again = uniforms(seed, _STREAM + 1, member) < dirt.repeated_rows
    nobody = uniforms(seed, _STREAM + 2, member) < dirt.malformed / 2
    # 0: the row itself, 1: once more, 2: a row without number and phone after it.
    who = np.concatenate([member, member[again], member[nobody]])
    what = np.concatenate([np.zeros(len(member), int), np.ones(int(again.sum()), int), np.full(int(nobody.sum()), 2)])
    order = np.lexsort((what, who, outcomes["signed"][who]))
    who, what = who[order], what[order]
    u = uniforms(seed, _STREAM + 3, who)
    dirty = dirt.malformed > 0
    phones = ids.phones(who)
    blanks = pc.replace_substring_regex(phones, r"^(\d{3})(\d{4})(\d{4})$", r"\1 \2 \3")
    phones = pc.if_else(pa.array(dirty & (u < 0.04)), blanks, phones)
    without = (dirty & (u > 0.97)) | (what == 2)
    phones = pc.if_else(pa.array(without), "", phones)
    birthdays = people["birthday"][who].astype("M8[D]")
    born = pc.strftime(pa.array(birthdays.astype("M8[s]")), "%Y-%m-%d")
    slashed = pc.replace_substring_regex(born, r"^(\d+)-0?(\d+)-0?(\d+)$", r"\1/\2/\3")
    v = uniforms(seed, _STREAM + 4, who)
    born = pc.if_else(pa.array(dirty & (v < 0.10)), slashed, born)
    born = pc.if_else(pa.array(dirty & (v > 0.95)), "1990-01-01", born)
    born = pc.if_else(pa.array((v > 0.60) & (v < 0.85)), "", born)
    inviter = people["inviter"][who]
    # Who invited may never have signed up; then the system knows nobody.
    known = (inviter >= 0) & (outcomes["signed"][np.maximum(inviter, 0)] < NEVER)
    level = np.searchsorted(_LEVEL_FROM, outcomes["spent"][who], side="right")
    columns = {
        "客户编号": pc.if_else(pa.array(what == 2), "", ids.customers(who)),
        "姓名": member_names(who, seed),
        "手机号": phones,
        "性别": pa.array(["", "女", "男"]).take(pa.array(people["sex"][who])),
        "生日": born,
        "城市": pa.array([city.name for city in CITIES]).take(pa.array(people["city"][who])),
        "会员等级": pa.array(list(LEVELS)).take(pa.array(level)),
        "注册时间": pa.array(outcomes["signed"][who] + OFFSET).cast(pa.timestamp("us")),
        "注册渠道": pa.array([channel.name for channel in CHANNELS]).take(pa.array(people["channel"][who])),
        "邀请人": pc.if_else(pa.array(known), ids.customers(np.maximum(inviter, 0)), ""),
    }
    write_workbook(folder / "members.xlsx", "会员", columns)
    nobodies = int((what == 2).sum())
    return MemberFile(
        path="members.xlsx",
        rows=len(who),
        people=len(member),
        duplicate_rows=int((what == 1).sum()),
        malformed={"no_customer": nobodies} if nobodies else {},
        with_phone=int(((what == 0) & ~without).sum()),
    )
