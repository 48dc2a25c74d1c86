"""What is wrong in `nbo.toml`, in words and with the line; and which variable sets the same."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from nbo.errors import Problem

ENV_PREFIX = "NBO_"
ENV_DELIMITER = "__"


def syntax_problem(shown: str, error: ValueError) -> Problem:
    """What is not TOML, with its place."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    return Problem(shown, line, column, re.sub(r"\s*\(at .*\)$", "", str(error)))


def setting_problems(
    settings: type[BaseModel], shown: str, text: str, error: ValidationError
) -> list[Problem]:
    """What is wrong with settings, each with its line.

    Args:
        settings: All tables.
        shown: Path of the file as the user knows it.
        text: Of the file.
        error: What validation found, in the file or in the environment.
    """
    problems = []
    for fault in error.errors():
        path = tuple(str(part) for part in fault["loc"])
        line = _line_of(text, path)
        message = f"{'.'.join(path)}: {_explained(settings, fault, path)}"
        variable = ENV_PREFIX + ENV_DELIMITER.join(path).upper()
        problems.append(Problem(shown, line, 0, message if line else f"{message} (or {variable})"))
    return sorted(problems, key=lambda problem: problem.line)


def _explained(settings: type[BaseModel], fault: Any, path: tuple[str, ...]) -> str:
    if fault["type"] == "extra_forbidden":
        known = _known(settings, path)
        close = difflib.get_close_matches(path[-1], known, n=1)
        return "unknown setting, " + (
            f"did you mean {close[0]!r}?" if close else f"must be one of {', '.join(known)}"
        )
    if fault["type"] == "missing":
        return "is missing"
    return str(fault["msg"]).removeprefix("Value error, ")


def _known(settings: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    fields = settings.model_fields
    if len(path) == 1:
        return list(fields)
    table = fields[path[0]].annotation
    return (
        list(table.model_fields) if isinstance(table, type) and issubclass(table, BaseModel) else []
    )


def _line_of(text: str, path: tuple[str, ...]) -> int:
    """1-based line on which `path` is set, else that of its table, else 0."""
    table: tuple[str, ...] = ()
    nearest = 0
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        key = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if header:
            table = _parts(header[1])
        elif not key:
            continue
        here = table if header else (*table, *_parts(key[1] if key else ""))
        if here == path:
            return number
        if header and here == path[: len(here)]:
            nearest = number
    return nearest


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
