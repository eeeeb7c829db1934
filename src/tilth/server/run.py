"""`tilth serve`: the web application, background work and console in one process."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from tilth.errors import Conflict, InvalidInput
from tilth.server.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tilth.workspace import Workspace

__all__ = ["admin_link", "first_link", "serve", "sign_in_address"]


def sign_in_address(host: str, port: int, token: str) -> str:
    """The printed address: opening it signs in, once."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/signin?token={token}"


def first_link(workspace: Workspace, host: str, port: int) -> str | None:
    """A one-time sign-in address for the admin while nobody has set a password, else None."""
    accounts = Accounts(workspace.database)
    admin = accounts.first_admin()
    return None if admin is None else sign_in_address(host, port, accounts.link(admin.id))


def admin_link(workspace: Workspace, host: str, port: int) -> str:
    """A one-time sign-in address for the oldest admin, password or not."""
    accounts = Accounts(workspace.database)
    admin = accounts.first_admin() or next(a for a in accounts.all() if a.role == "admin")
    return sign_in_address(host, port, accounts.link(admin.id))


def check_port(host: str, port: int) -> None:
    """Say clearly that the port is taken, before anything else is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror):
                raise InvalidInput("host", f"{host!r} is not an address of this machine") from None
            raise Conflict(f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port") from None


def serve(
    workspace: Workspace,
    host: str | None = None,
    port: int | None = None,
    *,
    on_ready: Callable[[str, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until interrupted (SIGINT, SIGTERM) or until `stop` is set.

    on_ready: called with host and port once requests are answered. stop: lets tests and embedding
    programs end it; give it where this does not run in the main thread, which alone gets signals.
    """
    host = host or workspace.settings.host
    port = port if port is not None else workspace.settings.port
    check_port(host, port)
    # Granian reports its own starting and stopping; only its errors are news.
    logging.getLogger("_granian").setLevel(logging.ERROR)
    # A request changes threads several times on its way to the disk and back; at the default of 5 ms each change
    # would wait longer for a busy neighbour than for the disk.
    sys.setswitchinterval(0.0005)
    # Under load tens of thousands of short-lived messages are alive at once, and none of them is in a cycle.
    gc.set_threshold(100_000, 20, 100)
    asyncio.run(_serve(workspace, host, port, on_ready, stop))


async def _serve(
    workspace: Workspace,
    host: str,
    port: int,
    on_ready: Callable[[str, int], None] | None,
    stop: threading.Event | None,
) -> None:
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.embed import Server

    from tilth.server.app import create_app

    app = create_app(workspace)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        runtime_threads=1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=30_000),
        log_level=LogLevels.error,
    )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():

        def end() -> None:
            ended.set()
            # The first signal ends gently; a second one, while something takes long, ends at once.
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
    running = asyncio.create_task(server.serve())
    try:
        await _answering(host, port, running)
        if on_ready is not None:
            on_ready(host, port)
        while not (ended.is_set() or running.done() or (stop is not None and stop.is_set())):
            try:
                await asyncio.wait_for(ended.wait(), timeout=0.2)
            except TimeoutError:
                continue
    finally:
        app.state["context"].ending.set()
        if not running.done():
            server.stop()  # type: ignore[no-untyped-call]
        await running


async def _answering(host: str, port: int, running: asyncio.Task[None]) -> None:
    """Wait until the port accepts connections."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    while not running.done():
        try:
            _, writer = await asyncio.open_connection(target, port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
