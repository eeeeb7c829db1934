"""A workspace in pounds and UTC, and short ways to write files into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tilth.collect.imports import Summary
from tilth.settings import Settings
from tilth.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "shop", Settings(timezone="UTC", currency="GBP", buckets=4)) as opened:
        yield opened


@pytest.fixture
def chinese(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "店", Settings(timezone="Asia/Shanghai", currency="CNY", buckets=4)) as opened:
        yield opened


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """write("orders.csv", text or bytes) -> its path."""

    def put(name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return put


@pytest.fixture
def orders(workspace: Workspace, write: Callable[..., Path]) -> Callable[..., Summary]:
    """orders(text, …) -> the summary of importing it as a CSV file of orders."""

    def run(text: str, name: str = "orders.csv", **given: Any) -> Summary:
        return workspace.imports.run_files("orders", [write(name, text)], **given)

    return run


def adds_up(summary: Summary) -> bool:
    return summary.rows_read == (
        summary.rows_accepted + summary.rows_duplicate + summary.rows_quarantined + summary.rows_skipped
    )
