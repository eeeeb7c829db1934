"""Forgetting one person everywhere: events, quarantined rows, layers, segments, surveys, feedback, ids, traits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tilth.workspace import Workspace

__all__ = ["erase"]


def erase(workspace: Workspace, any_id: str) -> tuple[int, int]:
    """Remove the person with this id for good: (uid, events removed). Raises `NotFound`.

    The intake log is flushed first, so that no unflushed event of theirs is left. The ids go last:
    after a crash in between, the same call finds the person again and finishes.
    """
    workspace.collect.catch_up()
    uid = workspace.people.find(any_id)
    workspace.collect.flush()
    # Events of persons that were merged into this one are written under its number first.
    workspace.collect.squash()
    removed = workspace.lake.erase([uid])
    workspace.segments.forget([uid])
    workspace.collect.surveys.forget(workspace.people.merged(uid))
    ids = workspace.people.distinct_ids([uid])[uid]
    workspace.collect.feedback.forget([(known.kind, known.id) for known in ids])
    workspace.imports.forget([known.id for known in ids])
    workspace.identity.forget(uid, [(known.kind, known.id) for known in ids])
    workspace.people.forget(uid)
    workspace.kept_answers.clear()
    return uid, removed
