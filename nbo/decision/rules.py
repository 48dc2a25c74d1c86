"""Rules: CEL expressions over facts, checked against the schema when they are written.

True passes; false refuses; unknown refuses and names what is missing. This is the only
module that knows the expression library.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cel_expr_python import cel

from nbo.decision.facts import Fact, Facts, FactSchema, FactType
from nbo.decision.plain_rules import Plain, plain_rule
from nbo.decision.rule_bounds import loops, out_of_bounds, too_long, without_strings
from nbo.decision.rule_mistakes import Mistake, RuleError, mistakes_in
from nbo.decision.rule_text import RuleText

__all__ = ["Activation", "Rule", "RuleError", "RuleLanguage", "Verdict"]

_CEL_TYPES = {
    FactType.NUMBER: cel.Type.DOUBLE,
    FactType.TEXT: cel.Type.STRING,
    FactType.FLAG: cel.Type.BOOL,
}
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+")
"""A fact's name, perhaps with a method behind it; the language allows space around the points."""

_STATUS = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")


class Verdict(NamedTuple):
    """Answer of one rule for one customer.

    Attributes:
        passed: True only if the expression is known to be true.
        detail: Why not: the missing facts, or the facts that decided with their values;
            empty when passed.
        unknown: Neither known to be true nor known to be false.
    """

    passed: bool
    detail: str
    unknown: bool = False


_PASSED = Verdict(True, "")


class Activation:
    """The facts of one request as rules see them; remembers every verdict.

    Equal expressions are evaluated once per activation, however many offers use them. Not for
    use by several threads at once: each request has its own.
    """

    __slots__ = ("_activate", "_cel", "facts", "verdicts")

    def __init__(self, facts: Mapping[str, Fact], activate: Callable[[Any], Any]) -> None:
        self.facts = facts
        self.verdicts: dict[str, Verdict] = {}
        self._activate = activate
        self._cel: Any = None

    @property
    def cel(self) -> Any:
        """The facts as the expression library takes them; made when first needed."""
        if self._cel is None:
            self._cel = self._activate(self.facts)
        return self._cel


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled expression.

    Attributes:
        expression: Its text, without surrounding space; equal text, equal rule.
        reads: Facts it mentions, in the order of the text.
        program: As the expression library compiled it.
        plain: The same as plain comparisons, when it is no more than that.
    """

    expression: str
    reads: tuple[str, ...]
    program: Any = field(repr=False, compare=False)
    plain: Plain | None = field(default=None, repr=False, compare=False)

    def check(self, activation: Activation) -> Verdict:
        """Whether the rule holds; evaluated at most once per activation."""
        verdict = activation.verdicts.get(self.expression)
        if verdict is None:
            verdict = self._evaluate(activation)
            activation.verdicts[self.expression] = verdict
        return verdict

    def facts_read(self, activation: Activation) -> str:
        """Say which facts decided, whatever the verdict: ``"customer.has_tv is true"``."""
        facts = activation.facts
        shown = [f"{name} is {show(facts[name])}" for name in self.reads if name in facts]
        return ", ".join(shown)

    def _evaluate(self, activation: Activation) -> Verdict:
        answer = self._answer(activation)
        if answer is True:
            return _PASSED
        if answer is False:
            return Verdict(False, self.facts_read(activation) or f"{self.expression} is false")
        missing = [name for name in self.reads if name not in activation.facts]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            return Verdict(False, f"{', '.join(missing)} {verb} unknown", unknown=True)
        refused = _STATUS.sub("", str(answer))
        return Verdict(False, f"cannot be evaluated: {refused}", unknown=True)

    def _answer(self, activation: Activation) -> object:
        """True, false, or what stands for unknown or failed."""
        if self.plain is not None:
            return self.plain(activation.facts)
        try:
            return self.program.eval(activation.cel).value()
        except RuntimeError as error:  # the library's own limits
            return str(error)


class RuleLanguage:
    """Everything rules may say under one fact schema; compiles them and activates facts."""

    def __init__(self, schema: FactSchema) -> None:
        self.schema = schema
        self._env = cel.NewEnv(
            variables={name: _CEL_TYPES[kind] for name, kind in schema.types.items()}
        )

    def compile(self, text: RuleText) -> Rule:
        """Check a rule against the schema.

        Raises:
            RuleError: It does not parse, names an unknown fact, mixes types, or yields
                something other than true or false.
        """
        expression = text.when.strip()
        if long := too_long(expression):
            raise RuleError(text.name, long)
        if not expression or (not expression.isprintable() and _unprintable(expression)):
            what = "is empty" if not expression else "holds a character that cannot be printed"
            raise RuleError(text.name, (Mistake(1, 1, f"the rule {what}", ""),))
        if beyond := out_of_bounds(expression):
            raise RuleError(text.name, beyond)
        try:
            program = self._env.compile(expression)
        except RuntimeError as error:
            mistakes = mistakes_in(str(error), expression, self.schema.types)
            raise RuleError(text.name, mistakes) from None
        first_line = expression.splitlines()[0]
        if loops(program.serialize()):
            raise RuleError(text.name, (Mistake(1, 1, "the rule loops; split it", first_line),))
        if program.return_type() != cel.Type.BOOL:
            yields = str(program.return_type()).lower()
            message = f"yields a {yields}, must be true or false; compare it, e.g. with == or >"
            raise RuleError(text.name, (Mistake(1, 1, message, first_line),))
        return Rule(expression, self._facts_in(expression), program, plain_rule(expression))

    def activate(self, facts: Facts) -> Activation:
        """Prepare facts for rules; a fact of the wrong type or NaN is unknown."""
        types = self.schema.types
        known = {
            name: value
            for name, value in facts.items()
            if name in types and _is_of_type(value, types[name])
        }
        return Activation(known, self._env.Activation)

    def _facts_in(self, expression: str) -> tuple[str, ...]:
        types = self.schema.types
        names = (
            _longest_known("".join(name.split()), types)
            for name in _DOTTED_NAME.findall(without_strings(expression))
        )
        return tuple(dict.fromkeys(name for name in names if name))


def show(value: Fact) -> str:
    """Write a fact's value for people: ``3``, ``2.5``, ``true``, ``'gold'``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    return f"{value:.10g}"


def _is_of_type(value: object, kind: FactType) -> bool:
    if kind is FactType.NUMBER:
        if not isinstance(value, (float, int)) or isinstance(value, bool):
            return False
        try:
            return math.isfinite(value)
        except OverflowError:  # a whole number beyond what a double holds
            return False
    return isinstance(value, str if kind is FactType.TEXT else bool)


def _longest_known(name: str, types: Mapping[str, FactType]) -> str:
    # `customer.plan.contains(...)` mentions the fact `customer.plan`.
    while name and name not in types:
        name = name.rpartition(".")[0]
    return name


def _unprintable(expression: str) -> bool:
    return any(not (char.isprintable() or char in "\n\t\r") for char in expression)
