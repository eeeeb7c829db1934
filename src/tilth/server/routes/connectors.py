"""Commerce connectors: webhooks in and periodic pulls."""

from __future__ import annotations

from typing import Any

__all__ = ["ROUTES"]

ROUTES: list[Any] = []
