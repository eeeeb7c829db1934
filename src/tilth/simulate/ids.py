"""The ids people go by, all computed from the person's number and back again.

customer: the customer number of the order systems (`QH` and eight digits), known from signing up on.
device: of the app or the browser, before signing in. openid, unionid: of the mini-program. phone:
given at signing up. store_card: of the shops. Scrambling is a multiplication modulo a power of ten,
so numbers are unique without a table. Text columns are written as bytes straight into Arrow buffers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from tilth.simulate.draws import mix

__all__ = [
    "ID_KINDS",
    "accounts",
    "cards",
    "customers",
    "devices",
    "distinct_ids",
    "event_ids",
    "openids",
    "order_ids",
    "person_of",
    "phones",
    "texts",
    "unionids",
]

ID_KINDS = ("id", "device", "wechat_openid", "wechat_unionid", "phone", "store_card")
_EIGHT = 100_000_000
_FACTOR = 61_803_399
_PREFIXES = np.array(
    [
        130,
        131,
        132,
        135,
        136,
        137,
        138,
        139,
        150,
        151,
        152,
        155,
        157,
        158,
        159,
        176,
        177,
        178,
        180,
        182,
        185,
        186,
        187,
        188,
        189,
    ]
)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


@njit(cache=True, nogil=True)
def _write_hex(values: Any, prefix: Any, digits: Any, out: Any) -> None:
    width = prefix.shape[0] + 16
    for i in range(values.shape[0]):
        at = i * width
        for k in range(prefix.shape[0]):
            out[at + k] = prefix[k]
        v = mix(values[i])
        for k in range(16):
            out[at + width - 1 - k] = digits[np.int64(v & np.uint64(15))]
            v = v >> np.uint64(4)


@njit(cache=True, nogil=True)
def _write_digits(values: Any, prefix: Any, digits: int, out: Any) -> None:
    width = prefix.shape[0] + digits
    for i in range(values.shape[0]):
        at = i * width
        for k in range(prefix.shape[0]):
            out[at + k] = prefix[k]
        v = values[i]
        for k in range(digits):
            out[at + width - 1 - k] = 48 + v % 10
            v //= 10


def texts(data: NDArray[np.uint8], width: int, count: int) -> pa.StringArray:
    """`count` texts of `width` bytes each as an Arrow column, without copying."""
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))


def _hex(values: NDArray[Any], prefix: bytes) -> pa.StringArray:
    width = len(prefix) + 16
    out = np.empty(len(values) * width, np.uint8)
    _write_hex(np.ascontiguousarray(values, np.uint64), np.frombuffer(prefix, np.uint8), _HEX, out)
    return texts(out, width, len(values))


def _digits(values: NDArray[Any], prefix: bytes, digits: int) -> pa.StringArray:
    width = len(prefix) + digits
    out = np.empty(len(values) * width, np.uint8)
    _write_digits(np.ascontiguousarray(values, np.int64), np.frombuffer(prefix, np.uint8), digits, out)
    return texts(out, width, len(values))


def customers(person: NDArray[Any]) -> pa.StringArray:
    """Customer numbers; `person_of` is the way back."""
    return _digits((person.astype(np.int64) * _FACTOR + 12_345) % _EIGHT, b"QH", 8)


def person_of(customer: str) -> int:
    """The person with this customer number; ValueError if it is not one."""
    if len(customer) != 10 or not customer.startswith("QH") or not customer[2:].isdigit():
        raise ValueError(f"{customer!r} is not a customer number")
    return (int(customer[2:]) - 12_345) * pow(_FACTOR, -1, _EIGHT) % _EIGHT


def phones(person: NDArray[Any]) -> pa.StringArray:
    """Mobile numbers of eleven digits, unique; whoever really has one is not meant."""
    person = person.astype(np.int64)
    return _digits(_PREFIXES[person % len(_PREFIXES)] * _EIGHT + (person * 38_196_601 + 777) % _EIGHT, b"", 11)


def cards(person: NDArray[Any]) -> pa.StringArray:
    return _digits((person.astype(np.int64) * 23_606_797 + 5) % _EIGHT, b"SC", 8)


def devices(owner: NDArray[Any], which: NDArray[Any] | int = 0) -> pa.StringArray:
    """The device of a person; `which` 1 is the one they change to."""
    return _hex(owner.astype(np.int64) * 4 + which, b"d-")


def openids(person: NDArray[Any]) -> pa.StringArray:
    return _hex(person.astype(np.int64) * 4 + 2, b"oQH5t")


def unionids(person: NDArray[Any]) -> pa.StringArray:
    return _hex(person.astype(np.int64) * 4 + 3, b"u-")


def accounts(owner: NDArray[Any]) -> pa.StringArray:
    """Payment accounts."""
    return _hex(owner.astype(np.int64) + (1 << 40), b"pay-")


def event_ids(owner: NDArray[Any], seq: NDArray[Any]) -> pa.StringArray:
    """Unique for every event: both numbers, mixed by a bijection."""
    return _hex((owner.astype(np.int64) << 24) | seq.astype(np.int64), b"e")


def order_ids(owner: NDArray[Any], order: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> pa.StringArray:
    """`Q` and twelve digits, unique for every order (up to 4,096 a person); null where not valid."""
    if valid is not None and not valid.all():
        column = order_ids(owner[valid], order[valid])
        slots = np.cumsum(valid) - 1
        return column.take(pa.array(slots, mask=~valid))
    # 10^12 × 7.7 million stays inside 64 bits.
    key = (owner.astype(np.int64) * 4096 + order.astype(np.int64)) % 1_000_000_000_000
    return _digits(key * 7_654_321 % 1_000_000_000_000, b"Q", 12)


@njit(cache=True, nogil=True)
def _write_distinct(
    values: Any, width: Any, prefix: Any, prefix_width: Any, who: Any, hexed: Any, offsets: Any, out: Any
) -> None:
    for i in range(values.shape[0]):
        w = who[i]
        at = offsets[i]
        size = width[w]
        for k in range(prefix_width[w]):
            out[at + k] = prefix[w, k]
        if hexed[w]:
            x = mix(values[i])
            for k in range(size - prefix_width[w]):
                digit = np.int64(x & np.uint64(15))
                out[at + size - 1 - k] = 48 + digit if digit < 10 else 87 + digit
                x = x >> np.uint64(4)
        else:
            v = np.int64(values[i])
            for k in range(size - prefix_width[w]):
                out[at + size - 1 - k] = 48 + v % 10
                v //= 10


_PREFIX = (b"d-", b"d-", b"oQH5t", b"QH", b"SC")
_WIDTH = np.array([18, 18, 21, 10, 10])


def distinct_ids(person: NDArray[Any], who: NDArray[Any], device: NDArray[Any]) -> pa.StringArray:
    """The id each event came with, by `visits.WHO`; `device`: owner of the person's device."""
    person, device = person.astype(np.int64), device.astype(np.int64)
    values = np.choose(
        who,
        [
            device * 4,
            device * 4 + 1,
            person * 4 + 2,
            (person * _FACTOR + 12_345) % _EIGHT,
            (person * 23_606_797 + 5) % _EIGHT,
        ],
    )
    offsets = np.zeros(len(person) + 1, np.int32)
    np.cumsum(_WIDTH[who], out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    prefix = np.zeros((5, 5), np.uint8)
    for w, word in enumerate(_PREFIX):
        prefix[w, : len(word)] = np.frombuffer(word, np.uint8)
    lengths = np.array([len(word) for word in _PREFIX])
    hexed = np.array([True, True, True, False, False])
    _write_distinct(values.astype(np.uint64), _WIDTH, prefix, lengths, np.ascontiguousarray(who), hexed, offsets, out)
    return pa.StringArray.from_buffers(len(person), pa.py_buffer(offsets), pa.py_buffer(out))
