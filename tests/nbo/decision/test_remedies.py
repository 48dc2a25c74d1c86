"""What a rule lacks, in words, and that the remedy really mends it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.facts import Fact, FactSchema, FactType
from nbo.decision.remedies import need
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleLanguage

LANGUAGE = RuleLanguage(
    FactSchema(
        {
            "c.months": FactType.NUMBER,
            "c.usage": FactType.NUMBER,
            "c.plan": FactType.TEXT,
            "c.tv": FactType.FLAG,
        }
    )
)
FACTS: dict[str, Fact] = {"c.months": 3.0, "c.usage": 20.0, "c.plan": "S", "c.tv": True}


@pytest.mark.parametrize(
    ("expression", "was", "needed"),
    [
        ("c.months >= 6.0", "c.months is 3", "c.months >= 6.0"),
        ("c.plan == 'L'", "c.plan is 'S'", "c.plan == 'L'"),
        ("c.plan != 'S'", "c.plan is 'S'", "c.plan != 'S'"),
        ("c.plan in ['M', 'L']", "c.plan is 'S'", "c.plan in ['M', 'L']"),
        ("!c.tv", "c.tv is true", "false"),
        ("c.tv == false", "c.tv is true", "false"),
        ("c.tv != true", "c.tv is true", "false"),
        ("c . months\n>= 6.0", "c.months is 3", "c.months >= 6.0"),
        ("c.months > 1e2", "c.months is 3", "c.months > 100.0"),
        ("!(c.plan in ['S'])", "c.plan is 'S'", "c.plan not in ['S']"),
        ("c.months > 6.0 && c.tv", "c.months is 3", "c.months > 6.0"),
        ("c.months > 6.0 && !c.tv", "c.months is 3, c.tv is true", "c.months > 6.0 and c.tv false"),
        ("c.months > 6.0 || !c.tv", "c.months is 3, c.tv is true", "c.months > 6.0 or c.tv false"),
    ],
)
def test_what_is_lacking_is_said_with_values(expression: str, was: str, needed: str) -> None:
    found = need(expression, FACTS)
    assert found is not None
    assert (found.was, found.needed) == (was, needed)


def test_what_is_unknown_is_said_to_be() -> None:
    found = need("c.months >= 6.0 && c.usage < 30.0", {"c.usage": 20.0})
    assert found is not None
    assert found.was == "c.months is unknown"


def test_a_rule_that_must_be_false_is_turned_over() -> None:
    found = need("c.tv && c.months < 6.0", FACTS, wanted=False)
    assert found is not None
    assert found.needed == "c.tv false or c.months >= 6.0"


@pytest.mark.parametrize(
    "expression",
    ["c.months + c.usage > 30.0", "c.plan.startsWith('L')", "c.tv && (c.months > 6.0 || !c.tv)"],
)
def test_what_is_more_than_comparisons_is_not_guessed_at(expression: str) -> None:
    assert need(expression, FACTS) is None


numbers = st.sampled_from([0.0, 3.0, 6.0, 12.5])
comparisons = st.one_of(
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["c.months", "c.usage"]),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        numbers,
    ),
    st.builds(
        "c.plan {} '{}'".format,
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        st.sampled_from("SML"),
    ),
    st.just("c.plan in ['M', 'L']"),
    st.just("!(c.plan in ['M', 'other'])"),
    st.sampled_from(["c.tv", "!c.tv", "c.tv == true", "c.tv != true"]),
)
facts = st.fixed_dictionaries(
    {},
    optional={
        "c.months": numbers,
        "c.usage": numbers,
        "c.plan": st.sampled_from("SML"),
        "c.tv": st.booleans(),
    },
)


def holds(expression: str, known: dict[str, Fact], *, wanted: bool) -> bool:
    text = expression if wanted else f"!({expression})"
    rule = LANGUAGE.compile(RuleText("r", text))
    return rule.check(LANGUAGE.activate(known)).passed


@given(comparisons, facts, st.booleans())
def test_the_remedy_of_one_comparison_always_mends_it(
    expression: str, known: dict[str, Fact], wanted: bool
) -> None:
    found = need(expression, known, wanted=wanted)
    if holds(expression, known, wanted=wanted):
        assert found is None
        return
    assert found is not None
    (changes,) = found.remedies
    assert holds(expression, {**known, **changes}, wanted=wanted)


@given(st.lists(comparisons, min_size=2, max_size=3), st.sampled_from([" && ", " || "]), facts)
def test_several_comparisons_are_mended_wherever_one_way_of_them_can(
    parts: list[str], joint: str, known: dict[str, Fact]
) -> None:
    expression = joint.join(parts)
    found = need(expression, known)
    if holds(expression, known, wanted=True):
        assert found is None
        return
    assert found is not None
    mended = [holds(expression, {**known, **way}, wanted=True) for way in found.remedies]
    # Only conditions on one fact can contradict each other.
    about = [part.replace("!", "").replace("(", "").split()[0] for part in parts]
    assert any(mended) or (joint == " && " and len(set(about)) < len(about))
