"""What is true of the simulated company, keyed by the ids that occur in its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from tilth.simulate import ids
from tilth.simulate.calendar import CITIES, RHYTHMS, clock_of
from tilth.simulate.catalog import CATEGORIES
from tilth.simulate.channels import CHANNELS, SCENES, STORES, fit_table, interplay_table, scene_shares, touch_shares
from tilth.simulate.kinds import KINDS
from tilth.simulate.needs import NEEDS, STAGES, stage_of
from tilth.simulate.people import NEVER
from tilth.simulate.responses import CLASSES, TREATMENTS, Treatment, expected
from tilth.simulate.visits import EVENTS

if TYPE_CHECKING:
    from tilth.simulate.company import Simulation

__all__ = ["Cell", "Effect", "Person", "Ring", "Truth"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The hidden side of one person. Rates are per week on the company's calendar, money is fen.

    customer: empty for who never signed up. tastes: probability of each category. inviter: customer
    number or anonymous id, empty for none. p_default: of a purchase on credit.
    """

    number: int
    customer: str
    phone: str
    kind: str
    channel: str
    city: str
    need: str
    nps: int
    buyer: bool
    orders: int
    rate: float
    drop: float
    value: float
    left: int | None
    persuasion: str
    response: float
    fatigue: float
    half_life: float
    price_sensitivity: float
    coupon: float
    p_default: float
    stage: str
    ring: int
    inviter: str
    friends: int
    tastes: dict[str, float]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting of channel, scene and product category.

    fit: factor on a person's inclination to order. interplay: the part that the margins of channel,
    scene and category do not explain; 1 but for planted cells. planted: best, worst or empty.
    """

    channel: str
    scene: str
    category: str
    fit: float
    interplay: float
    planted: str


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """A fraud ring: its accounts by customer number, what they share, and its shape."""

    ring: int
    shape: str
    members: list[str]
    devices: list[str]
    accounts: list[str]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """The mean effect of a treatment over `people`: treated minus not, in the metric's unit, over `days`.

    segment: name of a kind, empty for everyone who has ordered, `given` for a list of people.
    """

    treatment: str
    metric: str
    segment: str
    people: int
    mean: float
    total: float
    days: int


@njit(cache=True, nogil=True)
def _clocks(ts: Any, city: Any, rhythm: Any, rhythms: int, start: int, clock: Any, hour_share: Any, out: Any) -> None:
    for i in range(ts.shape[0]):
        out[i] = clock_of(ts[i], start, clock[city[i] * rhythms + rhythm[i]], hour_share[rhythm[i]])


class Truth:
    """Answers from the parameters of a `Simulation`; completes it where outcomes are needed."""

    def __init__(self, simulation: Simulation) -> None:
        self._s = simulation

    def number(self, who: int | str) -> int:
        """Person number of a customer number (or of itself)."""
        number = ids.person_of(who) if isinstance(who, str) else int(who)
        if not 0 <= number < len(self._s.people):
            raise ValueError(f"there is no person {who!r}")
        return number

    @property
    def customers(self) -> NDArray[Any]:
        """Customer number of each person; empty for who never signed up."""
        self._s.complete()
        every = ids.customers(np.arange(len(self._s.people))).to_numpy(zero_copy_only=False)
        out: NDArray[Any] = np.where(self._s.outcomes["signed"] < NEVER, every, "")
        return out

    @property
    def kind(self) -> dict[str, str]:
        """The planted layer of everybody who has a customer number."""
        names = np.array([kind.name for kind in KINDS])[self._s.people["kind"]]
        return {c: k for c, k in zip(self.customers.tolist(), names.tolist(), strict=True) if c}

    def person(self, who: int | str) -> Person:
        """The hidden side of a person, by number or customer number."""
        s, n = self._s, self.number(who)
        s.complete()
        p, o = s.people[n], s.outcomes[n]
        stage = int(stage_of(s.people["stage_day"][n : n + 1], s.calendar.days - 1)[0])
        customers = self.customers
        inviter = int(p["inviter"])
        return Person(
            number=n,
            customer=str(customers[n]),
            phone=ids.phones(np.array([n]))[0].as_py(),
            kind=KINDS[p["kind"]].name,
            channel=CHANNELS[p["channel"]].name,
            city=CITIES[p["city"]].name,
            need=NEEDS[p["need"]].name,
            nps=int(p["nps"]),
            buyer=bool(p["buyer"]),
            orders=int(o["orders"]),
            rate=float(p["rate"]) * 7,
            drop=float(p["drop"]),
            value=float(p["value"]),
            left=None if o["left"] == NEVER else int(o["left"]),
            persuasion=CLASSES[p["persuasion_class"]],
            response=float(p["response"]),
            fatigue=float(p["fatigue"]),
            half_life=float(p["half_life"]),
            price_sensitivity=float(p["price_sensitivity"]),
            coupon=float(p["coupon"]),
            p_default=float(1 / (1 + np.exp(-(p["default_seen"] + p["default_hidden"])))),
            stage=STAGES[stage] if stage >= 0 else "",
            ring=int(p["ring"]),
            inviter="" if inviter < 0 else str(customers[inviter]) or ids.devices(np.array([inviter]))[0].as_py(),
            friends=int(s.graph.first[n + 1] - s.graph.first[n]),
            tastes=dict(zip([c.name for c in CATEGORIES], s.tastes(n, n + 1)[0].tolist(), strict=True)),
        )

    def people(self) -> pa.Table:
        """One row a person: the fields of `Person` that are numbers or names, and what became of them."""
        s = self._s
        s.complete()
        p, o = s.people, s.outcomes
        end = s.calendar.end
        stage = stage_of(p["stage_day"], s.calendar.days - 1)

        def moments(values: NDArray[Any]) -> pa.Array:
            return pa.array(np.ascontiguousarray(values), mask=values == NEVER).cast(pa.timestamp("us", "UTC"))

        def words(names: list[str], index: NDArray[Any]) -> pa.Array:
            return pa.array(names).take(pa.array(index))

        return pa.table(
            {
                "number": np.arange(len(p)),
                "customer": pa.array(self.customers, pa.string()),
                "device": ids.devices(p["device"]),
                "kind": words([kind.name for kind in KINDS], p["kind"]),
                "channel": words([channel.name for channel in CHANNELS], p["channel"]),
                "scene": words(list(SCENES), p["scene"]),
                "city": words([city.name for city in CITIES], p["city"]),
                "store": words([store.name for store in STORES], p["store"]),
                "need": words([need.name for need in NEEDS], p["need"]),
                "nps": p["nps"],
                "stage": words(["", *STAGES], stage + 1),
                "arrival": moments(p["arrival"]),
                "inviter": p["inviter"],
                "ring": p["ring"],
                "buyer": p["buyer"],
                "rate_week": p["rate"] * 7,
                "drop": p["drop"],
                "value": p["value"],
                "coupon": p["coupon"],
                "price_sensitivity": p["price_sensitivity"],
                "refund": p["refund"],
                "share": p["share"],
                "persuade": p["persuade"],
                "p_default": 1 / (1 + np.exp(-(p["default_seen"] + p["default_hidden"]).astype(np.float64))),
                "persuasion": words(list(CLASSES), p["persuasion_class"]),
                "response": p["response"],
                "half_life": p["half_life"],
                "fatigue": p["fatigue"],
                "orders": o["orders"],
                "spent": o["spent"],
                "refunded": o["refunded"],
                "first_order": moments(o["first_order"]),
                "last_order": moments(o["last_order"]),
                "left": moments(o["left"]),
                "alive": self.alive(end),
                "p_alive": self.p_alive(end),
            }
        )

    def cells(self) -> list[Cell]:
        """All cells of channel, scene and category, best fit first."""
        fit, interplay = fit_table(), interplay_table()
        cells = []
        for index in np.argsort(-fit, axis=None, kind="stable").tolist():
            c, s, k = np.unravel_index(index, fit.shape)
            factor = float(interplay[c, s, k])
            cells.append(
                Cell(
                    channel=CHANNELS[c].name,
                    scene=SCENES[s],
                    category=CATEGORIES[k].name,
                    fit=float(fit[c, s, k]),
                    interplay=factor,
                    planted="best" if factor > 1 else "worst" if factor < 1 else "",
                )
            )
        return cells

    def rings(self) -> list[Ring]:
        """The fraud rings."""
        p = self._s.people
        members = np.flatnonzero(p["ring"] >= 0)
        rings = []
        for ring in np.unique(p["ring"][members]).tolist():
            who = members[p["ring"][members] == ring]
            leader = int(np.bincount(p["inviter"][who][p["inviter"][who] >= 0]).max()) if len(who) > 1 else 0
            rings.append(
                Ring(
                    ring=ring,
                    shape="star" if leader > 1 else "chain",
                    members=ids.customers(who).to_pylist(),
                    devices=sorted(set(ids.devices(p["device"][who]).to_pylist())),
                    accounts=sorted(set(ids.accounts(p["account"][who]).to_pylist())),
                )
            )
        return rings

    def friends(self) -> pa.Table:
        """The friendship graph: one row a pair, person numbers, the smaller first."""
        graph = self._s.graph
        left = np.repeat(np.arange(len(graph.first) - 1, dtype=np.int32), np.diff(graph.first))
        once = left < graph.friends
        return pa.table({"person": left[once], "friend": graph.friends[once]})

    def invitations(self) -> pa.Table:
        """Who asked whom when, by invitation or team, and whether they came because of it. asked -1: never came."""
        s = self._s
        at = pa.array(s.at).cast(pa.timestamp("us", "UTC"))
        return pa.table({"asker": s.asker, "asked": s.asked, "at": at, "team": s.team, "accepted": s.accepted})

    def spreaders(self, top: int = 20) -> list[tuple[str, int]]:
        """Who brought the most people, rings aside: (customer number or device, people)."""
        p = self._s.people
        honest = (p["inviter"] >= 0) & (p["ring"] < 0)
        brought = np.bincount(p["inviter"][honest], minlength=len(p))
        best = np.argsort(-brought, kind="stable")[:top]
        names = np.where(
            self.customers[best] != "", self.customers[best], ids.devices(best).to_numpy(zero_copy_only=False)
        )
        return list(zip(names.tolist(), brought[best].tolist(), strict=True))

    def alive(self, at: int) -> NDArray[np.bool_]:
        """Who has ordered and not yet left at an instant (UTC µs): the hidden state itself."""
        self._s.complete()
        o = self._s.outcomes
        out: NDArray[np.bool_] = (o["first_order"] <= at) & (o["left"] > at)
        return out

    def clock(self, ts: NDArray[Any], people: NDArray[Any]) -> NDArray[np.float64]:
        """What each person's calendar clock shows at `ts`, in days: where purchases are Poisson."""
        s, out = self._s, np.empty(len(ts))
        rhythm = np.array([kind.rhythm for kind in KINDS])[people["kind"]]
        inside = np.clip(ts, s.calendar.start, s.calendar.end)
        _clocks(
            inside,
            people["city"].astype(np.int64),
            rhythm,
            len(RHYTHMS),
            s.calendar.start,
            s.calendar.clock,
            s.calendar.hour_share,
            out,
        )
        return out

    def p_alive(self, at: int) -> NDArray[np.float64]:
        """P(still active at `at` | orders until then, the person's true rate and dropout); NaN before any order.

        With x repeat orders, the last at t_x: 1 for x = 0, else 1 / (1 + p / (1 - p) · exp(rate · (T - t_x))),
        times measured on the person's clock.
        """
        s = self._s
        orders = np.zeros(len(s.people), np.int64)
        last = np.zeros(len(s.people), np.int64)
        code = EVENTS.index("purchase")

        def count(rows: NDArray[Any]) -> None:
            bought = rows[(rows["event"] == code) & (rows["ts"] <= at)]
            # Chunks hold different people, so threads never meet.
            np.add.at(orders, bought["owner"], 1)
            np.maximum.at(last, bought["owner"], bought["ts"])

        for _ in s.map_rows(count):
            pass
        p = s.people
        silent = self.clock(np.full(len(p), at), p) - self.clock(last, p)
        drop = p["drop"].astype(np.float64)
        odds = drop / (1 - np.minimum(drop, 1 - 1e-9)) * np.exp(np.minimum(p["rate"] * silent, 600.0))
        out: NDArray[np.float64] = np.where(orders > 1, 1 / (1 + odds), np.where(orders == 1, 1.0, np.nan))
        return out

    def effect(
        self,
        treatment: str,
        metric: str = "orders",
        segment: str | NDArray[Any] | list[str] | None = None,
        days: int = 30,
    ) -> Effect:
        """The planted mean effect of treating everybody of a segment once, at the end of the window.

        metric: orders, revenue (fen at list price), converted or visits. segment: None for all who have
        ordered, the name of a kind, a list of customer numbers, or a mask or array of person numbers.
        """
        chosen = next((t for t in TREATMENTS if t.key == treatment), None)
        if chosen is None:
            raise ValueError(f"there is no treatment {treatment!r}; there are {[t.key for t in TREATMENTS]}")
        if metric not in ("orders", "revenue", "converted", "visits"):
            raise ValueError(f"there is no metric {metric!r}")
        return self._effects(chosen, metric, days, [segment])[0]

    def _effects(self, treatment: Treatment, metric: str, days: int, segments: Sequence[Any]) -> list[Effect]:
        alive = self.alive(self._s.calendar.end)
        each = expected(treatment, self._s.people, alive, metric, days)
        out = []
        for segment in segments:
            mine = each[self._segment(segment)]
            out.append(
                Effect(
                    treatment=treatment.key,
                    metric=metric,
                    segment=segment if isinstance(segment, str) else "" if segment is None else "given",
                    people=len(mine),
                    mean=float(mine.mean()) if len(mine) else 0.0,
                    total=float(mine.sum()),
                    days=days,
                )
            )
        return out

    def _segment(self, segment: str | NDArray[Any] | list[str] | None) -> NDArray[np.int64]:
        self._s.complete()
        if segment is None:
            return np.flatnonzero(self._s.outcomes["orders"] > 0)
        if isinstance(segment, str):
            names = [kind.name for kind in KINDS]
            if segment not in names:
                raise ValueError(f"there is no kind {segment!r}; there are {names}")
            return np.flatnonzero(self._s.people["kind"] == names.index(segment))
        if isinstance(segment, list):
            return np.array([self.number(who) for who in segment], np.int64)
        chosen: NDArray[np.int64] = np.flatnonzero(segment) if segment.dtype == np.bool_ else segment.astype(np.int64)
        return chosen

    def conversion(self) -> NDArray[np.float64]:
        """Expected factor on conversion of later sessions by (arrival channel, category): for checking cells."""
        return np.einsum("at,ts,tsk->ak", touch_shares(), scene_shares(), fit_table())

    def stories(self) -> list[str]:
        """What there is to discover, in words."""
        s, company = self._s, self._s.company
        out = [
            "Tea is a winter drink: orders peak from November to January, dip in summer, jump after 清明.",
            "抖音 is the cheapest channel and brings the worst customers (bargain hunters, explorers).",
            "知乎 is the dearest channel and brings the best customers (regulars).",
            "Givers of presents come before Spring Festival and Mid-Autumn and spend three times the average.",
            "Offices place {:.0%} of orders and bring {:.0%} of revenue.".format(
                self._share("office", "orders"), self._share("office", "spent")
            ),
        ]
        if 0 <= company.fallen_store < len(STORES):
            day = s.calendar.date(int(company.fallen_at * s.calendar.days))
            out.append(f"{STORES[company.fallen_store].name} lost three quarters of its customers on {day}.")
        rings = len(np.unique(s.people["ring"][s.people["ring"] >= 0]))
        if rings:
            out.append(f"{rings} rings of accounts live on invitation rewards, a few devices each.")
        return out

    def _share(self, kind: str, what: str) -> float:
        self._s.complete()
        values = self._s.outcomes[what]
        mine = values[self._s.people["kind"] == [k.name for k in KINDS].index(kind)]
        return float(mine.sum() / max(values.sum(), 1))

    def write(self, folder: str | Path) -> None:
        """`people`, `cells`, `rings`, `invitations`, `friends` and `effects` as Parquet files."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        effects = [
            msgspec.to_builtins(effect)
            for treatment in TREATMENTS
            for metric in ("orders", "revenue", "converted", "visits")
            for effect in self._effects(treatment, metric, 30, [None, *(kind.name for kind in KINDS[:-1])])
        ]
        tables = {
            "people": self.people(),
            "cells": pa.Table.from_pylist([msgspec.to_builtins(cell) for cell in self.cells()]),
            "rings": pa.Table.from_pylist([msgspec.to_builtins(ring) for ring in self.rings()]),
            "invitations": self.invitations(),
            "friends": self.friends(),
            "effects": pa.Table.from_pylist(effects),
        }
        for name, table in tables.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
