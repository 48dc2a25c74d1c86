"""Printing: JSON for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

console = Console()


def print_json(value: Any) -> None:
    """One JSON object or array on standard output."""
    if isinstance(value, Message):
        value = MessageToDict(
            value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table; columns whose name ends in ``>`` are aligned right."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        name = column.removesuffix(">")
        table.add_column(name, justify="right" if name != column else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
