"""What is wrong with a rule, in words its author can act on.

The expression language reports mistakes as text with a place and a caret. Here that text
becomes `Mistake` values with a remedy: the name that was meant, or the literal to write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from nbo.decision.facts import FactType
from nbo.decision.near_names import suggestion
from nbo.decision.rule_slips import remedy_for
from nbo.errors import BadInputError

_EXCERPT = 120
"""Characters shown of a line, around the place that is wrong."""


class Mistake(NamedTuple):
    """One mistake in one rule.

    Attributes:
        line: 1-based, within the expression.
        column: 1-based, within that line.
        message: What is wrong and what to write instead.
        excerpt: The line of the expression it stands in.
    """

    line: int
    column: int
    message: str
    excerpt: str

    def __str__(self) -> str:
        """Print the message, then the excerpt with a caret at the place and the remedy."""
        message, _, remedy = self.message.partition("; ")
        if not self.excerpt:
            return self.message
        long = len(self.excerpt) > _EXCERPT
        start = max(0, self.column - _EXCERPT // 2) if long else 0
        shown = self.excerpt[start : start + _EXCERPT]
        caret = "." * (self.column - 1 - start) + "^"
        return f"{message}\n  {shown}\n  {caret}" + (f"  {remedy}" if remedy else "")


class RuleError(BadInputError):
    """A rule does not compile.

    Attributes:
        mistakes: Every mistake found, in the order of the text; never empty.
        line: Of the first mistake, 1-based, within the expression.
        column: Of the first mistake, 1-based.
    """

    def __init__(self, rule: str, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__(rule, "\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes
        self.line = mistakes[0].line
        self.column = mistakes[0].column


_REPORT = re.compile(r"<input>:(?P<line>\d+):(?P<column>\d+): (?P<message>[^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '(?P<name>[^']*)'")
_OVERLOAD = re.compile(r"no matching overload for '(?P<op>[^']*)' applied to '(?P<types>[^']*)'")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_INTEGER = re.compile(r"(?<![\w.])(\d+)(?![\w.])")
_TYPE_NAMES = {"double": "number", "int": "whole number", "string": "text", "bool": "flag"}
_OPERATOR_NAMES = {"@in": "in", "_[_]": "[ ]", "_?_:_": "? :"}


def mistakes_in(report: str, expression: str, types: Mapping[str, FactType]) -> tuple[Mistake, ...]:
    """Read a compiler's report about `expression`.

    Args:
        report: The compiler's text, ``<input>:line:column: message`` per mistake.
        expression: The rule as written, for the excerpts.
        types: The facts that exist, for suggestions.

    Returns:
        At least one mistake; a report in an unknown form becomes one at 1:1 in its own words.
    """
    lines = expression.splitlines() or [""]
    found = []
    for match in _REPORT.finditer(report):
        line, column = int(match["line"]), int(match["column"])
        excerpt = lines[line - 1] if line <= len(lines) else ""
        message = _in_words(match["message"], excerpt, types, column)
        found.append(Mistake(line, column, message, excerpt))
    if not found:
        plain = re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", report.strip())
        found.append(Mistake(1, 1, plain or "cannot be compiled", lines[0]))
    return tuple(found)


def _in_words(message: str, excerpt: str, types: Mapping[str, FactType], column: int) -> str:
    message = re.sub(r" \(in container '[^']*'\)| \[[A-Z_]+\]$", "", message)
    if undeclared := _UNDECLARED.search(message):
        remedy = suggestion(undeclared["name"], types)
        return f"{undeclared[0]}; {remedy}" if remedy else undeclared[0]
    if overload := _OVERLOAD.search(message):
        return _overload_in_words(overload["op"], overload["types"], excerpt)
    if message.startswith("Syntax error"):
        cause = message.split(" expecting ")[0].removeprefix("Syntax error: ")
        told = "syntax error: " + cause.replace("'<EOF>'", "end of the rule")
        remedy = remedy_for(_QUOTED.sub(lambda text: " " * len(text[0]), excerpt), column)
        return f"{told}; {remedy}" if remedy else told
    return message


def _overload_in_words(operator: str, types: str, excerpt: str) -> str:
    operator = _OPERATOR_NAMES.get(operator, operator.strip("_"))
    inner = types.strip("()")
    parts = [_TYPE_NAMES.get(part, part) for part in inner.split(", ")]
    message = f"'{operator}' cannot be applied to {' and '.join(parts)}"
    if "double" in inner and "int" in inner:
        literals = [f"{digits}.0" for digits in _INTEGER.findall(excerpt)][:1]
        example = f": write {literals[0]}" if literals else ""
        return f"{message}; every number fact is a decimal{example}"
    return message
