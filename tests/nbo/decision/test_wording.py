"""What is said: facts in scripts, and gaps that an agent can see."""

from __future__ import annotations

import math

import pytest

from nbo.decision.facts import Fact
from nbo.decision.wording import in_language, render_script


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (52.0, "52"),
        (1234.5, "1,234.5"),
        (0.1, "0.1"),
        ("gold", "gold"),
        (True, "yes"),
        (math.nan, "[usage]"),
    ],
)
def test_facts_are_said_as_people_say_them(value: Fact, said: str) -> None:
    script = "You used {customer.usage}."
    assert render_script(script, {"customer.usage": value}) == f"You used {said}."


def test_an_unknown_fact_leaves_a_visible_gap() -> None:
    assert render_script("You used {customer.usage_gb} GB.", {}) == "You used [usage_gb] GB."


def test_a_facts_value_is_not_read_as_a_placeholder() -> None:
    assert render_script("{a.x}", {"a.x": "{a.y}", "a.y": "no"}) == "{a.y}"


def test_the_default_language_stands_in() -> None:
    wording = {"en": "Hello", "de": "Hallo"}
    assert in_language(wording, "de", "en") == "Hallo"
    assert in_language(wording, "fr", "en") == "Hello"
    assert in_language({}, "fr", "en") == ""
