"""Who is who: ids, persons, traits.

May import errors, settings, state and lake. A person is a number, `uid`; every id a source knows
a person by is a row `(kind, value) -> uid`.
"""

from tilth.people.directory import ID_KINDS, DistinctId, People, PersonRecord, Trait
from tilth.people.identity import Identity
from tilth.people.portraits import PortraitField, Portraits
from tilth.people.things import Things

__all__ = [
    "ID_KINDS",
    "DistinctId",
    "Identity",
    "People",
    "PersonRecord",
    "PortraitField",
    "Portraits",
    "Things",
    "Trait",
]
