"""Surveys as they are kept, the links to them, and what happens when somebody answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from tilth.collect.model import Id, Message, Operation, Track
from tilth.collect.privacy import workspace_secret
from tilth.collect.sources import Privacy, Source, Sources, SourceSettings
from tilth.collect.surveys.answers import Answers
from tilth.collect.surveys.links import Claim, LinkRefused, read_token, sign_token
from tilth.collect.surveys.model import ANSWERED, Survey, check_change, check_survey
from tilth.collect.tables import survey as table
from tilth.collect.tables import survey_link as link_table
from tilth.errors import Conflict, InvalidInput, NotFound
from tilth.people import People
from tilth.state import Database

__all__ = ["SOURCE", "Funnel", "Link", "Standing", "SurveyRecord", "Surveys"]

# The source under which answers are kept; its privacy settings apply to them.
SOURCE = "surveys"
_SECRET = "survey links"
_DAY = 86_400_000_000
_CHUNK = 500
LONGEST_LIFE = 3650

Status = Literal["draft", "open", "closed"]
# Takes messages for good: (how many were kept or had been before, why nothing was kept or "").
Take = Callable[[list[Message]], tuple[int, str]]


class SurveyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A survey and where it stands. Instants in UTC µs; opened_at: when it was first open."""

    survey: Survey
    status: Status
    created_at: int
    changed_at: int
    opened_at: int | None
    closed_at: int | None


class Link(NamedTuple):
    """A personal link: the person, one of their ids, and the address behind the server's own. expires: UTC seconds."""

    uid: int
    id: str
    path: str
    expires: int


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """How many people got a personal link, opened it, answered through it."""

    invited: int
    opened: int
    answered: int


class Standing(NamedTuple):
    """Who is at the form: uid is None for a visitor of a public survey. previous: when they answered last (UTC µs)."""

    record: SurveyRecord
    uid: int | None
    token_uid: int | None
    previous: int | None


class Surveys:
    """Definitions, links and submissions. Thread-safe."""

    def __init__(
        self, database: Database, people: People, sources: Sources, receive: Callable[[list[Message], str], Any]
    ) -> None:
        self._database = database
        self._people = people
        self._sources = sources
        self._receive = receive
        self._secret: bytes | None = None

    # -- definitions -----------------------------------------------------------------------------

    def create(self, survey: Survey) -> SurveyRecord:
        """A new survey, as a draft. Raises `Conflict` where the key is taken, `InvalidInput`."""
        check_survey(survey)
        now = _now()
        with self._database.begin() as connection:
            done = connection.execute(
                self._database.insert_or_ignore(table).values(
                    key=survey.key, body=_text(survey), status="draft", created_at=now, changed_at=now
                )
            )
            if done.rowcount == 0:
                raise Conflict(f"there is a survey {survey.key!r} already")
        return self.get(survey.key)

    def save(self, survey: Survey) -> SurveyRecord:
        """Change a survey. Once it was open its questions keep their kinds. Raises `NotFound`, `InvalidInput`."""
        check_survey(survey)
        with self._database.begin() as connection:
            row = connection.execute(sa.select(table).where(table.c.key == survey.key)).one_or_none()
            if row is None:
                raise NotFound("survey", survey.key)
            if row.opened_at is not None:
                check_change(_survey(row.body), survey)
            done = connection.execute(
                sa.update(table)
                .where(table.c.key == survey.key, table.c.body == row.body, _same(row.opened_at))
                .values(body=_text(survey), changed_at=_now())
            )
            if done.rowcount == 0:
                raise Conflict("somebody changed this survey at the same moment; load it again")
        return self.get(survey.key)

    def all(self) -> list[SurveyRecord]:
        """Newest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.created_at.desc(), table.c.key))
            return [_record(row) for row in rows]

    def get(self, key: str) -> SurveyRecord:
        """Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(table).where(table.c.key == key)).one_or_none()
        if row is None:
            raise NotFound("survey", key)
        return _record(row)

    def open(self, key: str) -> SurveyRecord:
        """Let people answer; a closed survey opens again."""
        self.source()
        return self._move(key, "open")

    def close(self, key: str) -> SurveyRecord:
        """Let nobody answer any more; what was answered stays."""
        if self.get(key).status == "draft":
            raise Conflict("a draft is not open; there is nothing to close")
        return self._move(key, "closed")

    def delete(self, key: str) -> None:
        """Remove a draft that was never open. Raises `NotFound`, `Conflict`."""
        record = self.get(key)
        with self._database.begin() as connection:
            done = connection.execute(sa.delete(table).where(table.c.key == key, table.c.opened_at.is_(None)))
            if done.rowcount == 0:
                raise Conflict(f"the survey {record.survey.key!r} was open and may have answers; close it instead")
            connection.execute(sa.delete(link_table).where(link_table.c.survey == key))

    def _move(self, key: str, status: Status) -> SurveyRecord:
        now = _now()
        values: dict[str, Any] = {"status": status, "changed_at": now, "closed_at": now if status == "closed" else None}
        if status == "open":
            values["opened_at"] = sa.func.coalesce(table.c.opened_at, now)
        with self._database.begin() as connection:
            if connection.execute(sa.update(table).where(table.c.key == key).values(**values)).rowcount == 0:
                raise NotFound("survey", key)
        return self.get(key)

    def source(self) -> Source:
        """The source of the answers, made where there is none: who fills a form in and sends it wants it kept,
        so a browser's do-not-track does not speak against it unless somebody sets that."""
        found = self._source()
        if found is None:
            try:
                return self._sources.create(SOURCE, SourceSettings(privacy=Privacy(do_not_track="ignore")))
            except Conflict:
                found = self._source()
        if found is None:
            raise NotFound("source", SOURCE)
        return found

    def _source(self) -> Source | None:
        return next((one for one in self._sources.all() if one.name == SOURCE), None)

    # -- links -----------------------------------------------------------------------------------

    def links(self, key: str, uids: Iterable[int], days: int = 30, now: int | None = None) -> list[Link]:
        """A personal link for each of these persons, good for `days`; made again for who has one. Raises `NotFound`,
        `InvalidInput`."""
        self.get(key)
        if not 1 <= days <= LONGEST_LIFE:
            raise InvalidInput("days", f"must be 1 to {LONGEST_LIFE}")
        moment = _now() if now is None else now
        people = list(dict.fromkeys(uids))
        rows = [{"survey": key, "uid": uid, "made_at": moment} for uid in people]
        with self._database.begin() as connection:
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                connection.execute(self._database.insert_or_ignore(link_table).values(part))
        secret, expires = self._signing(), moment // 1_000_000 + days * 86_400
        ids = self._people.distinct_ids(people)
        return [
            Link(
                uid,
                ids[uid][0].id if ids[uid] else f"uid:{uid}",
                f"/s/{key}?t={sign_token(secret, Claim(key, uid, expires))}",
                expires,
            )
            for uid in people
        ]

    def funnel(self, key: str) -> Funnel:
        """How far the people with a personal link came."""
        count = sa.func.count
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(count(), count(link_table.c.opened_at), count(link_table.c.answered_at)).where(
                    link_table.c.survey == key
                )
            ).one()
        return Funnel(invited=row[0], opened=row[1], answered=row[2])

    def forget(self, uids: Sequence[int]) -> None:
        """Remove the links of these persons."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(link_table).where(link_table.c.uid.in_(list(uids))))

    def _signing(self) -> bytes:
        if self._secret is None:
            self._secret = workspace_secret(self._database, _SECRET)
        return self._secret

    # -- answering -------------------------------------------------------------------------------

    def stand(self, key: str, token: str | None, now: int | None = None) -> Standing:
        """Who is at the form and that they may answer; raises `LinkRefused` with the reason, `NotFound`.

        A person who was merged into another since the link was made is that other one, and has answered
        where either did.
        """
        moment = _now() if now is None else now
        record = self.get(key)
        if token is None:
            if not record.survey.public:
                raise LinkRefused("missing")
            if record.status != "open":
                raise LinkRefused("closed")
            return Standing(record, None, None, None)
        claim = read_token(self._signing(), token, key, moment // 1_000_000)
        if record.status != "open":
            raise LinkRefused("closed")
        try:
            uid = self._people.find(f"uid:{claim.uid}")
        except NotFound:
            raise LinkRefused("gone") from None
        with self._database.read() as connection:
            previous = connection.scalar(
                sa.select(sa.func.max(link_table.c.answered_at)).where(
                    link_table.c.survey == key, link_table.c.uid.in_({claim.uid, *self._people.merged(uid)})
                )
            )
        wait = record.survey.again_after_days
        if previous is not None and (wait is None or moment < previous + wait * _DAY):
            raise LinkRefused("answered")
        return Standing(record, uid, claim.uid, previous)

    def opened(self, standing: Standing, now: int | None = None) -> None:
        """Note that a personal link was opened; the first time counts."""
        if standing.token_uid is None:
            return
        with self._database.begin() as connection:
            connection.execute(
                sa.update(link_table)
                .where(
                    link_table.c.survey == standing.record.survey.key,
                    link_table.c.uid == standing.token_uid,
                    link_table.c.opened_at.is_(None),
                )
                .values(opened_at=_now() if now is None else now)
            )

    def submit(
        self, standing: Standing, answers: Answers, once: str = "", take: Take | None = None, now: int | None = None
    ) -> str:
        """Keep the answers; gives why they were not kept, or "".

        The event goes first, under an id made of the link and the answer before it, then the link is marked: a
        server that dies in between has the event, and the same form sent again is the same event. once: what
        tells two visitors without a link apart; take: the door, where there is one.
        """
        moment = _now() if now is None else now
        messages = _messages(standing, answers, self._sender(standing, once), moment)
        kept, reason = (take or self._take)(messages)
        if not kept:
            return reason or "refused"
        if standing.token_uid is not None:
            self._mark(standing, moment)
        return ""

    def _sender(self, standing: Standing, once: str) -> Id:
        if standing.uid is None:
            return Id("id", f"survey-visitor-{once or secrets.token_hex(16)}", anonymous=True)
        known = self._people.distinct_ids([standing.uid])[standing.uid]
        if not known:
            raise LinkRefused("gone")
        return Id(known[0].kind, known[0].id)

    def _take(self, messages: list[Message]) -> tuple[int, str]:
        receipt = self._receive(messages, SOURCE)
        return receipt.accepted + receipt.duplicate, ""

    def _mark(self, standing: Standing, now: int) -> None:
        key = standing.record.survey.key
        with self._database.begin() as connection:
            for uid in {standing.token_uid, standing.uid}:
                connection.execute(
                    sa.update(link_table)
                    .where(link_table.c.survey == key, link_table.c.uid == uid)
                    .values(answered_at=now, opened_at=sa.func.coalesce(link_table.c.opened_at, now))
                )


def _messages(standing: Standing, answers: Answers, sender: Id, now: int) -> list[Message]:
    """The answers as one event with the traits they set, and one of feedback for each text that is to be answered."""
    survey = standing.record.survey
    who = sender.value if standing.token_uid is None else str(standing.token_uid)
    event_id = f"survey:{survey.key}:{who}:{standing.previous or 0}"
    traits = {one.trait: answers[one.key] for one in survey.questions if one.trait and one.key in answers}
    rating = next((answers[one.key] for one in survey.questions if one.kind == "nps" and one.key in answers), None)
    messages: list[Message] = [
        Track(
            ids=(sender,),
            ts=now,
            event_id=event_id,
            event=ANSWERED,
            properties={"survey": survey.key, "answers": answers},
            operations=(Operation("set", traits, "self_declared"),) if traits else (),
        )
    ]
    for question in survey.questions:
        if question.feedback and question.key in answers:
            properties: Mapping[str, Any] = {"text": answers[question.key], "topic": question.title}
            messages.append(
                Track(
                    ids=(sender,),
                    ts=now,
                    event_id=f"{event_id}:{question.key}",
                    event="feedback",
                    properties={**properties, "channel": "survey", "survey": survey.key}
                    | ({} if rating is None else {"rating": rating}),
                )
            )
    return messages


def _same(opened_at: int | None) -> sa.ColumnElement[bool]:
    return table.c.opened_at.is_(None) if opened_at is None else table.c.opened_at == opened_at


def _record(row: Any) -> SurveyRecord:
    return SurveyRecord(
        survey=_survey(row.body),
        status=row.status,
        created_at=row.created_at,
        changed_at=row.changed_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _survey(body: str) -> Survey:
    return msgspec.json.decode(body, type=Survey)


def _text(survey: Survey) -> str:
    return msgspec.json.encode(survey).decode()


def _now() -> int:
    return time.time_ns() // 1000
