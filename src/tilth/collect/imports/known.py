"""Which events an import would write are in the lake already."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tilth.collect.imports.hashing import CodeTable, id_keys
from tilth.collect.imports.spans import Spans
from tilth.lake import Lake

__all__ = ["SOURCE", "mark_known"]

SOURCE = "import"
_BATCH = 1 << 20


def mark_known(lake: Lake, buckets: Iterable[int], tables: list[CodeTable]) -> list[npt.NDArray[np.bool_]]:
    """Per table, which of its keys are ids of imported events in these buckets.

    The lake is read in passing, so memory follows the tables and not the lake.
    """
    known = [np.zeros(table.count, np.bool_) for table in tables]
    homes = set(buckets)
    for file in lake.files():
        if file.bucket not in homes:
            continue
        for batch in lake.parquet(lake.root / file.path).iter_batches(
            batch_size=_BATCH, columns=["event_id", "source"]
        ):
            ours = batch.filter(pc.fill_null(pc.equal(batch.column("source").cast(pa.string()), SOURCE), False))
            if ours.num_rows == 0:
                continue
            high, low = id_keys(Spans.of(ours.column("event_id")))
            for table, mark in zip(tables, known, strict=True):
                codes = table.find(high, low)
                mark[codes[codes >= 0]] = True
    return known
