"""The real server, over real connections on a free loopback port."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tilth.errors import Conflict
from tilth.server.run import check_port, sign_in_address
from tilth.server.tokens import Tokens
from tilth.settings import Settings
from tilth.workspace import Workspace


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`tilth serve` as its own process."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.started = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "tilth.cli.main",
            "serve",
            "--workspace",
            str(folder),
            "--port",
            str(self.port),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if "Stop with" in line:
                break
        self.ready_after = time.monotonic() - self.started
        self.base = f"http://127.0.0.1:{self.port}"

    @property
    def link(self) -> str:
        found = re.search(r"token=(\S+)", "\n".join(self.lines))
        assert found is not None, self.lines
        return found.group(1)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found.group(1)) / 1024

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Workspace.create(tmp_path / "workspace", Settings(timezone="Europe/London", currency="GBP")) as made:
        return made.folder


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], Server]]:
    running: list[Server] = []

    def begin() -> Server:
        running.append(Server(folder))
        return running[-1]

    yield begin
    for server in running:
        server.stop(signal.SIGKILL)
        assert server.process.stdout is not None
        server.process.stdout.close()


def token(folder: Path) -> dict[str, str]:
    with Workspace.open(folder, read_only=True) as beside:
        return {"Authorization": f"Bearer {Tokens(beside.database).create('t', 'admin', 'test')[1]}"}


def test_the_server_starts_signs_in_by_its_printed_link_and_stops_cleanly(start: Callable[[], Server]) -> None:
    server = start()
    assert server.memory_mb() < 300
    with httpx.Client(base_url=server.base) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.get("/").status_code == 200
        answer = client.post("/api/v1/session/link", json={"token": server.link})
        assert answer.status_code == 200
        assert answer.json()["user"]["role"] == "admin"
        assert client.get("/api/v1/overview").status_code == 200
        assert (
            client.post(
                "/api/v1/session/link", json={"token": server.link}, headers={"Origin": server.base}
            ).status_code
            == 401
        )
    assert server.stop(signal.SIGTERM) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.base)


def test_events_accepted_by_a_stopped_or_killed_server_are_all_there_after_the_next_start(
    start: Callable[[], Server], folder: Path
) -> None:
    with Workspace.open(folder, read_only=True) as beside:
        key = {"Authorization": f"Bearer {beside.collect.sources.create('shop').write_key}"}
    admin = token(folder)
    for round_, number in enumerate((signal.SIGTERM, signal.SIGKILL)):
        server = start()
        for i in range(20):
            event = {
                "event": "purchase",
                "distinct_id": f"C{i}",
                "event_id": f"{round_}-{i}",
                "properties": {"amount": "1.00"},
            }
            assert httpx.post(f"{server.base}/api/v1/events", json=[event], headers=key).json()["accepted"] == 1
        server.stop(number)
    server = start()
    overview = httpx.get(f"{server.base}/api/v1/overview", headers=admin, timeout=60).json()
    assert (overview["orders"], overview["people"], overview["revenue"]["amount"]) == (40, 20, 4000)


def test_an_upload_is_streamed_and_one_broken_off_leaves_nothing(start: Callable[[], Server], folder: Path) -> None:
    admin = token(folder)
    server = start()
    # Warm: the first upload imports what reading files needs.
    small = b"CustomerID,InvoiceNo,InvoiceDate,Quantity,UnitPrice\nC1,I1,2024-01-05 10:00,1,2.50\n"
    files = {"file": ("orders.csv", small)}
    httpx.post(f"{server.base}/api/v1/imports?kind=orders", files=files, headers=admin, timeout=120).raise_for_status()
    before = server.memory_mb()

    size = 200 * 1024 * 1024
    head = b'--tilth\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n' + small
    row = b"C1,I1,2024-01-05 10:00,1,2.50\n" * 2000
    tail = b"\r\n--tilth--\r\n"

    def send(total: int, declared: int) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        connection.putrequest("POST", "/api/v1/imports?kind=orders")
        connection.putheader("Content-Type", "multipart/form-data; boundary=tilth")
        connection.putheader("Content-Length", str(declared))
        for name, value in admin.items():
            connection.putheader(name, value)
        connection.endheaders(head)
        sent = len(head)
        while sent + len(row) + len(tail) <= total:
            connection.send(row)
            sent += len(row)
        return connection

    rows = (size - len(head) - len(tail)) // len(row)
    connection = send(size, len(head) + rows * len(row) + len(tail))
    connection.send(tail)
    answer = connection.getresponse()
    made: Any = json.loads(answer.read())
    assert answer.status == 201, made
    assert made["files"][0]["bytes"] == len(small) + rows * len(row)
    assert server.memory_mb() - before < 120, "a 200 MB file is not held in memory"
    connection.close()

    uploads = folder / "uploads"
    kept = {path.name for path in uploads.iterdir()}
    broken = send(5_000_000, size)
    broken.close()
    for _ in range(100):
        if {path.name for path in uploads.iterdir()} == kept:
            break
        time.sleep(0.1)
    assert {path.name for path in uploads.iterdir()} == kept
    assert httpx.get(f"{server.base}/healthz").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_during_an_import_leaves_it_to_be_resumed(
    start: Callable[[], Server], folder: Path, number: int
) -> None:
    admin = token(folder)
    server = start()
    lines = [b"CustomerID,InvoiceNo,InvoiceDate,Quantity,UnitPrice"]
    lines += [b"C%d,I%d,2024-01-%02d 10:00,1,2.50" % (i % 5000, i, i % 28 + 1) for i in range(600_000)]
    files = {"file": ("orders.csv", b"\n".join(lines) + b"\n")}
    with httpx.Client(base_url=server.base, headers=admin, timeout=120) as client:
        made = client.post("/api/v1/imports?kind=orders", files=files).json()
        client.post(f"/api/v1/imports/{made['id']}/start", json={}).raise_for_status()
    server.stop(number)
    again = start()
    with httpx.Client(base_url=again.base, headers=admin, timeout=120) as client:
        found = client.get(f"/api/v1/imports/{made['id']}").json()
        if found["status"] != "done":
            assert found["status"] == "interrupted"
            keys = {item["key"] for item in client.get("/api/v1/overview").json()["attention"]}
            assert "import_interrupted" in keys
            client.post(f"/api/v1/imports/{made['id']}/resume").raise_for_status()
        for _ in range(600):
            found = client.get(f"/api/v1/imports/{made['id']}").json()
            if found["status"] != "running":
                break
            time.sleep(0.2)
        assert found["status"] == "done", found["error"]
        overview = client.get("/api/v1/overview").json()
        assert (overview["orders"], overview["people"]) == (600_000, 5000)
        assert overview["revenue"]["text"] == "1500000.00"


def test_a_second_server_on_the_workspace_is_turned_away_with_a_reason(
    start: Callable[[], Server], folder: Path
) -> None:
    start()
    command = [sys.executable, "-m", "tilth.cli.main", "serve", "--workspace", str(folder), "--port", str(free_port())]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 3
    assert "in use by process" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_said_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Conflict, match="choose another with --port"):
            check_port("127.0.0.1", taken.getsockname()[1])


def test_the_printed_address_is_one_a_browser_can_open() -> None:
    assert sign_in_address("0.0.0.0", 8765, "t") == "http://127.0.0.1:8765/signin?token=t"
    assert sign_in_address("::1", 8765, "t") == "http://[::1]:8765/signin?token=t"
    assert sign_in_address("shop.local", 80, "t") == "http://shop.local:80/signin?token=t"


def test_metrics_are_in_the_prometheus_format(start: Callable[[], Server]) -> None:
    server = start()
    httpx.get(f"{server.base}/healthz")
    text = httpx.get(f"{server.base}/metrics").text
    families = set()
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            name = line.split()[2]
            assert name not in families, f"{name} is described twice"
            families.add(name)
        elif not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+', line), line
    assert 'tilth_http_requests_total{method="GET",route="/healthz",status="200"} 1' in text
    assert {"tilth_lake_rows", "tilth_tail_events", "process_resident_memory_bytes"} <= families
