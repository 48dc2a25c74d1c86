import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nbo.errors import BadInputError, NotEnoughDataError
from nbo.measure.ranking import Ranking, auc, auc_interval, lift_at, lift_interval

ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def test_auc_by_hand():
    # Positives 0.9 and 0.4 against negatives 0.5 and 0.4: above, above, below, tied.
    assert auc([0.9, 0.4, 0.5, 0.4], [1, 1, 0, 0]) == (1 + 1 + 0 + 0.5) / 4


@given(ROWS)
def test_auc_equals_an_independent_implementation(rows):
    score, label = zip(*rows, strict=True)
    assert auc(score, label) == pytest.approx(roc_auc_score(label, score))


def test_lift_by_hand():
    score = np.arange(10.0)
    label = score >= 8
    assert lift_at(score, label, 0.1) == 5.0
    assert lift_at(score, label, 0.2) == 5.0
    assert lift_at(score, label, 0.4) == 2.5
    assert lift_at(score, label, 1.0) == 1.0


def test_ties_at_the_edge_enter_in_equal_shares():
    # The best half row of four equal ones holds a quarter of them whatever their order.
    for label in ([1, 0, 0, 0], [0, 0, 0, 1]):
        assert lift_at([1, 1, 1, 1], label, 0.25) == 1.0


@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    for measure in (auc, lift_at):
        score, label = zip(*rows, strict=True)
        again_score, again_label = zip(*shuffled, strict=True)
        assert measure(score, label) == pytest.approx(measure(again_score, again_label))


def test_drawing_a_row_twice_is_weighting_it_by_two():
    draw = np.random.default_rng(0)
    score, times = np.round(draw.beta(2, 5, 3000), 2), draw.integers(0, 4, 3000)
    label = draw.random(3000) < score
    weight = times[None, :].astype(float)
    ranking = Ranking(score, label)
    again = np.repeat(score, times), np.repeat(label, times)
    assert ranking.auc(weight)[0] == pytest.approx(auc(*again))
    assert ranking.auc(weight)[0] == pytest.approx(roc_auc_score(label, score, sample_weight=times))
    assert ranking.lift(weight, 0.1)[0] == pytest.approx(lift_at(*again))


def test_intervals_hold_the_value_and_repeat_with_the_seed():
    draw = np.random.default_rng(3)
    label = draw.random(2000) < 0.2
    score = draw.normal(size=2000) + label
    household = draw.integers(0, 500, 2000)
    for interval, point in ((auc_interval, auc), (lift_interval, lift_at)):
        found = interval(score, label, household, seed=1)
        assert found.low < found.value < found.high
        assert found.value == pytest.approx(point(score, label))
        assert found == interval(score, label, household, seed=1)
        assert found != interval(score, label, household, seed=2)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    # Scores of positives lie one standard deviation higher: AUC is Φ(1/√2) = 0.7602.
    draw = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        label = np.arange(300) % 3 == 0
        score = draw.normal(size=300) + label
        found = auc_interval(score, label, np.arange(300), seed=0, resamples=200)
        covered += found.low <= 0.7602 <= found.high
    assert 0.89 <= covered / 200 <= 0.99


def test_rows_of_one_customer_are_drawn_together():
    # Ten copies of each row add no information: the interval must not become narrower.
    draw = np.random.default_rng(7)
    label = draw.random(200) < 0.3
    score = draw.normal(size=200) + label
    once = auc_interval(score, label, np.arange(200), seed=1)
    copies = auc_interval(
        np.tile(score, 10), np.tile(label, 10), np.tile(np.arange(200), 10), seed=1
    )
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=1e-9)


@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1]])
def test_one_class_is_not_enough(label):
    with pytest.raises(NotEnoughDataError, match="positives and negatives"):
        auc([1, 2, 3], label)


def test_wrong_arguments_are_named():
    with pytest.raises(BadInputError, match="label: must have the shape"):
        auc([1, 2, 3], [1, 0])
    with pytest.raises(BadInputError, match="score: must be finite"):
        auc([1, np.nan], [1, 0])
    with pytest.raises(BadInputError, match="share: must be in"):
        lift_at([1, 2], [1, 0], 0.0)
    with pytest.raises(BadInputError, match="clusters: must have one entry per row"):
        auc_interval([1, 2], [1, 0], [1], seed=0)
    with pytest.raises(NotEnoughDataError, match="at least 2 clusters"):
        auc_interval([1, 2], [1, 0], [1, 1], seed=0)
