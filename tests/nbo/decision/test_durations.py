import doctest
from datetime import timedelta

import pytest

from nbo.decision import durations
from nbo.decision.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("15m", timedelta(minutes=15)),
        ("90s", timedelta(seconds=90)),
        (" 2 w", timedelta(weeks=2)),
        ("34560000s", timedelta(days=400)),
    ],
)
def test_durations_are_read(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "30", "d", "1.5h", "-3d", "30 days", "3d4h", "٣d"])
def test_other_texts_are_no_durations(text):
    with pytest.raises(ValueError, match="must be a number and s, m, h, d or w"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36526d", "9999999999w"])
def test_what_no_calendar_holds_is_refused(text):
    with pytest.raises(ValueError, match="at most 36525 days"):
        parse_duration(text)


def test_the_example_runs():
    assert doctest.testmod(durations) == (0, 1)
