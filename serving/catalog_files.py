"""A catalogue between its files and the one text that is published: named, joined, cut again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nbo.decision.catalog_source import join_files, split_files
from nbo.errors import BadInputError

DEFAULT_NAME = "catalog.yaml"
MAX_FILES = 1_000
MAX_NAME = 256


class CatalogFile(NamedTuple):
    """A file of a catalogue.

    Attributes:
        name: As messages call it, relative to the workspace, e.g. ``"catalog/offers.yaml"``.
        text: YAML.
    """

    name: str
    text: str


class CatalogText(NamedTuple):
    """A whole catalogue as the ledger keeps it.

    Attributes:
        text: One file as it is; several joined, see `nbo.decision.catalog_source`.
        name: What messages call it as a whole.
    """

    text: str
    name: str


def join(files: Sequence[CatalogFile]) -> CatalogText:
    """One text of all files.

    Raises:
        BadInputError: there is none, or a name is empty, long, several lines or used twice.
    """
    if not 1 <= len(files) <= MAX_FILES:
        raise BadInputError("files", f"must hold 1 to {MAX_FILES} files, held {len(files)}")
    names: set[str] = set()
    for position, file in enumerate(files):
        field = f"files[{position}].name"
        if not file.name.isprintable() or not 1 <= len(file.name) <= MAX_NAME:
            constraint = f"must be 1 to {MAX_NAME} printable characters"
            raise BadInputError(field, f"{constraint}, was {file.name!r}")
        if file.name in names:
            raise BadInputError(field, f"must be unique, {file.name!r} stands there twice")
        names.add(file.name)
    if len(files) == 1:
        return CatalogText(files[0].text, files[0].name)
    return CatalogText(join_files(files), "the catalogue")


def split(text: str) -> list[CatalogFile]:
    """The files a published text was joined of."""
    return [CatalogFile(name, part) for name, part in split_files(text, DEFAULT_NAME)]
