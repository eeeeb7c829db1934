"""A workspace: made once, opened by one writer, its settings kept where they belong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

import tilth
from tilth.errors import Busy, Conflict, InvalidInput, NotFound
from tilth.server.erasure import erase
from tilth.settings import Settings, load_settings, save_settings
from tilth.workspace import Workspace


def test_a_folder_without_settings_is_not_a_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="workspace"):
        tilth.open(tmp_path)


def test_a_workspace_is_made_once(workspace: Workspace) -> None:
    with pytest.raises(Conflict, match="already"):
        Workspace.create(workspace.folder)


def test_a_workspace_has_one_writer_and_any_number_of_readers(workspace: Workspace) -> None:
    with pytest.raises(Busy, match="in use by process"):
        Workspace.open(workspace.folder)
    with Workspace.open(workspace.folder, read_only=True) as reader:
        assert reader.people.count() == 0


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('timezone = "Mars/Olympus"', "timezone"),
        ('currency = "yuan"', "currency"),
        ("buckets = 0", "buckets"),
        ('colour = "red"', "colour"),
        ("currency = 5", "currency"),
        ("currency = ", "tilth.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "tilth.toml").write_text(text)
    with pytest.raises(InvalidInput, match=field):
        load_settings(tmp_path)


def test_what_the_environment_says_is_in_force_but_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_settings(tmp_path, Settings(timezone="Europe/London", port=9000))
    monkeypatch.setenv("TILTH_DATABASE_URL", "postgresql://tilth:secret@127.0.0.1/tilth")
    monkeypatch.setenv("TILTH_PORT", "9001")
    settings = load_settings(tmp_path)
    assert settings.port == 9001
    save_settings(tmp_path, msgspec.structs.replace(settings, name="Shop"))
    written = tomllib.loads((tmp_path / "tilth.toml").read_text("utf-8"))
    assert written["port"] == 9000
    assert written["name"] == "Shop"
    assert "secret" not in (tmp_path / "tilth.toml").read_text("utf-8")


def test_erasing_a_person_reaches_the_rows_in_quarantine(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    others = "".join(f"{n},C-9{n},2024-01-05 10:00,5.00\n" for n in range(10, 30))
    path.write_text(
        "order_id,customer_id,order_time,amount\n"
        + others
        + "1,C-100,2024-01-05 10:00,12.50\n2,C-100,never,9.00\n3,C-200,never,8.00\n4,C-1000,never,8.00\n"
    )
    workspace.imports.run_files("orders", [path])
    assert workspace.imports.quarantine().total == 3
    assert erase(workspace, "C-100")[1] == 1
    left = workspace.imports.quarantine()
    assert sorted(row.raw.split(",")[1] for row in left.rows) == ["C-1000", "C-200"]
    with pytest.raises(NotFound):
        workspace.people.find("C-100")
