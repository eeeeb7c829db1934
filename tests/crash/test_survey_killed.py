"""A server killed between keeping an answer and marking its link: sent again, it is there once and marked."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collect.surveys.made import TEA, events, known
from tilth.collect.surveys import LinkRefused
from tilth.settings import Settings
from tilth.workspace import Workspace

pytestmark = pytest.mark.crash

KILLED = """
import os, signal, sys
from tilth.collect.surveys import Surveys
from tilth.workspace import Workspace
Surveys._mark = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with Workspace.open(sys.argv[1]) as opened:
    surveys = opened.collect.surveys
    surveys.submit(surveys.stand("tea-2026", sys.argv[2]), {"recommend": 9})
"""


@pytest.mark.parametrize("flushed", [False, True])
def test_an_answer_is_kept_once_when_the_server_dies_before_the_mark(
    tmp_path: Path, database_url: str, flushed: bool
) -> None:
    folder = tmp_path / "workspace"
    with Workspace.create(folder, Settings(currency="CNY", database_url=database_url)) as made:
        made.collect.surveys.create(TEA)
        made.collect.surveys.open("tea-2026")
        token = made.collect.surveys.links("tea-2026", known(made, "lin"))[0].path.split("?t=")[1]
    died = subprocess.run([sys.executable, "-c", KILLED, str(folder), token], check=False)
    assert died.returncode == -signal.SIGKILL
    with Workspace.open(folder) as opened:
        surveys = opened.collect.surveys
        assert len(events(opened, "survey_answered")) == 1
        assert surveys.funnel("tea-2026").answered == 0
        if flushed:
            opened.collect.flush()
        assert surveys.submit(surveys.stand("tea-2026", token), {"recommend": 1}) == ""
        (kept,) = events(opened, "survey_answered")
        assert kept[3]["answers"] == {"recommend": 9}
        with pytest.raises(LinkRefused):
            surveys.stand("tea-2026", token)
