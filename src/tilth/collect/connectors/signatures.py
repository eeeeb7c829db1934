"""How each shop system proves that a webhook is its own.

Shopify: `X-Shopify-Hmac-Sha256`, base64 of HMAC-SHA256 of the body. WooCommerce: `X-WC-Webhook-Signature`,
the same. Youzan: `Event-Sign`, MD5 of client id, body and client secret in a row; the secret is kept here as
`client_id:client_secret`. Anything else: `X-Tilth-Signature`, `sha256=` and the hexadecimal HMAC-SHA256.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

__all__ = ["check_signature", "payload_of", "topic_of"]

_TOPICS = {"shopify": "x-shopify-topic", "woocommerce": "x-wc-webhook-topic", "youzan": "event-type",
           "generic": "x-tilth-topic"}  # fmt: skip


def check_signature(kind: str, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """True where the body was signed with the secret. headers: names in small letters."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    if kind == "shopify":
        return _same(headers.get("x-shopify-hmac-sha256", ""), base64.b64encode(mac.digest()).decode())
    if kind == "woocommerce":
        return _same(headers.get("x-wc-webhook-signature", ""), base64.b64encode(mac.digest()).decode())
    if kind == "youzan":
        client, _, key = secret.partition(":")
        digest = hashlib.md5(client.encode() + body + key.encode(), usedforsecurity=False).hexdigest()
        return _same(headers.get("event-sign", "").lower(), digest)
    return _same(headers.get("x-tilth-signature", ""), f"sha256={mac.hexdigest()}")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted.encode())


def topic_of(kind: str, headers: Mapping[str, str], payload: object) -> str:
    """What the webhook is about, as its system names it."""
    named = headers.get(_TOPICS[kind], "")
    if not named and kind == "youzan" and isinstance(payload, dict):
        named = str(payload.get("type", ""))
    return named


def payload_of(kind: str, document: object) -> object:
    """The part of a webhook that the rules read: Youzan wraps it as url-encoded JSON text in `msg`."""
    if kind == "youzan" and isinstance(document, dict) and isinstance(document.get("msg"), str):
        text = document["msg"]
        try:
            return msgspec.json.decode(unquote(text) if text.startswith("%7B") else text)
        except (msgspec.DecodeError, RecursionError):
            return document
    return document
