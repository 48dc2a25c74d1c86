"""Every field of a catalogue arrives, and what is wrong in one is told in its words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbo.decision.arms import GREEDY, Selection
from nbo.decision.catalog import Catalog, Issue, Purpose
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema
from nbo.decision.limits import NO_CAPS, Budget, Caps, Period
from nbo.decision.policies import EVERYTHING, Target
from nbo.errors import Problem, WorkspaceError

TEXT = (Path(__file__).parent / "everything.yaml").read_text(encoding="utf-8")
Edit = Callable[..., list[Problem]]


@pytest.fixture(scope="module")
def catalog(schema: FactSchema) -> Catalog:
    return load_catalog(TEXT, "catalog.yaml", schema, {"reds": 0.25}).catalog


@pytest.fixture(scope="module")
def mistakes(schema: FactSchema) -> Edit:
    """What is wrong once a piece of the catalogue is replaced."""
    known = FactSchema(schema.types, frozenset({"claim.reported", "web.clicked"}))

    def find(old: str, new: str) -> list[Problem]:
        assert TEXT.count(old) == 1, f"{old!r} stands {TEXT.count(old)} times in the catalogue"
        with pytest.raises(WorkspaceError) as caught:
            load_catalog(TEXT.replace(old, new), "catalog.yaml", known)
        return list(caught.value.problems)

    return find


def test_channels_products_and_purposes(catalog: Catalog) -> None:
    assert catalog.channels["voice"].fallback == "note"
    assert catalog.channels["web"].fallback == ""
    assert catalog.products["green"].when == "customer.plan == 'green'"
    assert (catalog.products["red"].file, catalog.products["red"].line) == ("catalog.yaml", 8)
    assert catalog.purposes["marketing"] == Purpose(
        "marketing", {"voice": "customer.consent_voice"}, {"web": "customer.do_not_contact"}
    )
    assert catalog.purposes["service"] == Purpose("service")
    assert catalog.issues["grow"] == Issue("grow", 5.0)


def test_offers(catalog: Catalog) -> None:
    red = catalog.offers["red-1"]
    assert (red.requires, red.excludes, red.sells) == (("green",), ("blue",), "red")
    assert (red.purpose, red.triggers) == ("marketing", ("claim.reported", "web.*"))
    assert red.caps == Caps(total=500, daily=20)
    assert (red.term_months, red.margin, red.cancellation) == (24, 0.5, 0.25)
    assert red.value == pytest.approx(20 * 24 * 0.5 * 0.75)
    assert red.ends == datetime(2027, 1, 1, 18, tzinfo=UTC)
    plain = catalog.offers["blue-1"]
    assert (plain.caps, plain.bundle, plain.variants) == (NO_CAPS, (), ())
    assert (plain.margin, plain.purpose, plain.mandatory) == (None, "", False)
    assert catalog.offers["blue-2"].variants == ("new",)
    assert catalog.offers["blue-2"].mandatory
    assert catalog.offers["both"].bundle == ("blue-1", "red-1")


def test_an_undeclared_prior_is_the_groups_observed_rate(catalog: Catalog) -> None:
    red, blue = catalog.offers["red-1"], catalog.offers["blue-2"]
    assert (red.prior, red.prior_declared) == (0.25, False)
    assert (blue.prior, blue.prior_declared) == (0.1, False), "nothing was observed of its group"
    assert catalog.offers["blue-1"].prior_declared
    assert catalog.rates == {"reds": 0.25}


@pytest.mark.parametrize(("rate", "prior"), [(0.0, 1e-6), (1.0, 1 - 1e-6), (0.4, 0.4)])
def test_an_observed_rate_is_never_certain(schema: FactSchema, rate: float, prior: float) -> None:
    read = load_catalog(TEXT, "catalog.yaml", schema, {"reds": rate, "notes": 0.9}).catalog
    assert read.offers["red-1"].prior == prior
    assert read.rates == {"reds": rate}, "the rates that were used, as they were given"


def test_incentives(catalog: Catalog) -> None:
    discount = catalog.incentives["discount"]
    assert discount.budget == Budget(5000.0, Period.MONTH)
    assert discount.immediate_use
    assert discount.attributes == {"percent": 10.0, "today": 1.0}


def test_policies_attach(catalog: Catalog) -> None:
    policies = catalog.policies
    assert [policy.target for policy in policies.suppression] == [
        Target(issue="grow"),
        Target(offer_id="blue-1"),
    ]
    assert policies.frequency[0].target == Target(group_id="blues")
    assert policies.context[0].target == Target(issue="retain")
    assert policies.selection == Selection("softmax", temperature=2.5)


def test_a_policy_without_target_concerns_everything(schema: FactSchema) -> None:
    text = TEXT.replace(", group: blues}", "}")
    read = load_catalog(text, "catalog.yaml", schema).catalog
    assert read.policies.frequency[0].target == EVERYTHING


def test_experiments(catalog: Catalog) -> None:
    pricing, chance = catalog.experiments
    assert (pricing.layer, pricing.buckets, pricing.unit) == ("prices", (0.0, 0.5), "customer.plan")
    assert pricing.arms[0].selection == Selection("thompson", draws=50)
    assert pricing.arms[0].variant == "new"
    assert pricing.arms[1].selection == GREEDY
    assert pricing.arms[2].selection is None
    assert chance.buckets == (0.5, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("web: {fallback: none}", "web: {}", "channel 'web': fallback: is missing; name the offer"),
        ("fallback: note}", "fallback: nota}", "unknown offer 'nota'; did you mean 'note'?"),
        ("  red: customer.has_red", "  red: customer.has_rod", "product 'red': undeclared"),
        ("  red: customer.has_red", "  r d: customer.has_red", "'r d' must be letters"),
        ("  red: customer.has_red", "  red:", "products: red: is missing"),
        ("opt_in: {voice: ", "opt_in: {vice: ", "unknown channel 'vice'; did you mean 'voice'?"),
        ("opt_out: {web: customer.do_not_contact}", "opt_out: {web: }", "web: names no fact"),
        ("opt_out: {web: customer.do", "opt_out: {web: customer.dont", "no fact 'customer.dont_"),
        ("    purpose: marketing", "    purpose: marketin", "did you mean 'marketing'?"),
        ("requires: [green]", "requires: [gren]", "requires: unknown 'gren'; did you mean 'gre"),
        ("excludes: [blue]", "excludes: []", "excludes: must name at least one"),
        ("sells: red\n", "sells: rad\n", "sells: unknown 'rad'; did you mean 'red'?"),
        ("[claim.reported, ", "[claim.reportet, ", "no event type fits 'claim.reportet'; did"),
        ('"web.*"]', '"wob.*"]', "no event type fits 'wob.*'; known are claim"),
        ('"web.*"]', '"*w*e*b*.*x*"]', "triggers: must have at most 5 stars, has 6"),
        ('[claim.reported, "web.*"]', "[]", "triggers: must name at least one event type"),
        ("{total: 500, daily: 20}", "{total: -1}", "caps: total: must be >= 0, was -1"),
        ("{total: 500, daily: 20}", "{total: 1.5}", "caps: total: must be a whole number"),
        ("{total: 500, daily: 20}", "{}", "caps: names neither total nor daily"),
        ("{total: 500, daily: 20}", "{total: 5, daily: 20}", "must be at most total (5), was 20"),
        ("variants: [new]", "variants: []", "variants: must name at least one"),
        ("value: 60", "value: yes", "number, was 'yes'"),
        ("period: month}", "}", "budget: period: is missing"),
        ("period: month}", "period: months}", "unknown 'months'; did you mean 'month'?"),
        ("{amount: 5000, period", "{amount: 0, period", "budget: amount: must be >= 0.01, was 0"),
        ("budget: {amount: 5000, period: month}", "budget: 5000", "budget: must be a mapping"),
        ("cost: 30", "cost: -30", "incentive 'discount': cost: must be >= 0, was -30"),
        (
            "currency: EUR\n    monthly_c",
            "currency: USD\n    monthly_c",
            "catalogue's EUR, was",
        ),
        ("currency: EUR\n    monthly_r", "currency: USD\n    monthly_r", "offer 'red-1': currency"),
        ("id: note, group", "id: none, group", "'none' is reserved: it says that a channel"),
        ("pause: 60d, channel: voice, issue: grow", "pause: 60d, issue: gro", "mean 'grow'?"),
        ("pause: 2w, offer: blue-1", "pause: 2w, offer: blue-9", "did you mean 'blue-"),
        (", group: blues}\n  context", ", group: bluse}\n  context", "did you mean 'blues'?"),
        ("issue: retain, weight", "weight", "names no issue, group or offer it is for"),
        ("policy: softmax, temperature: 2.5", "policy: softmax", "temperature: is missing; e.g."),
        ("temperature: 2.5", "temperature: 0", "temperature: must be >= 1e-06, was 0"),
        ("temperature: 2.5", "temperature: 2.5, draws: 9", "is a setting of thompson, not of soft"),
        ("thompson, draws: 50", "thompson, draws: 0", "selection: draws: must be >= 1, was 0"),
        ("thompson, draws: 50", "thompson, draws: 2001", "must be <= 2000, was 2001"),
        ("buckets: [0, 0.5]", "buckets: [0]", "must be two numbers like [0, 0.5], was ['0']"),
        ("buckets: [0, 0.5]", "buckets: [0, half]", "must be two numbers like [0, 0.5]"),
        ("buckets: [0, 0.5]", "buckets: [0.5, 0.4]", "must rise within 0 and 1, was [0.5, 0.4]"),
        ("buckets: [0, 0.5]", "buckets: [0, 2]", "must rise within 0 and 1, was [0, 2]"),
        (
            "unit: customer.plan\n    salt: s1",
            "unit: customer.plam\n    salt: s1",
            "no fact 'customer.plam'; did you mean",
        ),
        (
            "unit: customer.plan\n    salt: s1",
            "unit: customer.has_red\n    salt: s1",
            "is a flag, must be a text",
        ),
        ("    layer: prices", "    layer: all prices", "'all prices' must be letters"),
    ],
)
def test_each_mistake_is_found_where_it_stands(
    mistakes: Edit, old: str, new: str, told: str
) -> None:
    found = mistakes(old, new)
    fitting = [problem for problem in found if told in problem.message]
    assert fitting, [str(problem) for problem in found]
    first = TEXT[: TEXT.index(old)].count("\n") + 1
    lines = range(first, first + new.count("\n") + 2)
    assert fitting[0].line in lines, str(fitting[0])
    assert fitting[0].column > 0
