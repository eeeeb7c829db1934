"""Answers of boards, kept from one look to the next: shown at once, worked out anew behind them.

An answer is a file of the workspace's cache, named by its question. It is given as it is while it is young, or while
nothing has changed; an older one is given too, says that it is stale, and is worked out anew in the background,
one question at a time. Whoever looks asks again soon.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tilth.behavior import stop_when
from tilth.errors import Cancelled

__all__ = ["KeptAnswer", "KeptAnswers"]

SECOND = 1_000_000
# What changes while an answer is worked out must not make it stale the moment it is there.
YOUNG = 30 * SECOND
# Facts about people may change without the lake's changing.
UNCHANGED = 600 * SECOND
MOST = 500
_CLEARED = "cleared"


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """answer: plain values, as JSON carries them. answered_at: when it was asked, UTC µs."""

    answer: Any
    answered_at: int
    stale: bool = False


class _File(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    token: str
    answered_at: int
    answer: Any


class KeptAnswers:
    """By name. folder: where they are. token: changes with the data. Thread-safe."""

    def __init__(
        self, folder: Path, token: Callable[[], str], clock: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._folder = folder
        self._data = token
        self._clock = clock
        # Data of another run of the program may bear the same token.
        self._run = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._failed: dict[str, int] = {}
        self._ending = threading.Event()
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tilth-answers")

    def get(self, name: str, work: Callable[[], Any]) -> KeptAnswer:
        """The answer to a question, by a name that says all of it. work: works it out; what it raises is raised
        where there is none yet, and where working it out anew has just failed."""
        held = self._read(name)
        now = self._clock()
        if held is None or now - self._failed.get(name, -YOUNG) < YOUNG:
            return self._work(name, work)
        age = now - held.answered_at
        stale = not (age < YOUNG or (held.token == self._token() and age < UNCHANGED))
        if stale:
            self._renew(name, work)
        return KeptAnswer(answer=held.answer, answered_at=held.answered_at, stale=stale)

    def clear(self) -> None:
        """Forget all: somebody's data are gone for good, and may be in them."""
        # Said first: what another thread or process is working out of the old data takes its file away again.
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _CLEARED).write_text(uuid.uuid4().hex)
        for path in self._files():
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give up what is being worked out."""
        self._ending.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _token(self) -> str:
        return f"{self._run}:{self._data()}"

    def _renew(self, name: str, work: Callable[[], Any]) -> None:
        with self._lock:
            if name in self._running or self._ending.is_set():
                return
            self._running.add(name)

        def run() -> None:
            try:
                with stop_when(self._ending.is_set):
                    self._work(name, work)
            except Cancelled:
                pass
            except Exception:  # noqa: BLE001 - told to whoever asks next, who asks in the foreground
                now = self._clock()
                with self._lock:
                    self._failed = {n: at for n, at in self._failed.items() if now - at < YOUNG} | {name: now}
            finally:
                with self._lock:
                    self._running.discard(name)

        self._threads.submit(run)

    def _work(self, name: str, work: Callable[[], Any]) -> KeptAnswer:
        asked_at, token, cleared = self._clock(), self._token(), self._cleared()
        answer = msgspec.to_builtins(work())
        with self._lock:
            self._failed.pop(name, None)
        self._write(_File(name=name, token=token, answered_at=asked_at, answer=answer), cleared)
        return KeptAnswer(answer=answer, answered_at=asked_at)

    # -- files -----------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}.json"

    def _read(self, name: str) -> _File | None:
        # A file that is not there, of an earlier version, or that a crash cut short, is no answer.
        with suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
            found = msgspec.json.decode(self._path(name).read_bytes(), type=_File)
            return found if found.name == name else None
        return None

    def _files(self) -> list[Path]:
        """All there are, those that a crash left half-written too."""
        return [path for path in self._folder.iterdir() if path.name != _CLEARED]

    def _cleared(self) -> str:
        """Differs after every `clear`, of whichever process."""
        with suppress(OSError):
            return (self._folder / _CLEARED).read_text()
        return ""

    def _write(self, file: _File, cleared: str) -> None:
        # It is only a cache: a full disk must not cost the answer.
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path(file.name)
            new = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
            new.write_bytes(msgspec.json.encode(file))
            os.replace(new, path)
            if self._cleared() != cleared:
                path.unlink(missing_ok=True)
            files = sorted(self._files(), key=lambda p: p.stat().st_mtime)
            for old in files[: max(0, len(files) - MOST)]:
                old.unlink(missing_ok=True)
