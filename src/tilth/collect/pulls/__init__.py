"""Pulls: rows of a database, or files of a folder or bucket, fetched every so many minutes as events.

A pull remembers how far it came (its mark) and moves it only after the events up to there are durable;
the ids of the events come from the rows, so what is read twice counts once. May import errors, settings,
state, and of `tilth.collect` the connectors' rules, the file readers and the door.
"""

from tilth.collect.pulls.model import Connection, FolderPlace, Pull, PullRun, S3Place, SqlPlace
from tilth.collect.pulls.running import Look, look, run_pull
from tilth.collect.pulls.service import Pulls

__all__ = ["Connection", "FolderPlace", "Look", "Pull", "PullRun", "Pulls", "S3Place", "SqlPlace", "look", "run_pull"]
