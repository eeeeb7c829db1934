"""A sentence the server says in both languages."""

from __future__ import annotations

import msgspec

__all__ = ["Text"]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """The same sentence in Chinese and in English; on the wire `{"zh-CN": …, "en": …}`."""

    zh: str = msgspec.field(name="zh-CN")
    en: str
