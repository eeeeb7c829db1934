"""`tilth serve` as a process that can be killed, and clients that send again until they are told it is kept."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.server.test_run import free_port

__all__ = ["Client", "Node"]


class Node:
    """One server process on one port; started again on the same port after it was killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["serve", "--workspace", str(self._folder), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tilth.cli.main", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.base}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


class Client(threading.Thread):
    """Sends batches to any of the nodes, each until it is acknowledged; sometimes once more although it was."""

    def __init__(self, nodes: list[Node], key: str, name: str, until: float) -> None:
        super().__init__(daemon=True)
        self._nodes, self._key, self._name, self._until = nodes, key, name, until
        self._random = random.Random(name)
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            number = 0
            with httpx.Client(timeout=5) as http:
                while time.monotonic() < self._until:
                    number += 1
                    ids = [f"{self._name}-{number}-{n}" for n in range(self._random.randint(1, 50))]
                    self.sent.update(ids)
                    while not self._send(http, ids):
                        time.sleep(0.05)
                    self.acknowledged.update(ids)
                    if self._random.random() < 0.1:
                        self._send(http, ids)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def _send(self, http: httpx.Client, ids: list[str]) -> bool:
        node = self._random.choice(self._nodes)
        try:
            if self._random.random() < 0.5:
                answer = http.post(
                    f"{node.base}/api/v1/events",
                    json=[{"event": "seen", "distinct_id": f"p{hash(i) % 97}", "event_id": i} for i in ids],
                    headers={"Authorization": f"Bearer {self._key}"},
                )
            else:
                batch = [{"type": "track", "event": "seen", "userId": f"p{hash(i) % 97}", "messageId": i} for i in ids]
                answer = http.post(f"{node.base}/v1/batch", json={"batch": batch}, auth=(self._key, ""))
        except httpx.TransportError:
            return False
        assert answer.status_code in (200, 429, 503), (answer.status_code, answer.text)
        return answer.status_code == 200
