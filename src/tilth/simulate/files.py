"""Everything the demo imports, written to one folder: orders, members, behaviour, costs, manifest, truth."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from tilth.simulate.calendar import DAY, OFFSET
from tilth.simulate.catalog import CURRENCY
from tilth.simulate.channels import CHANNELS
from tilth.simulate.company import Company, Simulation, simulate
from tilth.simulate.event_files import write_events
from tilth.simulate.manifest import Manifest
from tilth.simulate.member_file import write_members
from tilth.simulate.order_files import write_orders
from tilth.simulate.orders import order_book
from tilth.simulate.sheets import write_csv, yuan

__all__ = ["write_company", "write_costs", "write_files"]


def write_company(
    folder: str | Path,
    people: int = 20_000,
    days: int = 730,
    until: dt.date | None = None,
    seed: int = 7,
    *,
    company: Company | None = None,
    events: str = "parquet",
) -> Manifest:
    """Simulate the company and write what it would hand over, with the truth beside it.

    until: last day of the window (default: yesterday, local). events: format of the behaviour file
    (parquet, csv or jsonl). Below `folder`: `orders/` (CSV and workbooks by system and store),
    `members.xlsx`, `events.parquet`, `costs.csv`, `manifest.json`, `truth/*.parquet`.
    """
    return write_files(simulate(people, days, seed, until=until, company=company), folder, events=events)


def write_files(simulation: Simulation, folder: str | Path, *, events: str = "parquet") -> Manifest:
    """`write_company` for a simulation that is there already."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    book = order_book(simulation)
    order_files, totals = write_orders(simulation, book, folder)
    write_costs(simulation, folder)
    calendar = simulation.calendar
    manifest = Manifest(
        company=simulation.company.name,
        seed=simulation.seed,
        people=len(simulation.people),
        days=calendar.days,
        first_day=calendar.first,
        last_day=calendar.date(calendar.days - 1),
        timezone=simulation.company.timezone,
        currency=CURRENCY,
        order_files=order_files,
        orders=totals,
        members=write_members(simulation, folder),
        events=write_events(simulation, folder / f"events.{events}"),
        stories=simulation.truth.stories(),
    )
    manifest.save(folder / "manifest.json")
    simulation.truth.write(folder / "truth")
    return manifest


def write_costs(simulation: Simulation, folder: Path) -> None:
    """`costs.csv`: media spend by day and paid channel: arrivals × the channel's cost, unevenly booked."""
    people, calendar = simulation.people, simulation.calendar
    day = calendar.day_of(people["arrival"])
    rng = np.random.default_rng([simulation.seed, 95])
    dates, names, costs = [], [], []
    for number, channel in enumerate(CHANNELS):
        if channel.cost == 0:
            continue
        arrivals = np.bincount(day[people["channel"] == number], minlength=calendar.days)[: calendar.days]
        # Spend is booked by plan, so it follows the week's arrivals, not the day's.
        smooth = np.convolve(arrivals, np.ones(7) / 7, mode="same") * rng.uniform(0.85, 1.15, calendar.days)
        dates.append(np.arange(calendar.days))
        names += [channel.name] * calendar.days
        costs.append(np.rint(smooth * channel.cost).astype(np.int64))
    local = (calendar.start + OFFSET) // DAY + np.concatenate(dates)
    columns = {
        "date": pa.array(np.datetime_as_string(local.astype("M8[D]"))),
        "channel": pa.array(names),
        "cost": yuan(np.concatenate(costs)),
    }
    write_csv(folder / "costs.csv", columns)
