"""What PostHog's SDKs get when they ask for feature flags and none are defined.

The shape depends on the version asked for with `v=`: `/flags` from 2 on and `/decide` from 4 on give
one record a flag, the earlier ones a value a flag. The browser SDK takes its remote settings from the
same answer, so it says that everything Tilth does not collect (recordings, surveys, heatmaps, …) is off.
"""

from __future__ import annotations

import uuid
from typing import Any

__all__ = ["no_flags"]

_SETTINGS: dict[str, Any] = {
    "config": {"enable_collect_everything": True},
    "supportedCompression": ["gzip", "gzip-js"],
    "isAuthenticated": False,
    "toolbarParams": {},
    "sessionRecording": False,
    "siteApps": [],
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "surveys": False,
    "heatmaps": False,
    "defaultIdentifiedOnly": True,
}


def no_flags(path: str, fields: dict[str, str], now: int) -> dict[str, Any]:
    """The answer of `/flags` or `/decide`; now: UTC µs."""
    asked = fields.get("v", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1
    answer: dict[str, Any] = {"errorsWhileComputingFlags": False, "requestId": str(uuid.uuid4())}
    if version >= (2 if path == "/flags" else 4):
        answer |= {"flags": {}, "evaluatedAt": now // 1000}
    elif path == "/decide" and version == 1:
        answer |= {"featureFlags": []}
    else:
        answer |= {"featureFlags": {}, "featureFlagPayloads": {}}
    if path == "/decide" or fields.get("config") in ("true", "1"):
        answer |= _SETTINGS
    return answer
