"""Assignment: stable, in the declared shares, independent between experiments."""

from __future__ import annotations

from collections import Counter

from nbo.decision.arms import DEFAULT_ARM, Arm, Experiment
from nbo.decision.experiments import assign, bucket, combine

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
