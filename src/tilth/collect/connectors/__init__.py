"""Commerce connectors: what a shop system posts to us, as events.

A rule turns a payload into events of our own format by JSONPath; ready rules are in `ready.py`, one
function a shop system; `signatures.py` knows how each system signs. May import errors, state and
`tilth.collect`'s tables.
"""

from tilth.collect.connectors.mapping import Field, Mapped, MappingRule, map_payload
from tilth.collect.connectors.ready import READY
from tilth.collect.connectors.service import Connector, Connectors, Kind
from tilth.collect.connectors.signatures import check_signature

__all__ = [
    "READY",
    "Connector",
    "Connectors",
    "Field",
    "Kind",
    "Mapped",
    "MappingRule",
    "check_signature",
    "map_payload",
]
