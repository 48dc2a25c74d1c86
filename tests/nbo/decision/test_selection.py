"""Selection: the logged probability is the real frequency, slot for slot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.arbitration import Ranked
from nbo.decision.arms import DEFAULT_ARM, GREEDY, Arm, Selection
from nbo.decision.candidates import Candidate, Chance, Policy
from nbo.decision.room import Bound
from nbo.decision.selection import Choice, policy_for, select
from nbo.decision.softmax import softmax

RANDOM = Arm("random", 1.0, random=True)
EPSILON = Selection("epsilon", epsilon=0.3)
SOFTMAX = Selection("softmax", temperature=2.0)
THOMPSON = Selection("thompson", draws=20)

WORTH = [10.0, 9.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.4]


def ranking(worth: Sequence[float] = WORTH, p: float = 0.4, evidence: float = 20.0) -> Ranked:
    """Treatments of these worths, all with the same propensity and evidence."""
    n = len(worth)
    same = np.ones(n)
    return Ranked(
        rows=np.arange(n),
        propensity=p * same,
        evidence=evidence * same,
        batch=p * same,
        value=np.array(worth),
        shadow_price=0.0 * same,
        context=same,
        lever=same,
        worth=np.array(worth),
        priority=p * np.array(worth),
        mandatory=np.zeros(n, bool),
    )


def offer(
    name: str,
    group: str,
    positions: tuple[int, ...],
    mandatory: bool = False,
    members: tuple[str, ...] = (),
    worth: Sequence[float] = WORTH,
) -> Candidate:
    priorities = tuple(0.4 * worth[at] for at in positions)
    bounds = [Bound("offer", one, 1) for one in (name, *members)]
    own = frozenset((*bounds, Bound("group", group, 1)))
    return Candidate(name, positions, priorities, mandatory, own)


def in_groups_of(per_group: int, offers: Sequence[Candidate]) -> list[Candidate]:
    """The same offers, of whose groups so many may stand together."""
    return [
        one._replace(
            bounds=frozenset(
                bound._replace(slots=per_group) if bound.kind == "group" else bound
                for bound in one.bounds
            )
        )
        for one in offers
    ]


OFFERS = [
    offer("a", "g1", (0, 5)),
    offer("b", "g1", (1,)),
    offer("c", "g2", (2, 6, 7)),
    offer("d", "g3", (3,)),
]
POLICIES = {
    "greedy": (GREEDY, DEFAULT_ARM),
    "epsilon": (EPSILON, DEFAULT_ARM),
    "softmax": (SOFTMAX, DEFAULT_ARM),
    "thompson": (THOMPSON, DEFAULT_ARM),
    "random": (EPSILON, RANDOM),
}


def choose(
    seed: int = 1,
    offers: Sequence[Candidate] = OFFERS,
    slots: int = 3,
    per_group: int = 1,
    selection: Selection = GREEDY,
    arm: Arm = DEFAULT_ARM,
    watch: Callable[[Policy], Policy] = lambda policy: policy,
) -> list[Choice]:
    policy = watch(policy_for(selection, arm, ranking(), seed))
    return select(in_groups_of(per_group, offers), slots, policy=policy, seed=seed)


def positions(choices: Sequence[Choice]) -> list[int]:
    return [choice.position for choice in choices]


def test_greedy_takes_the_best_of_each_group() -> None:
    assert choose() == [(0, 1.0, 0.0, False), (2, 1.0, 0.0, False), (3, 1.0, 0.0, False)]
    assert positions(choose(per_group=2)) == [0, 1, 2]
    assert positions(choose(slots=1)) == [0]
    assert positions(choose(slots=50, per_group=9)) == [0, 1, 2, 3]
    assert choose(offers=[]) == []


def test_epsilon_by_hand() -> None:
    firsts = {choose(seed, selection=Selection("epsilon", 0.2), slots=1)[0] for seed in range(500)}
    found = {choice.position: choice.probability for choice in firsts}
    assert found == pytest.approx({0: 0.8 + 0.2 / 4, 1: 0.05, 2: 0.05, 3: 0.05})
    assert len(firsts) == 4


def test_softmax_by_hand() -> None:
    one, two = offer("a", "g", (0,)), offer("b", "h", (1,))
    temperature = 0.4 * (WORTH[0] - WORTH[1])
    first, second = softmax(temperature)([one, two])
    assert first.probability / second.probability == pytest.approx(np.e)
    assert first.probability + second.probability == pytest.approx(1.0)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-3, 1e300])
def test_softmax_at_any_temperature(temperature: float) -> None:
    chances = softmax(temperature)(OFFERS)
    assert sum(chance.probability for chance in chances) == pytest.approx(1.0)
    assert all(0.0 < chance.probability <= 1.0 for chance in chances)


def test_the_last_offer_standing_is_certain() -> None:
    for selection in (EPSILON, SOFTMAX, THOMPSON):
        assert choose(selection=selection, slots=4)[-1].probability == 1.0


def test_thompson_explores_what_is_little_known() -> None:
    sizes = {}
    for evidence in (5.0, 500.0, 1e9):
        ranked = ranking(p=0.4, evidence=evidence)
        selection = Selection("thompson", draws=5_000)
        chances = policy_for(selection, DEFAULT_ARM, ranked, seed=1)(OFFERS)
        sizes[evidence] = {chance.position: chance.probability for chance in chances}
    assert sizes[5.0][0] < sizes[500.0][0] < sizes[1e9][0]
    never = 1.0 / 7 / 5_001
    expected = {0: 1.0 - 6 * never, **dict.fromkeys([1, 2, 3, 5, 6, 7], never)}
    assert sizes[1e9] == pytest.approx(expected)


@pytest.mark.parametrize("p", [0.0, 1e-300, 0.5, 1.0 - 1e-16, 1.0])
@pytest.mark.parametrize("evidence", [0.0, 1e-9, 1.0, 1e15])
def test_thompson_survives_any_propensity_and_evidence(p: float, evidence: float) -> None:
    chances = policy_for(THOMPSON, DEFAULT_ARM, ranking(p=p, evidence=evidence), 3)(OFFERS)
    assert sum(chance.probability for chance in chances) == pytest.approx(1.0)


def test_thompson_without_propensity_is_certain() -> None:
    arm = Arm("no model", 1.0, propensity=False)
    assert choose(selection=THOMPSON, arm=arm) == choose()


def test_thompson_tells_the_error_of_its_probability() -> None:
    selection = Selection("thompson", draws=50)
    several = [
        {c.position: c for c in policy_for(selection, DEFAULT_ARM, ranking(), seed)(OFFERS)}
        for seed in range(400)
    ]
    shares = [found[0].probability if 0 in found else 0.0 for found in several]
    told = np.mean([found[0].error for found in several if 0 in found])
    assert told == pytest.approx(np.std(shares), rel=0.15)


def test_an_arm_may_have_a_selection_of_its_own() -> None:
    arm = Arm("greedy", 1.0, selection=GREEDY)
    assert choose(selection=SOFTMAX, arm=arm) == choose()
    explored = {choose(s, arm=Arm("e", 1.0, selection=EPSILON), slots=1)[0] for s in range(200)}
    assert len(explored) == 4


def test_the_same_seed_gives_the_same_answer() -> None:
    for selection, arm in POLICIES.values():
        for seed in (0, 7, -3, 2**64):
            again = choose(seed, selection=selection, arm=arm)
            assert choose(seed, selection=selection, arm=arm) == again
    several = {tuple(choose(seed, arm=RANDOM)) for seed in range(50)}
    assert len(several) > 10


def test_the_draws_of_a_seed_never_change() -> None:
    """What was logged by any earlier version is chosen again."""
    assert positions(choose(59, selection=EPSILON, slots=4, per_group=2)) == [0, 3, 2, 1]
    assert positions(choose(43, selection=SOFTMAX, slots=4, per_group=2)) == [0, 2, 1, 3]
    assert positions(choose(44, arm=RANDOM, slots=4, per_group=2)) == [1, 6, 3, 0]
    found = choose(45, selection=THOMPSON, slots=4, per_group=2)
    assert [(choice.position, choice.probability) for choice in found] == [
        (0, (12 + 1 / 7) / 21),
        (1, (11 + 1 / 5) / 21),
        (2, (17 + 1 / 4) / 21),
        (3, 1.0),
    ]


def test_mandatory_offers_come_first_and_are_certain() -> None:
    must = offer("m", "g1", (8,), mandatory=True)
    also = offer("n", "g3", (9,), mandatory=True)
    for selection, arm in POLICIES.values():
        first, second, *rest = choose(
            offers=[must, also, *OFFERS], selection=selection, arm=arm, slots=4
        )
        assert first == Choice(8, 1.0, 0.0, True)
        assert second == Choice(9, 1.0, 0.0, True)
        assert [choice.mandatory for choice in rest] == [False]
        assert rest[0].position in OFFERS[2].positions, "the other groups have no room left"


def test_a_bundle_and_its_members_never_stand_together() -> None:
    bundle = offer("ab", "g9", (8,), members=("a", "b"))
    other = offer("bd", "g8", (9,), members=("b", "d"))
    everything = [bundle, other, *OFFERS]
    for selection, arm in POLICIES.values():
        for seed in range(200):
            chosen = choose(seed, everything, slots=9, per_group=9, selection=selection, arm=arm)
            names = [next(o for o in everything if at in o.positions) for at in positions(chosen)]
            sold = [bound for one in names for bound in one.bounds if bound.kind == "offer"]
            assert len(sold) == len(set(sold))


DRAWS = 100_000


@pytest.mark.parametrize(
    ("kind", "draws"),
    [("greedy", 1_000), ("epsilon", DRAWS), ("softmax", DRAWS), ("random", DRAWS)],
)
def test_logged_probabilities_are_real_frequencies(kind: str, draws: int) -> None:
    """Over 100,000 seeds where there is chance: of slot 1, and of slot 2 given slot 1.

    Tolerance: chi-square within its 99.9 % quantile.
    """
    selection, arm = POLICIES[kind]
    answers = [choose(seed, slots=2, selection=selection, arm=arm) for seed in range(draws)]
    given_before: dict[tuple[int, ...], list[Choice]] = defaultdict(list)
    for first, second in answers:
        given_before[()].append(first)
        given_before[(first.position,)].append(second)
    assert len(given_before) > 2 or kind == "greedy"
    for choices in given_before.values():
        observed = Counter(choices)
        assert len({choice.position for choice in observed}) == len(observed)
        total = sum(choice.probability for choice in observed)
        assert total == pytest.approx(1.0), "every alternative was seen, and no other"
        n = len(choices)
        chi_square = sum(
            (count - n * choice.probability) ** 2 / (n * choice.probability)
            for choice, count in observed.items()
        )
        assert chi_square <= CHI_SQUARE_999[len(observed) - 1]


CHI_SQUARE_999 = {0: 1e-9, 1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52, 6: 22.46, 7: 24.32}
"""By degrees of freedom."""


@pytest.mark.parametrize("draws", [5_000, pytest.param(DRAWS, marks=pytest.mark.slow)])
def test_thompson_chooses_as_often_as_it_says(draws: int) -> None:
    """How often a treatment is chosen is the mean of what was said, within 4 standard errors.

    Over 100,000 seeds, fewer in the fast run: of slot 1, and of slot 2 given slot 1.

    Given the posterior draws a choice is a Bernoulli draw with the probability said, so the
    standard error is that of a sum of such draws.
    """
    chosen: Counter[tuple[int, ...]] = Counter()
    said: dict[tuple[int, ...], float] = defaultdict(float)
    spread: dict[tuple[int, ...], float] = defaultdict(float)
    for seed in range(draws):
        noted: list[list[Chance]] = []

        def watch(policy: Policy, noted: list[list[Chance]] = noted) -> Policy:
            def noting(remaining: Sequence[Candidate]) -> list[Chance]:
                noted.append(policy(remaining))
                return noted[-1]

            return noting

        first, second = choose(seed, slots=2, selection=THOMPSON, watch=watch)
        for path, chances in zip([(), (first.position,)], noted, strict=True):
            for chance in chances:
                key = (*path, chance.position)
                said[key] += chance.probability
                spread[key] += chance.probability * (1.0 - chance.probability)
        chosen[(first.position,)] += 1
        chosen[(first.position, second.position)] += 1
    frequent = [key for key in said if spread[key] >= 10.0]  # a normal bound needs some counts
    assert len(frequent) >= 10
    for key in frequent:
        assert abs(chosen[key] - said[key]) <= 4.0 * spread[key] ** 0.5, key


@pytest.mark.parametrize("draws", [1, 10, 200])
def test_thompson_weights_are_unbiased_for_every_treatment(draws: int) -> None:
    """The mean of ``1/p`` over the decisions that chose it is 1, within 4 standard errors.

    Given the posterior draws a treatment's weight has the variance ``1/p - 1``. The rarest
    treatment wins none of 10 draws nineteen times in twenty.
    """
    seeds, ranked = 2_000, ranking(WORTH[:4], evidence=60.0)
    offers = [offer(name, name, (at,)) for at, name in enumerate("abcd")]
    weight, variance, unlikely = np.zeros(4), np.zeros(4), np.zeros(4)
    for seed in range(seeds):
        policy = policy_for(Selection("thompson", draws=draws), DEFAULT_ARM, ranked, seed)
        shares = np.array([chance.probability for chance in policy(offers)])
        assert len(shares) == 4, "all may be chosen"
        assert shares.min() > 0.99 / 4 / (draws + 1)
        (choice,) = select(offers, 1, policy=policy, seed=seed)
        weight[choice.position] += 1.0 / choice.probability
        variance += 1.0 / shares - 1.0
        unlikely += shares < 1.0 / (draws + 1.0)
    assert np.all(np.abs(weight - seeds) <= 4.0 * np.sqrt(variance))
    assert unlikely[3] > 0.9 * seeds or draws > 10, "rare enough to win nothing most of the time"


policies = st.one_of(
    st.just((GREEDY, DEFAULT_ARM)),
    st.builds(lambda e: (Selection("epsilon", e), DEFAULT_ARM), st.floats(0.0, 1.0)),
    st.builds(lambda t: (Selection("softmax", temperature=t), DEFAULT_ARM), st.floats(1e-6, 1e6)),
    st.builds(lambda d: (Selection("thompson", draws=d), DEFAULT_ARM), st.integers(1, 60)),
    st.just((GREEDY, RANDOM)),
)


@given(kind=policies, per_group=st.integers(1, 2), seed=st.integers(0, 2**64))
def test_the_chances_of_every_slot_add_up_to_1(
    kind: tuple[Selection, Arm], per_group: int, seed: int
) -> None:
    """Over all alternatives, along every possible order of the first three slots."""
    policy = policy_for(*kind, ranking(), seed)

    def follow(remaining: list[Candidate], depth: int) -> None:
        if not remaining or depth == 3:
            return
        chances = policy(remaining)
        assert sum(chance.probability for chance in chances) == pytest.approx(1.0)
        assert len({chance.position for chance in chances}) == len(chances)
        for chance in chances:
            assert 0.0 < chance.probability <= 1.0
            picked = remaining[chance.candidate]
            assert chance.position in picked.positions
            follow([one for one in remaining if one is not picked], depth + 1)

    follow(OFFERS, 0)
    offers = in_groups_of(per_group, OFFERS)
    assert len(select(offers, 9, policy=policy, seed=seed)) == 2 + per_group


@given(
    seed=st.integers(0, 2**64), slots=st.integers(1, 6), per_group=st.integers(1, 3), kind=policies
)
def test_no_offer_twice_no_group_too_often(
    seed: int, slots: int, per_group: int, kind: tuple[Selection, Arm]
) -> None:
    chosen = choose(seed, slots=slots, per_group=per_group, selection=kind[0], arm=kind[1])
    owners = [next(one for one in OFFERS if at in one.positions) for at in positions(chosen)]
    assert len({one.offer_id for one in owners}) == len(owners) <= slots
    groups = Counter(b.name for one in owners for b in one.bounds if b.kind == "group")
    assert all(count <= per_group for count in groups.values())
    possible = min(slots, 4 if per_group > 1 else 3)
    assert len(chosen) == possible, "a slot is filled while anything remains for it"
