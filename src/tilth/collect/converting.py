"""Rows of the intake log as rows of the event table, in this process or in a helper beside it.

Turning JSON into columns is most of the work of taking events in, and all of it holds the interpreter.
A server under load therefore has a helper process do it and keeps the interpreter for its requests;
the helper gets bytes and gives back columns, knows nothing of the workspace and may die at any time.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import IO, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tilth.collect.feedback.incoming import FEEDBACK
from tilth.collect.model import Batch, Message, Track
from tilth.collect.rows import has_row, message_rows

__all__ = ["Converted", "Converter", "convert"]

logger = logging.getLogger("tilth.collect")

_decoder = msgspec.json.Decoder(Batch, float_hook=Decimal)
# Fewer events than this are converted faster than they are handed over.
_HELP_FROM = 2_000


@dataclass(frozen=True)
class Converted:
    """Messages of consecutive rows of the log, before anybody was asked who is who.

    last: the last row's seq. seq, ts: int64[n], one a message; source, event_id: text[n]. has_row:
    bool[n]; rows: the event table's rows of those messages, uid -1; kind: the kind of each row's id.
    telling: the messages that say something of ids or traits or are feedback, as (seq, their positions, batch of them).
    """

    last: int
    seq: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    source: pa.Array
    event_id: pa.Array
    has_row: npt.NDArray[np.bool_]
    rows: pa.Table
    kind: pa.DictionaryArray
    telling: list[tuple[int, list[int], Batch]]

    def without(self, gone: npt.NDArray[np.bool_]) -> Converted:
        """Leave out the messages marked in `gone`."""
        kept = ~gone
        mask, row_mask = pa.array(kept), pa.array(kept[self.has_row])
        telling = []
        for seq, positions, batch in self.telling:
            left = [(p, m) for p, m in zip(positions, batch.messages, strict=True) if kept[p]]
            if left:
                messages = [m for _, m in left]
                telling.append((seq, [p for p, _ in left], msgspec.structs.replace(batch, messages=messages)))
        return replace(
            self,
            seq=self.seq[kept],
            ts=self.ts[kept],
            source=self.source.filter(mask),
            event_id=self.event_id.filter(mask),
            has_row=self.has_row[kept],
            rows=self.rows.filter(row_mask),
            kind=self.kind.filter(row_mask),
            telling=telling,
        )


def convert(raw: Sequence[tuple[int, bytes]], currency: str) -> Converted:
    """What the rows (seq, payload) of the log say. Currency: the workspace's, for amounts without one."""
    batches = [(seq, _decoder.decode(payload)) for seq, payload in raw]
    counts = [len(batch.messages) for _, batch in batches]
    messages: list[Message] = [message for _, batch in batches for message in batch.messages]
    telling: list[tuple[int, list[int], Batch]] = []
    at = 0
    for (seq, batch), count in zip(batches, counts, strict=True):
        positions = [at + n for n, message in enumerate(batch.messages) if _tells(message)]
        if positions:
            said = [messages[p] for p in positions]
            telling.append((seq, positions, msgspec.structs.replace(batch, messages=said)))
        at += count
    about = [message for message in messages if has_row(message)]
    rows = message_rows([batch for _, batch in batches], np.full(len(about), -1, np.int64), currency)
    sources = pa.array([batch.source for _, batch in batches], pa.string())
    return Converted(
        last=batches[-1][0],
        seq=np.repeat(np.array([seq for seq, _ in batches], np.int64), counts),
        ts=np.array([message.ts for message in messages], np.int64),
        source=sources.take(pa.array(np.repeat(np.arange(len(batches)), counts))),
        event_id=pa.array([message.event_id for message in messages], pa.string()),
        has_row=np.ones(len(messages), bool)
        if len(about) == len(messages)
        else np.fromiter(map(has_row, messages), bool, len(messages)),
        rows=rows,
        kind=pa.array([message.ids[0].kind for message in about], pa.string()).dictionary_encode(),
        telling=telling,
    )


def _tells(message: Message) -> bool:
    return (
        type(message) is not Track
        or len(message.ids) > 1
        or bool(message.operations)
        # Feedback becomes a line of work in the same transaction.
        or message.event == FEEDBACK
    )


class Converter:
    """Converts; with `help` set, larger amounts in a helper process. Not for several threads at once."""

    def __init__(self) -> None:
        self.help = False
        self._helper: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def convert(self, raw: Sequence[tuple[int, bytes]], events: int, currency: str) -> Converted:
        """As the function of this name; `events` is how many messages the rows hold together."""
        if self.help and events >= _HELP_FROM:
            with self._lock:
                try:
                    return self._ask(raw, currency)
                except (OSError, EOFError, pickle.UnpicklingError) as error:
                    # Nothing is lost: the log still has the rows.
                    logger.warning("the helper process ended (%s); its work is done here", error or "no answer")
                    self._end()
        return convert(raw, currency)

    def _ask(self, raw: Sequence[tuple[int, bytes]], currency: str) -> Converted:
        if self._helper is None:
            # A plain child that ends with its standard input, so it never outlives a killed server.
            self._helper = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        _put(self._helper.stdin, (list(raw), currency))
        answer = _get(self._helper.stdout)
        if isinstance(answer, Converted):
            return answer
        raise EOFError(str(answer))

    def _end(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            for pipe in (helper.stdin, helper.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            try:
                helper.wait(timeout=5)
            except subprocess.TimeoutExpired:
                helper.kill()
                helper.wait()

    def close(self) -> None:
        """End the helper process, if there is one."""
        with self._lock:
            self._end()


def _put(pipe: IO[bytes], value: object) -> None:
    data = pickle.dumps(value, protocol=5)
    pipe.write(len(data).to_bytes(8, "little"))
    pipe.write(data)
    pipe.flush()


def _get(pipe: IO[bytes]) -> Any:
    head = pipe.read(8)
    if len(head) < 8:
        raise EOFError
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


def _serve() -> None:
    import gc
    import signal

    # Ctrl-C in a terminal reaches the whole group; the server decides when its helper ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000, 20, 100)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            raw, currency = _get(source)
        except EOFError:
            return
        try:
            answer: object = convert(raw, currency)
        except Exception as error:  # noqa: BLE001 - the server converts it itself and meets the error there
            answer = f"{type(error).__name__}: {error}"
        try:
            _put(target, answer)
        except BrokenPipeError:
            return


if __name__ == "__main__":
    # Pickles name the module they come from, which must not be `__main__`.
    from tilth.collect import converting

    converting._serve()
