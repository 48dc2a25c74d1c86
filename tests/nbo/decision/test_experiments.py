"""Assignment: stable, in the declared shares, independent between experiments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from nbo.decision.arms import DEFAULT_ARM, Arm, Experiment, Selection
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.experiments import assign, assigned_arms, bucket, combine, takes_part, unit_of
from nbo.errors import WorkspaceError

ARMS = (Arm("a", 0.5), Arm("b", 0.3), Arm("c", 0.2))
FIRST = Experiment("first", "salt-1", ARMS)
SECOND = Experiment("second", "salt-2", ARMS)
UNITS = [f"customer-{n}" for n in range(20_000)]


def chi_square(observed: Counter[str], expected: dict[str, float]) -> float:
    return sum((observed[key] - wanted) ** 2 / wanted for key, wanted in expected.items())


def test_a_customer_stays_where_it_is_for_ever() -> None:
    places = [round(bucket("salt-1", f"c-{n}"), 6) for n in range(3)]
    assert places == [0.850839, 0.898344, 0.211517]
    assert [assign(FIRST, f"c-{n}").arm_id for n in range(3)] == ["c", "c", "a"]


def test_shares_are_kept() -> None:
    observed = Counter(assign(FIRST, unit).arm_id for unit in UNITS)
    expected = {arm.arm_id: arm.share * len(UNITS) for arm in ARMS}
    assert chi_square(observed, expected) < 13.8  # 2 degrees of freedom, 0.1 %


def test_experiments_are_independent() -> None:
    observed = Counter(assign(FIRST, u).arm_id + assign(SECOND, u).arm_id for u in UNITS)
    expected = {a.arm_id + b.arm_id: a.share * b.share * len(UNITS) for a in ARMS for b in ARMS}
    assert chi_square(observed, expected) < 26.1  # 8 degrees of freedom, 0.1 %


def test_buckets_are_within_0_and_1() -> None:
    assert all(0.0 <= bucket("s", unit) < 1.0 for unit in UNITS)


def test_without_experiments_nothing_is_overridden() -> None:
    assert combine([]) is DEFAULT_ARM
    assert combine([ARMS[0]]) is ARMS[0]


def test_several_arms_add_up() -> None:
    both = combine(
        [Arm("x", 0.5, levers=False, model="m1"), Arm("y", 0.1, random=True, model="m2")]
    )
    assert both == Arm("x+y", 1.0, levers=False, random=True, model="m1")
    assert combine([Arm("x", 0.5, holdout=True), Arm("y", 0.5)]).holdout


def test_the_first_to_name_a_selection_or_variant_prevails() -> None:
    softmax = Selection("softmax", temperature=2.0)
    several = combine(
        [
            Arm("x", 0.5),
            Arm("y", 0.5, selection=softmax, variant="blue"),
            Arm("z", 0.5, selection=Selection("epsilon", 0.1), variant="red"),
        ]
    )
    assert (several.selection, several.variant) == (softmax, "blue")


PRICES = Experiment("prices", "salt-3", ARMS, layer="money", buckets=(0.0, 0.4))
GIFTS = Experiment("gifts", "salt-4", ARMS, layer="money", buckets=(0.4, 1.0))
WORDS = Experiment("words", "salt-5", ARMS, layer="talk", buckets=(0.0, 0.5))
ALONE = Experiment("alone", "salt-6", ARMS, buckets=(0.2, 0.5))


def test_experiments_of_one_layer_exclude_each_other_and_leave_nobody_out() -> None:
    for unit in UNITS:
        assert takes_part(PRICES, unit) != takes_part(GIFTS, unit)


@pytest.mark.parametrize(
    ("one", "other"), [(PRICES, WORDS), (PRICES, ALONE), (WORDS, ALONE), (GIFTS, WORDS)]
)
def test_layers_are_independent(one: Experiment, other: Experiment) -> None:
    """Chi-square of taking part in either, 3 degrees of freedom, 0.1 %."""
    observed = Counter(f"{takes_part(one, u)}/{takes_part(other, u)}" for u in UNITS)
    share = {e: {True: e.buckets[1] - e.buckets[0]} for e in (one, other)}
    for parts in share.values():
        parts[False] = 1.0 - parts[True]
    expected = {
        f"{a}/{b}": share[one][a] * share[other][b] * len(UNITS)
        for a in (True, False)
        for b in (True, False)
    }
    assert chi_square(observed, expected) < 16.3


def test_arms_are_independent_of_the_place_in_the_layer() -> None:
    """Even if somebody gives an experiment the name of its layer as salt."""
    imitating = Experiment("prices", "money", ARMS, layer="money", buckets=(0.0, 0.4))
    for experiment in (PRICES, imitating, ALONE):
        inside = [unit for unit in UNITS if takes_part(experiment, unit)]
        observed = Counter(assign(experiment, unit).arm_id for unit in inside)
        expected = {arm.arm_id: arm.share * len(inside) for arm in ARMS}
        assert chi_square(observed, expected) < 13.8  # 2 degrees of freedom, 0.1 %


def test_outside_its_stretch_an_experiment_has_no_arm() -> None:
    for customer in UNITS[:200]:
        found = assigned_arms([PRICES, GIFTS, FIRST], customer, {})
        assert found["first"] == assign(FIRST, customer)
        assert len(found) == 2
        (other,) = set(found) - {"first"}
        assert found[other] == assign({"prices": PRICES, "gifts": GIFTS}[other], customer)


def test_the_order_of_experiments_moves_nobody() -> None:
    for customer in UNITS[:200]:
        arms = assigned_arms([PRICES, GIFTS, FIRST], customer, {})
        assert assigned_arms([FIRST, GIFTS, PRICES], customer, {}) == arms


def test_one_layer_takes_one_kind_of_unit(changed: Callable[..., CompiledCatalog]) -> None:
    """Else a customer and their household could fall into both of two that exclude each other."""
    arms = "arms: [{id: a, share: 1}]"
    two = f"""
experiments:
  - {{id: x, salt: x, layer: l, buckets: [0, 0.5], {arms}}}
  - {{id: y, salt: y, layer: l, buckets: [0.5, 1], {arms}, unit: customer.plan}}
"""
    with pytest.raises(WorkspaceError, match=r"'y': .*'x' in the same layer divides by the cust"):
        changed(append=two)
    assert changed(append=two.replace("layer: l", "layer: m", 1))


def test_a_household_has_one_arm() -> None:
    household = Experiment("home", "salt-7", ARMS, unit="customer.household")
    facts = {"customer.household": "h-1"}
    arms = {assigned_arms([household], unit, facts)["home"].arm_id for unit in UNITS[:100]}
    assert len(arms) == 1
    assert unit_of(household, "c-1", facts) == "h-1"


@pytest.mark.parametrize("facts", [{}, {"customer.household": ""}, {"customer.household": 3.0}])
def test_whose_household_is_unknown_takes_no_part(facts: dict[str, str | float | bool]) -> None:
    """Else half of them would change their arm whenever the fact cannot be read."""
    household = Experiment("home", "salt-7", ARMS, unit="customer.household")
    assert unit_of(household, "c-1", facts) is None
    for customer in UNITS[:20]:
        assert assigned_arms([household, FIRST], customer, facts) == {
            "first": assign(FIRST, customer)
        }


def test_a_layer_stays_where_it_is_for_ever() -> None:
    assert [n for n in range(8) if takes_part(PRICES, f"c-{n}")] == [0, 3]
    assert [n for n in range(8) if takes_part(ALONE, f"c-{n}")] == [2, 4]
