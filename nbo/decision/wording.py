"""What is said: names and scripts in the language asked for, with facts filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from nbo.decision.facts import Fact, Facts

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
"""A fact's name in a script, e.g. ``{customer.usage_gb}``."""


def in_language(wording: Mapping[str, str], language: str, default: str) -> str:
    """Choose the text in a language, else in the default one, else nothing."""
    return wording.get(language) or wording.get(default, "")


def render_script(script: str, facts: Facts) -> str:
    """Fill a script's placeholders with facts.

    A fact that is not known leaves its name in brackets, so that an agent sees the gap and
    never reads out a wrong figure.
    """
    return PLACEHOLDER.sub(lambda match: _spoken(match[1], facts), script)


def _spoken(name: str, facts: Facts) -> str:
    value: Fact | None = facts.get(name)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return f"[{name.rpartition('.')[2]}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:,.10g}"
