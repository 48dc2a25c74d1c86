"""Rules: true passes, false refuses, unknown refuses and names what is missing."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbo.decision.facts import Fact, FactSchema
from nbo.decision.rule_bounds import MAX_LENGTH
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleError, RuleLanguage, Verdict

HUGE = pytest.param(10**400, id="more than a number can be")


@pytest.fixture(scope="module")
def language(schema: FactSchema) -> RuleLanguage:
    return RuleLanguage(schema)


def check(language: RuleLanguage, when: str, facts: dict[str, Fact]) -> Verdict:
    return language.compile(RuleText("rule", when)).check(language.activate(facts))


def test_true_passes_without_a_word(language: RuleLanguage) -> None:
    facts: dict[str, Fact] = {"customer.tenure_months": 7.0}
    assert check(language, "customer.tenure_months >= 6.0", facts) == Verdict(True, "")


def test_false_refuses_with_the_values_that_decided(language: RuleLanguage) -> None:
    verdict = check(
        language,
        "customer.tenure_months >= 6.0 && customer.plan == 'gold' && !customer.has_red",
        {"customer.tenure_months": 3.5, "customer.plan": "gold", "customer.has_red": False},
    )
    assert verdict == Verdict(
        False,
        "customer.tenure_months is 3.5, customer.plan is 'gold', customer.has_red is false",
    )


def test_unknown_refuses_naming_the_missing_fact(language: RuleLanguage) -> None:
    assert check(language, "customer.tenure_months > 6.0", {}) == Verdict(
        False, "customer.tenure_months is unknown", unknown=True
    )
    both = check(language, "customer.tenure_months > 6.0 && customer.plan == 'x'", {})
    assert both.detail == "customer.tenure_months, customer.plan are unknown"
    one = check(
        language, "customer.tenure_months > 6.0 && customer.has_red", {"customer.has_red": True}
    )
    assert one.detail == "customer.tenure_months is unknown"


def test_a_negation_of_the_unknown_refuses_too(language: RuleLanguage) -> None:
    assert not check(language, "!(customer.tenure_months > 6.0)", {}).passed


def test_what_is_known_can_decide_without_the_rest(language: RuleLanguage) -> None:
    red: dict[str, Fact] = {"customer.has_red": True}
    assert check(language, "customer.has_red || customer.tenure_months > 6.0", red).passed
    refused = check(language, "!customer.has_red && customer.tenure_months > 6.0", red)
    assert refused == Verdict(False, "customer.has_red is true")


@pytest.mark.parametrize("value", [math.nan, math.inf, "7", True, HUGE])
def test_a_fact_of_the_wrong_kind_is_unknown(language: RuleLanguage, value: Fact) -> None:
    verdict = check(language, "customer.tenure_months > 0.0", {"customer.tenure_months": value})
    assert verdict.detail == "customer.tenure_months is unknown"


def test_a_fact_that_is_not_in_the_schema_does_no_harm(language: RuleLanguage) -> None:
    assert check(language, "customer.has_red", {"customer.has_red": True, "x.y": 1.0}).passed


def test_an_error_while_evaluating_refuses(language: RuleLanguage) -> None:
    verdict = check(language, "1 / 0 > 0", {})
    assert verdict == Verdict(False, "cannot be evaluated: divide by zero", unknown=True)


def test_names_inside_strings_are_no_facts(language: RuleLanguage) -> None:
    rule = language.compile(RuleText("r", "customer.plan == 'customer.has_red'"))
    assert rule.reads == ("customer.plan",)
    method = language.compile(RuleText("r", "customer.plan.startsWith('customer.tenure_months')"))
    assert method.reads == ("customer.plan",)


@pytest.mark.parametrize(
    "when",
    [
        "customer . tenure_months > 6.0",
        "customer.\n  tenure_months > 6.0",
        "(customer. // months\ntenure_months > 6.0)",
        "customer .tenure_months + 1.0 > 7.0",
    ],
)
def test_space_around_a_point_changes_nothing(language: RuleLanguage, when: str) -> None:
    assert language.compile(RuleText("r", when)).reads == ("customer.tenure_months",)
    assert check(language, when, {}).detail == "customer.tenure_months is unknown"
    assert check(language, when, {"customer.tenure_months": 7.0}).passed


def test_equal_expressions_are_evaluated_once_per_request(language: RuleLanguage) -> None:
    first = language.compile(RuleText("one", "customer.has_red"))
    second = language.compile(RuleText("two", " customer.has_red\n"))
    activation = language.activate({"customer.has_red": True})
    assert first == second
    assert first.check(activation) is second.check(activation)
    assert list(activation.verdicts) == ["customer.has_red"]


def test_a_misspelt_fact_is_shown_with_caret_and_suggestion(language: RuleLanguage) -> None:
    with pytest.raises(RuleError) as caught:
        language.compile(RuleText("minimum tenure", "customer.tenur >= 6.0"))
    assert caught.value.field == "minimum tenure"
    assert (caught.value.line, caught.value.column) == (1, 9)
    assert caught.value.constraint == (
        "undeclared reference to 'customer.tenur'\n"
        "  customer.tenur >= 6.0\n"
        "  ........^  did you mean 'customer.tenure_months'?"
    )


def test_a_whole_number_beside_a_number_fact_gets_a_remedy(language: RuleLanguage) -> None:
    with pytest.raises(RuleError, match=r"every number fact is a decimal: write 6\.0"):
        language.compile(RuleText("r", "customer.tenure_months >= 6"))


def test_every_mistake_of_a_rule_is_told_with_its_line(language: RuleLanguage) -> None:
    text = "customer.has_red &&\n customer.hass_red &&\n customer.plan > 1.0"
    with pytest.raises(RuleError) as caught:
        language.compile(RuleText("r", text))
    assert [(m.line, m.column) for m in caught.value.mistakes] == [(2, 10), (3, 16)]
    assert caught.value.mistakes[1].message == "'>' cannot be applied to text and number"


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("", "the rule is empty"),
        ("   ", "the rule is empty"),
        ("customer.tenure_months", "yields a double, must be true or false"),
        ("customer.has_red &&", "end of the rule"),
        ("customer.has_red\x00", "cannot be printed"),
        ("customer.plan == '\ud800'", "cannot be printed"),
        ("(" * 500 + "true" + ")" * 500, "recursion limit"),
        ("true || " * MAX_LENGTH + "true", "must be at most"),
        ("nonsense(customer.plan)", "undeclared reference to 'nonsense'"),
        ("!customer.plan", "'!' cannot be applied to text"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(language: RuleLanguage, when: str, told: str) -> None:
    with pytest.raises(RuleError) as caught:
        language.compile(RuleText("r", when))
    assert told in caught.value.constraint
    assert len(caught.value.constraint) < 500


def test_threads_share_rules(language: RuleLanguage) -> None:
    rule = language.compile(RuleText("r", "customer.tenure_months > 50.0"))

    def passes(months: int) -> bool:
        return rule.check(language.activate({"customer.tenure_months": float(months)})).passed

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(passes, range(2_000))) == [months > 50 for months in range(2_000)]


@pytest.mark.parametrize(
    ("when", "remedy"),
    [
        ("customer.plan = 'x'", "write == to compare"),
        ("customer.tenure_months => 3.0", "write >= for at least"),
        ("customer.tenure_months =< 3.0", "write <= for at most"),
        ("customer.tenure_months <> 3.0", "write != for different"),
        ("customer.has_red and customer.has_red", "write && for and"),
        ("customer.has_red OR customer.has_red", "write || for or"),
        ("customer.has_red & customer.has_red", "write && for and"),
        ("not customer.has_red", "write ! for not"),
    ],
)
def test_a_slip_of_habit_is_told_what_to_write(
    language: RuleLanguage, when: str, remedy: str
) -> None:
    with pytest.raises(RuleError) as caught:
        language.compile(RuleText("r", when))
    assert remedy in str(caught.value)


def test_other_syntax_errors_claim_no_slip(language: RuleLanguage) -> None:
    with pytest.raises(RuleError) as caught:
        language.compile(RuleText("r", "customer.plan == 'a and b = c' customer.plan"))
    assert "write" not in str(caught.value)
