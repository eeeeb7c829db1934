"""What Qinghe Tea sells: eight categories, six price levels each. Prices are fen."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["CATEGORIES", "CURRENCY", "PRODUCTS", "Category", "Product", "category_names", "prices", "season_tastes"]

CURRENCY = "CNY"


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A category and what makes people want it.

    axes: where it lies on three hidden axes of taste (traditional to modern, light to strong, everyday
    to precious); a person has a place on the same axes, which is the low-rank truth of
    recommendation. peak: month (1..12) of most demand, swing: how much more (0.3 is +30 %).
    """

    code: str
    name: str
    chinese: str
    axes: tuple[float, float, float]
    popularity: float
    peak: int
    swing: float


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """code: as in the files. price: list price in fen. level: 0 (sample) to 5 (collector's)."""

    code: str
    name: str
    chinese: str
    category: str
    level: int
    price: int


CATEGORIES = (
    Category(code="GT", name="Green tea", chinese="绿茶", axes=(-0.6, -0.7, 0.1), popularity=1.3, peak=4, swing=0.55),
    Category(code="BT", name="Black tea", chinese="红茶", axes=(-0.3, 0.4, 0.0), popularity=1.1, peak=12, swing=0.35),
    Category(code="OT", name="Oolong", chinese="乌龙茶", axes=(-0.1, 0.1, 0.3), popularity=1.0, peak=11, swing=0.15),
    Category(code="PE", name="Pu'er", chinese="普洱茶", axes=(-0.9, 0.9, 0.7), popularity=0.8, peak=1, swing=0.30),
    Category(code="WT", name="White tea", chinese="白茶", axes=(-0.4, -0.3, 0.8), popularity=0.7, peak=10, swing=0.15),
    Category(code="FT", name="Flower tea", chinese="花茶", axes=(0.8, -0.5, -0.5), popularity=1.0, peak=7, swing=0.40),
    Category(
        code="HT", name="Herbal tea", chinese="草本茶", axes=(0.7, -0.9, -0.3), popularity=0.7, peak=8, swing=0.25
    ),
    Category(code="TW", name="Teaware", chinese="茶具", axes=(0.1, 0.3, 0.9), popularity=0.5, peak=2, swing=0.15),
)

_PRICES = (
    (990, 2900, 6800, 12800, 26800, 59800),
    (990, 2600, 5800, 10800, 21800, 46800),
    (1290, 3200, 7200, 13800, 29800, 68800),
    (1290, 3500, 7800, 15800, 36800, 98000),
    (1290, 3600, 7900, 14800, 32800, 78800),
    (890, 2300, 4900, 8800, 16800, 36800),
    (890, 2200, 4600, 7900, 14800, 29800),
    (1500, 3900, 8900, 16900, 38800, 128000),
)
_LEVELS = ("sample", "pouch 50 g", "tin 100 g", "gift tin 200 g", "reserve 250 g", "collector's box")
_LEVELS_CHINESE = ("体验装", "袋装50g", "罐装100g", "礼罐200g", "珍藏250g", "典藏礼盒")
_WARE = ("tea strainer", "travel cup", "glass pot", "gaiwan set", "travel tea set", "Yixing teapot")
_WARE_CHINESE = ("茶漏", "随行杯", "玻璃壶", "盖碗套组", "旅行茶具", "紫砂壶")
_FIRST = ("West Lake Longjing", "Keemun", "Anxi Tieguanyin", "Menghai ripe", "Fuding silver needle", "Jasmine pearl")
_FIRST_CHINESE = ("西湖龙井", "祁门红茶", "安溪铁观音", "勐海熟普", "福鼎白毫银针", "茉莉龙珠", "菊花枸杞", "")


def _products() -> tuple[Product, ...]:
    out = []
    for c, category in enumerate(CATEGORIES):
        for level in range(6):
            if category.code == "TW":
                name, chinese = _WARE[level].capitalize(), _WARE_CHINESE[level]
            else:
                name = f"{(*_FIRST, 'Chrysanthemum goji')[c]}, {_LEVELS[level]}"
                chinese = f"{_FIRST_CHINESE[c]} {_LEVELS_CHINESE[level]}"
            out.append(
                Product(
                    code=f"{category.code}-{level + 1:02d}",
                    name=name,
                    chinese=chinese,
                    category=category.name,
                    level=level,
                    price=_PRICES[c][level],
                )
            )
    return tuple(out)


PRODUCTS = _products()


def category_names() -> list[str]:
    return [category.name for category in CATEGORIES]


def prices() -> NDArray[np.int64]:
    """List prices in fen, `[category, level]`; product number = category * 6 + level."""
    return np.array(_PRICES, np.int64)


def season_tastes() -> NDArray[np.float64]:
    """How much each category is wanted in each month against its year, `[month, category]`."""
    months = np.arange(1, 13)[:, None]
    peak = np.array([category.peak for category in CATEGORIES])[None, :]
    swing = np.array([category.swing for category in CATEGORIES])[None, :]
    return 1 + swing * np.cos(2 * np.pi * (months - peak) / 12)
