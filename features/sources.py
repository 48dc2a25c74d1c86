"""Check that the batch tables hold what the definitions name, before Feast reads them.

Feast finds a missing column only while it reads the table, and says so in its engine's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from features.feast_views import JOIN_KEY
from nbo.errors import Problem, WorkspaceError

if TYPE_CHECKING:
    from feast import FeatureView

_IDENTITY_COLUMNS = (JOIN_KEY, "kind", "value")
_SHOWN = 40
"""Most columns of a table that a message lists."""


class _Mistake(NamedTuple):
    """What is wrong, and the name by which its line is found, then the next best name."""

    quoted: tuple[str, ...]
    message: str


def check_sources(repo_path: Path, views: Sequence[FeatureView], identities: str = "") -> None:
    """Compare Parquet sources with what is read from them; other kinds of source are Feast's.

    Args:
        repo_path: Folder of `definitions.py`; paths of sources are relative to it.
        views: As defined.
        identities: Path of the identities' table; empty without one.

    Raises:
        WorkspaceError: A table, a view's field, key or timestamp is missing; names all of them.
    """
    mistakes = [mistake for view in views for mistake in _of_view(repo_path, view)]
    if identities:
        needed = [(name, ("identities", name)) for name in _IDENTITY_COLUMNS]
        found = _of_table(repo_path, identities, needed, ("identities",))
        mistakes += [_Mistake(("identities",), mistake.message) for mistake in found]
    if mistakes:
        file = repo_path / "definitions.py"
        lines = file.read_text(encoding="utf-8").splitlines()
        raise WorkspaceError(
            [Problem(str(file), _line(lines, quoted), 0, text) for quoted, text in mistakes]
        )


def _of_view(repo_path: Path, view: FeatureView) -> Iterator[_Mistake]:
    from feast import FileSource
    from feast.data_format import ParquetFormat

    source = view.batch_source
    if not isinstance(source, FileSource):
        return
    if source.file_format is not None and not isinstance(source.file_format, ParquetFormat):
        return
    column_of = {field: column for column, field in (source.field_mapping or {}).items()}
    read = [JOIN_KEY, source.timestamp_field, source.created_timestamp_column]
    needed = [
        (column_of.get(name, name), (view.name, name))
        for name in [*read, *(field.name for field in view.features)]
        if name
    ]
    yield from _of_table(repo_path, source.path, needed, (source.path, view.name))


def _of_table(
    repo_path: Path,
    path: str,
    needed: Sequence[tuple[str, tuple[str, str]]],
    quoted: tuple[str, ...],
) -> Iterator[_Mistake]:
    """Yield what a table lacks.

    Args:
        repo_path: The path is relative to it.
        path: As the definitions give it; a URL is left to Feast.
        needed: (column, (owner, name)) of all that is read.
        quoted: By which to find the line of the table as a whole.
    """
    if "://" in path:
        return
    table = (repo_path / path).resolve()
    shown = _shown(table, repo_path)
    if not table.exists():
        yield _Mistake(quoted, f"{quoted[-1]}: there is no file {shown}")
        return
    try:
        columns = _columns(table)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        yield _Mistake(quoted, f"{quoted[-1]}: {shown} is no Parquet table: {reason}")
        return
    known = ", ".join(columns[:_SHOWN]) + (", …" if len(columns) > _SHOWN else "")
    for column, (owner, name) in needed:
        if column not in columns:
            what = "no such column" if column == name else f"no column {column!r}"
            yield _Mistake(
                (name, *quoted), f"{owner}.{name}: {what} in {shown} (it has: {known or 'none'})"
            )


def _columns(table: Path) -> list[str]:
    """Read the names of a Parquet file's columns, or of a folder's; ValueError when it is none."""
    from pyarrow import dataset

    opened = cast(Any, dataset).dataset(table, format="parquet", partitioning="hive")
    return list(opened.schema.names)


def _shown(table: Path, repo_path: Path) -> str:
    """Path of a table as seen from the workspace, which holds the feature repo."""
    workspace = repo_path.resolve().parent
    return str(table.relative_to(workspace) if table.is_relative_to(workspace) else table)


def _line(lines: Sequence[str], quoted: Sequence[str]) -> int:
    """First line with one of the names as a text or on its own, the earlier names first."""
    for name in quoted:
        for pattern in (rf"""["']{re.escape(name)}["']""", rf"^{re.escape(name)}\b"):
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line):
                    return number
    return 0
