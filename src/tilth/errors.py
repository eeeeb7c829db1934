"""The one hierarchy of errors.

Every error a person can cause or must hear of is a `TilthError`. It is mapped once to
`application/problem+json` (server/problems.py) and once to an exit code (cli/main.py); nothing
else translates errors.
"""

from __future__ import annotations

__all__ = [
    "Busy",
    "Cancelled",
    "Conflict",
    "Forbidden",
    "InvalidInput",
    "LimitReached",
    "NotFound",
    "StorageFailed",
    "TilthError",
    "Unauthorized",
]


class TilthError(Exception):
    """Base of all expected errors.

    `kind` is the stable name used as the problem's `type` (`urn:tilth:error:<kind>`), `status` the
    HTTP status and `exit_code` the code a command ends with.
    """

    kind = "error"
    status = 500
    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(TilthError):
    """Input that cannot be accepted: `field` is its path (`steps[2].event`), `reason` says why.

    `choices` lists what would be accepted where that is a short list (a question to the person
    rather than a guess).
    """

    kind = "invalid_input"
    status = 400
    exit_code = 2

    def __init__(self, field: str, reason: str, choices: list[str] | None = None) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.choices = choices or []


class Unauthorized(TilthError):
    """No valid sign-in or token came with the request."""

    kind = "unauthorized"
    status = 401


class Forbidden(TilthError):
    """Signed in, but this role (or a write key, which only ingests) may not do it."""

    kind = "forbidden"
    status = 403


class NotFound(TilthError):
    """`what` (a noun of the vocabulary) named `name` does not exist."""

    kind = "not_found"
    status = 404

    def __init__(self, what: str, name: str, nearest: list[str] | None = None) -> None:
        hint = f" (did you mean {', '.join(nearest)}?)" if nearest else ""
        super().__init__(f"no {what} {name!r}{hint}")
        self.what = what
        self.name = name
        self.nearest = nearest or []


class Conflict(TilthError):
    """The request contradicts the present state; nothing was changed."""

    kind = "conflict"
    status = 409


class Busy(Conflict):
    """Another process holds what is needed, for example the workspace's writer lock."""

    kind = "busy"
    exit_code = 3


class LimitReached(TilthError):
    """A declared limit was hit; `retry_after` (seconds) says when trying again makes sense."""

    kind = "limit_reached"
    status = 429

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Cancelled(TilthError):
    """The work was given up because nobody waits for it any more."""

    kind = "cancelled"
    status = 499


class StorageFailed(TilthError):
    """The disk or database refused a write (full, read-only, gone). Nothing was acknowledged."""

    kind = "storage_failed"
    status = 507
    exit_code = 4
