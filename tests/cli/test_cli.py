"""The command line: what it prints, what it returns, and that it never shows a traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tilth.cli.main import run


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Tilth = Callable[..., Ended]


@pytest.fixture
def tilth(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tilth:
    """Runs a command on the workspace of this test (made on first use) and gives what it printed."""
    folder = tmp_path / "shop"
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES", "TILTH_WORKSPACE", "TILTH_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Ended:
        if arguments[0] != "init" and not folder.exists():
            assert run(["init", "--workspace", str(folder), "--currency", "GBP", "--timezone", "Europe/London"]) == 0
            capsys.readouterr()
        code = run([*arguments, "--workspace", str(folder)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ended(code, out, err)

    return call


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Orders of 30 people over more than a year; one row has no date, one name would be a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["CustomerID", "InvoiceNo", "InvoiceDate", "Description", "Quantity", "UnitPrice"])
    number = 0
    for i in range(30):
        for day in range(i, 480, 9 * (i + 2)):
            number += 1
            when = f"{2022 + day // 360}-{day % 360 // 30 + 1:02d}-{day % 28 + 1:02d} 10:30"
            writer.writerow([f"C{i:03d}", f"INV{number:05d}", when, "=2+5" if i == 3 else "tea", 2, "12.50"])
    writer.writerow(["C001", "INV99999", "some day", "tea", 1, "12.50"])
    path = tmp_path / "orders.csv"
    path.write_text(out.getvalue(), "utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))[:-1]


# -- the frame -------------------------------------------------------------------------------------


def test_help_and_version_need_nothing_heavy() -> None:
    code = (
        "import sys; from tilth.cli.main import run; code = run(['--help']); print(sorted(sys.modules)); sys.exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0
    loaded = ended.stdout
    for heavy in ("'numpy'", "'pyarrow'", "'numba'", "'sqlalchemy'", "'litestar'", "'duckdb'", "'scipy'"):
        assert heavy not in loaded
    for command in (
        "init",
        "serve",
        "demo",
        "import",
        "segment",
        "query",
        "sql",
        "people",
        "token",
        "source",
        "doctor",
    ):
        assert command in loaded


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tilth 0.")


def test_without_a_workspace_one_is_told_how_to_make_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--workspace", str(tmp_path / "none")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("tilth: no workspace")
    assert "tilth init" in err
    assert err.count("\n") == 1


def test_with_json_an_error_is_one_object_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json", "--workspace", str(tmp_path / "none")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["type"] == "urn:tilth:error:not_found"


@pytest.mark.parametrize("arguments", [["dance"], ["sql"], ["sql", "SELECT 1", "--limit", "none"], ["token", "create"]])
def test_a_wrong_command_line_is_a_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "tilth: " in capsys.readouterr().err
    assert run([*arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["type"] == "urn:tilth:error:usage"


def test_an_unforeseen_error_is_one_line_unless_debugging(
    tilth: Tilth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("boom")

    tilth("doctor")
    monkeypatch.setattr(sys.modules["tilth.server.health"], "diagnostics", broken)
    ended = tilth("doctor")
    assert ended.code == 1
    assert ended.err.strip() == "tilth: unexpected RuntimeError: boom (TILTH_DEBUG=1 shows where)"
    monkeypatch.setenv("TILTH_DEBUG", "1")
    with pytest.raises(RuntimeError, match="boom"):
        tilth("doctor")


# -- workspace and access --------------------------------------------------------------------------


def test_a_new_workspace_shows_its_key_and_link_once(tilth: Tilth) -> None:
    made = tilth("init", "--json", "--name", "Tea", "--currency", "gbp", "--timezone", "Europe/London").json
    assert made["write_key"].startswith("tilth_wk_")
    assert "/signin?token=" in made["sign_in"]
    again = tilth("init")
    assert again.code == 1
    assert "already" in again.err
    assert made["write_key"] not in tilth("doctor", "--json").out


def test_wrong_settings_make_no_workspace(tilth: Tilth, tmp_path: Path) -> None:
    ended = tilth("init", "--timezone", "Mars/Olympus")
    assert ended.code == 2
    assert "Mars/Olympus" in ended.err
    assert not (tmp_path / "shop").exists()


def test_tokens_sources_and_accounts_are_made_listed_and_revoked(tilth: Tilth) -> None:
    made = tilth("token", "create", "--name", "etl", "--role", "analyst", "--json").json
    assert made["token"].startswith("tilth_pat_")
    assert tilth("token", "create", "--name", "plain").out.strip().startswith("tilth_pat_")
    listed = tilth("token", "list", "--json")
    assert made["token"] not in listed.out
    assert [t["name"] for t in listed.json] == ["etl", "plain"]
    assert "etl" in tilth("token", "list").out
    assert tilth("token", "revoke", "etl").code == 0
    missing = tilth("token", "revoke", "etl")
    assert missing.code == 1
    assert "plain" in missing.err, "those there are, are offered"
    wrong = tilth("token", "create", "--name", "x", "--role", "root")
    assert wrong.code == 2
    assert "viewer, analyst, operator, admin" in wrong.err

    source = tilth("source", "create", "app", "--json").json
    assert source["write_key"].startswith("tilth_wk_")
    assert tilth("source", "create", "app").code == 1
    assert {s["name"] for s in tilth("source", "list", "--json").json} == {"default", "app"}
    assert tilth("source", "revoke", "app").code == 0

    assert "/signin?token=" in tilth("account", "invite", "lin@example.com", "--role", "operator").out
    assert "/signin?token=" in tilth("account", "link", "lin@example.com").out
    assert "/signin?token=" in tilth("account", "link").out
    assert tilth("account", "link", "nobody@example.com").code == 1
    assert {a["email"] for a in tilth("account", "list", "--json").json} == {None, "lin@example.com"}


def test_doctor_says_where_settings_come_from_and_that_all_is_well(
    tilth: Tilth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILTH_PORT", "9999")
    ended = tilth("doctor", "--json")
    assert ended.code == 0
    origins = {s["name"]: (s["value"], s["origin"]) for s in ended.json["settings"]}
    assert origins["port"] == ("9999", "environment")
    assert origins["currency"] == ("GBP", "tilth.toml")
    assert origins["memory_mb"][1] == "default"
    assert {c["name"] for c in ended.json["checks"]} >= {"disk", "database", "lake", "intake", "writer lock"}
    assert "writer lock" in tilth("doctor").out
    monkeypatch.setenv("TILTH_SMTP_URL", "smtp://post:secret@mail.example.com:587")
    assert "secret" not in tilth("doctor").out
    assert "secret" not in tilth("doctor", "--json").out


def test_doctor_hides_passwords() -> None:
    from tilth.server.health import _without_password

    assert _without_password("postgresql://tilth:secret@db:5432/x") == "postgresql://tilth:***@db:5432/x"
    assert _without_password("") == ""
    assert _without_password("smtps://mail@example.com:a?b@c:d@host:465") == "smtps://mail@example.com:***@host:465"
    assert (
        _without_password("postgresql://db/x?user=tilth&password=secret&sslpassword=other")
        == "postgresql://db/x?user=tilth&password=***&sslpassword=***"
    )
    assert _without_password("postgresql://db/x?user=tilth&password=se@cret") == "postgresql://***"
    assert "cret" not in _without_password("smtp://mail:a?password=se@cret@host")


# -- files in --------------------------------------------------------------------------------------


def test_an_import_shows_the_columns_and_adds_up(tilth: Tilth, orders: Path) -> None:
    ended = tilth("import", "orders", str(orders))
    assert ended.code == 0, ended.err
    assert "CustomerID" in ended.out
    assert "customer" in ended.out
    assert re.search(r"quarantined +1 ", ended.out)
    assert "csv" in ended.err
    rows = rows_of(orders)
    again = tilth("import", "orders", str(orders), "--json").json
    assert (again["rows_accepted"], again["rows_duplicate"]) == (0, len(rows))
    assert again["rows_read"] == again["rows_duplicate"] + again["rows_quarantined"] + again["rows_skipped"]


def test_a_dry_run_writes_nothing(tilth: Tilth, orders: Path) -> None:
    ended = tilth("import", "orders", str(orders), "--dry-run", "--json")
    assert ended.json["rows_accepted"] == len(rows_of(orders))
    assert ended.json["dry_run"] is True
    assert tilth("sql", "SELECT count(*) AS n FROM events", "--json").json["rows"] == [[0]]
    assert tilth("quarantine", "list", "--json").json["total"] == 0


def test_a_map_overrides_what_is_recognised(tilth: Tilth, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("a,b,c,d\n7,2024-01-05,3,10.00\n8,2024-02-05,1,4.50\n", "utf-8")
    found = tilth("import", "orders", str(path), "--map", "customer=a,time=b,quantity=c,price=d", "--json").json
    assert found["revenue"] == {"amount": "34.50", "currency": "GBP", "minor": 3450}
    wrong = tilth("import", "orders", str(path), "--map", "customer=nope,time=b", "--json")
    assert wrong.code == 2
    assert json.loads(wrong.err)["field"]
    assert tilth("import", "orders", str(path), "--map", "customer").code == 2


def test_an_ambiguous_date_order_is_a_question_with_choices_and_an_option_answers_it(
    tilth: Tilth, tmp_path: Path
) -> None:
    path = tmp_path / "dates.csv"
    path.write_text("customer,order_date,amount\n1,03/04/2024,10\n2,05/06/2024,20\n", "utf-8")
    asked = tilth("import", "orders", str(path), "--json")
    assert asked.code == 2
    problem = json.loads(asked.err)
    assert "date_order" in problem["field"]
    assert {"dmy", "mdy"} <= set(problem["choices"])
    found = tilth("import", "orders", str(path), "--date-order", "dmy", "--json").json
    assert found["first"].startswith("2024-04-03") or found["first"].startswith("2024-04-02T23")


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.csv", b""), ("binary.csv", bytes(range(256)) * 50), ("notime.csv", b"customer,amount\n1,2\n3,4\n")],
)
def test_a_file_that_cannot_be_imported_says_why(tilth: Tilth, tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ended = tilth("import", "orders", str(path))
    assert ended.code == 2
    assert ended.err.strip().splitlines()[-1].strip()
    assert tilth("sql", "SELECT count(*) FROM events", "--json").json["rows"] == [[0]]


def test_a_missing_file_is_named(tilth: Tilth) -> None:
    ended = tilth("import", "orders", "no-such-file.csv")
    assert ended.code in (1, 2)
    assert "no-such-file.csv" in ended.err


def test_quarantined_rows_are_listed_replayed_and_dismissed(tilth: Tilth, orders: Path) -> None:
    tilth("import", "orders", str(orders))
    listed = tilth("quarantine", "list", "--json").json
    assert listed["total"] == 1
    assert "some day" in tilth("quarantine", "list").out
    done = tilth(
        "quarantine", "replay", "--id", str(listed["rows"][0]["id"]), "--replace", "InvoiceDate=2023-03-03", "--json"
    )
    assert done.json["accepted"] == 1
    assert tilth("quarantine", "list", "--json").json["total"] == 0
    assert tilth("quarantine", "dismiss", "1").code == 0


# -- questions and answers -------------------------------------------------------------------------


def test_a_layering_is_shown_kept_exported_and_saved(tilth: Tilth, orders: Path, tmp_path: Path) -> None:
    tilth("import", "orders", str(orders))
    made = tilth("segment", "layering", "rfm", "--json").json
    assert sum(layer["people"] for layer in made["layers"]) == 30
    shown = tilth("segment", "layering", "rfm", "--no-save", "--lang", "zh-CN")
    assert shown.code == 0
    assert any(layer["name"]["zh-CN"] in shown.out for layer in made["layers"])
    assert "/100" in shown.out
    listed = tilth("segment", "list", "--json").json
    assert [line["id"] for line in listed["layerings"]] == [made["id"]], "--no-save keeps nothing"
    layer = max(made["layers"], key=lambda entry: entry["people"])
    saved = tilth("segment", "save", str(made["id"]), layer["key"], "--key", "best", "--json").json
    assert saved["people"] == layer["people"]
    for name in ("best.csv", "best.xlsx"):
        assert tilth("segment", "export", "best", "--output", str(tmp_path / name)).code == 0
    assert len(list(csv.reader(io.StringIO((tmp_path / "best.csv").read_text("utf-8-sig"))))) == layer["people"] + 1
    assert (tmp_path / "best.xlsx").read_bytes()[:2] == b"PK"
    assert not list(tmp_path.glob("*.part"))
    wrong = tilth("segment", "layering", "astrology")
    assert wrong.code == 1
    assert "rfm" in wrong.err
    assert tilth("segment", "layering", "rfm", "--as-of", "soon").code == 2
    assert tilth("segment", "layering", "rfm", "--param", "colour=red").code == 2


def test_clv_takes_options_or_a_body_and_they_give_the_same(
    tilth: Tilth, orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tilth("import", "orders", str(orders))
    question = {"model": "bgnbd", "time_unit": "week", "calibration_end": "2022-10-31"}
    by_options = tilth(
        "query", "clv", "--model", "bgnbd", "--time-unit", "week", "--calibration-end", "2022-10-31", "--json"
    )
    assert by_options.code == 0, by_options.err
    body = tmp_path / "question.json"
    body.write_text(json.dumps(question), "utf-8")
    by_file = tilth("query", "clv", "--body", str(body), "--json")
    assert by_file.json["parameters"] == by_options.json["parameters"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(question).encode())))
    assert tilth("query", "clv", "--body", "-", "--json").json["parameters"] == by_options.json["parameters"]
    out = tmp_path / "clv.csv"
    shown = tilth("query", "clv", "--body", str(body), "--export", str(out))
    assert "log-likelihood" in shown.out
    assert len(out.read_text("utf-8-sig").splitlines()) == by_options.json["forecast_people"] + 1
    wrong = tilth("query", "clv", "--model", "oracle", "--json")
    assert wrong.code == 2
    assert json.loads(wrong.err)["field"] == "model"


def test_sql_prints_a_table_json_or_safe_csv(tilth: Tilth, orders: Path) -> None:
    tilth("import", "orders", str(orders))
    rows = rows_of(orders)
    counted = tilth(
        "sql", "SELECT count(*) AS n, sum(amount) AS total FROM orders WHERE kind = 'purchase'", "--json"
    ).json
    assert counted["rows"] == [[len(rows), f"{len(rows) * 25}.00"]]
    assert "total" in tilth("sql", "SELECT sum(amount) AS total FROM orders").out
    names = tilth("sql", "SELECT DISTINCT name FROM order_items ORDER BY name", "--csv").out
    assert "'=2+5" in names, "a name that is a formula does not run in a spreadsheet"
    people = tilth("sql", "SELECT count(*), sum(revenue) FROM people", "--json").json["rows"]
    assert people == [[30, f"{len(rows) * 25}.00"]]
    wrong = tilth("sql", "DELETE FROM events", "--json")
    assert wrong.code == 2
    assert json.loads(wrong.err)["field"] == "sql"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_a_table_is_exported_whole(tilth: Tilth, orders: Path, tmp_path: Path, ending: str) -> None:
    tilth("import", "orders", str(orders))
    out = tmp_path / f"items.{ending}"
    ended = tilth("export", "order_items", "--output", str(out), "--json")
    assert ended.code == 0, ended.err
    rows = rows_of(orders)
    assert ended.json["rows"] == len(rows)
    if ending == "csv":
        found = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
        assert sum(float(r["amount"]) for r in found) == len(rows) * 25
    elif ending == "jsonl":
        assert len(out.read_text("utf-8").splitlines()) == len(rows)
    elif ending == "parquet":
        import pyarrow.parquet as pq

        assert pq.read_table(out).num_rows == len(rows)
    assert tilth("export", "orders", "--output", str(tmp_path / "x.pdf")).code == 2
    assert tilth("export", "unicorns", "--output", str(out)).code == 2


def test_a_person_is_shown_and_erased(tilth: Tilth, orders: Path) -> None:
    tilth("import", "orders", str(orders))
    person = tilth("people", "get", "C001", "--json").json
    assert person["portrait"]["orders"] == sum(r["CustomerID"] == "C001" for r in rows_of(orders))
    assert "Bought" in tilth("people", "get", "C001").out
    assert tilth("people", "get", "nobody").code == 1
    erased = tilth("erase", "C001", "--yes", "--json").json
    assert erased["events_removed"] > 0
    assert tilth("people", "get", "C001").code == 1


def test_flush_and_compact_say_what_they_did(tilth: Tilth, orders: Path) -> None:
    tilth("import", "orders", str(orders))
    assert tilth("flush", "--json").json == {"events": 0}
    assert tilth("compact", "--json").json["files"] >= 1
    assert tilth("compact").code == 0


# -- interruption ----------------------------------------------------------------------------------


def test_a_ctrl_c_that_a_library_made_an_error_of_is_still_a_ctrl_c(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tilth.workspace import Workspace

    def disturbed(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as stop:
            raise OSError("the callback failed") from stop

    monkeypatch.setattr(Workspace, "create", disturbed)
    for _ in range(2):
        assert run(["init", "--workspace", str(tmp_path / "shop"), "--json"]) == 130
        assert json.loads(capsys.readouterr().err)["type"] == "urn:tilth:error:interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_during_an_import_is_a_130_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shop"
    assert run(["init", "--workspace", str(folder), "--currency", "GBP", "--timezone", "UTC"]) == 0
    capsys.readouterr()
    path = tmp_path / "big.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("CustomerID,InvoiceNo,InvoiceDate,Quantity,UnitPrice\n")
        for i in range(700_000):
            file.write(f"C{i % 4000},I{i},2024-01-{i % 28 + 1:02d} 10:00,1,2.50\n")
    command = [
        sys.executable,
        "-m",
        "tilth.cli.main",
        "import",
        "orders",
        str(path),
        "--workspace",
        str(folder),
        "--json",
    ]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    staging = folder / "staging"
    for _ in range(600):
        if running.poll() is not None or (staging.exists() and any(staging.iterdir())):
            break
        time.sleep(0.02)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert "Traceback" not in err
    if running.returncode != 0:
        assert running.returncode == 130, err
        assert json.loads(err)["type"] == "urn:tilth:error:interrupted"
    again = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert run(["sql", "SELECT count(*), sum(amount) FROM orders", "--json", "--workspace", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [[700_000, "1750000.00"]]


# -- real data -------------------------------------------------------------------------------------


def test_online_retail_is_recognised_and_its_published_totals_come_out(tilth: Tilth, shared_data: Path) -> None:
    summary = tilth("import", "orders", str(shared_data / "online_retail.csv.gz"), "--json").json
    assert summary["rows_read"] == 541_909
    assert (summary["orders"], summary["buyers"]) == (18_532, 4_338)
    assert summary["revenue"] == {"amount": "8911407.90", "currency": "GBP", "minor": 891_140_790}
    counted = "SELECT count(*), count(DISTINCT uid), sum(amount) FROM orders WHERE kind = 'purchase'"
    assert tilth("sql", counted, "--json").json["rows"] == [[18_532, 4_338, "8911407.90"]]


def test_clv_of_the_cdnow_sample_has_the_published_parameters(tilth: Tilth, shared_data: Path) -> None:
    path = str(shared_data / "cdnow_sample.txt.gz")
    imported = tilth("import", "orders", path, "--map", "customer=1,time=3,quantity=4,amount=5", "--json")
    assert imported.code == 0, imported.err
    common = ("--time-unit", "week", "--calibration-end", "1997-09-30", "--json")
    bgnbd = tilth("query", "clv", "--model", "bgnbd", *common).json
    assert [round(bgnbd["parameters"][name], 3) for name in ("r", "alpha", "a", "b")] == [0.243, 4.414, 0.793, 2.426]
    pareto = tilth("query", "clv", "--model", "pareto_nbd", *common).json
    found = [round(pareto["parameters"][name], 3) for name in ("r", "alpha", "s", "beta")]
    assert found == [0.553, 10.578, 0.606, 11.669]


def test_definitions_are_applied_from_files_and_checked_as_a_whole(tilth: Tilth, tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_text(
        "tracking_plan:\n  mode: enforce\n  events: {pay: {properties: {amount: number}}}\n"
        "sources: {app: {events_per_second: 50, privacy: {ip: drop}}}\n",
        "utf-8",
    )
    bad = tmp_path / "bad.yaml"
    bad.write_text("sources: {web: {privacy: {ip: burn}}}\n", "utf-8")
    refused = tilth("apply", str(good), str(bad))
    assert refused.code == 2
    assert "sources.web.privacy.ip" in refused.err
    assert tilth("plan", "show").out == "tracking_plan:\n  {}\n"
    assert tilth("apply", str(good), "--dry-run").code == 0
    assert tilth("apply", str(good), "--json").json == {"plan_version": 1, "sources": ["app"]}
    shown = tilth("plan", "show").out
    assert "type: number" in shown
    again = tmp_path / "again.yaml"
    again.write_text(shown, "utf-8")
    assert tilth("apply", str(again), "--json").json["plan_version"] == 2
    source = next(one for one in tilth("source", "list", "--json").json if one["name"] == "app")
    assert source["settings"]["privacy"]["ip"] == "drop"
    assert tilth("plan", "infer").out == shown
    assert tilth("apply", str(tmp_path / "none.yaml")).code == 4
