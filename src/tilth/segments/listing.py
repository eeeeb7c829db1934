"""People of a layer or segment as rows: who they are, and what they bought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.people import People
from tilth.segments.export import Value
from tilth.segments.history import NEVER
from tilth.segments.standing import NONE, Standing
from tilth.segments.words import Text
from tilth.settings import currency_digits

__all__ = ["MAX_PAGE", "ListedId", "PeoplePage", "PersonRow", "export_header", "export_rows", "page_by_money"]

Int64 = npt.NDArray[np.int64]
MAX_PAGE = 200
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CHUNK = 5_000


class ListedId(msgspec.Struct, frozen=True, kw_only=True):
    """An id a source knows the person by."""

    kind: str
    id: str


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """recency_days: since the last purchase, None without one. frequency: orders. monetary: minor units.
    last_purchase: UTC."""

    uid: int
    distinct_ids: list[ListedId]
    name: str | None
    recency_days: int | None
    frequency: int
    monetary: int
    last_purchase: dt.datetime | None


class PeoplePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list; next: the cursor of the following page, None on the last."""

    people: list[PersonRow]
    total: int
    next: str | None


def page_by_money(standing: Standing, uids: Int64, people: People, cursor: str | None, limit: int) -> PeoplePage:
    """The people `uids` (ascending), those who spent most first, then by uid.

    The cursor holds the last person's money and uid, so a page continues at the right place even when the
    numbers behind it have changed.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput("limit", f"must be between 1 and {MAX_PAGE}")
    rows = _rows_of(standing, uids)
    money = standing.revenue[rows]
    if cursor:
        after_money, after_uid = _read_cursor(cursor)
        left = (money < after_money) | ((money == after_money) & (standing.uid[rows] > after_uid))
        ahead, ahead_money = rows[left], money[left]
    else:
        ahead, ahead_money = rows, money
    if len(ahead) > limit:
        # Only the page is sorted: everybody at or above its smallest amount.
        smallest = np.partition(ahead_money, len(ahead) - limit)[len(ahead) - limit]
        top = ahead_money >= smallest
        ahead, ahead_money = ahead[top], ahead_money[top]
        more = True
    else:
        more = False
    page = ahead[np.lexsort((standing.uid[ahead], -ahead_money))][:limit]
    found = _people(standing, page, people)
    last = f"{found[-1].monetary}:{found[-1].uid}" if found and more else None
    return PeoplePage(people=found, total=len(rows), next=last)


def export_header(language: str) -> list[str]:
    """Column names of an exported list."""
    if language == "zh-CN":
        return [
            "用户编号",
            "标识",
            "手机",
            "邮箱",
            "姓名",
            "分层",
            "距上次购买天数",
            "订单数",
            "累计消费",
            "最近购买日",
        ]
    return [
        "uid", "id", "phone", "email", "name", "layer", "recency_days", "orders", "revenue", "last_purchase_day",
    ]  # fmt: skip


def export_rows(
    standing: Standing, uids: Int64, layer_of: Sequence[Text], codes: npt.NDArray[Any], people: People, language: str
) -> Iterator[list[Value]]:
    """One row a person. codes: for each uid (ascending) the place of its layer's name in `layer_of`.

    Days without a purchase are empty. Money in the currency's main unit.
    """
    rows = _rows_of(standing, uids)
    known = np.isin(uids, standing.uid)
    names = [text(language) for text in layer_of]
    places = codes[known]
    digits = currency_digits(standing.currency)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        chunk_uids = standing.uid[chunk].tolist()
        ids, traits = people.distinct_ids(chunk_uids), people.traits(chunk_uids)
        for row, uid, place in zip(chunk.tolist(), chunk_uids, places[start : start + _CHUNK].tolist(), strict=True):
            by_kind: dict[str, str] = {}
            for known_id in ids[uid]:
                by_kind.setdefault(known_id.kind, known_id.id)
            held = {t.name: t.value for t in traits[uid]}
            recency = int(standing.recency[row])
            day = standing.as_of - recency
            yield [
                uid,
                by_kind.get("id") or next(iter(by_kind.values()), None),
                by_kind.get("phone") or _text(held.get("phone")),
                by_kind.get("email") or _text(held.get("email")),
                _text(held.get("name")),
                names[place],
                None if recency == NONE else recency,
                int(standing.orders[row]),
                round(int(standing.revenue[row]) / 10**digits, digits) if digits else int(standing.revenue[row]),
                None if recency == NONE else (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat(),
            ]


def _rows_of(standing: Standing, uids: Int64) -> Int64:
    """Places in the standing of those of `uids` that are still known."""
    place = np.searchsorted(standing.uid, uids)
    place[place == len(standing.uid)] = 0
    found = standing.uid[place] == uids if len(standing) else np.zeros(len(uids), bool)
    return place[found]


def _people(standing: Standing, rows: Int64, people: People) -> list[PersonRow]:
    uids = standing.uid[rows].tolist()
    ids, traits = people.distinct_ids(uids), people.traits(uids)
    return [
        PersonRow(
            uid=uid,
            distinct_ids=[ListedId(kind=i.kind, id=i.id) for i in ids[uid]],
            name=next((_text(t.value) for t in traits[uid] if t.name == "name"), None),
            recency_days=None if standing.recency[row] == NONE else int(standing.recency[row]),
            frequency=int(standing.orders[row]),
            monetary=int(standing.revenue[row]),
            last_purchase=None
            if standing.last_ts[row] == NEVER
            else _EPOCH + dt.timedelta(microseconds=int(standing.last_ts[row])),
        )
        for uid, row in zip(uids, rows.tolist(), strict=True)
    ]


def _read_cursor(cursor: str) -> tuple[int, int]:
    money, _, uid = cursor.partition(":")
    try:
        return int(money), int(uid)
    except ValueError:
        raise InvalidInput("cursor", "is not a page's `next`") from None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
