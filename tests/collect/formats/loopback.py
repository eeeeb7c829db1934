"""A tiny HTTP server on loopback that answers what the decoders say, for real SDKs to talk to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from tilth.collect.formats import Decoded, Outcome, Refused, Trouble, WireAnswer, WireRequest, format_of
from tilth.collect.model import Message

__all__ = ["Loopback", "loopback"]


class Loopback:
    """What arrived, and how to answer. key: the only write key; troubles: told to the next requests, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.key = "the-write-key"
        self.troubles: list[Trouble] = []
        self.retry_after = 1
        self.requests: list[WireRequest] = []
        self.messages: list[Message] = []
        self.refused: list[Refused] = []
        self.answers: list[int] = []
        self._lock = threading.Lock()

    def answer(self, request: WireRequest) -> WireAnswer:
        with self._lock:
            self.requests.append(request)
            answer = self._answer(request)
            self.answers.append(answer.status)
            return answer

    def _answer(self, request: WireRequest) -> WireAnswer:
        wire = format_of(request.path)
        if wire is None:
            return WireAnswer(404)
        decoded: Decoded = wire.decode(request, wire.limits, time.time_ns() // 1000)
        if decoded.key is None:
            return decoded.answer
        if decoded.key != self.key:
            return wire.refuse(request, Trouble.UNKNOWN_KEY, 0)
        if self.troubles:
            return wire.refuse(request, self.troubles.pop(0), self.retry_after)
        self.messages += decoded.messages
        self.refused += decoded.refused
        outcome = Outcome(accepted=len(decoded.messages), duplicate=0, quarantined=len(decoded.refused), as_of=1)
        return wire.settle(request, decoded, outcome)

    def named(self, event: str) -> list[Message]:
        return [m for m in self.messages if getattr(m, "event", None) == event]

    def of(self, kind: type[Message]) -> list[Message]:
        return [m for m in self.messages if isinstance(m, kind)]


@contextmanager
def loopback() -> Iterator[Loopback]:
    made = Loopback()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = made.answer(WireRequest(method=self.command, path=path, query=query, headers=headers, body=body))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_OPTIONS = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def encoded(messages: list[Message]) -> bytes:
    """As the intake log would store them."""
    return msgspec.json.Encoder(decimal_format="number").encode(messages)
