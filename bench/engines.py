"""The measured steps of behaviour; each is a process of its own and prints one JSON line (`bench.measured.run_step`).

`ask ENGINE FOLDER QUESTION`: the first answer is timed from before the engine is imported, then warm ones follow.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.questions import QUESTIONS, plain

_CHUNK = 6_000_000


def make(folder: str, people: str) -> None:
    """The company's behaviour of half a year: as a workspace's lake, and the same rows as Parquet for the peers."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tilth.settings import Settings
    from tilth.simulate import simulate
    from tilth.simulate.dirt import Dirt
    from tilth.simulate.tables import event_table
    from tilth.workspace import Workspace

    started = time.perf_counter()
    company = simulate(int(people), 180, seed=1, until=datetime.date(2026, 9, 30))
    dirt = Dirt.none()

    def chunk(rows: Any) -> pa.Table:
        table = event_table(company, rows, dirt)
        uid = rows["person"][np.argsort(rows["ts"], kind="stable")].astype(np.int64) + 1
        table = table.append_column("uid", pa.array(uid))
        return table.sort_by([(name, "ascending") for name in ("uid", "ts", "received_at", "event_id")])

    shutil.rmtree(Path(folder) / "workspace", ignore_errors=True)
    names = ["uid", "ts", "event", "source", "p_channel", "p_category"]
    count, waiting, held = 0, [], 0
    with contextlib.ExitStack() as stack:
        ws = stack.enter_context(Workspace.create(Path(folder) / "workspace", Settings(timezone="UTC", currency="CNY")))
        out: pq.ParquetWriter | None = None

        def write() -> None:
            nonlocal out
            table = pa.concat_tables(waiting)
            waiting.clear()
            ws.lake.append(table, vouched=True)
            for_peers = table.select(names).rename_columns(["uid", "ts", "event", "source", "channel", "category"])
            for_peers = for_peers.set_column(1, "ts", for_peers.column("ts").cast(pa.int64()))
            if out is None:
                out = stack.enter_context(pq.ParquetWriter(Path(folder) / "events.parquet", for_peers.schema))
            out.write_table(for_peers)

        for table in company.map_rows(chunk):
            waiting.append(table)
            held += table.num_rows
            count += table.num_rows
            if held >= _CHUNK:
                write()
                held = 0
        if waiting:
            write()
        ws.lake.compact()
    _print(seconds=time.perf_counter() - started, events=count, people=int(people))


def load_clickhouse(folder: str) -> None:
    """The rows in a table of ClickHouse's own, ordered by event, day and person as its manual advises."""
    from chdb.session import Session

    started = time.perf_counter()
    shutil.rmtree(Path(folder) / "clickhouse", ignore_errors=True)
    session = Session(str(Path(folder) / "clickhouse"))
    session.query("CREATE DATABASE bench")
    session.query(
        "CREATE TABLE bench.events (uid UInt64, ts UInt64, pos UInt64, "
        "event LowCardinality(String), source LowCardinality(String), "
        "channel LowCardinality(Nullable(String)), category LowCardinality(Nullable(String))) "
        "ENGINE = MergeTree ORDER BY (event, intDiv(ts, 86400000000), uid, ts)"
    )
    session.query(
        f"INSERT INTO bench.events SELECT uid, ts, rowNumberInAllBlocks() AS pos, event, source, channel, category "
        f"FROM file('{Path(folder) / 'events.parquet'}', Parquet) SETTINGS max_threads = 1, max_insert_threads = 1"
    )
    session.query("OPTIMIZE TABLE bench.events FINAL")
    session.close()
    _print(seconds=time.perf_counter() - started)


def load_duckdb(folder: str) -> None:
    """The rows in a table of DuckDB's own, nearly by person. pos: the order of a person's simultaneous events."""
    import duckdb

    started = time.perf_counter()
    path = Path(folder) / "events.duckdb"
    path.unlink(missing_ok=True)
    connection = duckdb.connect(str(path))
    connection.execute(
        f"CREATE TABLE events AS SELECT *, row_number() OVER () AS pos "
        f"FROM read_parquet('{Path(folder) / 'events.parquet'}')"
    )
    connection.close()
    _print(seconds=time.perf_counter() - started)


def ask(engine: str, folder: str, name: str) -> None:
    """One question: the first answer of a fresh process, then the best of a few warm ones."""
    started = time.perf_counter()
    run = _ENGINES[engine](Path(folder), name)
    answer = run()
    first = time.perf_counter() - started
    warm = []
    for _ in range(3 if first < 20 else 1):
        started = time.perf_counter()
        again = run()
        warm.append(time.perf_counter() - started)
        if again != answer:
            raise SystemExit(f"{engine} gives two answers to {name}")
    _print(first=first, warm=min(warm), answer=answer)


def _tilth(folder: Path, name: str) -> Callable[[], Any]:
    from tilth.workspace import Workspace

    ws = Workspace.open(folder / "workspace", read_only=True)
    kind, body = QUESTIONS[name]

    def run() -> Any:
        # An equal question would be answered from memory; it is the work that is measured.
        ws.behavior._answers.clear()
        return plain(name, getattr(ws.behavior, kind)(body))

    return run


def _clickhouse(folder: Path, name: str) -> Callable[[], Any]:
    from chdb.session import Session

    from bench.sql import CLICKHOUSE, shaped

    session = Session(str(folder / "clickhouse"))
    session.query("USE bench")
    statement = CLICKHOUSE[name]

    def run() -> Any:
        text = session.query(statement, "JSONCompactEachRow").bytes().decode()
        return shaped(name, [json.loads(line) for line in text.splitlines()])

    return run


def _duckdb(folder: Path, name: str) -> Callable[[], Any]:
    import duckdb

    from bench.sql import DUCKDB, shaped

    connection = duckdb.connect(str(folder / "events.duckdb"), read_only=True)
    # Over this it writes to disk; by default it takes four fifths of the machine's memory.
    connection.execute("SET memory_limit = '10GB'")
    return lambda: shaped(name, [list(row) for row in connection.execute(DUCKDB[name]).fetchall()])


def _polars(folder: Path, name: str) -> Callable[[], Any]:
    from bench.frames import POLARS
    from bench.sql import shaped

    path = folder / "events.parquet"
    return lambda: shaped(name, POLARS[name](path))


_ENGINES: dict[str, Callable[[Path, str], Callable[[], Any]]] = {
    "tilth": _tilth,
    "clickhouse": _clickhouse,
    "duckdb": _duckdb,
    "polars": _polars,
}


def _print(**values: Any) -> None:
    # Engines with threads of their own may be slow to end; the answer is what counts.
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
