"""Reading a YAML mapping with what is nested in it: mappings, lists, texts per language."""

from __future__ import annotations

from collections.abc import Collection

import yaml

from nbo.decision.catalog_fields import Fields
from nbo.decision.catalog_scalars import ID, ID_FORM, as_measure, excerpt, remedy


class Section(Fields):
    """One mapping of the file, with everything in it."""

    def section(self, field: str, name: str = "") -> Section:
        """Read a mapping within this one; empty when absent."""
        return Section(self.at(field), name or f"{self.name}: {field}", self.notes)

    def items(self, field: str) -> list[yaml.Node]:
        """Read the items of a list; empty when absent."""
        node = self.at(field)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.problem(field, "must be a list", node)
            return []
        return list(node.value)

    def keyed(self, field: str, kind: str, missing: str = "") -> list[tuple[str, Section]]:
        """Read a mapping of ids to mappings, each called by its id: ``channel 'voice'``.

        Args:
            field: Its name.
            kind: What each is, for messages.
            missing: Told when there is none; empty when there need not be any.
        """
        found = []
        for key, node in self.section(field).fields():
            own = Section(node, f"{kind} {key!r}", self.notes)
            if not ID.match(key):
                self.problem(field, f"{key!r} must be {ID_FORM}", node)
            found.append((key, own))
        if missing and not found:
            self.problem(field, missing)
        return found

    def named_texts(self, field: str) -> tuple[list[str], Section]:
        """Read a mapping of ids to texts: the ids, and the section to take each text from."""
        own = self.section(field)
        for key, node in own.fields():
            if not ID.match(key):
                own.problem("", f"{key!r} must be {ID_FORM}", node)
        return [key for key, _ in own.fields()], own

    def wording(
        self, field: str, languages: tuple[str, ...], *, required: bool = True
    ) -> dict[str, str]:
        """Read a text per language; the default language must be there if any is."""
        if self.at(field) is None:
            if required:
                self.problem(field, f"is missing; write {{{languages[0]}: ...}}")
            return {}
        own = self.section(field)
        found = {language: own.text(language) for language in languages if own.has(language)}
        own.done()
        if languages[0] not in found:
            self.problem(field, f"has no text in the default language {languages[0]!r}")
        return found

    def stretch(self, field: str) -> list[yaml.Node]:
        """Read a stretch of 0 to 1, a list of two numbers, as it stands; empty when absent."""
        return self.items(field)

    def sections(
        self, field: str, kind: str, id_field: str = "name", missing: str = ""
    ) -> list[Section]:
        """Read a list of mappings, each called by its id: ``offer 'fibre-1g'``.

        Args:
            field: Its name.
            kind: What each is, for messages.
            id_field: Field of each that it is called by.
            missing: Told when there is none; empty when there need not be any.
        """
        found = []
        for position, node in enumerate(self.items(field), start=1):
            own = Section(node, f"{kind} {position}", self.notes)
            identity = own.at(id_field)
            if isinstance(identity, yaml.ScalarNode):
                own.name = f"{kind} {identity.value!r}"
            found.append(own)
        if missing and not found:
            self.problem(field, missing)
        return found

    def texts(self, field: str, missing: str = "") -> list[tuple[str, yaml.ScalarNode]]:
        """Read a list of texts, each with its node; `missing` is told when there is none."""
        found = []
        for node in self.items(field):
            if isinstance(node, yaml.ScalarNode):
                found.append((self._untagged(field, node), node))
            else:
                self.problem(field, "must be a list of texts", node)
        if missing and not found:
            self.problem(field, missing)
        return found

    def numbers(self, field: str) -> dict[str, float]:
        """Read a mapping of names to finite numbers; true counts as 1, false as 0."""
        found: dict[str, float] = {}
        for name, node in self.section(field).fields():
            value = as_measure(node)
            if value is None:
                self.problem(field, f"{name} must be a number, was {excerpt(node)}", node)
            else:
                found[name] = value
        return found

    def references(
        self, field: str, known: Collection[str], *, required: bool = False
    ) -> tuple[str, ...]:
        """Read a list of such ids, each once; at least one if the field is there."""
        found: dict[str, None] = {}
        for name, node in self.texts(field):
            if name not in known:
                self.problem(field, f"unknown {name!r}; {remedy(name, known)}", node)
            elif name in found:
                self.problem(field, f"{name!r} stands here twice", node)
            found[name] = None
        if not found and (required or self.has(field)):
            self.problem(field, "must name at least one")
        return tuple(found)
