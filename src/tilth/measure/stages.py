"""Which events the stages of AARRR and CSPDD are in this workspace: one setting, every board reads it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tilth.behavior.calendar import parse_duration
from tilth.behavior.deal_paths import Stage
from tilth.errors import Conflict, InvalidInput
from tilth.state import Database
from tilth.state.database import metadata

__all__ = ["KeptStages", "StageSettings", "Stages", "guess", "stage_settings"]

stage_settings = sa.Table(
    "stage_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
_ONE = 1


class StageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """AARRR: channel: the property (or trait) a newcomer's channel is read from. activation: the event that shows
    somebody has seen what the product is good for, within activation_within of coming. activity: what counts as coming
    back. revenue, refund: events whose property `amount` is added and taken off. value_within: how long after coming
    a newcomer's value is counted. invite: somebody asks a friend; invite_code: its property that the friend brings
    along. joined: a friend has come; joined_code: its property with that code; empty where there is none.

    CSPDD: the stages channel, scene, product, decision and deal, each an event and the property that has its
    value; deal_window: how long the way may take.
    """

    channel: str = "channel"
    activity: Any = "*"
    activation: Any = None
    activation_within: str = "7d"
    revenue: Any = None
    refund: Any = None
    amount: str = "amount"
    value_within: str = "30d"
    invite: Any = None
    invite_code: str = ""
    joined: Any = None
    joined_code: str = ""
    deal_channel: Stage | None = None
    deal_scene: Stage | None = None
    deal_product: Stage | None = None
    deal_decision: Stage | None = None
    deal: Stage | None = None
    deal_window: str = "14d"


class KeptStages(msgspec.Struct, frozen=True, kw_only=True):
    """version: 0 while nobody has set them: then they are guessed from the events there are. changed_at: UTC µs."""

    settings: StageSettings
    version: int
    by: str
    changed_at: int


class Stages:
    """The workspace's stage settings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, events: Collection[str] = (), properties: Collection[str] = ()) -> KeptStages:
        """What is set, or a guess from the names there are."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(stage_settings).where(stage_settings.c.id == _ONE)).first()
        if row is None:
            return KeptStages(settings=guess(events, properties), version=0, by="", changed_at=0)
        return KeptStages(
            settings=msgspec.json.decode(row.definition, type=StageSettings),
            version=row.version,
            by=row.changed_by,
            changed_at=row.changed_at,
        )

    def save(self, settings: StageSettings, by: str, version: int | None = None) -> KeptStages:
        """Set them. version: the one that was changed. Raises `Conflict` when somebody was faster, `InvalidInput`."""
        for field in ("activation_within", "value_within", "deal_window"):
            parse_duration(getattr(settings, field), field)
        if bool(settings.invite_code) != bool(settings.joined_code):
            field = "joined_code" if settings.invite_code else "invite_code"
            raise InvalidInput(field, "is missing: a friend is told by the same code on both events")
        if not settings.channel.strip():
            raise InvalidInput("channel", "is missing")
        now = time.time_ns() // 1000
        values = {"definition": msgspec.json.encode(settings).decode(), "changed_by": by, "changed_at": now}
        table = stage_settings
        with self._database.begin() as connection:
            row = connection.execute(sa.select(table.c.version).where(table.c.id == _ONE)).first()
            held = row.version if row is not None else 0
            if version is not None and version != held:
                raise Conflict(f"the stages were changed meanwhile (version {held}); load them again")
            if row is None:
                done = connection.execute(self._database.insert_or_ignore(table).values(id=_ONE, version=1, **values))
            else:
                done = connection.execute(
                    sa.update(table)
                    .where(table.c.id == _ONE, table.c.version == held)
                    .values(version=held + 1, **values)
                )
            if done.rowcount == 0:
                raise Conflict("the stages were changed meanwhile; load them again")
        return self.current()


_VISIT = ("visit", "page_view", "$pageview", "$MPViewScreen", "app_open", "view", "product_viewed")
_VIEW = ("view", "product_viewed", "Product Viewed", "view_item")
_DECIDE = ("cart", "product_added", "Product Added", "add_to_cart", "checkout")
_BUY = ("purchase", "order_completed", "Order Completed", "pay", "payment_done")
_INVITE = ("invite", "referral_sent", "share")
_JOINED = ("sign_up", "signed_up", "register")


def guess(events: Collection[str], properties: Collection[str]) -> StageSettings:
    """Settings from the names commerce usually has; what is not there is left open."""

    def first(names: Sequence[str]) -> str | None:
        return next((n for n in names if n in events), None)

    def has(names: Sequence[str]) -> str | None:
        return next((n for n in names if n in properties), None)

    visit, view, decide, buy = first(_VISIT), first(_VIEW), first(_DECIDE), first(_BUY)
    invite, joined = first(_INVITE), first(_JOINED)
    code, brought = (has(("code", "invite_code")), has(("inviter", "invite_code", "referrer_code")))
    channel = has(("channel", "utm_source")) or "channel"

    def stage(event: str | None, names: Sequence[str]) -> Stage | None:
        return None if event is None else Stage(event=event, property=has(names))

    return StageSettings(
        channel=channel,
        activation=buy,
        revenue=buy,
        refund="refund" if "refund" in events else None,
        invite=invite,
        joined=joined if brought else None,
        invite_code=code if code and brought and invite and joined else "",
        joined_code=brought if code and brought and invite and joined else "",
        deal_channel=stage(visit, (channel,)),
        deal_scene=stage(visit if visit != view else None, ("scene", "landing_page", "page")),
        deal_product=stage(view, ("category", "product", "product_id")),
        deal_decision=stage(decide, ("trigger", "coupon")),
        deal=stage(buy, ()),
    )
