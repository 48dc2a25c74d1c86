"""Rules can't loop, and can't be so long that they hold up an answer."""

from __future__ import annotations

import pytest
from cel_expr_python import cel

from nbo.decision.facts import FactSchema, FactType
from nbo.decision.rule_bounds import MAX_LENGTH, MAX_OPERATIONS, loops, without_strings
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleError, RuleLanguage


@pytest.fixture(scope="module")
def language() -> RuleLanguage:
    return RuleLanguage(
        FactSchema({"customer.age": FactType.NUMBER, "customer.plan": FactType.TEXT})
    )


def refused(language: RuleLanguage, when: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        language.compile(RuleText("r", when))
    return caught.value


@pytest.mark.parametrize("macro", ["all", "exists", "exists_one", "map", "filter"])
def test_a_loop_is_refused_where_it_stands(language: RuleLanguage, macro: str) -> None:
    error = refused(language, f"customer.age > 1.0 &&\n  [1, 2].{macro}(x, x > 1)")
    (mistake,) = error.mistakes
    assert (mistake.line, mistake.column) == (2, 10)
    assert f"'{macro}' loops" in mistake.message


def test_loops_are_found_all_at_once(language: RuleLanguage) -> None:
    error = refused(language, "[1].all(x, x > 0) || [[1]].exists(x, x.map(y, y) == x)")
    assert len(error.mistakes) == 3


def test_has_is_refused_with_the_remedy(language: RuleLanguage) -> None:
    error = refused(language, "has(customer.age)")
    assert "an unknown fact refuses by itself" in str(error)


@pytest.mark.parametrize(
    "when",
    ["customer.plan.matches('(')", "matches(customer.plan, 'a+')", "customer.plan. matches ('a')"],
)
def test_patterns_are_refused_with_the_remedy(language: RuleLanguage, when: str) -> None:
    (mistake,) = refused(language, when).mistakes
    assert mistake.column == when.index("matches") + 1
    assert "compare with startsWith, endsWith, contains or `in [...]`" in mistake.message


def test_words_in_quotes_are_no_loops(language: RuleLanguage) -> None:
    rule = language.compile(RuleText("r", "customer.plan == '[1].all(x, has(x))'"))
    assert rule.check(language.activate({"customer.plan": "[1].all(x, has(x))"})).passed


def test_as_many_operations_as_allowed_and_no_more(language: RuleLanguage) -> None:
    terms = ["customer.age > 1.0"] * (MAX_OPERATIONS // 2)
    language.compile(RuleText("r", " && ".join(terms)))  # one operator short of the limit
    error = refused(language, " && ".join([*terms, "customer.age > 1.0"]))
    assert f"must be at most {MAX_OPERATIONS}" in str(error)


def test_a_long_list_is_no_work(language: RuleLanguage) -> None:
    plans = ", ".join(f"'plan-{number}'" for number in range(200))
    language.compile(RuleText("r", f"customer.plan in [{plans}]"))


def test_text_too_long_is_refused_before_it_is_parsed(language: RuleLanguage) -> None:
    error = refused(language, "(" * (MAX_LENGTH + 1))
    assert f"must be at most {MAX_LENGTH}" in str(error)


def test_deep_nesting_is_refused(language: RuleLanguage) -> None:
    error = refused(language, "(" * 60 + "true" + ")" * 60)
    assert "recursion limit" in str(error) or "nested" in str(error)


LOOP = "[1, 2].all(x, x > 0)"


@pytest.mark.parametrize(
    "when",
    [
        f"customer.age > 1.0 // '\n && {LOOP} // '",
        "[1, 2].// a comment\nall(x, x > 0)",
        f"customer.plan != '''a\\''' ''' && {LOOP} && customer.plan != '''b'''",
        f'customer.plan != """a\\""" """ && {LOOP} && customer.plan != """b"""',
        f"customer.plan != r'\\' && {LOOP} && customer.plan != r'\\'",
        f"b'' != br'\\' && {LOOP} && b'' != br'\\'",
        f"{{'a': 1}}.`//` == 1 && {LOOP}",
        f"customer.plan != '//' && {LOOP}",
        f"customer.plan != '\\'//' && {LOOP}",
    ],
)
def test_no_string_or_comment_hides_a_loop(language: RuleLanguage, when: str) -> None:
    assert "'all' loops" in str(refused(language, when))


def test_no_comment_hides_work(language: RuleLanguage) -> None:
    terms = " && ".join(["customer.age > 1.0"] * MAX_OPERATIONS)
    error = refused(language, f"customer.plan != '' // '\n && {terms} // '")
    assert f"must be at most {MAX_OPERATIONS}" in str(error)


@pytest.mark.parametrize("macro", ["all", "exists", "exists_one", "filter", "map"])
def test_a_loop_shows_in_what_was_compiled(macro: str) -> None:
    env = cel.NewEnv(variables={"customer.plan": cel.Type.STRING})
    assert loops(env.compile(f"[1].{macro}(x, x > 0) == [1].{macro}(x, x > 0)").serialize())
    assert not loops(env.compile("customer.plan == '@result'").serialize())


def test_what_was_compiled_decides_even_if_the_text_deceives(
    language: RuleLanguage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbo.decision.rules.out_of_bounds", lambda expression: ())
    assert "the rule loops" in str(refused(language, LOOP))


def test_words_in_comments_are_no_code(language: RuleLanguage) -> None:
    comment = "// it doesn't matter for .all(of them), nor customer.age\n"
    rule = language.compile(RuleText("r", f"{comment}customer.plan == 'x' // has (y)"))
    assert rule.reads == ("customer.plan",)
    assert rule.check(language.activate({})).detail == "customer.plan is unknown"


def test_a_name_in_backquotes_is_refused(language: RuleLanguage) -> None:
    (mistake,) = refused(language, "true ||\n customer.`age` > 1.0").mistakes
    assert (mistake.line, mistake.column) == (2, 11)
    assert mistake.message == "names are written without backquotes"


def test_only_strings_and_comments_are_blanked() -> None:
    code = without_strings("xr'a' + rb'b' + R'c' // d\n+ e")
    assert code == "xr    + rb    +          \n+ e"
