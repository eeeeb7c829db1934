"""An import survives its process: nothing is lost, nothing counts twice, whenever it dies."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.collect.imports.importing import POINTS
from tilth.collect.imports import Cancelled, Progress
from tilth.errors import Conflict, InvalidInput
from tilth.settings import Settings
from tilth.workspace import Workspace

Write = Callable[..., Path]

ROWS = 6_000
TEXT = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n" + "".join(
    f"{500000 + i // 3},T{i % 7},{i % 4 + 1},2024-0{i % 9 + 1}-05 10:00:00,"
    f"{'x' if i % 500 == 7 else i % 5 + 1}.25,{i % 300 + 1}\n"
    for i in range(ROWS)
)
SETTINGS = Settings(timezone="UTC", currency="GBP", buckets=4)


def state(folder: Path) -> dict[str, Any]:
    """Everything an import leaves, to be compared with that of an undisturbed one."""
    with Workspace.open(folder) as opened:
        events = sorted(
            row
            for t in opened.lake.scan(["event", "event_id", "p_amount", "p_order_id", "distinct_id"])
            for row in zip(*t.to_pydict().values(), strict=True)
        )
        done = opened.imports.list().imports[-1]
        assert done.summary is not None
        staged = opened.folder / "staging"
        return {
            "events": events,
            "people": opened.people.count(),
            "quarantine": sorted((r.line, r.reason) for r in opened.imports.quarantine(limit=500).rows),
            "summary": {k: getattr(done.summary, k) for k in done.summary.__struct_fields__ if k != "seconds"},
            "status": done.status,
            "imports": len(opened.imports.list().imports),
            "staged": list(staged.iterdir()) if staged.exists() else [],
        }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "a.csv").write_text(TEXT)
    Workspace.create(folder / "w", SETTINGS).close()
    assert run(folder / "w", folder / "a.csv").returncode == 0
    found = state(folder / "w")
    assert (found["status"], found["summary"]["rows_read"], len(found["quarantine"])) == ("done", ROWS, 12)
    return found


def run(workspace: Path, file: Path, *point: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.collect.imports.importing", str(workspace), str(file), *point],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


CASES = [
    (point, count)
    for point in POINTS
    for count in (1, 3)
    if not (count == 3 and ("done" in point or "people" in point))
]


@pytest.mark.crash
@pytest.mark.parametrize(("point", "count"), CASES, ids=[f"{p} {c}" for p, c in CASES])
def test_a_process_that_dies_anywhere_is_continued_by_the_next(
    tmp_path: Path, undisturbed: dict[str, Any], point: str, count: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TEXT)
    Workspace.create(tmp_path / "w", SETTINGS).close()
    assert run(tmp_path / "w", path, point, str(count)).returncode == 137
    finished = run(tmp_path / "w", path)
    assert finished.returncode == 0, finished.stderr
    found = state(tmp_path / "w")
    if point == "after the import is done":
        # The second run was an import of its own, of a file known already.
        assert found["imports"] == 2
        found["imports"] = 1
    assert found == undisturbed


@pytest.mark.crash
def test_a_process_killed_again_and_again_gets_there(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TEXT)
    Workspace.create(tmp_path / "w", SETTINGS).close()
    command = [sys.executable, "-m", "tests.collect.imports.importing", str(tmp_path / "w"), str(path)]
    chance = random.Random(7)
    killed = 0
    for _ in range(60):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        patience = time.monotonic() + chance.uniform(0.5, 1.5) + 0.25 * killed
        while time.monotonic() < patience and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        _, errors = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    assert process.returncode == 0
    assert killed > 0
    found = state(tmp_path / "w")
    # Killed after its work was done but before it ended, a run is repeated: an import of a file known already.
    assert found["imports"] >= 1
    found["imports"] = 1
    assert found == undisturbed


def started(workspace: Workspace, path: Path) -> str:
    made = workspace.imports.create("orders", [path], by="ann")
    return workspace.imports.start(made.id).id


def test_an_import_left_running_by_a_dead_process_is_interrupted(workspace: Workspace, write: Write) -> None:
    import sqlalchemy as sa

    from tilth.collect.imports.tables import import_job

    id = started(workspace, write("a.csv", TEXT))
    assert workspace.imports.get(id).status == "running"
    with workspace.database.begin() as connection:
        connection.execute(sa.update(import_job).values(owner=import_job.c.owner + "9"))
    assert workspace.imports.get(id).status == "interrupted"
    assert workspace.imports.resume(id).status == "running"
    assert workspace.imports.run(id).rows_read == ROWS


def test_the_steps_of_the_console(workspace: Workspace, write: Write) -> None:
    folder = workspace.imports.upload_folder("imp1")
    folder.mkdir(parents=True)
    (folder / "orders.csv").write_text(TEXT)
    made = workspace.imports.create("orders", [folder / "orders.csv"], by="ann", id="imp1", uploaded=True)
    assert (made.status, made.by, made.files[0].name) == ("preview", "ann", "orders.csv")
    assert made.proposal is not None
    assert made.proposal.map["order"] == "InvoiceNo"
    again = workspace.imports.preview("imp1", {"order": ""})
    assert again.proposal is not None
    assert "order" not in again.proposal.map
    assert workspace.imports.start("imp1", dry_run=True).dry_run
    dry = workspace.imports.run("imp1")
    after = workspace.imports.get("imp1")
    assert (after.status, after.summary) == ("preview", dry)
    assert workspace.lake.stats().rows == 0
    workspace.imports.start("imp1")
    seen: list[Progress] = []
    summary = workspace.imports.run("imp1", progress=seen.append)
    done = workspace.imports.get("imp1")
    assert (done.status, done.summary, done.progress) == ("done", summary, None)
    assert {p.phase for p in seen} == {"reading", "writing"}
    assert seen[-1].bytes_done == seen[-1].bytes_total == made.files[0].bytes
    assert not folder.exists()
    with pytest.raises(Conflict):
        workspace.imports.start("imp1")


def test_a_cancelled_import_leaves_nothing(workspace: Workspace, write: Write) -> None:
    id = started(workspace, write("a.csv", TEXT))
    with pytest.raises(Cancelled):
        workspace.imports.run(id, cancelled=lambda: True)
    assert workspace.imports.get(id).status == "cancelled"
    assert (workspace.lake.stats().rows, workspace.people.count()) == (0, 0)
    assert workspace.imports.quarantine(state=None).total == 0
    assert not any((workspace.folder / "staging").iterdir())
    workspace.imports.start(id)
    assert workspace.imports.run(id).rows_read == ROWS


def test_cancelling_reaches_a_run_that_is_reading_and_not_one_that_writes(workspace: Workspace, write: Write) -> None:
    id = started(workspace, write("a.csv", TEXT))

    def cancel_while(phase: str) -> Callable[[Progress], None]:
        def told(progress: Progress) -> None:
            if progress.phase == phase:
                workspace.imports.cancel(id)

        return told

    with pytest.raises(Cancelled):
        workspace.imports.run(id, progress=cancel_while("reading"))
    assert workspace.imports.get(id).status == "cancelled"
    workspace.imports.start(id)
    with pytest.raises(Conflict, match="writing its rows already"):
        workspace.imports.run(id, progress=cancel_while("writing"))
    # The refusal came up through the run, which counts as an interruption; what was begun can only be finished.
    assert workspace.imports.get(id).status == "interrupted"
    with pytest.raises(Conflict):
        workspace.imports.cancel(id)
    workspace.imports.resume(id)
    assert workspace.imports.run(id).rows_read == ROWS


def test_a_changed_file_is_not_taken_for_the_interrupted_one(workspace: Workspace, write: Write) -> None:
    path = write("a.csv", TEXT)

    def stop(progress: Progress) -> None:
        raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError):
        workspace.imports.run_files("orders", [path], progress=stop)
    assert workspace.imports.list().imports[0].status == "interrupted"
    write("a.csv", TEXT + "1,T1,1,2024-01-05,1.00,7\n")
    assert workspace.imports.run_files("orders", [path]).rows_read == ROWS + 1
    assert [i.status for i in workspace.imports.list().imports] == ["done", "interrupted"]


def test_an_import_whose_file_is_gone_cannot_be_resumed(workspace: Workspace, write: Write) -> None:
    path = write("a.csv", TEXT)

    def stop(progress: Progress) -> None:
        raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError):
        workspace.imports.run_files("orders", [path], progress=stop)
    id = workspace.imports.list().imports[0].id
    path.write_text(TEXT.replace("T1", "T2"))
    with pytest.raises(InvalidInput, match="was changed"):
        workspace.imports.resume(id)
    path.unlink()
    with pytest.raises(InvalidInput, match="not there any more"):
        workspace.imports.resume(id)
    assert workspace.imports.cancel(id).status == "cancelled"
