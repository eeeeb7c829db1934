"""Runs one measured step in a process of its own, so that time, peak memory and caches are its own."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

__all__ = ["Step", "machine", "run_step", "versions"]


@dataclass(frozen=True)
class Step:
    """What a step printed (its last line, JSON), wall seconds of the process and its peak memory in MB."""

    result: dict[str, Any]
    seconds: float
    peak_mb: float


def run_step(arguments: list[str], timeout: float = 3600) -> Step:
    """Run `python arguments…`; peak memory is sampled over the process and its children.

    Raises `TimeoutError` when it takes longer than `timeout` seconds (it is stopped), `RuntimeError` when it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise TimeoutError(f"{' '.join(arguments)} took longer than {timeout:g} s") from None
    seconds = time.perf_counter() - started
    watcher.join(timeout=2)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return Step(json.loads(output.strip().splitlines()[-1]), seconds, peak[0] / 1e6)


def _watch(pid: int, peak: list[int]) -> None:
    try:
        process = psutil.Process(pid)
        while True:
            total = 0
            for part in [process, *process.children(recursive=True)]:
                memory = part.memory_full_info()
                # Private memory: mapped lake files are the page cache's, not the process's.
                total += memory.uss
            peak[0] = max(peak[0], total)
            time.sleep(0.1)
    except psutil.Error:
        return


def machine() -> str:
    """One line about where this ran."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.processor())
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores ({model}), {memory:.0f} GiB, Python {platform.python_version()}"


def versions(*packages: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in packages)
