"""A real server over a workspace, on a port of its own, for clients that speak HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tilth.server.run import serve
from tilth.workspace import Workspace


@contextmanager
def live(workspace: Workspace) -> Iterator[str]:
    """The address of the running server; it is stopped on leaving."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=lambda: serve(workspace, "127.0.0.1", port, on_ready=lambda _h, _p: ready.set(), stop=stop), daemon=True
    )
    thread.start()
    assert ready.wait(30)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(30)
