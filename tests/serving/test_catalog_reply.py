"""Replies about a wrong catalogue stay small, whatever is wrong with it."""

from __future__ import annotations

import pytest

from nbo.errors import Problem
from serving.catalog_reply import MAX_MESSAGE, refused


@pytest.mark.parametrize(("count", "length"), [(132_000, 100), (1_000, 200_000)])
def test_a_reply_fits_the_message_limit_of_every_client(count, length):
    reply = refused([Problem("catalog.yaml", i, 1, "x" * length) for i in range(1, count + 1)])
    assert 500_000 < reply.ByteSize() < 4 << 20
    *located, last = reply.problems
    assert [p.line for p in located] == list(range(1, len(located) + 1))
    assert last.message == f"and {count - len(located):,} more"
    assert last.line == 0


def test_what_fits_is_told_whole_and_a_long_message_is_cut():
    reply = refused([Problem("a.yaml", 1, 2, "short"), Problem("a.yaml", 3, 0, "y" * 5_000)])
    assert [p.message for p in reply.problems] == ["short", "y" * (MAX_MESSAGE - 1) + "…"]
