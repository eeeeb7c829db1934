"""Which boards use which metrics."""

from __future__ import annotations

from collections.abc import Iterator

from tilth.behavior.boards import Boards
from tilth.measure.metrics import MetricUse

__all__ = ["board_uses"]


def board_uses(boards: Boards) -> Iterator[tuple[str, MetricUse]]:
    """(metric, use) for every metric on a board, once a board."""
    for board in boards.all():
        keys = {str((tile.question or {}).get("metric")) for tile in board.tiles if tile.kind == "metric"}
        for key in sorted(keys):
            yield key, MetricUse(kind="board", id=str(board.id), name=board.title)
