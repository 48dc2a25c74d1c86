"""From the catalogue as marketing writes it, in YAML, to a compiled catalogue.

Every mistake is reported at once, each with its file, line and column.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import TypeVar

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Channel
from nbo.decision.catalog_checks import check_catalog
from nbo.decision.catalog_experiments import read_experiments
from nbo.decision.catalog_known import Known, Places
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_notes import Notes
from nbo.decision.catalog_offers import read_incentive, read_offer
from nbo.decision.catalog_policies import read_policies
from nbo.decision.catalog_products import (
    read_channel,
    read_group,
    read_issue,
    read_products,
    read_purpose,
)
from nbo.decision.catalog_rules import Rulebook
from nbo.decision.catalog_scalars import LANGUAGE
from nbo.decision.catalog_source import split_files
from nbo.decision.catalog_tree import parse_files
from nbo.decision.catalog_warnings import warn_of
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.facts import FactSchema
from nbo.decision.near_names import one_reading
from nbo.errors import WorkspaceError

__all__ = ["CompiledCatalog", "load_catalog", "read_catalog"]

T = TypeVar("T")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_NO_RATES: Mapping[str, float] = {}


def load_catalog(
    text: str, file: str, schema: FactSchema, rates: Mapping[str, float] = _NO_RATES
) -> CompiledCatalog:
    """Read, check and compile a catalogue.

    Args:
        text: The YAML; of several files as `nbo.decision.catalog_source.join_files` joins them.
        file: Its path as the user knows it, for messages; joined files have names of their own.
        schema: The facts its rules and scripts may read.
        rates: Observed acceptance rate by group id, for offers that declare no prior.

    Raises:
        WorkspaceError: Holds every mistake found.
    """
    with one_reading():
        return _load(text, file, schema, rates)


def _load(text: str, file: str, schema: FactSchema, rates: Mapping[str, float]) -> CompiledCatalog:
    files = split_files(text, file)
    notes = Notes([name for name, _ in files])
    root = Section(parse_files(files, notes), "catalogue", notes)
    rules = Rulebook(schema)
    places = Places()
    catalog = read_catalog(root, rules, places, rates)
    root.done()
    check_catalog(catalog, places, rules)
    if notes.problems:
        raise WorkspaceError(notes.ordered(notes.problems))
    warn_of(catalog, places)
    compiled = compile_catalog(replace(catalog, version=_version(text)), rules)
    return replace(compiled, warnings=tuple(notes.ordered(notes.warnings)))


def read_catalog(
    root: Section, rules: Rulebook, places: Places, rates: Mapping[str, float] = _NO_RATES
) -> Catalog:
    """Read every field of a catalogue; mistakes go into the notes of `root`.

    Args:
        root: The whole catalogue.
        rules: What its rules may say.
        places: Filled with where things stand.
        rates: Observed acceptance rate by group id.
    """
    known = Known(rules, _read_currency(root), _read_languages(root))
    channels = _read_channels(root, known, places)
    products = read_products(root, rules, places)
    known = replace(known, channels=channels, products=products)
    purposes = _by_id(root, "purposes", "purpose", lambda own: read_purpose(own, known), places)
    issues = _by_id(root, "issues", "issue", read_issue, places)
    known = replace(known, purposes=purposes, issues=issues)
    groups = _by_id(root, "groups", "group", lambda own: read_group(own, known), places)
    named = issues or dict.fromkeys(group.issue for group in groups.values() if group.issue)
    known = replace(known, groups=groups, issues=named)
    incentives = {NO_INCENTIVE.incentive_id: NO_INCENTIVE} | _by_id(
        root, "incentives", "incentive", lambda own: read_incentive(own, known), places
    )
    known = replace(known, incentives=incentives)
    offers = _by_id(root, "offers", "offer", lambda own: read_offer(own, known, rates), places)
    known = replace(known, offers=offers)
    unseen = {offer.group_id for offer in offers.values() if not offer.prior_declared}
    return Catalog(
        version="",
        currency=known.currency,
        languages=known.languages,
        channels=channels,
        groups=groups,
        incentives=incentives,
        offers=offers,
        policies=read_policies(root.section("policies", "policies"), known),
        experiments=read_experiments(root, known, places),
        issues=issues,
        products=products,
        purposes=purposes,
        rates={group: rates[group] for group in sorted(unseen) if group in rates},
    )


def _read_currency(root: Section) -> str:
    currency = root.text("currency")
    if currency and not _CURRENCY.match(currency):
        root.problem("currency", f"must be three capitals like EUR, was {currency!r}")
    return currency


def _read_languages(root: Section) -> tuple[str, ...]:
    found: list[str] = []
    missing = "must list at least one, the default first, e.g. [en]"
    for language, node in root.texts("languages", missing):
        if not LANGUAGE.match(language):
            root.problem("languages", f"must be codes like en or pt-BR, was {language!r}", node)
        elif language in found:
            root.problem("languages", f"{language!r} stands here twice", node)
        else:
            found.append(language)
    return tuple(found) or ("en",)


def _read_channels(root: Section, known: Known, places: Places) -> dict[str, Channel]:
    channels = {}
    missing = "must name at least one, e.g. voice: {fallback: none}"
    for channel_id, own in root.keyed("channels", "channel", missing):
        channels[channel_id] = read_channel(own, channel_id, known.rules)
        places.put("channel", channel_id, own)
        own.done()
    return channels


def _by_id(
    root: Section, field: str, kind: str, read: Callable[[Section], T], places: Places
) -> dict[str, T]:
    """Read a list of things that have an id of their own, each id once."""
    found: dict[str, T] = {}
    identity_of = attrgetter(f"{kind}_id")
    for own in root.sections(field, kind, id_field="id"):
        thing = read(own)
        own.done()
        identity = identity_of(thing)
        if identity in found:
            own.problem("id", f"{identity!r} is used twice")
        else:
            found[identity] = thing
            places.put(kind, identity, own)
    return found


def _version(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
