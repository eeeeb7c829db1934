"""The wire formats of the SDKs people already have, one file each, and our own.

Each turns a `WireRequest` into messages (`tilth.collect.model`), what goes to quarantine, and the HTTP
answer its SDK expects: `decode(request, limits, now) -> Decoded`. They are pure and may import only
errors, `tilth.people` (which ids are refused) and `tilth.collect.model`.
"""

from tilth.collect.formats.contract import Decoded, Format, Outcome, Refused, Trouble, WireAnswer, WireRequest
from tilth.collect.formats.limits import Limits
from tilth.collect.formats.native import NATIVE
from tilth.collect.formats.posthog import POSTHOG
from tilth.collect.formats.segment import SEGMENT
from tilth.collect.formats.sensors import SENSORS

__all__ = [
    "FORMATS",
    "Decoded",
    "Format",
    "Limits",
    "Outcome",
    "Refused",
    "Trouble",
    "WireAnswer",
    "WireRequest",
    "format_of",
]

FORMATS: tuple[Format, ...] = (SEGMENT, POSTHOG, SENSORS, NATIVE)


def format_of(path: str) -> Format | None:
    """The format one of whose endpoints this path is, or None."""
    return next((one for one in FORMATS if one.handles(path)), None)
