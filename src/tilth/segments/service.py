"""Segmentation as one capability: layerings, what is saved of them, segments, CLV."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt
from pyroaring import BitMap64

from tilth.errors import InvalidInput, NotFound
from tilth.segments.clv import CLVRequest, CLVResult, clv
from tilth.segments.compute import MONTH, WINDOW, Layering, compute
from tilth.segments.days import LocalDays, day_text, parse_day
from tilth.segments.export import FORMATS, write_file
from tilth.segments.history import PurchaseHistory, person_history
from tilth.segments.kinds import KindInfo, describe_kinds, kind_of, read_parameters
from tilth.segments.listing import PeoplePage, export_header, export_rows, page_by_money
from tilth.segments.members import Members
from tilth.segments.quality import stale_notice
from tilth.segments.saved import SavedLayering, SavedLayerings, number
from tilth.segments.since import day_by_day, unbroken_since
from tilth.segments.snapshot import Snapshots
from tilth.segments.stability import UNKNOWN_BEFORE, Flow, adjusted_rand, flows, mutual_information
from tilth.segments.static import AskedFrom, Origin, Segment, SegmentVersion, StaticSegments
from tilth.segments.words import Notice, Text, named

if TYPE_CHECKING:
    from tilth.lake import Lake, PersonRows
    from tilth.people import People
    from tilth.settings import Settings
    from tilth.state import Database

__all__ = ["Comparison", "PersonLayer", "Segments"]

Int64 = npt.NDArray[np.int64]
# A renewal that took s seconds is followed by no other for so many times s.
_SHARE_OF_TIME = 100
_LOOK_BACK = 730  # days: how far back "since when" is looked for


class PersonLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A person's layer in the newest saved layering of a kind. since: the local day from which the person has been
    in it without a break, by the same rule (at most two years are looked back)."""

    layering_id: int
    kind: str
    name: Text
    layer: str
    layer_name: Text
    since: str
    as_of: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two layerings person by person. flows: people from a layer of a to one of b; who is only in one of them comes
    from or goes to `not_known_yet`. adjusted_rand, mutual_information: of the people in both (1: the same)."""

    flows: list[Flow]
    adjusted_rand: float
    mutual_information: float
    people_in_both: int
    a: SavedLayering
    b: SavedLayering


class Segments:
    """Layerings and segments of a workspace. Thread-safe.

    The as-of day of a layering: events up to the end of that local day count. Its default is the last
    day with data, not today, so that an old file gives recencies that mean something.
    """

    def __init__(self, database: Database, lake: Lake, people: People, settings: Settings) -> None:
        self._people = people
        self._lake = lake
        self._settings = settings
        self._snapshots = Snapshots(lake, people, settings)
        self._saved = SavedLayerings(database)
        self._static = StaticSegments(database)
        self._members: dict[int, Members] = {}
        self._rules: dict[int, tuple[Layering, msgspec.Struct]] = {}
        self._renewing = threading.Lock()
        self._renewed: set[CLVRequest] = set()
        self._lately: dict[CLVRequest, tuple[CLVResult | None, float]] = {}

    # -- layerings -------------------------------------------------------------------------------

    def kinds(self) -> list[KindInfo]:
        """What can be computed, with parameters and their meaning."""
        return describe_kinds()

    def layering(
        self,
        kind: str,
        as_of: str | None = None,
        parameters: dict[str, Any] | msgspec.Struct | None = None,
        save: bool = True,
    ) -> Layering:
        """Compute a layering as of the end of a day (`YYYY-MM-DD`; None: the last day with data).

        save: keep it, with everyone's layer, under an id. Raises `NotFound` for an unknown kind and
        `InvalidInput` for wrong parameters or when there is nobody to layer.
        """
        chosen = kind_of(kind)
        computed = compute(self._snapshots.now(), chosen, read_parameters(chosen, parameters), as_of)
        answer = self._saved.save(computed) if save else computed.layering
        return self._current(answer)

    def saved(self, kind: str | None = None) -> list[SavedLayering]:
        """Saved layerings, newest first."""
        return self._saved.all(kind)

    def get(self, id: int | str) -> Layering:
        """A saved layering as it was computed, its staleness as of now. Raises `NotFound`."""
        return self._current(self._saved.get(id))

    def delete(self, id: int | str) -> None:
        """Remove a saved layering; segments made from it stay. Raises `NotFound`."""
        self._saved.delete(id)
        self._members.pop(number(id), None)

    def layer_uids(self, id: int | str, key: str) -> Int64:
        """The people of a layer, ascending. Raises `NotFound` for a layering or layer that is not there."""
        members = self._members_of(id)
        if key not in members.keys:
            raise NotFound("layer", key, members.keys)
        return members.of(key)

    def layer_people(self, id: int | str, key: str, cursor: str | None = None, limit: int = 50) -> PeoplePage:
        """The people of a layer, those who spent most first, with their numbers at the layering's as-of day."""
        uids = self.layer_uids(id, key)
        return page_by_money(self._standing_of(self._saved.get(id)), uids, self._people, cursor, limit)

    def compare(self, id: int | str, other: int | str) -> Comparison:
        """Where the layers of one layering's people are in another. Raises `NotFound`."""
        listed = {line.id: line for line in self._saved.all()}
        a, b = self._members_of(id), self._members_of(other)
        everyone = np.union1d(a.uid, b.uid)
        places, keys = [], []
        for members in (a, b):
            codes = np.full(len(everyone), len(members.keys), np.int64)
            codes[np.searchsorted(everyone, members.uid)] = members.codes
            places.append(codes)
            keys.append([*members.keys, UNKNOWN_BEFORE])
        both = (places[0] < len(a.keys)) & (places[1] < len(b.keys))
        return Comparison(
            flows=flows(places[0], places[1], keys[0], keys[1]),
            adjusted_rand=adjusted_rand(places[0][both], places[1][both]),
            mutual_information=mutual_information(places[0][both], places[1][both]),
            people_in_both=int(both.sum()),
            a=listed[number(id)],
            b=listed[number(other)],
        )

    def export_layer(self, id: int | str, key: str | None, format: str = "csv") -> tuple[str, Iterator[bytes]]:
        """A layer (None: all of them) as a file: its name and its bytes in pieces. format: csv or xlsx."""
        if format not in FORMATS:
            raise InvalidInput("format", f"{format!r} is not a format of exports", list(FORMATS))
        answer = self._saved.get(id)
        members = self._members_of(id)
        uids = members.uid if key is None else self.layer_uids(id, key)
        codes = members.codes if key is None else np.full(len(uids), members.keys.index(key))
        names = {layer.key: layer.name for layer in answer.layers}
        layer_names = [names.get(k, Text(k, k)) for k in members.keys]
        self._saved.used(answer.kind, [key] if key is not None else [layer.key for layer in answer.layers], "export")
        rows = export_rows(self._standing_of(answer), uids, layer_names, codes, self._people, self._settings.language)
        name = f"{answer.kind}-{key or 'all'}-{answer.as_of}.{format}"
        return name, write_file(format, export_header(self._settings.language), rows)

    # -- static segments -------------------------------------------------------------------------

    def save_segment(self, layering_id: int | str, layer_key: str, key: str, name: str, by: str) -> Segment:
        """Save a layer's people as a static segment. Raises `Conflict` where the key is taken."""
        answer = self._saved.get(layering_id)
        uids = self.layer_uids(layering_id, layer_key)
        names = {layer.key: layer.name for layer in answer.layers}
        origin = Origin(
            layering_id=number(layering_id),
            kind=answer.kind,
            layer=layer_key,
            layer_name=names.get(layer_key, Text(layer_key, layer_key)),
            as_of=answer.as_of,
        )
        made = self._static.save(key, name, uids, by, origin)
        self._saved.used(answer.kind, [layer_key], "segment")
        return made

    def save_people(
        self, key: str, name: str, uids: npt.NDArray[np.int64], by: str, asked: AskedFrom | None = None
    ) -> Segment:
        """Save people as a static segment. Raises `InvalidInput` and `Conflict`, see `StaticSegments.save`."""
        return self._static.save(key, name, uids, by, asked=asked)

    def segments(self) -> list[Segment]:
        """All segments, newest first."""
        return self._static.all()

    def segment(self, key: str) -> Segment:
        """One segment. Raises `NotFound`."""
        return self._static.get(key)

    def segment_versions(self, key: str) -> list[SegmentVersion]:
        """A segment's versions, newest first. Raises `NotFound`."""
        return self._static.versions(key)

    def delete_segment(self, key: str) -> None:
        """Remove a segment. Raises `NotFound`."""
        self._static.delete(key)

    def members(self, key: str) -> BitMap64:
        """Who is in a segment now, as a bitmap of uid. Raises `NotFound`."""
        return self._static.members(key)

    def member_uids(self, key: str) -> Int64:
        """Who is in a segment now, ascending. Raises `NotFound`."""
        return uids_of(self.members(key))

    def segment_people(self, key: str, cursor: str | None = None, limit: int = 50) -> PeoplePage:
        """The people of a segment, those who spent most first, with their numbers on the last day with data."""
        snapshot = self._snapshots.now()
        standing = snapshot.standing(snapshot.newest_day, WINDOW)
        return page_by_money(standing, self.member_uids(key), self._people, cursor, limit)

    def export_segment(self, key: str, format: str = "csv") -> tuple[str, Iterator[bytes]]:
        """A segment as a file: its name and its bytes in pieces. format: csv or xlsx."""
        if format not in FORMATS:
            raise InvalidInput("format", f"{format!r} is not a format of exports", list(FORMATS))
        found = self._static.get(key)
        uids = self.member_uids(key)
        snapshot = self._snapshots.now()
        rows = export_rows(
            snapshot.standing(snapshot.newest_day, WINDOW),
            uids,
            [Text(found.name, found.name)],
            np.zeros(len(uids), np.int64),
            self._people,
            self._settings.language,
        )
        return f"segment-{key}.{format}", write_file(format, export_header(self._settings.language), rows)

    # -- a person --------------------------------------------------------------------------------

    def layers_of(self, uid: int, rows: PersonRows | None = None) -> list[PersonLayer]:
        """A person's layer in the newest saved layering of each kind, and since when.

        rows: the person's events with `p_amount`, where the caller has them already.
        """
        newest: dict[str, SavedLayering] = {}
        saved = self._saved.all()
        for line in saved:
            newest.setdefault(line.kind, line)
        places = [(line, key) for line in newest.values() if (key := self._members_of(line.id).layer_of(uid))]
        if not places:
            return []
        rows = self._lake.person(uid, ["p_amount"]) if rows is None else rows
        person = person_history(self._lake, uid, rows, self._settings.currency)
        seen = np.unique(self._days.of(rows.ts))
        found = []
        for line, key in places:
            answer, model = self._saved_rule(line)
            layer_name = next((layer.name for layer in answer.layers if layer.key == key), Text(key, key))
            found.append(
                PersonLayer(
                    layering_id=line.id,
                    kind=line.kind,
                    name=answer.name,
                    layer=key,
                    layer_name=layer_name,
                    since=self._since(uid, line, key, saved, person, seen, model),
                    as_of=line.as_of,
                )
            )
        return found

    def _since(
        self,
        uid: int,
        line: SavedLayering,
        key: str,
        saved: Sequence[SavedLayering],
        person: PurchaseHistory,
        seen: npt.NDArray[np.int64],
        model: msgspec.Struct,
    ) -> str:
        kind = kind_of(line.kind)
        last = parse_day(line.as_of)
        if "value" not in kind.needs:
            first = max(int(seen[0]) if len(seen) else last, last - _LOOK_BACK)
            parameters = read_parameters(kind, line.parameters)
            window = getattr(parameters, "window_days", WINDOW)
            rows = day_by_day(person, self._days, min(first, last), last, seen, window)
            since = unbroken_since(rows, kind.assign(rows, parameters, model), key)
            if since is not None:
                return day_text(since)
        # The rule cannot be applied to single days: the earliest of the saved layerings that agree in a row.
        earliest = line.as_of
        for older in (s for s in saved if s.kind == line.kind and s.id < line.id and s.as_of <= earliest):
            if self._members_of(older.id).layer_of(uid) != key:
                break
            earliest = older.as_of
        return earliest

    @property
    def _days(self) -> LocalDays:
        return LocalDays(self._settings.timezone)

    def _saved_rule(self, line: SavedLayering) -> tuple[Layering, msgspec.Struct]:
        """A saved layering and its fitted rule; the last few asked for are kept decoded."""
        found = self._rules.get(line.id)
        if found is None:
            found = self._saved.get(line.id), self._saved.model(line.id, line.kind)
            while len(self._rules) >= 16:
                self._rules.pop(next(iter(self._rules)), None)
            self._rules[line.id] = found
        return found

    # -- CLV -------------------------------------------------------------------------------------

    def clv(self, request: CLVRequest) -> CLVResult:
        """Customer lifetime value; the answer to the same question is kept until the data changes."""
        snapshot = self._snapshots.now()
        kept = snapshot.answers.get(request)
        if isinstance(kept, CLVResult):
            return kept
        found = clv(snapshot.history, request, timezone=self._settings.timezone)
        while len(snapshot.answers) >= 4:
            snapshot.answers.pop(next(iter(snapshot.answers)))
        snapshot.answers[request] = found
        return found

    def clv_lately(self, request: CLVRequest) -> CLVResult | None:
        """As `clv`, but perhaps a little old: what is held is renewed beside the requests, so often that it takes
        1 % of the time. None where the data says too little. For pages that must open while events come in."""
        with self._renewing:
            held = self._lately.get(request)
            if held is not None:
                if time.monotonic() >= held[1] and request not in self._renewed:
                    self._renewed.add(request)
                    threading.Thread(target=self._renew, args=(request,), name="tilth-clv", daemon=True).start()
                return held[0]
        return self._renew(request)

    def _renew(self, request: CLVRequest) -> CLVResult | None:
        started = time.monotonic()
        found: CLVResult | None
        try:
            found = self.clv(request)
        except InvalidInput:
            found = None  # too few buyers; that, too, is an answer for a while
        finally:
            with self._renewing:
                self._renewed.discard(request)
        now = time.monotonic()
        with self._renewing:
            while len(self._lately) >= 4:
                self._lately.pop(next(iter(self._lately)))
            self._lately[request] = found, now + _SHARE_OF_TIME * (now - started)
        return found

    # -- erasure ---------------------------------------------------------------------------------

    def forget(self, uids: Sequence[int]) -> None:
        """Take erased people out of saved layerings and segments (the lake's rows are erased apart)."""
        gone = np.asarray(list(uids), np.int64)
        self._saved.forget(gone)
        self._static.forget(gone)
        self._members.clear()
        self._rules.clear()
        with self._renewing:
            self._lately.clear()
        self._snapshots.forget()

    # --------------------------------------------------------------------------------------------

    def _members_of(self, id: int | str) -> Members:
        """Everyone's layer; the last few asked for are kept unpacked."""
        key = number(id)
        found = self._members.get(key)
        if found is None:
            found = self._saved.members(key)
            while len(self._members) >= 8:
                self._members.pop(next(iter(self._members)), None)
            self._members[key] = found
        return found

    def _standing_of(self, answer: Layering) -> Any:
        snapshot = self._snapshots.now()
        window = answer.parameters.get("window_days", WINDOW)
        return snapshot.standing(parse_day(answer.as_of), int(window))

    def _current(self, answer: Layering) -> Layering:
        """The layering with the warnings that depend on now: stale by the data that came since, layers unused."""
        quality = answer.quality
        newest = self._snapshots.now().newest_day
        staleness = max(newest - parse_day(answer.as_of), 0)
        moved = quality.migration.moved_share if quality.migration is not None else None
        warnings = [w for w in quality.warnings if w.key not in ("stale", "idle_layers")]
        stale = stale_notice(staleness, moved)
        if stale is not None:
            warnings.append(stale)
        idle = self._saved.idle(answer.kind, [layer.key for layer in answer.layers if layer.people])
        if idle:
            names = named([layer.name for layer in answer.layers if layer.key in idle])
            text = Text(
                f"最近 {MONTH} 天没有人对这些层做任何事：{names.zh}。不用的分层不如不分。",
                f"Nobody has acted on these layers in the last {MONTH} days: {names.en}.",
            )
            warnings.append(Notice(key="idle_layers", severity="info", text=text))
        quality = msgspec.structs.replace(quality, staleness_days=staleness, warnings=warnings)
        return msgspec.structs.replace(answer, quality=quality)


def uids_of(members: BitMap64) -> Int64:
    """A bitmap's uids, ascending."""
    return np.fromiter(members, np.int64, len(members))
