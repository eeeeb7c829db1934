"""The order book: every order with its lines, and every refund, by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tilth.simulate.visits import EVENTS

if TYPE_CHECKING:
    from tilth.simulate.company import Simulation

__all__ = ["OrderBook", "order_book"]

_PURCHASE, _ITEM, _REFUND, _REFUND_ITEM = (
    EVENTS.index(name) for name in ("purchase", "purchase_item", "refund", "refund_item")
)


class OrderBook(msgspec.Struct, frozen=True, kw_only=True):
    """Rows (`visits.ROW`) of orders and of refunds, each by time.

    The lines of order k are `lines[first[k]:first[k + 1]]`; of refund k
    `refund_lines[refund_first[k]:refund_first[k + 1]]`. Amounts of refunds are positive.
    """

    orders: NDArray[Any]
    lines: NDArray[Any]
    first: NDArray[np.int64]
    refunds: NDArray[Any]
    refund_lines: NDArray[Any]
    refund_first: NDArray[np.int64]


def _grouped(rows: NDArray[Any], head: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Heads by time, and their lines in the same order. In `rows` each head comes right before its lines."""
    is_head = rows["event"] == head
    heads = np.flatnonzero(is_head)
    counts = np.diff(np.append(heads, len(rows))) - 1
    order = np.lexsort((rows["order"][heads], rows["owner"][heads], rows["ts"][heads]))
    first = np.zeros(len(heads) + 1, np.int64)
    np.cumsum(counts[order], out=first[1:])
    # Line j of the head at place k of the new order is row heads[order[k]] + 1 + j.
    place = np.repeat(heads[order] + 1 - first[:-1], counts[order]) + np.arange(first[-1])
    return rows[heads[order]], rows[place], first


def order_book(simulation: Simulation, threads: int = 2) -> OrderBook:
    """All orders and refunds of the company, in memory (about 150 bytes an order line)."""

    def kept(rows: NDArray[Any]) -> NDArray[Any]:
        chosen: NDArray[Any] = rows[(rows["event"] >= _PURCHASE) & (rows["event"] <= _REFUND_ITEM)]
        return chosen

    rows = np.concatenate(list(simulation.map_rows(kept, threads=threads)))
    bought = rows[rows["event"] <= _ITEM]
    returned = rows[rows["event"] >= _REFUND]
    orders, lines, first = _grouped(bought, _PURCHASE)
    refunds, refund_lines, refund_first = _grouped(returned, _REFUND)
    return OrderBook(
        orders=orders, lines=lines, first=first, refunds=refunds, refund_lines=refund_lines, refund_first=refund_first
    )
