"""Selection: the logged probability is the real frequency, slot for slot."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.arms import DEFAULT_ARM, Arm, Selection
from nbo.decision.exploration import Candidate, Choice, select

GREEDY = Selection()
RANDOM = Arm("random", 1.0, random=True)
OFFERS = [
    Candidate("a", "g1", (0, 5)),
    Candidate("b", "g1", (1,)),
    Candidate("c", "g2", (2, 6, 7)),
    Candidate("d", "g3", (3,)),
]


def choose(
    seed: int = 1,
    offers: list[Candidate] = OFFERS,
    slots: int = 3,
    per_group: int = 1,
    selection: Selection = GREEDY,
    arm: Arm = DEFAULT_ARM,
) -> list[Choice]:
    return select(offers, slots, per_group=per_group, selection=selection, arm=arm, seed=seed)


def owner(choice: Choice) -> Candidate:
    return next(offer for offer in OFFERS if choice.position in offer.positions)


def test_greedy_takes_the_best_of_each_group() -> None:
    assert choose() == [(0, 1.0), (2, 1.0), (3, 1.0)]
    assert choose(per_group=2) == [(0, 1.0), (1, 1.0), (2, 1.0)]
    assert choose(slots=1) == [(0, 1.0)]
    assert choose(slots=50, per_group=9) == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]
    assert choose(offers=[]) == []


def test_epsilon_by_hand() -> None:
    explore = Selection("epsilon", 0.2)
    firsts = {choose(seed, selection=explore, slots=1)[0] for seed in range(500)}
    assert dict(firsts) == pytest.approx({0: 0.8 + 0.2 / 4, 1: 0.05, 2: 0.05, 3: 0.05})
    assert len(firsts) == 4


def test_the_last_offer_standing_is_certain() -> None:
    chosen = choose(selection=Selection("epsilon", 0.3), slots=4)
    assert chosen[-1].probability == 1.0


@pytest.mark.parametrize(
    ("selection", "arm"),
    [
        (Selection("epsilon", 0.3), DEFAULT_ARM),
        (Selection("epsilon", 1.0), DEFAULT_ARM),
        (GREEDY, RANDOM),
        (Selection("epsilon", 0.3), RANDOM),
    ],
)
@pytest.mark.parametrize("per_group", [1, 2])
def test_logged_probabilities_are_real_frequencies(
    selection: Selection, arm: Arm, per_group: int
) -> None:
    n = 20_000
    answers = [
        tuple(choose(seed, selection=selection, arm=arm, slots=3, per_group=per_group))
        for seed in range(n)
    ]
    for depth in (1, 2, 3):
        observed = Counter(answer[:depth] for answer in answers)
        chi_square = 0.0
        for path, count in observed.items():
            expected = float(n)
            for choice in path:
                expected *= choice.probability
            chi_square += (count - expected) ** 2 / expected
        freedom = len(observed) - 1
        total = sum(prod([choice.probability for choice in path]) for path in observed)
        assert total == pytest.approx(1.0), "every possible answer was seen, and no other"
        assert chi_square < freedom + 4.5 * (2 * freedom) ** 0.5 + 10


def test_random_varies_the_incentive_too() -> None:
    chosen = {choose(seed, arm=RANDOM, slots=1)[0] for seed in range(500)}
    assert {position for position, _ in chosen} == {0, 1, 2, 3, 5, 6, 7}
    assert dict(chosen)[6] == pytest.approx(1 / 4 / 3)


def test_the_same_seed_gives_the_same_answer() -> None:
    for selection, arm in product([GREEDY, Selection("epsilon", 0.5)], [DEFAULT_ARM, RANDOM]):
        assert choose(7, selection=selection, arm=arm) == choose(7, selection=selection, arm=arm)
    several = {tuple(choose(seed, arm=RANDOM)) for seed in range(50)}
    assert len(several) > 10


@given(
    seed=st.integers(0, 2**64),
    slots=st.integers(1, 6),
    per_group=st.integers(1, 3),
    epsilon=st.floats(0.0, 1.0),
    random=st.booleans(),
)
def test_no_offer_twice_no_group_too_often(
    seed: int, slots: int, per_group: int, epsilon: float, random: bool
) -> None:
    chosen = choose(
        seed,
        slots=slots,
        per_group=per_group,
        selection=Selection("epsilon", epsilon),
        arm=Arm("", 1.0, random=random),
    )
    owners = [owner(choice) for choice in chosen]
    assert len({offer.offer_id for offer in owners}) == len(owners) <= slots
    assert all(count <= per_group for count in Counter(o.group_id for o in owners).values())
    assert all(0.0 < choice.probability <= 1.0 for choice in chosen)
    possible = min(slots, 4 if per_group > 1 else 3)
    assert len(chosen) == possible, "a slot is filled while anything remains for it"
