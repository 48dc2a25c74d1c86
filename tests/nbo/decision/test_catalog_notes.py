"""How many mistakes are looked for in a file that is wrong from end to end."""

from __future__ import annotations

import pytest

from nbo.decision.catalog_notes import MOST_PROBLEMS
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema
from nbo.errors import WorkspaceError

SCHEMA = FactSchema({})
LINE = "  - {id: bad%d, group: nowhere%d, vlue: 3}\n"


def mistakes(text):
    with pytest.raises(WorkspaceError) as caught:
        load_catalog(text, "catalog.yaml", SCHEMA)
    return caught.value.problems


def test_reading_ends_after_a_thousand_mistakes_and_says_so():
    problems = mistakes("offers:\n" + "".join(LINE % (i, i) for i in range(5_000)))
    *located, last = problems
    assert len(located) == MOST_PROBLEMS
    assert all(problem.line for problem in located)
    assert [p.line for p in located] == sorted(p.line for p in located)
    assert str(last).startswith("catalog.yaml  and more: reading ended after 1,000 mistakes")


def test_fewer_are_told_to_the_last():
    problems = mistakes("offers:\n" + "".join(LINE % (i, i) for i in range(100)))
    assert max(problem.line for problem in problems) == 101
    assert not any("and more" in problem.message for problem in problems)
