"""Webhooks: JSON with a signature that also covers the time, so that a copy is of no use later."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from tilth.notify.http import post_json
from tilth.notify.message import Message

__all__ = ["send", "signature"]


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over `stamp.body`."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def send(url: str, message: Message, key: str, secret: str = "") -> None:
    """POST `{"id", "title", "text", "link", "data"}`. Headers: Tilth-Id (equal for repeats), Tilth-Timestamp (seconds)
    and, with a secret, Tilth-Signature (see `signature`). Raises `Refused`."""
    body = {"id": key, "title": message.title, "text": message.text, "link": message.link, "data": message.data}
    raw = json.dumps(body, ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    headers = {"Tilth-Id": key, "Tilth-Timestamp": stamp}
    if secret:
        headers["Tilth-Signature"] = signature(secret, stamp, raw)
    post_json(url, raw, headers)
