"""The manifest adds up: files are read back with other tools than they were written with."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation

import openpyxl
import pyarrow.parquet as pq
import pytest

from tilth.simulate import Company, Dirt, load_manifest, simulate, write_events, write_files

ZONE = dt.timezone(dt.timedelta(hours=8))
COLUMNS = {
    "order": ("order_id", "订单编号", "单号", "小票号", "单据编号"),
    "customer": ("customer_id", "客户编号", "会员编号"),
    "time": ("order_time", "下单时间", "消费时间", "销售时间"),
    "quantity": ("quantity", "数量"),
    "price": ("unit_price",),
    "amount": ("实付金额", "金额", "实收金额"),
    "status": ("订单状态", "状态"),
}


def _cells(path, encoding):
    """(header, rows as text), blank rows left out, and how many those were."""
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).active
        rows = [[_shown(cell.value) for cell in row] for row in sheet.iter_rows()]
    else:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding=encoding))))
    header, body = rows[0], rows[1:]
    filled = [row for row in body if any(cell.strip() for cell in row)]
    return header, filled, len(body) - len(filled)


def _shown(value):
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return repr(value) if isinstance(value, float) else str(value)


def _time(text):
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    try:
        return dt.datetime(*numbers, tzinfo=ZONE) if len(numbers) >= 5 else None
    except ValueError:
        return None


def _fen(text):
    try:
        return int(Decimal(text.replace(",", "").replace("¥", "")) * 100)
    except InvalidOperation:
        return None


def _read_orders(folder, files):
    """Totals by file, worked out row by row the way a careful person would."""
    seen = set()
    for file in files:
        header, rows, blank = _cells(folder / file.path, file.encoding or "utf-8")
        at = {role: next((header.index(n) for n in names if n in header), None) for role, names in COLUMNS.items()}
        got = Counter()
        people, times, orders = set(), [], {"purchase": set(), "refund": set()}
        fresh = set()
        for row in rows:
            got["rows"] += 1
            if row[0] == "合计":
                got["total_rows"] += 1
                continue
            order, customer = row[at["order"]], row[at["customer"]]
            quantity = row[at["quantity"]]
            cells = {"time": _time(row[at["time"]])}
            if at["price"] is not None:
                price = _fen(row[at["price"]])
                cells["amount"] = None if price is None else price
                amount = price * int(quantity) if price is not None and re.fullmatch(r"-?\d+", quantity) else None
            else:
                amount = cells["amount"] = _fen(row[at["amount"]])
            cells["quantity"] = int(quantity) if re.fullmatch(r"-?\d+", quantity) else None
            status = row[at["status"]] if at["status"] is not None else "已完成"
            if row[at["time"]] == "":
                got["no_time"] += 1
            elif cells["time"] is None:
                got["bad_time"] += 1
            elif cells["quantity"] is None:
                got["bad_quantity"] += 1
            elif cells["amount"] is None:
                got["bad_amount"] += 1
            else:
                kind = "refund" if amount < 0 or status == "已退款" else "purchase"
                kind = "cancelled" if status == "已取消" else kind
                if file.level == "order" and (order, kind) in seen:
                    got["duplicate_rows"] += 1
                    continue
                fresh.add((order, kind))
                if file.level == "order":
                    seen.add((order, kind))
                if customer == "":
                    got["no_customer_rows"] += 1
                    got["no_customer_amount"] += amount
                    continue
                got[f"{kind}_rows"] += 1
                if kind == "cancelled":
                    continue
                got[f"{kind}_amount"] += abs(amount)
                orders[kind].add(order)
                people.add(customer)
                times.append(cells["time"])
        got["people"] = len(people)
        got["purchases"], got["refunds"] = len(orders["purchase"]), len(orders["refund"])
        got["blank_rows"] = blank
        got["first"] = int(min(times).timestamp() * 1e6)
        got["last"] = int(max(times).timestamp() * 1e6)
        yield file, got, people, orders


def test_every_file_of_orders_holds_what_the_manifest_says(written):
    folder, manifest, _ = written
    assert len(manifest.order_files) > 15
    for file, got, _, _ in _read_orders(folder, manifest.order_files):
        names = ["rows", "blank_rows", "purchase_rows", "purchases", "purchase_amount", "refund_rows", "refunds"]
        names += ["refund_amount", "cancelled_rows", "duplicate_rows", "no_customer_rows", "no_customer_amount"]
        names += ["total_rows", "people", "first", "last"]
        assert {n: getattr(file, n) for n in names} == {n: got[n] for n in names}, file.path
        reasons = ("no_time", "bad_time", "bad_quantity", "bad_amount")
        assert file.malformed == {r: got[r] for r in reasons if got[r]}, file.path


def test_the_rows_of_a_file_are_all_accounted_for(written):
    _, manifest, _ = written
    for f in manifest.order_files:
        parts = f.purchase_rows + f.refund_rows + f.cancelled_rows + f.duplicate_rows + f.no_customer_rows
        assert f.rows == parts + sum(f.malformed.values()) + f.total_rows, f.path


def test_all_files_together_hold_every_order_of_the_company_once(written):
    folder, manifest, simulation = written
    purchases, refunds, people, revenue = set(), set(), set(), 0
    for _, got, customers, orders in _read_orders(folder, manifest.order_files):
        assert not purchases & orders["purchase"]
        purchases |= orders["purchase"]
        refunds |= orders["refund"]
        people |= customers
        revenue += got["purchase_amount"]
    totals = manifest.orders
    assert (totals.purchases, totals.refunds, totals.people) == (len(purchases), len(refunds), len(people))
    assert totals.purchase_amount == revenue
    outcomes = simulation.outcomes
    # An order that only shows as refunded is a refund; all others are purchases. Tills number returns apart.
    returns = {number for number in refunds if number.startswith("T")}
    assert {f"Q{number[1:]}" for number in returns} <= purchases
    assert len(purchases | (refunds - returns)) == outcomes["orders"].sum()
    assert len(people) == (outcomes["orders"] > 0).sum()
    assert people <= set(simulation.truth.kind)


def test_dirt_of_every_kind_is_there(written):
    _, manifest, _ = written
    files = manifest.order_files
    assert {f.encoding for f in files} >= {"utf-8", "gb18030", "utf-8-sig"}
    assert {f.level for f in files} == {"line", "order"}
    assert {r for f in files for r in f.malformed} == {"no_time", "bad_time", "bad_quantity", "bad_amount"}
    for what in ("duplicate_rows", "cancelled_rows", "no_customer_rows", "total_rows", "blank_rows", "refund_rows"):
        assert sum(getattr(f, what) for f in files) > 0, what


def test_the_file_of_members_holds_what_the_manifest_says(written):
    folder, manifest, simulation = written
    header, rows, _ = _cells(folder / manifest.members.path, "")
    numbers = [row[header.index("客户编号")] for row in rows]
    phones = {row[0]: row[header.index("手机号")] for row in rows if row[0]}
    assert len(rows) == manifest.members.rows
    assert len(set(numbers) - {""}) == manifest.members.people == len(simulation.truth.kind)
    assert numbers.count("") == sum(manifest.members.malformed.values())
    assert sum(1 for phone in phones.values() if phone) == manifest.members.with_phone
    assert manifest.members.rows == manifest.members.people + manifest.members.duplicate_rows + numbers.count("")
    assert any(" " in phone for phone in phones.values())


def _check_events(file, events):
    """`events`: dictionaries; None where a line could not be read."""
    seen, got, names, people = set(), Counter(), Counter(), set()
    end = dt.datetime(2026, 1, 1, tzinfo=ZONE)
    for event in events:
        got["rows"] += 1
        if event is None:
            got["broken_json"] += 1
        elif not event.get("person"):
            got["no_person"] += 1
        elif event["person"] in ("null", "undefined", "anonymous", "0", "[object object]"):
            got["reserved_person"] += 1
        elif not event.get("time"):
            got["no_time"] += 1
        elif not event.get("event"):
            got["no_event"] += 1
        elif event["time"] > end:
            got["future_time"] += 1
        elif event["event_id"] in seen:
            got["duplicates"] += 1
        else:
            seen.add(event["event_id"])
            names[event["event"]] += 1
            people.add(event["person"])
    assert got["rows"] == file.rows
    assert names == Counter(file.by_name)
    assert got["duplicates"] == file.duplicate_rows
    assert {k: v for k, v in got.items() if k not in ("rows", "duplicates")} == file.malformed
    assert len(people) == file.people
    assert file.rows == file.events + file.duplicate_rows + sum(file.malformed.values())
    assert sum(file.by_name.values()) == file.events


def test_the_file_of_events_holds_what_the_manifest_says(written):
    folder, manifest, _ = written
    _check_events(manifest.events, pq.read_table(folder / manifest.events.path).to_pylist())
    assert set(manifest.events.malformed) == {"no_person", "reserved_person", "no_time", "no_event", "future_time"}


def test_events_as_json_lines_and_csv_add_up_too(tmp_path):
    until = dt.date(2025, 12, 31)
    dirt = Dirt(malformed=0.02)
    simulation = simulate(600, 300, seed=5, until=until, company=Company(dirt=dirt))
    lines = write_events(simulation, tmp_path / "events.jsonl")

    def parsed(line):
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            return None
        if "time" in event:
            event["time"] = dt.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        return event

    _check_events(lines, [parsed(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()])
    assert lines.malformed["broken_json"] > 5
    table = write_events(simulation, tmp_path / "events.csv")
    with (tmp_path / "events.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["time"] = dt.datetime.fromisoformat(row["time"].replace("Z", "+00:00")) if row["time"] else None
    _check_events(table, rows)
    with pytest.raises(ValueError, match="parquet"):
        write_events(simulation, tmp_path / "events.txt")


def test_the_manifest_can_be_read_back_and_says_what_to_import(written):
    folder, manifest, _ = written
    assert load_manifest(folder / "manifest.json") == manifest
    plan = manifest.import_plan(folder)
    assert [kind for kind, _ in plan] == ["profiles", *["orders"] * 5, "events"]
    paths = [path for _, group in plan for path in group]
    assert all(path.exists() for path in paths)
    assert len(paths) == len(manifest.order_files) + 2


def test_a_clean_company_writes_clean_files(tmp_path):
    simulation = simulate(600, 300, seed=5, until=dt.date(2025, 12, 31), company=Company(dirt=Dirt.none()))
    manifest = write_files(simulation, tmp_path)
    assert manifest.events.malformed == {}
    assert manifest.events.duplicate_rows == manifest.events.doubled == manifest.events.bots == 0
    assert all(f.malformed == {} and f.no_customer_rows == f.cancelled_rows == 0 for f in manifest.order_files)
    assert manifest.members.rows == manifest.members.people


def test_costs_follow_arrivals(written):
    folder, _, simulation = written
    spent = Counter()
    with (folder / "costs.csv").open() as file:
        for row in csv.DictReader(file):
            spent[row["channel"]] += Decimal(row["cost"])
    arrivals = (simulation.people["channel"] == 0).sum()
    assert float(spent["抖音"]) == pytest.approx(arrivals * 6.20, rel=0.1)
    assert "自然" not in spent
