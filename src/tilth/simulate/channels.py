"""Where people come from, what they land on, and which meetings of channel, scene and product work.

A session is touched by a *channel*, lands in a *scene*, and is about a *category*; a checkout has a
decision *trigger*. Whether a session ends in an order is the person's own inclination times the fit
of the cell. Fit = channel × scene × category × interplay; the interplay of a dozen cells is planted
far from 1, which is what a CSPDD analysis is to find.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from tilth.simulate.catalog import CATEGORIES
from tilth.simulate.kinds import KINDS

__all__ = [
    "CHANNELS",
    "INVITED",
    "ORGANIC",
    "PLANTED",
    "PLATFORMS",
    "SCENES",
    "STORE",
    "STORES",
    "TEAM",
    "TRIGGERS",
    "Channel",
    "Store",
    "fit_table",
    "interplay_table",
    "kind_mix",
    "scene_shares",
    "touch_shares",
    "trigger_shares",
]

SCENES = ("首页推荐", "内容种草", "直播间", "搜索结果", "活动会场", "好友分享")
TRIGGERS = ("优惠券", "口碑评价", "拼团价", "专家推荐", "试饮装")
PLATFORMS = ("app", "mini_program", "web", "store")


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of arrival.

    volume: share of the people who come on their own (invited ones come on top). cost: fen of media
    spend per arrival. mix: relative weight of each kind of person (order of `KINDS`); whoever a friend
    brings is of the kind they would have been anyway. scenes: shares of landing scenes. first_order:
    probability that an arrival ever orders, before the fit of its cell. platforms: shares of app,
    mini-program and web (a store visit is always the store). pull: effect of the channel on conversion.
    """

    name: str
    english: str
    volume: float
    cost: int
    mix: tuple[float, float, float, float, float, float]
    scenes: tuple[float, float, float, float, float, float]
    first_order: float
    platforms: tuple[float, float, float]
    pull: float


# Kinds: casual, regular, giver, bargain hunter, explorer, office.
CHANNELS = (
    Channel(
        name="抖音",
        english="douyin",
        volume=0.25,
        cost=620,
        mix=(0.30, 0.05, 0.05, 0.36, 0.22, 0.02),
        scenes=(0.08, 0.22, 0.46, 0.04, 0.16, 0.04),
        first_order=0.47,
        platforms=(0.35, 0.55, 0.10),
        pull=0.92,
    ),
    Channel(
        name="微信",
        english="wechat",
        volume=0.18,
        cost=1450,
        mix=(0.36, 0.22, 0.12, 0.12, 0.13, 0.05),
        scenes=(0.22, 0.26, 0.06, 0.12, 0.14, 0.20),
        first_order=0.58,
        platforms=(0.10, 0.85, 0.05),
        pull=1.05,
    ),
    Channel(
        name="小红书",
        english="xiaohongshu",
        volume=0.14,
        cost=1680,
        mix=(0.34, 0.15, 0.10, 0.09, 0.30, 0.02),
        scenes=(0.10, 0.58, 0.06, 0.12, 0.08, 0.06),
        first_order=0.55,
        platforms=(0.45, 0.45, 0.10),
        pull=1.03,
    ),
    Channel(
        name="百度",
        english="baidu",
        volume=0.09,
        cost=2450,
        mix=(0.40, 0.16, 0.14, 0.11, 0.11, 0.08),
        scenes=(0.14, 0.10, 0.02, 0.66, 0.07, 0.01),
        first_order=0.50,
        platforms=(0.15, 0.20, 0.65),
        pull=0.97,
    ),
    Channel(
        name="知乎",
        english="zhihu",
        volume=0.04,
        cost=3600,
        mix=(0.22, 0.42, 0.09, 0.03, 0.17, 0.07),
        scenes=(0.08, 0.74, 0.02, 0.12, 0.03, 0.01),
        first_order=0.60,
        platforms=(0.30, 0.30, 0.40),
        pull=1.10,
    ),
    Channel(
        name="门店",
        english="store",
        volume=0.15,
        cost=900,
        mix=(0.36, 0.26, 0.20, 0.04, 0.06, 0.08),
        scenes=(0.40, 0.10, 0.00, 0.05, 0.35, 0.10),
        first_order=0.88,
        platforms=(0.15, 0.80, 0.05),
        pull=1.08,
    ),
    Channel(
        name="邀请",
        english="referral",
        volume=0.0,
        cost=0,
        mix=(0.34, 0.24, 0.11, 0.13, 0.14, 0.04),
        scenes=(0.10, 0.08, 0.02, 0.04, 0.12, 0.64),
        first_order=0.66,
        platforms=(0.25, 0.70, 0.05),
        pull=1.06,
    ),
    Channel(
        name="拼团",
        english="group_buy",
        volume=0.0,
        cost=0,
        mix=(0.34, 0.24, 0.11, 0.13, 0.14, 0.04),
        scenes=(0.05, 0.05, 0.05, 0.02, 0.53, 0.30),
        first_order=1.0,
        platforms=(0.15, 0.83, 0.02),
        pull=1.0,
    ),
    Channel(
        name="自然",
        english="organic",
        volume=0.15,
        cost=0,
        mix=(0.42, 0.20, 0.12, 0.09, 0.12, 0.05),
        scenes=(0.46, 0.10, 0.05, 0.25, 0.10, 0.04),
        first_order=0.54,
        platforms=(0.40, 0.35, 0.25),
        pull=1.0,
    ),
)
STORE = 5
INVITED = 6
TEAM = 7
ORGANIC = 8

_SCENE_PULL = (1.0, 0.96, 1.04, 1.10, 1.06, 1.08)
_CATEGORY_PULL = (1.04, 1.02, 1.0, 0.95, 0.97, 1.05, 1.02, 0.92)

# (channel, scene, category): how much better or worse than its margins say.
PLANTED: dict[tuple[str, str, str], float] = {
    ("小红书", "内容种草", "Flower tea"): 2.3,
    ("知乎", "内容种草", "Pu'er"): 2.2,
    ("抖音", "直播间", "Herbal tea"): 2.0,
    ("微信", "好友分享", "Black tea"): 2.1,
    ("百度", "搜索结果", "Teaware"): 2.2,
    ("自然", "首页推荐", "Green tea"): 1.8,
    ("抖音", "直播间", "Pu'er"): 0.25,
    ("小红书", "内容种草", "Oolong"): 0.35,
    ("百度", "搜索结果", "Flower tea"): 0.30,
    ("微信", "首页推荐", "Teaware"): 0.30,
    ("自然", "搜索结果", "White tea"): 0.35,
    ("邀请", "好友分享", "Pu'er"): 0.40,
}


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A shop; city: number in `calendar.CITIES`; weight: its share of the city's visitors."""

    name: str
    city: int
    weight: float


STORES = (
    Store(name="上海静安店", city=0, weight=0.45),
    Store(name="上海徐汇店", city=0, weight=0.35),
    Store(name="上海五角场店", city=0, weight=0.20),
    Store(name="杭州西湖店", city=1, weight=0.65),
    Store(name="杭州滨江店", city=1, weight=0.35),
    Store(name="北京国贸店", city=2, weight=0.6),
    Store(name="北京五道口店", city=2, weight=0.4),
    Store(name="广州天河店", city=3, weight=1.0),
    Store(name="成都太古里店", city=4, weight=1.0),
    Store(name="武汉江汉路店", city=5, weight=1.0),
    Store(name="厦门中山路店", city=6, weight=1.0),
    Store(name="西安小寨店", city=7, weight=1.0),
)


def scene_shares() -> NDArray[np.float64]:
    """`[channel, scene]`, rows add up to 1."""
    shares = np.array([channel.scenes for channel in CHANNELS])
    return shares / shares.sum(axis=1, keepdims=True)


def kind_mix() -> NDArray[np.float64]:
    """`[channel, kind]`, rows add up to 1."""
    mix = np.array([channel.mix for channel in CHANNELS])
    return mix / mix.sum(axis=1, keepdims=True)


def touch_shares() -> NDArray[np.float64]:
    """Which channel touches a later session of someone who came by a channel, `[arrival, touch]`.

    Mostly nobody (自然) or the channel they came by; a store customer mostly comes back to the store.
    """
    volume = np.array([channel.volume for channel in CHANNELS])
    volume[STORE] = 0.02
    volume /= volume.sum()
    out = np.empty((len(CHANNELS), len(CHANNELS)))
    for c in range(len(CHANNELS)):
        out[c] = 0.22 * volume
        out[c, len(CHANNELS) - 1] += 0.48
        out[c, c] += 0.30
        if c == STORE:
            out[c] *= 0.35
            out[c, STORE] += 0.65
    return out


def interplay_table() -> NDArray[np.float64]:
    """`[channel, scene, category]`: 1, but for the planted cells."""
    names = [channel.name for channel in CHANNELS]
    categories = [category.name for category in CATEGORIES]
    out = np.ones((len(names), len(SCENES), len(categories)))
    for (channel, scene, category), factor in PLANTED.items():
        out[names.index(channel), SCENES.index(scene), categories.index(category)] = factor
    return out


def fit_table() -> NDArray[np.float64]:
    """`[channel, scene, category]`: the factor on a person's inclination to order in a session."""
    pull = np.array([channel.pull for channel in CHANNELS])
    margins = pull[:, None, None] * np.array(_SCENE_PULL)[None, :, None] * np.array(_CATEGORY_PULL)[None, None, :]
    out: NDArray[np.float64] = margins * interplay_table()
    return out


def trigger_shares() -> NDArray[np.float64]:
    """What makes each kind of person decide, `[kind, trigger]`."""
    shares = np.array([kind.triggers for kind in KINDS])
    return shares / shares.sum(axis=1, keepdims=True)
