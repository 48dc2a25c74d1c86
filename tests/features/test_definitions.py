from datetime import timedelta

import pytest

from features.definitions import EventType, Window


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Calls", "care.called", "count", "30d"), "must be lower case"),
        (("calls", "care called", "count", "30d"), "must be like"),
        (("calls", "care.called", "median", "30d"), "must be one of count, sum, mean"),
        (("calls", "care.called", "count", timedelta(milliseconds=3)), "at least a second"),
        (("calls", "care.called", "sum", "30d"), "sum needs attribute"),
        (("calls", "care.called", "count", "30d", "minutes"), "count takes no attribute"),
    ],
)
def test_a_wrong_window_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        Window(*arguments)


def test_text_and_timedelta_mean_the_same_window():
    assert Window("w", "a", "count", "1h") == Window("w", "a", "count", timedelta(hours=1))
    assert Window("w", "a", "count", "1h").width_us == 60_000_000


def test_every_part_of_the_meaning_is_in_the_fingerprint_and_the_name_is_not():
    base = Window("w", "a", "sum", "1h", "x", {"y": 1})
    others = [
        Window("w", "b", "sum", "1h", "x", {"y": 1}),
        Window("w", "a", "mean", "1h", "x", {"y": 1}),
        Window("w", "a", "sum", "2h", "x", {"y": 1}),
        Window("w", "a", "sum", "1h", "z", {"y": 1}),
        Window("w", "a", "sum", "1h", "x", {"y": 2}),
    ]
    assert len({w.fingerprint for w in [base, *others]}) == 6
    assert Window("v", "a", "sum", "1h", "x", {"y": 1.0}).fingerprint == base.fingerprint


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("Care", {}), ("care.", {}), ("care", {"type": "text"}), ("care", {"topic": "string"})],
)
def test_wrong_event_types_are_refused(name, attributes):
    with pytest.raises(ValueError, match="must be"):
        EventType(name, attributes)
