"""The published 1/10 sample of CDNOW as a purchase history, wherever it can be found."""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from tests.oracles.clv import OrderArrays, orders


def from_lines(lines: list[str]) -> OrderArrays:
    """The sample file: master id, sample id, day, units, dollars; blank-separated, no header."""
    rows = []
    for line in lines:
        _, customer, day, _, dollars = line.split()
        whole, _, cents = dollars.partition(".")
        rows.append((int(customer), f"{day[:4]}-{day[4:6]}-{day[6:]}", int(whole) * 100 + int(cents)))
    return orders(rows)


def from_shared(folder: Path) -> OrderArrays:
    with gzip.open(folder / "cdnow_sample.txt.gz", "rt") as file:
        return from_lines(file.readlines())


def from_wheel() -> OrderArrays:
    """From the file inside the installed lifetimes package, whose code is not imported."""
    try:
        files = importlib.metadata.files("lifetimes") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the lifetimes package (extra `bench`), which carries the CDNOW sample, is not installed")
    path = next(file for file in files if file.name == "CDNOW_sample.txt")
    return from_lines(Path(str(path.locate())).read_text().splitlines())
