"""Reading rules from a catalogue: each is checked where it stands, mistakes point into it."""

from __future__ import annotations

import yaml

from nbo.decision.catalog_nodes import Section
from nbo.decision.facts import FactType
from nbo.decision.rule_mistakes import Mistake, RuleError, suggestion
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleLanguage


def read_rules(section: Section, field: str, language: RuleLanguage) -> tuple[RuleText, ...]:
    """Read a list of ``{name, when}`` and check every expression."""
    rules = []
    for own in section.sections(field, f"{section.name}: {field}"):
        name = own.text("name")
        rule = read_rule(own, name, language, called=f"{section.name}: {field}")
        own.done()
        rules.append(rule)
    return tuple(rules)


def read_rule(section: Section, name: str, language: RuleLanguage, called: str) -> RuleText:
    """Read the field ``when`` of a section as a rule.

    Args:
        section: Holds the field.
        name: Of the rule, for refusals.
        language: What the rule may say.
        called: What messages call the place, e.g. ``"offer 'fibre-1g': eligibility"``.
    """
    node = section.at("when")
    already = len(section.notes.problems)
    rule = RuleText(name, section.text("when"), node.start_mark.line + 1 if node else 0)
    if node is None or len(section.notes.problems) > already:
        return rule
    try:
        language.compile(rule)
    except RuleError as error:
        for mistake in error.mistakes:
            line, column = _place(node, mistake)
            section.notes.add(node, f"{called}: {mistake}", column, line)
    return rule


def read_flag_fact(section: Section, field: str, language: RuleLanguage) -> str:
    """Read the name of a fact that is true or false; empty when absent."""
    name = section.text(field, "")
    kind = language.schema.types.get(name)
    if name and kind is None:
        remedy = suggestion(name, language.schema.types)
        section.problem(field, f"no fact {name!r}" + (f"; {remedy}" if remedy else ""))
    elif name and kind is not FactType.FLAG:
        section.problem(field, f"fact {name!r} is a {kind}, must be a flag")
    return name


def _place(node: yaml.Node, mistake: Mistake) -> tuple[int, int]:
    """Line and column in the file of a place in a rule, 1-based; column 0 where unknown."""
    line = node.start_mark.line + 1
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    if style == "|":
        return line + mistake.line, 0
    if style == ">" or node.end_mark.line != node.start_mark.line:
        return line, 0
    opening = 1 if style else 0
    return line, node.start_mark.column + opening + mistake.column
