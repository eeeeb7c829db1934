"""Who the customers are: layerings and their quality, CLV, segments.

May import errors, settings, state, lake and people. One kind of layering a file (`rfm`, `value`,
`pareto`, `stage`, `matrix`, `clusters`); `quality` and its parts (`homogeneity`, `lift`, `stability`)
judge them all alike; `Segments` is the capability the faces call.
"""

from tilth.segments.compute import Layering
from tilth.segments.history import Activity, PurchaseHistory, activity, purchase_history
from tilth.segments.layering import Layer
from tilth.segments.quality import Quality
from tilth.segments.service import Comparison, PersonLayer, Segments
from tilth.segments.stability import adjusted_rand
from tilth.segments.static import Segment

__all__ = [
    "Activity",
    "Comparison",
    "Layer",
    "Layering",
    "PersonLayer",
    "PurchaseHistory",
    "Quality",
    "Segment",
    "Segments",
    "activity",
    "adjusted_rand",
    "purchase_history",
]
