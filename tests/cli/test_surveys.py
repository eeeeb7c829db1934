"""`tilth surveys`: from a file to links and results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.collect.surveys.test_model import YAML
from tilth.cli.main import run
from tilth.settings import Settings
from tilth.workspace import Workspace


def test_a_survey_goes_from_a_file_to_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shop"
    with Workspace.create(folder, Settings()) as made:
        made.people.resolve("id", ["lin"], "observed")
    file = tmp_path / "visit.yaml"
    file.write_text(YAML, "utf-8")

    def tilth(*arguments: str) -> tuple[int, str, str]:
        code = run(["surveys", *arguments, "--workspace", str(folder)])
        out, err = capsys.readouterr()
        return code, out, err

    assert tilth("create", str(file))[0] == 0
    assert tilth("create", str(file))[0] == 1
    assert "visit" in tilth("list")[1]
    assert tilth("open", "visit")[0] == 0
    shown = tilth("show", "visit")[1]
    file.write_text(shown.replace("How was", "How did you find"), "utf-8")
    assert tilth("update", str(file))[0] == 0
    code, out, _ = tilth("links", "visit", "lin", "nobody", "--base", "https://shop.example/", "--json")
    made_links = json.loads(out)
    assert (code, made_links["missing"]) == (0, ["nobody"])
    assert made_links["links"][0]["url"].startswith("https://shop.example/s/visit?t=")
    code, out, _ = tilth("links", "visit", "lin", "--out", str(tmp_path / "links.csv"))
    assert "https://" not in out
    assert "/s/visit?t=" in (tmp_path / "links.csv").read_text("utf-8-sig")
    with Workspace.open(folder) as opened:
        surveys = opened.collect.surveys
        token = made_links["links"][0]["url"].split("?t=")[1]
        surveys.submit(surveys.stand("visit", token), {"nps": 10, "why": "tea"})
    assert "NPS +100.0: 1 promoters" in tilth("results", "visit")[1]
    assert json.loads(tilth("results", "visit", "--json")[1])["people"] == 1
    assert tilth("close", "visit")[0] == 0
    for bad in (("show", "none"), ("links", "visit"), ("results", "visit", "--segment", "none")):
        code, _, err = tilth(*bad)
        assert code != 0
        assert err.startswith("tilth: ")
    file.write_text("key: x", "utf-8")
    code, _, err = tilth("create", str(file))
    assert (code, "title" in err) == (2, True)
