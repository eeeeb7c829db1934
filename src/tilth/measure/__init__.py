"""Numbers for people to read: the overview, and what needs attention.

Pure functions over arrays; may import errors, settings, state, lake, people, collect and behavior,
and takes what `segments` computes as arrays. It knows nothing of HTTP.
"""

from tilth.measure.attention import AttentionItem, Facts, LayerAtRisk, attention
from tilth.measure.money import Money, decimal_text, money
from tilth.measure.overview import Change, Month, Repeat, Sales, sales
from tilth.measure.text import Text

__all__ = [
    "AttentionItem",
    "Change",
    "Facts",
    "LayerAtRisk",
    "Money",
    "Month",
    "Repeat",
    "Sales",
    "Text",
    "attention",
    "decimal_text",
    "money",
    "sales",
]
