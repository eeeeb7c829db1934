"""From an uploaded file of orders to people in layers, over the API."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.server.conftest import Client, Headers
from tilth.server.app import create_app
from tilth.server.context import Context
from tilth.workspace import Workspace


def orders_csv(people: int = 40, bad: int = 2) -> bytes:
    """Two years of orders; person i buys every i + 3 days. The last rows cannot be read."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["CustomerID", "InvoiceNo", "InvoiceDate", "Description", "Quantity", "UnitPrice"])
    number = 0
    for i in range(people):
        for day in range(i, 600, 7 * (i + 3)):
            number += 1
            date = f"{2022 + day // 360}-{day % 360 // 30 + 1:02d}-{day % 30 % 28 + 1:02d} 10:30"
            writer.writerow([f"C{i:03d}", f"INV{number:05d}", date, "tea" if i % 2 else "=cup", 1 + i % 3, "12.50"])
    for _ in range(bad):
        writer.writerow(["C001", "INV99999", "no date at all", "tea", 1, "12.50"])
    return out.getvalue().encode()


@pytest.fixture
def busy(workspace: Workspace, static: Path) -> Iterator[Client]:
    """A client of a server whose background work runs."""
    with TestClient(create_app(workspace, static=static), base_url="http://tilth.test") as made:
        yield made


def signed(client: Client, role: str = "admin") -> Headers:
    context: Context = client.app.state["context"]
    return {"Authorization": f"Bearer {context.tokens.create(role, role, 'test')[1]}"}


def upload(client: Client, headers: Headers, body: bytes, name: str = "orders.csv") -> Any:
    return client.post("/api/v1/imports?kind=orders", files={"file": (name, body, "text/csv")}, headers=headers)


def finished(client: Client, headers: Headers, import_id: str) -> Any:
    for _ in range(600):
        found = client.get(f"/api/v1/imports/{import_id}", headers=headers).json()
        if found["status"] not in ("running", "cancelling"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the import did not end: {found}")


def imported(client: Client, headers: Headers, body: bytes) -> Any:
    made = upload(client, headers, body)
    assert made.status_code == 201, made.text
    started = client.post(f"/api/v1/imports/{made.json()['id']}/start", json={}, headers=headers)
    assert started.status_code == 202, started.text
    found = finished(client, headers, made.json()["id"])
    assert found["status"] == "done", found["error"]
    return found


def test_an_upload_is_shown_before_anything_is_written(busy: Client) -> None:
    headers = signed(busy)
    made = upload(busy, headers, orders_csv())
    assert made.status_code == 201, made.text
    proposal = made.json()["proposal"]
    assert made.json()["status"] == "preview"
    assert proposal["map"]["customer"] == "CustomerID"
    assert proposal["map"]["time"] == "InvoiceDate"
    assert busy.get("/api/v1/overview", headers=headers).json()["orders"] == 0
    again = busy.post(
        f"/api/v1/imports/{made.json()['id']}/preview", json={"options": {"timezone": "Asia/Shanghai"}}, headers=headers
    )
    assert again.json()["proposal"]["options"]["timezone"] == "Asia/Shanghai"


def test_an_import_fills_every_page(busy: Client) -> None:
    headers = signed(busy)
    body = orders_csv()
    rows = list(csv.DictReader(io.StringIO(body.decode())))[:-2]
    found = imported(busy, headers, body)
    summary = found["summary"]
    assert summary["rows_read"] == len(rows) + 2
    assert summary["rows_accepted"] == len(rows)
    assert summary["rows_quarantined"] == 2
    assert found["by"] == "token admin"

    overview = busy.get("/api/v1/overview", headers=headers).json()
    total = sum(int(r["Quantity"]) * 1250 for r in rows)
    assert overview["revenue"] == {"amount": total, "currency": "GBP", "text": f"{total / 100:.2f}"}
    assert overview["orders"] == len(rows)
    assert overview["people"] == overview["buyers"] == overview["repeat"]["buyers"] == 40
    assert sum(m["revenue"] for m in overview["months"]) == total
    assert {"quarantine", "no_layering"} <= {item["key"] for item in overview["attention"]}
    assert overview["freshness"]["quarantined"] == 2
    assert overview["freshness"]["last_import"] is not None

    page = busy.get("/api/v1/people?sort=-monetary&limit=15", headers=headers).json()
    assert page["total"] == 40
    seen = [p["uid"] for p in page["people"]]
    while page["next"]:
        page = busy.get(f"/api/v1/people?sort=-monetary&limit=15&cursor={page['next']}", headers=headers).json()
        seen += [p["uid"] for p in page["people"]]
    assert len(seen) == len(set(seen)) == 40

    person = busy.get("/api/v1/people/C001", headers=headers).json()
    hers = [r for r in rows if r["CustomerID"] == "C001"]
    assert person["portrait"]["orders"] == len(hers)
    assert person["portrait"]["revenue"]["amount"] == sum(int(r["Quantity"]) * 1250 for r in hers)
    assert person["portrait"]["summary"]["en"].startswith("Bought")
    orders = busy.get("/api/v1/people/C001/orders?limit=3", headers=headers).json()
    assert orders["total"] == len(hers)
    assert orders["orders"][0]["items"][0]["price"] == "12.5"
    timeline = busy.get("/api/v1/people/C001/timeline?event=purchase", headers=headers).json()
    assert {e["event"] for e in timeline["events"]} == {"purchase"}

    health = busy.get("/api/v1/data/health", headers=headers).json()
    assert health["imports"]["done"] == 1
    assert health["quarantine"]["open"] == 2
    assert {e["event"] for e in health["events"]} >= {"purchase", "purchase_item"}

    sql = busy.post(
        "/api/v1/sql",
        json={"sql": "SELECT count(*), sum(amount), count(DISTINCT uid) FROM orders WHERE kind = 'purchase'"},
        headers=headers,
    ).json()
    assert sql["rows"] == [[len(rows), f"{total / 100:.2f}", 40]]
    assert busy.get("/api/v1/search?q=C00", headers=headers).json()["people"][0]["id"].startswith("C00")


def test_importing_the_same_file_again_adds_nothing(busy: Client) -> None:
    headers = signed(busy)
    first = imported(busy, headers, orders_csv(bad=0))["summary"]
    again = imported(busy, headers, orders_csv(bad=0))["summary"]
    assert again["rows_accepted"] == 0
    assert again["rows_duplicate"] == first["rows_accepted"]


def test_a_layering_is_computed_read_listed_exported_compared_and_saved(busy: Client) -> None:
    headers = signed(busy)
    imported(busy, headers, orders_csv())
    made = busy.post("/api/v1/layerings", json={"kind": "rfm"}, headers=headers)
    assert made.status_code == 201, made.text
    layering = made.json()
    assert sum(layer["people"] for layer in layering["layers"]) == 40
    assert busy.get(f"/api/v1/layerings/{layering['id']}", headers=headers).json()["layers"] == layering["layers"]
    listed = busy.get("/api/v1/layerings", headers=headers).json()
    assert [s["id"] for s in listed["saved"]] == [layering["id"]]
    assert {k["kind"] for k in listed["kinds"]} >= {"rfm", "value", "pareto", "stage"}

    layer = max(layering["layers"], key=lambda entry: entry["people"])
    base = f"/api/v1/layerings/{layering['id']}/layers/{layer['key']}"
    people = busy.get(f"{base}/people", headers=headers).json()
    assert people["total"] == layer["people"]
    filtered = busy.get(f"/api/v1/people?layer={layering['id']}:{layer['key']}", headers=headers).json()
    assert filtered["total"] == layer["people"]

    export = busy.get(f"{base}/export?format=csv", headers=headers)
    assert export.headers["content-type"].startswith("text/csv")
    assert "attachment" in export.headers["content-disposition"]
    assert len(list(csv.reader(io.StringIO(export.content.decode("utf-8-sig"))))) == layer["people"] + 1
    assert busy.get(f"{base}/export?format=xlsx", headers=headers).content[:2] == b"PK"
    assert busy.get(f"{base}/export?format=pdf", headers=headers).status_code == 400

    saved = busy.post(f"{base}/segment", json={"key": "best", "name": "最好的客户"}, headers=headers)
    assert saved.status_code == 201, saved.text
    assert saved.json()["people"] == layer["people"]
    assert busy.post(f"{base}/segment", json={"key": "best", "name": "again"}, headers=headers).status_code == 409
    assert busy.get("/api/v1/segments/best/people", headers=headers).json()["total"] == layer["people"]
    assert busy.get("/api/v1/people?segment=best", headers=headers).json()["total"] == layer["people"]

    other = busy.post("/api/v1/layerings", json={"kind": "pareto"}, headers=headers).json()
    compared = busy.get(f"/api/v1/layerings/{layering['id']}/compare/{other['id']}", headers=headers).json()
    assert sum(flow["people"] for flow in compared["flows"]) == 40

    overview = busy.get("/api/v1/overview", headers=headers).json()
    assert overview["layer_mix"]["layering_id"] == layering["id"]
    person = busy.get(f"/api/v1/people/uid:{people['people'][0]['uid']}", headers=headers).json()
    assert {line["layer"] for line in person["layers"] if line["kind"] == "rfm"} == {layer["key"]}
    assert busy.delete(f"/api/v1/layerings/{layering['id']}", headers=headers).status_code == 204
    assert busy.get(f"/api/v1/layerings/{layering['id']}", headers=headers).status_code == 404
    assert busy.get("/api/v1/segments/best", headers=headers).status_code == 200, "a segment outlives its layering"


def test_quarantined_rows_are_searched_corrected_and_replayed(busy: Client) -> None:
    headers = signed(busy)
    import_id = imported(busy, headers, orders_csv())["id"]
    page = busy.get(f"/api/v1/quarantine?import_id={import_id}", headers=headers).json()
    assert page["total"] == 2
    assert page["rows"][0]["column"] == "InvoiceDate"
    assert "no date at all" in page["rows"][0]["raw"]
    assert busy.get("/api/v1/quarantine?q=nowhere", headers=headers).json()["total"] == 0
    replayed = busy.post(
        "/api/v1/quarantine/replay",
        json={"ids": [page["rows"][0]["id"]], "replace": {"InvoiceDate": "2023-05-05 10:00"}},
        headers=headers,
    )
    assert replayed.status_code == 200, replayed.text
    assert replayed.json()["accepted"] == 1
    left = busy.get("/api/v1/quarantine", headers=headers).json()
    assert left["total"] == 1
    dismissed = busy.post("/api/v1/quarantine/dismiss", json={"ids": [left["rows"][0]["id"]]}, headers=headers)
    assert dismissed.json() == {"dismissed": 1}
    assert busy.get("/api/v1/quarantine", headers=headers).json()["total"] == 0
    assert busy.get("/api/v1/quarantine?state=dismissed", headers=headers).json()["total"] == 1


def test_events_that_cannot_be_understood_go_to_quarantine_and_the_others_count(busy: Client) -> None:
    headers = signed(busy)
    key = busy.post("/api/v1/sources", json={"name": "shop"}, headers=headers).json()["write_key"]
    good = {"event": "purchase", "distinct_id": "C1", "event_id": "e1", "timestamp": "2024-03-01T10:00:00Z",
            "properties": {"order_id": "o1", "amount": "12.50"}}  # fmt: skip
    answer = busy.post("/api/v1/events", json=[good, {"event": "purchase"}], headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    receipt = answer.json()
    assert (receipt["accepted"], receipt["duplicate"], receipt["quarantined"]) == (1, 0, 1)
    again = busy.post("/api/v1/events", json=[good], headers={"Authorization": f"Bearer {key}"}).json()
    assert (again["accepted"], again["duplicate"]) == (0, 1)
    rows = busy.get("/api/v1/quarantine", headers=headers).json()["rows"]
    assert [(r["file"], r["column"]) for r in rows] == [("source shop", "distinct_id")]
    busy.post("/api/v1/events", json=[{"event": "purchase"}], headers={"Authorization": f"Bearer {key}"})
    assert busy.get("/api/v1/quarantine", headers=headers).json()["total"] == 1, "a client's retry is not kept twice"
    unchanged = busy.post("/api/v1/quarantine/replay", json={"filter": {}}, headers=headers).json()
    assert (unchanged["accepted"], unchanged["still_quarantined"]) == (0, 1)
    fixed = {"ids": [rows[0]["id"]], "replace": {"distinct_id": "C2"}}
    assert busy.post("/api/v1/quarantine/replay", json=fixed, headers=headers).json()["accepted"] == 1
    assert busy.get("/api/v1/quarantine", headers=headers).json()["total"] == 0
    assert busy.get("/api/v1/people/C2", headers=headers).status_code == 200
    person = busy.get("/api/v1/people/C1", headers=headers).json()
    assert person["portrait"]["revenue"]["text"] == "12.50", "an accepted event is part of the next answer"
    assert busy.get("/api/v1/overview", headers=headers).json()["orders"] == 2


def test_a_file_that_is_no_table_is_refused_and_leaves_nothing(busy: Client, workspace: Workspace) -> None:
    headers = signed(busy)
    for body in (b"", b"\x7fELF" + bytes(range(256)) * 20):
        answer = upload(busy, headers, body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["reason"]
    uploads = workspace.folder / "uploads"
    assert not uploads.exists() or not any(uploads.iterdir())


def test_an_upload_over_the_limit_is_a_413_and_leaves_nothing(workspace: Workspace, static: Path) -> None:
    with TestClient(create_app(workspace, static=static, upload_limit=1000), base_url="http://tilth.test") as client:
        answer = upload(client, signed(client), orders_csv())
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:tilth:error:too_large"
    assert not (workspace.folder / "uploads").exists() or not any((workspace.folder / "uploads").iterdir())


def test_an_import_waiting_behind_another_can_be_cancelled(workspace: Workspace, static: Path) -> None:
    with TestClient(create_app(workspace, static=static, background=False), base_url="http://tilth.test") as client:
        headers = signed(client)
        import_id = upload(client, headers, orders_csv()).json()["id"]
        client.post(f"/api/v1/imports/{import_id}/start", json={}, headers=headers)
        client.post(f"/api/v1/imports/{import_id}/cancel", headers=headers)
        context: Context = client.app.state["context"]
        context.background.start()
        assert finished(client, headers, import_id)["status"] == "cancelled"
        assert client.get("/api/v1/overview", headers=headers).json()["orders"] == 0


def test_the_currency_is_fixed_once_there_is_money(busy: Client) -> None:
    headers = signed(busy)
    body = {"name": "Shop", "timezone": "Asia/Shanghai", "currency": "EUR", "language": "en"}
    assert busy.put("/api/v1/settings", json=body, headers=headers).json()["currency"] == "EUR"
    busy.put("/api/v1/settings", json=body | {"currency": "GBP"}, headers=headers)
    imported(busy, headers, orders_csv())
    answer = busy.put("/api/v1/settings", json=body, headers=headers)
    assert answer.status_code == 409
    assert busy.get("/api/v1/settings", headers=headers).json()["currency_fixed"] is True
    assert busy.put("/api/v1/settings", json=body | {"currency": "GBP"}, headers=headers).status_code == 200


def test_an_erased_person_is_gone_everywhere(busy: Client) -> None:
    headers = signed(busy)
    imported(busy, headers, orders_csv())
    layering = busy.post("/api/v1/layerings", json={"kind": "rfm"}, headers=headers).json()
    uid = busy.get("/api/v1/people/C001", headers=headers).json()["uid"]
    answer = busy.post("/api/v1/people/C001/erase", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["events_removed"] > 0
    assert busy.get("/api/v1/people/C001", headers=headers).status_code == 404
    assert busy.get(f"/api/v1/people/uid:{uid}", headers=headers).status_code == 404
    assert busy.get("/api/v1/overview", headers=headers).json()["people"] == 39
    rows = busy.post("/api/v1/sql", json={"sql": f"SELECT count(*) FROM events WHERE uid = {uid}"}, headers=headers)
    assert rows.json()["rows"] == [[0]]
    left = [
        p["uid"]
        for layer in layering["layers"]
        for p in busy.get(f"/api/v1/layerings/{layering['id']}/layers/{layer['key']}/people", headers=headers).json()[
            "people"
        ]
    ]
    assert uid not in left
    assert "C001" not in busy.get("/api/v1/audit", headers=headers).text


def test_clv_is_answered_and_exported(busy: Client) -> None:
    headers = signed(busy)
    imported(busy, headers, orders_csv())
    question = {"model": "bgnbd", "time_unit": "week", "calibration_end": "2023-01-31", "top": 5}
    answer = busy.post("/api/v1/query/clv", json=question, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert set(found["parameters"]) == {"r", "alpha", "a", "b"}
    assert found["top"][0]["distinct_ids"][0]["id"].startswith("C")
    export = busy.post("/api/v1/query/clv/export?format=csv", json=question, headers=headers)
    assert len(list(csv.reader(io.StringIO(export.content.decode("utf-8-sig"))))) == found["forecast_people"] + 1
