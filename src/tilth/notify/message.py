"""What is told: a title, a text, and for e-mail also a page and files."""

from __future__ import annotations

import msgspec

__all__ = ["Attachment", "Message", "shortened"]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a message. kind: its media type."""

    name: str
    kind: str
    content: bytes


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """title: one line. text: plain, lines of any length. html: the same as a page, for e-mail. link: where more is.

    data: for webhooks, what a program wants to know.
    """

    title: str
    text: str
    html: str = ""
    link: str = ""
    attachments: list[Attachment] = msgspec.field(default_factory=list)
    data: dict[str, str | int | float | bool | None] = msgspec.field(default_factory=dict)

    @property
    def whole(self) -> str:
        """Title, text and link as one plain text."""
        return "\n".join(part for part in (self.title, self.text, self.link) if part)


def shortened(text: str, size: int) -> str:
    """The text in at most `size` bytes of UTF-8, ending in "…" where something was left out."""
    raw = text.encode()
    if len(raw) <= size:
        return text
    return raw[: size - 3].decode(errors="ignore") + "…"
