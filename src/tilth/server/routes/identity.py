"""Identity: a person's ids, the links between them, conflicts, undo."""

from __future__ import annotations

from typing import Any

__all__ = ["ROUTES"]

ROUTES: list[Any] = []
