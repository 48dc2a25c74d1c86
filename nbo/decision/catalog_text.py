"""From the catalogue as marketing writes it, in YAML, to a compiled catalogue.

Every mistake is reported at once, each with its line and column.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from typing import TypeVar

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Channel, Group, Incentive, Issue, Offer
from nbo.decision.catalog_nodes import Notes, Section
from nbo.decision.catalog_offers import read_group, read_incentive, read_issue, read_offer
from nbo.decision.catalog_policies import read_experiments, read_policies
from nbo.decision.catalog_rules import read_flag_fact
from nbo.decision.catalog_tree import parse_tree
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.facts import FactSchema
from nbo.decision.rules import RuleLanguage
from nbo.errors import WorkspaceError

__all__ = ["CompiledCatalog", "load_catalog"]

T = TypeVar("T")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")


def load_catalog(text: str, file: str, schema: FactSchema) -> CompiledCatalog:
    """Read, check and compile a catalogue.

    Args:
        text: The YAML.
        file: Its path as the user knows it, for messages.
        schema: The facts its rules and scripts may read.

    Raises:
        WorkspaceError: Holds every mistake found.
    """
    notes = Notes(file)
    root = Section(parse_tree(text, file), "catalogue", notes)
    language = RuleLanguage(schema)
    catalog = _read_catalog(root, language, _version(text))
    root.done()
    if notes.problems:
        raise WorkspaceError(sorted(notes.problems, key=lambda p: (p.line, p.column)))
    return compile_catalog(catalog, language)


def _read_catalog(root: Section, language: RuleLanguage, version: str) -> Catalog:
    currency = root.text("currency")
    if currency and not _CURRENCY.match(currency):
        root.problem("currency", f"must be three capitals like EUR, was {currency!r}")
    languages = _read_languages(root)
    channels = _read_channels(root, language)
    issues = _by_id(root, "issues", "issue", read_issue, _issue_id)
    groups = _by_id(root, "groups", "group", lambda own: read_group(own, issues), _group_id)
    incentives = {NO_INCENTIVE.incentive_id: NO_INCENTIVE} | _by_id(
        root,
        "incentives",
        "incentive",
        lambda own: read_incentive(own, languages, language),
        _incentive_id,
    )
    known: dict[str, Collection[str]] = {
        "channels": channels,
        "groups": groups,
        "incentives": incentives,
    }
    offers = _by_id(
        root, "offers", "offer", lambda own: read_offer(own, languages, language, known), _offer_id
    )
    policies = read_policies(
        root.section("policies", "policies"), language, {**known, "offers": offers}
    )
    return Catalog(
        version=version,
        currency=currency,
        languages=languages,
        channels=channels,
        groups=groups,
        incentives=incentives,
        offers=offers,
        policies=policies,
        experiments=read_experiments(root),
        issues=issues,
    )


def _read_languages(root: Section) -> tuple[str, ...]:
    found: list[str] = []
    for language, node in root.texts("languages"):
        if not _LANGUAGE.match(language):
            root.problem("languages", f"must be codes like en or pt-BR, was {language!r}", node)
        elif language in found:
            root.problem("languages", f"{language!r} stands here twice", node)
        else:
            found.append(language)
    if not found:
        root.problem("languages", "must list at least one, the default first, e.g. [en]")
    return tuple(found) or ("en",)


def _read_channels(root: Section, language: RuleLanguage) -> dict[str, Channel]:
    channels = {}
    section = root.section("channels", "channels")
    for channel_id, node in section.fields():
        own = Section(node, f"channel {channel_id!r}", root.notes)
        channels[channel_id] = Channel(channel_id, read_flag_fact(own, "consent", language))
        own.done()
    if not channels:
        root.problem("channels", "must name at least one, e.g. voice: {}")
    return channels


def _by_id(
    root: Section,
    field: str,
    kind: str,
    read: Callable[[Section], T],
    id_of: Callable[[T], str],
) -> dict[str, T]:
    """Read a list of things that have an id of their own, each id once."""
    found: dict[str, T] = {}
    for own in root.sections(field, kind, id_field="id"):
        thing = read(own)
        own.done()
        if id_of(thing) in found:
            own.problem("id", f"{id_of(thing)!r} is used twice")
        found[id_of(thing)] = thing
    return found


def _issue_id(issue: Issue) -> str:
    return issue.issue_id


def _group_id(group: Group) -> str:
    return group.group_id


def _incentive_id(incentive: Incentive) -> str:
    return incentive.incentive_id


def _offer_id(offer: Offer) -> str:
    return offer.offer_id


def _version(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
