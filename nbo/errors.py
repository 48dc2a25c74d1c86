"""Everything that can go wrong, as one tree.

    NboError
    ├── BadInputError          a value breaks a constraint            gRPC INVALID_ARGUMENT   exit 2
    ├── NotFoundError          an id names nothing we know            gRPC NOT_FOUND          exit 3
    ├── ConflictError          same idempotency key, other body       gRPC ALREADY_EXISTS     exit 4
    │   └── OvertakenError     what a change was made on is replaced  gRPC ABORTED            exit 4
    ├── UnavailableError       a store does not answer                gRPC UNAVAILABLE        exit 5
    ├── WorkspaceError         a workspace file is wrong, located     gRPC INVALID_ARGUMENT   exit 6
    ├── MissingExtraError      an optional package is not installed   (never over gRPC)       exit 7
    └── NotEnoughDataError     too little to learn from              gRPC FAILED_PRECONDITION exit 8

Transport codes are chosen in `serving`, exit codes in `nbo.cli`; this module knows neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class NboError(Exception):
    """Base of every error the engine raises on purpose."""


class BadInputError(NboError):
    """A value given by a client or a user breaks a constraint.

    Attributes:
        field: Where the value stands, e.g. ``"slots"`` or ``"events[3].at"``.
        constraint: What would be right, with the value: ``"must be between 1 and 50, was -1"``.
    """

    def __init__(self, field: str, constraint: str) -> None:
        super().__init__(f"{field}: {constraint}")
        self.field = field
        self.constraint = constraint


class NotFoundError(NboError):
    """An id names nothing we know: a customer, an offer, a decision.

    Attributes:
        kind: What was looked for, e.g. ``"decision"``.
        key: The id that was not found.
    """

    def __init__(self, kind: str, key: str, remedy: str = "") -> None:
        super().__init__(f"unknown {kind} {key!r}" + (f": {remedy}" if remedy else ""))
        self.kind = kind
        self.key = key
        self.remedy = remedy


class ConflictError(NboError):
    """An idempotency key was used before with another body; nothing was written."""


class OvertakenError(ConflictError):
    """Somebody else changed meanwhile what the change was made on; nothing was written."""


class UnavailableError(NboError):
    """A store did not answer; the call may be tried again.

    Attributes:
        store: ``"redis"``, ``"ledger"``, ``"mlflow"``.
    """

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(f"{store} is not available: {reason}")
        self.store = store


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a workspace file, located.

    Attributes:
        file: Path as the user knows it.
        line: 1-based; 0 when the file as a whole is meant.
        column: 1-based; 0 when unknown.
        message: What is wrong and what to write instead; may span lines (caret).
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{where}  {self.message}"


def unreadable(file: str, error: OSError | UnicodeDecodeError) -> Problem:
    """A file that could not be read, in words.

    Args:
        file: Path as the user knows it.
        error: Why.
    """
    if isinstance(error, UnicodeDecodeError):
        told = "is not UTF-8: save it as text in UTF-8"
    elif isinstance(error, FileNotFoundError):
        told = "does not exist: check the path"
    elif isinstance(error, IsADirectoryError):
        told = "is a folder: name a file in it"
    elif isinstance(error, PermissionError):
        told = "may not be read by this account: check its permissions"
    else:
        told = f"cannot be read: {error.strerror or error}"
    return Problem(file, 0, 0, told)


class WorkspaceError(NboError):
    """A workspace file is wrong; holds every problem found, each with its place.

    Attributes:
        problems: In the order of the files.
        whole: False where a server could tell only some of them, or only their first lines.
    """

    def __init__(self, problems: Sequence[Problem], *, whole: bool = True) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
        self.whole = whole


class MissingExtraError(NboError):
    """An optional package is needed and not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra {extra!r}: pip install 'nbo[{extra}]'")
        self.extra = extra


class NotEnoughDataError(NboError):
    """Too little data to learn or estimate from; says how much is missing."""
