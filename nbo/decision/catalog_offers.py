"""Reading what may be said: issues, groups, incentives and offers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nbo.decision.catalog import NO_INCENTIVE, Group, Incentive, Issue, Offer
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_rules import read_rules
from nbo.decision.rule_mistakes import suggestion
from nbo.decision.rules import RuleLanguage
from nbo.decision.wording import PLACEHOLDER

_SMALLEST = 1e-6
_VALUE_PARTS = ("term_months", "margin", "cancellation")


def read_issue(section: Section) -> Issue:
    """Read one business issue."""
    return Issue(issue_id=section.key("id"), lever=section.number("lever", 0.0, low=-100.0))


def read_group(section: Section, issues: Collection[str]) -> Group:
    """Read one group; its issue must be one of `issues` where the catalogue lists any."""
    return Group(
        group_id=section.key("id"),
        issue=section.choice("issue", issues, "") if issues else section.text("issue", ""),
        lever=section.number("lever", 0.0, low=-100.0),
    )


def read_incentive(
    section: Section, languages: tuple[str, ...], language: RuleLanguage
) -> Incentive:
    """Read one incentive; `none` exists by itself and cannot be redefined."""
    incentive_id = section.key("id")
    if incentive_id == NO_INCENTIVE.incentive_id:
        section.problem("id", "'none' is reserved for no incentive, which always exists")
    script = read_wording(section, "script", languages, required=False)
    _check_placeholders(section, script, language)
    return Incentive(
        incentive_id=incentive_id,
        name=read_wording(section, "name", languages),
        kind=section.text("kind"),
        cost=section.number("cost", low=0.0),
        monthly_cost=section.number("monthly_cost", 0.0, low=0.0),
        rules=read_rules(section, "rules", language),
        attributes=section.numbers("attributes"),
        script=script,
    )


def read_offer(
    section: Section,
    languages: tuple[str, ...],
    language: RuleLanguage,
    known: Mapping[str, Collection[str]],
) -> Offer:
    """Read one offer.

    Args:
        section: Where it stands.
        languages: Of the catalogue, the default first.
        language: What its rules may say.
        known: Ids it may refer to: of ``channels``, ``groups`` and ``incentives``.
    """
    starts, ends = section.instant("starts"), section.instant("ends")
    if starts and ends and ends <= starts:
        section.problem("ends", f"must be after starts ({starts:%Y-%m-%d %H:%M} UTC)")
    script = read_wording(section, "script", languages, required=False)
    _check_placeholders(section, script, language)
    return Offer(
        offer_id=section.key("id"),
        group_id=_reference(section, "group", known["groups"]),
        name=read_wording(section, "name", languages),
        script=script,
        value=_read_value(section),
        prior=section.number("prior", low=_SMALLEST, high=1 - _SMALLEST),
        channels=frozenset(_references(section, "channels", known["channels"])),
        monthly_revenue=section.number("monthly_revenue", 0.0),
        starts=starts,
        ends=ends,
        eligibility=read_rules(section, "eligibility", language),
        applicability=read_rules(section, "applicability", language),
        suitability=read_rules(section, "suitability", language),
        incentives=_read_incentives(section, known["incentives"]),
        lever=section.number("lever", 0.0, low=-100.0),
        service=section.flag("service", default=False),
        attributes=section.numbers("attributes"),
    )


def read_wording(
    section: Section, field: str, languages: tuple[str, ...], *, required: bool = True
) -> dict[str, str]:
    """Read a text per language; the default language must be there if any is."""
    node = section.at(field)
    if node is None:
        if required:
            section.problem(field, f"is missing; write {{{languages[0]}: ...}}")
        return {}
    wording = section.section(field)
    found = {language: wording.text(language) for language in languages if wording.has(language)}
    wording.done()
    if languages[0] not in found:
        section.problem(field, f"has no text in the default language {languages[0]!r}")
    return found


def _read_value(section: Section) -> float:
    given = [part for part in _VALUE_PARTS if section.has(part)]
    if section.has("value"):
        if given:
            section.problem(given[0], "stands beside value; give one or the other")
        return section.number("value")
    if not given and not section.has("monthly_revenue"):
        needed = "or monthly_revenue, term_months, margin and cancellation"
        section.problem("value", f"is missing; write value, {needed}")
        return 0.0
    return (
        section.number("monthly_revenue")
        * section.number("term_months", low=0.0, high=1_200.0)
        * section.number("margin", low=-1.0, high=1.0)
        * (1.0 - section.number("cancellation", 0.0, low=0.0, high=1.0))
    )


def _read_incentives(section: Section, known: Collection[str]) -> tuple[str, ...]:
    if not section.has("incentives"):
        return (NO_INCENTIVE.incentive_id,)
    return tuple(_references(section, "incentives", known))


def _reference(section: Section, field: str, known: Collection[str]) -> str:
    name = section.text(field)
    if name and name not in known:
        section.problem(field, f"unknown {name!r}; {_remedy(name, known)}")
    return name


def _references(section: Section, field: str, known: Collection[str]) -> list[str]:
    found: list[str] = []
    for name, node in section.texts(field):
        if name not in known:
            section.problem(field, f"unknown {name!r}; {_remedy(name, known)}", node)
        elif name in found:
            section.problem(field, f"{name!r} stands here twice", node)
        found.append(name)
    if not found:
        section.problem(field, "must name at least one")
    return found


def _remedy(name: str, known: Collection[str]) -> str:
    close = suggestion(name, dict.fromkeys(known))
    return close or f"known are {', '.join(sorted(known)) or 'none'}"


def _check_placeholders(
    section: Section, script: Mapping[str, str], language: RuleLanguage
) -> None:
    for text in script.values():
        for name in PLACEHOLDER.findall(text):
            if name not in language.schema.types:
                remedy = suggestion(name, language.schema.types)
                message = f"no fact {name!r} for the placeholder {{{name}}}"
                section.problem("script", message + (f"; {remedy}" if remedy else ""))
