"""Files of orders as the company's three systems and twelve shops export them.

The app and the website: one CSV a year, a line an order line, English headers, returns as negative
lines. The mini-program: a workbook a quarter, a row an order, Chinese headers, status words, a total
row and blank rows below, and the first days of the next quarter once more. The stores: a file each, by
one of three habits (GBK text with thousands separators and 2024/1/5 dates and negative rows; UTF-8
with a mark, currency signs and status words; a workbook with dates as dates and negative rows).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tilth.simulate import ids
from tilth.simulate.calendar import DAY, OFFSET
from tilth.simulate.catalog import CATEGORIES, PRODUCTS
from tilth.simulate.channels import CHANNELS, STORES
from tilth.simulate.manifest import OrderFile, OrderTotals
from tilth.simulate.orders import OrderBook
from tilth.simulate.sheets import chinese_times, local_times, slash_times, thousands, write_csv, write_workbook, yuan

if TYPE_CHECKING:
    from tilth.simulate.company import Simulation

__all__ = ["write_orders"]

_OVERLAP = 3 * DAY
PURCHASE, REFUND, CANCELLED, NO_CUSTOMER, NO_TIME, BAD_TIME, BAD_QUANTITY, BAD_AMOUNT = range(8)
_REASONS = {NO_TIME: "no_time", BAD_TIME: "bad_time", BAD_QUANTITY: "bad_quantity", BAD_AMOUNT: "bad_amount"}

_SLIP = np.dtype(
    [
        ("ts", "i8"),
        ("amount", "i8"),  # fen; negative on negative rows
        ("price", "i8"),  # unit price, fen
        ("owner", "i4"),
        ("order", "i4"),
        ("quantity", "i4"),
        ("product", "i4"),
        ("more", "i4"),  # further lines of the order
        ("what", "u1"),  # PURCHASE … BAD_AMOUNT
        ("channel", "u1"),
        ("again", "?"),  # repeats an order that came before
    ]
)


def _slips(rows: NDArray[Any], lead: NDArray[Any] | None = None) -> NDArray[Any]:
    out = np.zeros(len(rows), _SLIP)
    for name in ("ts", "amount", "price", "owner", "order", "quantity", "channel"):
        out[name] = rows[name]
    out["product"] = rows["product"] if lead is None else lead["product"]
    out["more"] = 0 if lead is None else rows["aux"] - 1
    return out


def _invented(
    like: NDArray[Any], count: int, what: NDArray[Any] | int, rng: np.random.Generator, serial: int
) -> NDArray[Any]:
    """Rows that are no true order, in the likeness of some; their order numbers are nobody's."""
    if len(like) == 0 or count == 0:
        return like[:0]
    out = like[np.sort(rng.integers(0, len(like), count))].copy()
    out["what"] = what
    # An order number beyond any real one of this person, so that it never meets a true order.
    out["order"] = 2048 + (serial + np.arange(count)) % 2000
    out["amount"] = np.abs(out["amount"])
    out["quantity"] = np.abs(out["quantity"])
    return out


def _malformed(like: NDArray[Any], share: float, rng: np.random.Generator, serial: int) -> NDArray[Any]:
    count = round(len(like) * share)
    kinds = rng.integers(NO_TIME, BAD_AMOUNT + 1, count)
    return _invented(like, count, kinds, rng, serial)


class _Book:
    """Adds files up while they are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[OrderFile] = []
        self.people: NDArray[np.int64] = np.zeros(0, np.int64)
        self.buyers: NDArray[np.int64] = np.zeros(0, np.int64)

    def add(
        self,
        slips: NDArray[Any],
        path: Path,
        layout: str,
        level: str,
        encoding: str,
        *,
        totals: int,
        blank: int,
        grain: int,
    ) -> None:
        fresh = slips[~slips["again"]]
        bought, back = fresh[fresh["what"] == PURCHASE], fresh[fresh["what"] == REFUND]
        both = np.concatenate([bought, back])
        nobody = fresh[fresh["what"] == NO_CUSTOMER]
        times = both["ts"] // grain * grain
        self.people = np.union1d(self.people, both["owner"])
        self.buyers = np.union1d(self.buyers, bought["owner"])

        def orders(rows: NDArray[Any]) -> int:
            return len(np.unique(rows["owner"].astype(np.int64) << 20 | rows["order"]))

        def count(what: int) -> int:
            return int((fresh["what"] == what).sum())

        self.files.append(
            OrderFile(
                path=str(path.relative_to(self.folder)),
                layout=layout,
                level=level,
                format=path.suffix[1:],
                encoding=encoding,
                rows=len(slips) + totals,
                blank_rows=blank,
                purchase_rows=len(bought),
                purchases=orders(bought),
                purchase_amount=int(bought["amount"].sum()),
                refund_rows=len(back),
                refunds=orders(back),
                refund_amount=int(np.abs(back["amount"]).sum()),
                cancelled_rows=count(CANCELLED),
                duplicate_rows=int(slips["again"].sum()),
                no_customer_rows=len(nobody),
                no_customer_amount=int(nobody["amount"].sum()),
                malformed={name: count(code) for code, name in _REASONS.items() if count(code)},
                total_rows=totals,
                people=len(np.unique(both["owner"])),
                first=int(times.min()) if len(times) else 0,
                last=int(times.max()) if len(times) else 0,
            )
        )

    def totals(self) -> OrderTotals:
        return OrderTotals(
            purchases=sum(f.purchases for f in self.files),
            purchase_amount=sum(f.purchase_amount for f in self.files),
            refunds=sum(f.refunds for f in self.files),
            refund_amount=sum(f.refund_amount for f in self.files),
            people=len(self.people),
            buyers=len(self.buyers),
        )


def _order_numbers(slips: NDArray[Any]) -> pa.Array:
    return ids.order_ids(slips["owner"], slips["order"])


def _slip_numbers(slips: NDArray[Any]) -> pa.Array:
    """As a till prints them: a return is a slip of its own, `T` instead of `Q`."""
    numbers = _order_numbers(slips)
    returns = pc.replace_substring_regex(numbers, "^Q", "T")
    return pc.if_else(pa.array(slips["amount"] < 0), returns, numbers)


def _blanked(texts: pa.Array, where: NDArray[np.bool_], value: str = "") -> pa.Array:
    return pc.if_else(pa.array(where), value, texts)


def _spoilt(slips: NDArray[Any], times: pa.Array) -> pa.Array:
    times = _blanked(times, slips["what"] == NO_TIME)
    return _blanked(times, slips["what"] == BAD_TIME, "2024-13-45 25:61")


def _typed_over(what: NDArray[Any], words: dict[int, str]) -> pa.Array:
    """What somebody typed over a cell, by what is wrong with the row; null where nothing."""
    table = np.full(BAD_AMOUNT + 1, None, object)
    for code, word in words.items():
        table[code] = word
    return pa.array(table[what], pa.string())


def _wares(slips: NDArray[Any]) -> pa.Array:
    """`西湖龙井 袋装50g 等3件`: an order in one cell."""
    names = pa.array([product.chinese for product in PRODUCTS]).take(pa.array(slips["product"]))
    more = pc.binary_join_element_wise(names, " 等", pa.array(slips["more"] + 1).cast(pa.string()), "款", "")
    return pc.if_else(pa.array(slips["more"] > 0), more, names)


def _by_time(slips: NDArray[Any]) -> NDArray[Any]:
    return slips[np.lexsort((slips["order"], slips["owner"], slips["ts"]))]


def _shop_files(simulation: Simulation, book: OrderBook, out: _Book, rng: np.random.Generator) -> None:
    """The app and the website: line level, a file a year."""
    online = np.isin(book.lines["source"], (0, 2))
    bought = _slips(book.lines[online])
    back = _slips(book.refund_lines[np.isin(book.refund_lines["source"], (0, 2))])
    back["what"] = REFUND
    back["quantity"] *= -1
    back["amount"] *= -1
    slips = np.concatenate([bought, back])
    years = (slips["ts"] + OFFSET).astype("M8[us]").astype("M8[Y]").astype(np.int64) + 1970
    for year in np.unique(years).tolist():
        mine = slips[years == year]
        broken = _malformed(mine, simulation.company.dirt.malformed, rng, 0)
        mine = np.concatenate([mine, broken])
        mine = mine[np.argsort(mine["ts"], kind="stable")]
        path = out.folder / "orders" / f"shop-{year}.csv"
        quantity = pa.array(mine["quantity"]).cast(pa.string())
        columns = {
            "order_id": _order_numbers(mine),
            "customer_id": ids.customers(mine["owner"]),
            "order_time": _spoilt(mine, local_times(mine["ts"])),
            "product_code": pa.array([product.code for product in PRODUCTS]).take(pa.array(mine["product"])),
            "product": pa.array([product.name for product in PRODUCTS]).take(pa.array(mine["product"])),
            "category": pa.array([c.name for c in CATEGORIES]).take(pa.array(mine["product"] // 6)),
            "quantity": _blanked(quantity, mine["what"] == BAD_QUANTITY, "two"),
            "unit_price": _blanked(yuan(mine["price"]), mine["what"] == BAD_AMOUNT, "n/a?"),
            "channel": pa.array([channel.english for channel in CHANNELS]).take(pa.array(mine["channel"])),
        }
        write_csv(path, columns)
        out.add(mine, path, "shop", "line", "utf-8", totals=0, blank=0, grain=1_000_000)


def _order_slips(book: OrderBook, where: NDArray[np.bool_]) -> NDArray[Any]:
    chosen = np.flatnonzero(where)
    return _slips(book.orders[chosen], book.lines[book.first[chosen]])


def _refund_slips(book: OrderBook, where: NDArray[np.bool_]) -> NDArray[Any]:
    """Negative rows."""
    chosen = np.flatnonzero(where)
    slips = _slips(book.refunds[chosen], book.refund_lines[book.refund_first[chosen]])
    slips["what"] = REFUND
    slips["amount"] *= -1
    slips["quantity"] *= -1
    return slips


def _keys(rows: NDArray[Any]) -> NDArray[np.int64]:
    out: NDArray[np.int64] = rows["owner"].astype(np.int64) << 20 | rows["order"]
    return out


def _with_status(slips: NDArray[Any], book: OrderBook) -> NDArray[Any]:
    """Orders refunded by the day of the export carry the status instead of a row of their own."""
    slips["what"] = np.where(np.isin(_keys(slips), _keys(book.refunds)), REFUND, PURCHASE)
    return slips


def _status_words(slips: NDArray[Any]) -> pa.Array:
    words = np.array(["已完成"] * 8)
    words[REFUND], words[CANCELLED] = "已退款", "已取消"
    return pa.array(words[slips["what"]])


def _repeated(slips: NDArray[Any], share: float, rng: np.random.Generator) -> NDArray[Any]:
    """Some rows twice, as a double click on `export` does."""
    plain = np.flatnonzero((slips["what"] == PURCHASE) & ~slips["again"])
    picked = plain[rng.random(len(plain)) < share]
    again = slips[picked].copy()
    again["again"] = True
    return np.insert(slips, picked + 1, again)


def _mini_program_files(simulation: Simulation, book: OrderBook, out: _Book, rng: np.random.Generator) -> None:
    """Order level, a workbook a quarter; each holds the first days of the next quarter too."""
    dirt = simulation.company.dirt
    slips = _with_status(_order_slips(book, book.orders["source"] == 1), book)
    slips = np.concatenate([slips, _invented(slips, int(len(slips) * dirt.cancelled), CANCELLED, rng, 0)])
    slips = np.concatenate([slips, _malformed(slips[slips["what"] == PURCHASE], dirt.malformed, rng, 1000)])
    slips = _by_time(slips)
    months = (slips["ts"] + OFFSET).astype("M8[us]").astype("M8[M]").astype(np.int64)
    quarters = months // 3
    for k, quarter in enumerate(np.unique(quarters).tolist()):
        begin = int(np.datetime64(quarter * 3, "M").astype("M8[us]").astype(np.int64)) - OFFSET
        end = int(np.datetime64(quarter * 3 + 3, "M").astype("M8[us]").astype(np.int64)) - OFFSET
        # The overlap is exported again at the beginning of the next file.
        mine = slips[(slips["ts"] >= begin) & (slips["ts"] < end + _OVERLAP)].copy()
        if k > 0:
            plain = np.isin(mine["what"], (PURCHASE, REFUND, CANCELLED))
            mine["again"] = plain & (mine["ts"] < begin + _OVERLAP)
        mine = mine[np.isin(mine["what"], (PURCHASE, REFUND, CANCELLED)) | (mine["ts"] < end)]
        mine = _repeated(mine, dirt.repeated_rows, rng)
        year, number = 1970 + quarter // 4, quarter % 4 + 1
        path = out.folder / "orders" / f"小程序订单_{year}年第{number}季度.xlsx"
        typed, plain_amount = k % 2 == 0, k % 3 != 1
        columns = {
            "订单编号": _order_numbers(mine),
            "客户编号": ids.customers(mine["owner"]),
            "会员手机": ids.phones(mine["owner"]),
            "下单时间": pa.array(mine["ts"] + OFFSET).cast(pa.timestamp("us")) if typed else local_times(mine["ts"]),
            "实付金额": pa.array(mine["amount"] / 100) if plain_amount else thousands(mine["amount"], "¥"),
            "数量": pa.array(mine["quantity"]),
            "商品": _wares(mine),
            "渠道": pa.array([channel.name for channel in CHANNELS]).take(pa.array(mine["channel"])),
            "订单状态": _status_words(mine),
        }
        over = {
            "下单时间": _typed_over(mine["what"], {NO_TIME: "", BAD_TIME: "2024-13-45 25:61"}),
            "实付金额": _typed_over(mine["what"], {BAD_AMOUNT: "见备注"}),
            "数量": _typed_over(mine["what"], {BAD_QUANTITY: "若干"}),
        }
        total = ["合计", "", "", "", float(mine["amount"].sum() / 100), int(mine["quantity"].sum())]
        write_workbook(path, "订单", columns, over, [total], blank=3)
        out.add(mine, path, "mini_program", "order", "", totals=1, blank=3, grain=1_000_000)


def _store_files(simulation: Simulation, book: OrderBook, out: _Book, rng: np.random.Generator) -> None:
    """Order level, a file a store, by the store's habit."""
    dirt = simulation.company.dirt
    for number, store in enumerate(STORES):
        habit = number % 3
        here = (book.orders["source"] == 3) & (book.orders["store"] == number)
        back = (book.refunds["source"] == 3) & (book.refunds["store"] == number)
        slips = _order_slips(book, here)
        slips = _with_status(slips, book) if habit == 1 else np.concatenate([slips, _refund_slips(book, back)])
        sold = slips[slips["what"] == PURCHASE]
        walk_ins = _invented(sold, int(len(sold) * dirt.walk_ins), NO_CUSTOMER, rng, 0)
        broken = _malformed(sold, dirt.malformed, rng, 1000)
        slips = _repeated(_by_time(np.concatenate([slips, walk_ins, broken])), dirt.repeated_rows, rng)
        if len(slips) == 0:
            continue
        nobody = slips["what"] == NO_CUSTOMER
        customer = _blanked(ids.customers(slips["owner"]), nobody)
        phone = _blanked(ids.phones(slips["owner"]), nobody)
        bad_quantity, bad_amount = slips["what"] == BAD_QUANTITY, slips["what"] == BAD_AMOUNT
        quantity = _blanked(pa.array(slips["quantity"]).cast(pa.string()), bad_quantity, "若干")
        name = pa.array([store.name] * len(slips))
        if habit == 0:
            path = out.folder / "orders" / f"{store.name}.csv"
            columns = {
                "单号": _slip_numbers(slips),
                "会员编号": customer,
                "会员手机": phone,
                "下单时间": _spoilt(slips, slash_times(slips["ts"])),
                "商品": _wares(slips),
                "数量": quantity,
                "实付金额": _blanked(thousands(slips["amount"]), bad_amount, "#REF!"),
                "门店": name,
            }
            total = thousands(np.array([slips["amount"].sum()]))[0].as_py()
            write_csv(
                path, columns, "gb18030", [f'合计,,,,,{int(slips["quantity"].sum())},"{total}",', ",,,,,,,", ",,,,,,,"]
            )
            out.add(slips, path, "store_gbk", "order", "gb18030", totals=1, blank=2, grain=60_000_000)
        elif habit == 1:
            path = out.folder / "orders" / f"{store.name}.csv"
            columns = {
                "小票号": _order_numbers(slips),
                "会员编号": customer,
                "会员手机": phone,
                "消费时间": _spoilt(slips, local_times(slips["ts"])),
                "商品": _wares(slips),
                "数量": quantity,
                "金额": _blanked(thousands(slips["amount"], "¥"), bad_amount, "#N/A"),
                "门店": name,
                "状态": _status_words(slips),
            }
            write_csv(path, columns, "utf-8-sig")
            out.add(slips, path, "store_status", "order", "utf-8-sig", totals=0, blank=0, grain=1_000_000)
        else:
            path = out.folder / "orders" / f"{store.name}.xlsx"
            columns = {
                "单据编号": _slip_numbers(slips),
                "会员编号": customer,
                "会员手机": phone,
                "销售时间": _spoilt(slips, chinese_times(slips["ts"])),
                "商品": _wares(slips),
                "数量": quantity,
                "实收金额": _blanked(yuan(slips["amount"]), bad_amount, "待定"),
                "门店": name,
            }
            write_workbook(path, "销售明细", columns, blank=2)
            out.add(slips, path, "store_workbook", "order", "", totals=0, blank=2, grain=60_000_000)


def write_orders(simulation: Simulation, book: OrderBook, folder: Path) -> tuple[list[OrderFile], OrderTotals]:
    """Write all files of orders under `folder/orders`; every true order is in exactly one system's files."""
    (folder / "orders").mkdir(parents=True, exist_ok=True)
    out = _Book(folder)
    rng = np.random.default_rng([simulation.seed, 97])
    _shop_files(simulation, book, out, rng)
    _mini_program_files(simulation, book, out, rng)
    _store_files(simulation, book, out, rng)
    return out.files, out.totals()
