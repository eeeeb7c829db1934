"""Profiles from files, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tilth.cli.main import app
from tilth.workspace import Workspace


def test_profiles_from_a_file_and_how_complete_they_are(workspace: Workspace, tmp_path: Path) -> None:
    workspace.close()
    where = ["--workspace", str(workspace.folder)]
    file = tmp_path / "members.csv"
    file.write_text("phone,city,code,points\n138,杭州,007,12.5\n139,,008,3\nundefined,x,1,1\n", "utf-8")
    told = ["people", "update", str(file), "--id-column", "phone", "--kind", "phone", "--create", "--json", *where]
    result = CliRunner().invoke(app, told)
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["people"], answer["written"], answer["refused"][0]["row"]) == (2, 5, 2)
    person = json.loads(CliRunner().invoke(app, ["people", "get", "138", "--json", *where]).stdout)
    assert {t["name"]: t["value"] for t in person["traits"]} == {"city": "杭州", "code": "007", "points": 12.5}
    lines = tmp_path / "more.jsonl"
    lines.write_text('{"id": "138", "kind": "phone", "unset": ["code"]}\n\n{"id": 7}\n', "utf-8")
    wrong = CliRunner().invoke(app, ["people", "update", str(lines), *where])
    assert wrong.exit_code != 0
    assert "line 3" in str(wrong.exception)
    assert "code" in CliRunner().invoke(app, ["people", "get", "138", *where]).stdout
    shown = CliRunner().invoke(app, ["people", "completeness", *where]).output
    assert "phone × 2" in shown
    assert "2 / 2" in shown
