"""Compiled kernels of other sources are not used."""

from __future__ import annotations

import os
from pathlib import Path

from tilth.behavior.kernels import forget_stale


def test_a_kernel_is_compiled_again_when_another_file_changed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1", "utf-8")
    (tmp_path / "__pycache__").mkdir()
    compiled = tmp_path / "__pycache__" / "a.kernel-1.py311.nbi"
    compiled.write_bytes(b"x")
    assert forget_stale(tmp_path)
    assert not compiled.exists()
    compiled.write_bytes(b"x")
    assert not forget_stale(tmp_path)
    assert compiled.exists()
    (tmp_path / "b.py").write_text("y = 2", "utf-8")
    assert forget_stale(tmp_path)
    assert not compiled.exists()
    os.utime(tmp_path / "b.py", ns=(1, 1))
    assert forget_stale(tmp_path)
