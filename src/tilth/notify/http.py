"""One POST of JSON to somebody else's server: no redirects, a time limit, and never to a cloud's metadata address."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tilth.errors import InvalidInput

__all__ = ["Refused", "check_url", "post_json"]

_TIMEOUT = 10.0
_MOST_ANSWER = 64_000


class Refused(Exception):
    """The other side did not take it. again: trying later may help."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def check_url(url: str, field: str, *, host: str = "") -> str:
    """The URL when it is one of http or https; host: it must be of this one. Raises `InvalidInput`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidInput(field, "is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InvalidInput(field, "must be a URL that begins with https:// or http://")
    if parts.username or parts.password:
        raise InvalidInput(field, "must not have a user in it")
    if host and parts.hostname != host and not _loopback(parts.hostname):
        raise InvalidInput(field, f"must be a URL of {host}")
    return url


def post_json(url: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """(status, answer). Raises `Refused` where there is no answer, or one that is no success."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        address = _address(host, port)
        # Connected to the address that was looked at: a name may stand for another one a moment later.
        connection = _Connection(host, port, address, secure)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(
                "POST", path, raw, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
            )
            answer = connection.getresponse()
            status, content = answer.status, answer.read(_MOST_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"{host} did not answer: {error}", again=True) from None
    if not 200 <= status < 300:
        raise Refused(f"{host} answered {status}", again=status in (408, 425, 429) or status >= 500)
    return status, content


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=_TIMEOUT)
        self._to = address
        self._secure = secure

    def connect(self) -> None:
        self.sock = socket.create_connection((self._to, self.port), self.timeout)
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _address(host: str, port: int) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, where in found:
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        # Own networks are fine on a machine of one's own; where clouds hand out credentials is not.
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise Refused(f"{host} is an address nothing is sent to", again=False)
    return str(found[0][4][0])


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
