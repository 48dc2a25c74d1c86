"""Reading rules from a catalogue: each is checked where it stands, mistakes point into it."""

from __future__ import annotations

from dataclasses import replace

import yaml

from nbo.decision.catalog_nodes import Section
from nbo.decision.facts import FactSchema, FactType
from nbo.decision.near_names import suggestion
from nbo.decision.rule_mistakes import Mistake, RuleError
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import Rule, RuleLanguage
from nbo.decision.wording import PLACEHOLDER


class Rulebook(RuleLanguage):
    """The rule language of one catalogue: compiles each distinct expression once."""

    def __init__(self, schema: FactSchema) -> None:
        super().__init__(schema)
        self._compiled: dict[str, Rule | RuleError] = {}

    def compile(self, text: RuleText) -> Rule:
        """Check a rule against the schema, as `RuleLanguage.compile` does."""
        expression = text.when.strip()
        known = self._compiled.get(expression)
        if known is None:
            try:
                known = _lean(super().compile(text))
            except RuleError as error:
                known = error
            self._compiled[expression] = known
        if isinstance(known, RuleError):
            raise RuleError(text.name, known.mistakes)
        return known


def _lean(rule: Rule) -> Rule:
    """Let go of the compiled program, 4 KB each, where plain comparisons say the same."""
    return rule if rule.plain is None else replace(rule, program=None)


def read_rules(section: Section, field: str, language: RuleLanguage) -> tuple[RuleText, ...]:
    """Read a list of ``{name, when}`` and check every expression."""
    rules = []
    for own in section.sections(field, f"{section.name}: {field}"):
        name = own.text("name")
        rule = read_rule(own, "when", name, language, called=f"{section.name}: {field}")
        own.done()
        rules.append(rule)
    return tuple(rules)


def read_rule(
    section: Section, field: str, name: str, language: RuleLanguage, called: str
) -> RuleText:
    """Read a field of a section as a rule.

    Args:
        section: Holds the field.
        field: Its name, mostly ``when``.
        name: Of the rule, for refusals.
        language: What the rule may say.
        called: What messages call the place, e.g. ``"offer 'fibre-1g': eligibility"``.
    """
    node = section.at(field)
    already = len(section.notes.problems)
    when = section.text(field)
    if node is None or len(section.notes.problems) > already:
        return RuleText(name, when)
    rule = RuleText(name, when, node.start_mark.line + 1, node.start_mark.name)
    try:
        language.compile(rule)
    except RuleError as error:
        for mistake in error.mistakes:
            line, column = _place(node, mistake)
            section.notes.add(node, f"{called}: {mistake}", column, line)
    return rule


def read_fact(section: Section, field: str, kind: FactType, language: RuleLanguage) -> str:
    """Read the name of a fact of one type; empty when absent."""
    name = section.fact(field, kind)
    found = language.schema.types.get(name)
    if name and found is None:
        meant = suggestion(name, language.schema.types)
        section.problem(field, f"no fact {name!r}" + (f"; {meant}" if meant else ""))
    elif name and found is not kind:
        section.problem(field, f"fact {name!r} is a {found}, must be a {kind}")
    return name


def read_script(
    section: Section, languages: tuple[str, ...], language: RuleLanguage
) -> dict[str, str]:
    """Read what the agent says, per language; its placeholders must name facts."""
    script = section.wording("script", languages, required=False)
    for text in script.values():
        for name in PLACEHOLDER.findall(text):
            if name not in language.schema.types:
                meant = suggestion(name, language.schema.types)
                message = f"no fact {name!r} for the placeholder {{{name}}}"
                section.problem("script", message + (f"; {meant}" if meant else ""))
    return script


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
